"""One account for a sign-in name, and a version for every account."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import run_sql

ID = "m0012_sign_in_names"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="sign-in names")

    async def make() -> None:
        await run_sql("UPDATE account SET version = 1 WHERE version IS NULL")
        await run_sql('CREATE UNIQUE INDEX "account_sign_in" ON account (sign_in)')  # where there is one

    async def unmake() -> None:
        await run_sql('DROP INDEX "account_sign_in"')

    manager.add_raw(make)
    manager.add_raw_backwards(unmake)
    return manager
