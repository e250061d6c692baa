"""Beacons, time stamps and the revocation data beside them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from deedbox_server.database.migration_words import add_tables

ID = "m0004_outside_time"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="deedbox", description="outside time")
    add_tables(
        manager,
        {
            "TimeBeacon time_beacon": (
                "record uuid key, chain bytes, round bigint null, published time null, absent text null, created time "
                "index, seq bigint null index"
            ),
            "TimeStamp time_stamp": (
                "record uuid key, url text, authority text, size bigint index, time time, valid_from time, expires time, "
                "token bytes, note text, crls text, created time"
            ),
            "RevocationList revocation_list": "digest bytes key, url text, der bytes, fetched time",
        },
    )
    return manager
