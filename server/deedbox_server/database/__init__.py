"""The box's database: encrypted SQLite by default, Postgres by setting, one schema, the same Python values from
both.
"""

from deedbox_server.database.errors import DatabaseBusy, DatabaseError, NewerDatabase, UniqueViolation
from deedbox_server.database.interface import Database, Dialect, Row
from deedbox_server.database.migrating import NOTHING, applied_migrations, known_migrations, migrate, migrate_back
from deedbox_server.database.opening import open_database, open_sqlite

__all__ = [
    "NOTHING",
    "Database",
    "DatabaseBusy",
    "DatabaseError",
    "Dialect",
    "NewerDatabase",
    "Row",
    "UniqueViolation",
    "applied_migrations",
    "known_migrations",
    "migrate",
    "migrate_back",
    "open_database",
    "open_sqlite",
]
