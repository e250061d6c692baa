"""The paths that queries of the trail take."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_indexes

ID = "m0010_audit_indexes"

_PATHS = {
    "audit_record_case": "audit_record (case_id, id)",  # the trail of one case, in order
    "audit_record_actor": "audit_record (actor, id)",  # and of one person
    "case_wall_account": "case_wall (account, case_id)",  # whom a wall bars, asked at every question
}


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="paths through the trail")
    add_indexes(manager, _PATHS)
    return manager
