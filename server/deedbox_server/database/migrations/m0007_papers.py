"""Papers for court."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_tables

ID = "m0007_papers"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="papers for court")
    add_tables(
        manager,
        {
            "Paper paper": (
                "id uuid key, case_id uuid index, kind text, title text, content bytes, size bigint, unsigned bigint, pages int, "
                "blob uuid, notes uuid, notes_content bytes, notes_size bigint, signature text, shows_content bool, "
                "made_by text, created time, record bytes"
            )
        },
    )
    return manager
