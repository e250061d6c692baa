"""Dates of exhibits, for timelines."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_tables

ID = "m0017_exhibit_dates"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="dates of exhibits, for timelines")
    add_tables(
        manager,
        {
            "ExhibitDate exhibit_date": (
                "id uuid key, case_id uuid, exhibit uuid index, kind text, time time, zone text null, certainty text, "
                "source text"
            ),
        },
    )
    return manager
