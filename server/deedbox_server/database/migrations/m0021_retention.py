"""Legal holds, rules of retention, disposal, erasure, tombstones."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_tables

ID = "m0021_retention"

_ASKED = (
    "state text index, asked time, asked_by text, asked_by_name text, not_before time null, approved time null, "
    "approved_by text null, approved_by_name text null, approved_via text null, ended time null"
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="holds, retention, disposal, erasure")
    add_tables(
        manager,
        {
            "LegalHold legal_hold": (
                "id uuid key, kind text, subject uuid index, case_id uuid null index, reason text, placed time, "
                "placed_by text, placed_by_name text, lifted time null, lifted_by text null, lifted_by_name text null, "
                "lifted_reason text null, version bigint"
            ),
            "RetentionRule retention_rule": (
                "id uuid key, name text, case_kind text null, label text null, state text null, after text, years int, "
                "months int, citation text, created time, made_by text, removed time null, version bigint"
            ),
            "Disposal disposal": (
                "id uuid key, case_id uuid index, whole bool, reason text, rule text null, covers bytes, "
                f"{_ASKED}, version bigint"
            ),
            "DisposalBlob disposal_blob": "id bigserial key, disposal uuid index, blob uuid null, file text null",
            "Tombstone tombstone": (
                "id uuid key, what text, object uuid index, case_id uuid null index, number int null, "
                "statement bytes null index, content bytes null, time time, record bytes"
            ),
            "ErasedRecord erased_record": "record uuid key, tombstone uuid index",
            "Erasure erasure": (
                f"id uuid key, reason text, covers bytes, {_ASKED}, kept bytes null, certificate bytes null, "
                "expiry time null, version bigint"
            ),
            "ErasureDesk erasure_desk": ("id bigserial key, erasure uuid index, device uuid, confirmed time null"),
        },
    )
    return manager
