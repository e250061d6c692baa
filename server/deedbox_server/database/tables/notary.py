"""The log, its tree, and what waits to enter it."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigInt, BigSerial, Bytea, Integer, Text, Timestamptz


class PendingEntry(Table, tablename="pending_entry"):
    """Staged by a domain transaction, turned into an entry by the sequencer, in this order. `beginning` is that of the
    entry's bytes.
    """

    position = BigSerial(primary_key=True)
    record = UUID()
    staged = Timestamptz()
    beginning = Bytea()


class LogHead(Table, tablename="log_head"):
    """The one row that says how far the log is; moved by compare-and-swap."""

    id = Integer(primary_key=True)
    origin = Text()
    size = BigInt()
    root = Bytea()
    last_entry_digest = Bytea()
    last_time = Timestamptz()
    suspended = Text(null=True)


class LogEntry(Table, tablename="log_entry"):
    """An entry's exact bytes and the hash of its leaf."""

    seq = BigInt(primary_key=True)
    record = UUID(index=True)
    entry = Bytea()
    leaf = Bytea()


class LogTile(Table, tablename="log_tile"):
    """Hashes of one tile, as many as there are; derived from the entries."""

    id = BigSerial(primary_key=True)
    level = Integer()
    tile_index = BigInt()
    hashes = Bytea()


class LogCheckpoint(Table, tablename="log_checkpoint"):
    """A signed note for each size that was ever promised."""

    size = BigInt(primary_key=True)
    note = Text()
    created = Timestamptz()
