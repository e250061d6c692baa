"""Roles in the firm and in cases, ethical walls and how they are opened."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_column, add_tables, run_sql

ID = "m0008_roles"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="roles and walls")
    add_column(manager, "Account", "account", "duties text null")
    add_column(manager, "CaseMember", "case_member", "until time null")
    add_tables(
        manager,
        {
            "CaseWall case_wall": (
                "id uuid key, case_id uuid index, account uuid, reason text, made_by text, created time, lifted time null, "
                "lifted_by text null, opened_until time null"
            ),
            "GlassRequest glass_request": (
                "id uuid key, account uuid index, account_name text, case_number text, case_id uuid null, reason text, "
                "created time, due time null, expires time, state text, decided time null, decided_by text null, "
                "opened_until time null"
            ),
        },
    )

    async def rename() -> None:
        await run_sql("UPDATE account SET role = 'administrator' WHERE role = 'owner'")
        await run_sql("UPDATE account SET role = 'paralegal' WHERE role = 'member'")
        await run_sql(
            "UPDATE case_member SET role = (SELECT account.role FROM account WHERE account.id = case_member.account)"
            " WHERE role IN ('lead', 'member')"
        )

    async def unname() -> None:
        """Roles that were not there before become the one that may least."""
        await run_sql("UPDATE account SET role = CASE role WHEN 'administrator' THEN 'owner' ELSE 'member' END")
        await run_sql("UPDATE case_member SET role = 'member'")

    manager.add_raw(rename)
    manager.add_raw_backwards(unname)
    return manager
