"""Cases in full: numbers, relations, parties, events, artifacts, words to be found by, conflict checks."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_column, add_tables

ID = "m0015_cases"

_CASE = (
    "kind text null, client text null, court text null, docket text null, jurisdiction text null, labels text null, "
    "opened text null, closed time null, state_reason text null, updated time null, version int null, title_key text null, "
    "client_key text null, court_key text null"
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="cases, parties, events, artifacts")
    for words in _CASE.split(","):
        add_column(manager, "LegalCase", "legal_case", words)
    add_tables(
        manager,
        {
            "CaseCounter case_counter": "name text key, last bigint",
            "CaseLabel case_label": "id bigserial key, case_id uuid index, label text",
            "CaseRelation case_relation": (
                "id bigserial key, case_id uuid, other uuid, kind text, created time, made_by text"
            ),
            "CaseParty case_party": (
                "id uuid key, case_id uuid, kind text, name text, organisation bool, aliases text, contacts text, "
                "counsel_for text null, firm text null, bar_number text null, notes text null, version int, created time, "
                "removed time null"
            ),
            "CaseEvent case_event": (
                "id uuid key, case_id uuid, kind text, title text, detail text null, starts time, ends time null, zone text, "
                "certainty text, source text null, shared bool, version int, created time, made_by text, removed time null"
            ),
            "CaseArtifact case_artifact": (
                "id uuid key, case_id uuid, kind text, title text, body text null, exhibit uuid null index, content bytes, "
                "record uuid, shared bool, version int, created time, made_by text, removed time null"
            ),
            "CaseRecord case_record": (
                "id uuid key, case_id uuid index, object uuid index, kind text, record bytes, created time"
            ),
            "CaseWord case_word": "word text key, sound text, codex text",
            "CaseWordTrigram case_word_trigram": "id bigserial key, trigram text, word text",
            "CasePosting case_posting": "id bigserial key, word text, place text, case_id uuid index",
            "PartyName party_name": (
                "id uuid key, case_id uuid index, party uuid null index, kind text, name text, folded text, joined text, "
                "words int"
            ),
            "PartyNameWord party_name_word": "id bigserial key, word text, name uuid index",
            "ConflictCheck conflict_check": (
                "id uuid key, case_id uuid null index, account uuid null, made_by text, created time, subject text, names text, "
                "state text, outcome text null, reason text null, settled time null, settled_by text null, version int"
            ),
            "ConflictHit conflict_hit": (
                "id uuid key, check_id uuid, case_id uuid index, party uuid null index, asked text, found text, name_kind text, "
                "how text, sure int, result text, reason text null, settled time null, settled_by text null"
            ),
        },
    )
    return manager
