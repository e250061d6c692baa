"""One account for each subject of an issuer."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_indexes

ID = "m0014_key_indexes"

_UNIQUE = {"outside_identity_subject": "outside_identity (issuer, subject)"}


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="one account for each subject")
    add_indexes(manager, {}, _UNIQUE)
    return manager
