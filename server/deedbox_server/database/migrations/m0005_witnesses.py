"""Witnesses: those whom the box asks, what they signed, the logs that it watches itself, and what was found against these."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_tables

ID = "m0005_witnesses"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="witnesses, both ways")
    add_tables(
        manager,
        {
            "AskedWitness asked_witness": (
                "id uuid key, name text unique, vkey text, url text, ca text null, size bigint, state text, status int, told "
                "bigint, why text, changed time, asked time null, signed time null, added time"
            ),
            "Cosignature cosignature": (
                "id text key, size bigint index, witness text, line text, signed time null, received time"
            ),
            "WatchedLog watched_log": (
                "id uuid key, origin text unique, vkey text, watching bool, size bigint, root bytes, note text, cosigned time "
                "null, added time"
            ),
            "LogMisbehaviour log_misbehaviour": (
                "digest bytes key, origin text index, kind text, size bigint, note text, held_size bigint, held text, seen time"
            ),
        },
    )
    return manager
