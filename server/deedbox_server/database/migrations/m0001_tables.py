"""The tables of the first release."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_tables

ID = "m0001_tables"

_TABLES = {
    "Account account": "id uuid key, name text unique, role text, password_hash text, created time, disabled bool",
    "ApiKey api_key": (
        "id uuid key, handle text unique, account uuid index, name text, digest bytes, created time, expires time "
        "null, revoked time null"
    ),
    "Device device": (
        "id uuid key, account uuid index, name text, platform text, statement_key bytes, created time, revoked "
        "time null, cases text null, next_sequence bigint, last_digest bytes"
    ),
    "Certificate certificate": (
        "serial text key, device uuid index, der bytes, not_before time, not_after time, revoked time null"
    ),
    "PairingCode pairing_code": (
        "id uuid key, nameplate text unique, code text, account uuid, cases text null, made_by text, created time, "
        "expires time, tries int, used time null, exchange text null, state bytes null, grant bytes null"
    ),
    "RenewalNonce renewal_nonce": "nonce bytes key, seen time index",
    "TrustRecord trust_record": "id uuid key, device uuid index, kind text, record bytes, created time",
    "LegalCase legal_case": "id uuid key, number text unique, title text, created time, state text",
    "CaseMember case_member": "id bigserial key, case_id uuid, account uuid index, role text",
    "Upload upload": (
        "id text key, case_id uuid, owner text, size bigint null, blob uuid, state text, created time, touched "
        "time index"
    ),
    "Statement statement": (
        "digest bytes key, device uuid, sequence bigint, kind text, envelope bytes, case_id uuid null, size "
        "bigint, content bytes, state text, upload text null, exhibit uuid null, record uuid null, received time"
    ),
    "Exhibit exhibit": (
        "id uuid key, case_id uuid, number int, statement bytes unique, content bytes, size bigint, blob uuid, "
        "name text, media_type text, labels text, captured time, received time, device uuid null, captured_by_desk "
        "bool, supersedes uuid null, state text"
    ),
    "CustodyEvent custody_event": (
        "id uuid key, exhibit uuid, number int, kind text, time time, actor text, record bytes"
    ),
    "ViewMark view_mark": "id bigserial key, exhibit uuid, account text, kind text, quarter time",
    "Derived derived": (
        "id uuid key, exhibit uuid index, form text, media_type text, content bytes, size bigint, blob uuid, "
        "producer text, created time, event int"
    ),
    "Blob blob": "id uuid key, case_id uuid, size bigint, created time, state text",
    "BlobPart blob_part": (
        "id bigserial key, blob uuid, part int, file text, file_offset bigint, cipher_length bigint, plain_length "
        "bigint"
    ),
    "PendingEntry pending_entry": "position bigserial key, record uuid, staged time, beginning bytes",
    "LogHead log_head": (
        "id int key, origin text, size bigint, root bytes, last_entry_digest bytes, last_time time, suspended text null"
    ),
    "LogEntry log_entry": "seq bigint key, record uuid index, entry bytes, leaf bytes",
    "LogTile log_tile": "id bigserial key, level int, tile_index bigint, hashes bytes",
    "LogCheckpoint log_checkpoint": "size bigint key, note text, created time",
    "Job job": (
        "id uuid key, kind text, subject uuid index, args text, state text, priority int, run_at time, attempts "
        "int, max_attempts int, lease_until time null, worker text, progress float, dedup text null unique, error "
        "text, created time, finished time null"
    ),
    "JobStep job_step": "id bigserial key, job uuid, name text, output text",
    "Setting setting": "name text key, value text",
}


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="the tables of the first release")
    add_tables(manager, _TABLES)
    return manager
