"""What uploads without a desk are to become."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_tables

ID = "m0003_deskless_upload"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="uploads without a desk")
    add_tables(
        manager,
        {
            "DesklessUpload deskless_upload": (
                "upload text key, account uuid index, account_name text, via text, metadata text,"
                "expires time index, arrived bool"
            )
        },
    )
    return manager
