"""What a database says no with, the same words for both dialects."""

from deedbox_server.errors import DeedboxError, Unavailable


class DatabaseError(DeedboxError):
    """A statement that the database refused: a fault of ours. The driver's own error is its cause and may quote
    values: never log it whole.
    """

    slug, title = "database", "The database refused a statement"


class UniqueViolation(DatabaseError):
    """Another row has this key. The transaction it happened in is lost: where duplicates are expected say ON
    CONFLICT.
    """

    title = "A row with this key exists"


class NewerDatabase(DatabaseError):
    title = "This database was made by a newer version of Deedbox"


class DatabaseBusy(Unavailable):
    """Somebody else held the lock or the connections for too long, or the server is away: nothing was done, try
    again.
    """

    title = "The database is busy"
