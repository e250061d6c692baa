"""Answers that are given again to who repeats a call under its idempotency key."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_tables

ID = "m0023_kept_answers"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="answers to repeated calls")
    add_tables(
        manager,
        {
            "KeptAnswerRow kept_answer": (
                "id bytes key, asker text index, request bytes, run bytes, begun time index, status int null, "
                "headers text null, body bytes null"
            ),
        },
    )
    return manager
