"""The paths that timelines take, one for each of their sources; and a case's exhibits in order."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import run_sql

ID = "m0018_timeline_paths"

_PATHS = {
    "exhibit_in_case": "exhibit (case_id, id)",
    "exhibit_captured": "exhibit (case_id, captured, id) WHERE captured_by_desk",
    "exhibit_received": "exhibit (case_id, received, id)",
    "exhibit_date_case": "exhibit_date (case_id, time, id)",
    "paper_created": "paper (case_id, created, id)",
}
# Custody as it was before there were timelines: `exhibit.case_id` is where each exhibit is now.
_MILESTONES = (
    "INSERT INTO exhibit_date (id, case_id, exhibit, kind, time, zone, certainty, source) "
    "SELECT custody_event.id, exhibit.case_id, exhibit.id, custody_event.kind, custody_event.time, 'UTC', 'exact', 'custody' "
    "FROM custody_event JOIN exhibit ON exhibit.id = custody_event.exhibit "
    "WHERE custody_event.kind IN ('exported', 'superseded')"
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="paths of timelines")

    async def make() -> None:
        await run_sql(_MILESTONES)
        for name, path in _PATHS.items():
            await run_sql(f'CREATE INDEX "{name}" ON {path}')

    async def unmake() -> None:
        for name in _PATHS:
            await run_sql(f'DROP INDEX "{name}"')

    manager.add_raw(make)
    manager.add_raw_backwards(unmake)
    return manager
