"""What is unique together among items and refiled exhibits, and the paths that their queries take."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import run_sql

ID = "m0020_items_links_indexes"

_UNIQUE = {
    "refiled_exhibit": "case_id, number",
    "exhibit_digest": "exhibit, algorithm",
    "item": "case_id, number",
    "item_event": "item, number",
    "item_photo": "item, exhibit",
}
_PATHS = {
    "exhibit_digest_found": "exhibit_digest (digest)",  # is this file one of ours
    "item_event_case": "item_event (case_id, happened, id)",  # what the timeline of a case reads
    "exhibit_by_content": "exhibit (content)",  # the same by SHA-256, in all cases
}


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="unique together, and paths")

    async def make() -> None:
        for table, columns in _UNIQUE.items():
            await run_sql(f'CREATE UNIQUE INDEX "{table}_unique" ON "{table}" ({columns})')
        for name, path in _PATHS.items():
            await run_sql(f'CREATE INDEX "{name}" ON {path}')

    async def unmake() -> None:
        for table in _UNIQUE:
            await run_sql(f'DROP INDEX "{table}_unique"')
        for name in _PATHS:
            await run_sql(f'DROP INDEX "{name}"')

    manager.add_raw(make)
    manager.add_raw_backwards(unmake)
    return manager
