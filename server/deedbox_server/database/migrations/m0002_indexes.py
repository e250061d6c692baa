"""What is unique together, and the paths that queries take.

Plain SQL: Piccolo writes constraints over several columns as ALTER TABLE, which SQLite does not have.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import run_sql

ID = "m0002_indexes"

_UNIQUE = {
    "case_member": "case_id, account",
    "statement": "device, sequence",
    "exhibit": "case_id, number",
    "custody_event": "exhibit, number",
    "view_mark": "exhibit, account, kind, quarter",
    "blob_part": "blob, part",
    "log_tile": "level, tile_index",
    "job_step": "job, name",
}
_PATHS = {
    "statement_exhibit": "statement (exhibit)",  # from an exhibit to what was signed
    "statement_upload": "statement (upload)",  # whose bytes an upload will be
    "blob_part_file": "blob_part (file)",  # the sweep at start: is this pack still of use
    "exhibit_blob": "exhibit (blob)",  # audit: whose bytes are these
    "exhibit_content": "exhibit (case_id, content)",  # does the case hold these bytes
    "job_next": "job (state, priority, run_at, id)",  # the whole order, so that nothing is sorted
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
