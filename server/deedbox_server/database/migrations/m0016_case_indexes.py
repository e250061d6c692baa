"""What is unique together in cases, and the paths that lists, searches, timelines and conflict checks take."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_indexes

ID = "m0016_case_indexes"

_UNIQUE = {
    "case_label_unique": "case_label (label, case_id)",
    "case_relation_unique": "case_relation (case_id, other, kind)",
    "case_word_trigram_unique": "case_word_trigram (trigram, word)",
    "case_posting_unique": "case_posting (word, place, case_id)",
    "party_name_word_unique": "party_name_word (word, name)",
}
_PATHS = {
    "legal_case_number": "legal_case (number, id)",  # the sorts of lists, each with the id that makes it one order
    "legal_case_title": "legal_case (COALESCE(title_key, ''), id)",
    "legal_case_opened": "legal_case (COALESCE(opened, ''), id)",
    "legal_case_updated": "legal_case (COALESCE(updated, created), id)",
    "legal_case_client": "legal_case (client_key)",
    "legal_case_court": "legal_case (court_key)",
    "case_party_case": "case_party (case_id, created, id)",
    "case_event_case": "case_event (case_id, starts, id)",
    "case_artifact_case": "case_artifact (case_id, created, id)",
    "case_posting_case": "case_posting (case_id, word, place)",  # what else the few cases of a rare word have
    "case_word_trigram_word": "case_word_trigram (word)",  # a word that nobody uses any more goes with its trigrams
    "case_word_sound": "case_word (sound)",
    "case_word_codex": "case_word (codex)",
    "party_name_folded": "party_name (folded)",
    "party_name_joined": "party_name (joined)",
    "conflict_check_state": "conflict_check (state, id)",
    "conflict_check_account": "conflict_check (account, id)",
    "conflict_hit_check": "conflict_hit (check_id, sure)",
}


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="paths through cases")
    add_indexes(manager, _PATHS, _UNIQUE)
    return manager
