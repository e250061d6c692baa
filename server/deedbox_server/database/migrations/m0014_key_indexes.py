"""One account for each subject of an issuer."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import run_sql

ID = "m0014_key_indexes"

_NAME = "outside_identity_subject"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="one account for each subject")

    async def make() -> None:
        await run_sql(f'CREATE UNIQUE INDEX "{_NAME}" ON outside_identity (issuer, subject)')

    async def unmake() -> None:
        await run_sql(f'DROP INDEX "{_NAME}"')

    manager.add_raw(make)
    manager.add_raw_backwards(unmake)
    return manager
