"""The paths that lists of the trail take through custody, which stands among it."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_indexes

ID = "m0025_trail_paths"

_PATHS = {
    "custody_event_actor": "custody_event (actor, id)",  # what one person did and saw, in order
    "audit_record_operation": "audit_record (operation, id)",  # who did one thing
}


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="paths through the trail with custody")
    add_indexes(manager, _PATHS)
    return manager
