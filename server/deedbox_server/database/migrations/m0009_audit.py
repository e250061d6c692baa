"""The trail: who did, saw or was refused what."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_tables

ID = "m0009_audit"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="the trail")
    add_tables(
        manager,
        {
            "AuditRow audit_record": (
                "id uuid key, time time, outcome text, operation text, actor text, case_id uuid null, object uuid null index, "
                "record bytes"
            ),
        },
    )
    return manager
