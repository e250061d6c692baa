"""What is unique together among items and refiled exhibits, and the paths that their queries take."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_indexes

ID = "m0020_items_links_indexes"

_UNIQUE = {
    "refiled_exhibit_unique": "refiled_exhibit (case_id, number)",
    "exhibit_digest_unique": "exhibit_digest (exhibit, algorithm)",
    "item_unique": "item (case_id, number)",
    "item_event_unique": "item_event (item, number)",
    "item_photo_unique": "item_photo (item, exhibit)",
}
_PATHS = {
    "exhibit_digest_found": "exhibit_digest (digest)",  # is this file one of ours
    "item_event_case": "item_event (case_id, happened, id)",  # what the timeline of a case reads
    "exhibit_by_content": "exhibit (content)",  # the same by SHA-256, in all cases
}


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="unique together, and paths")
    add_indexes(manager, _PATHS, _UNIQUE)
    return manager
