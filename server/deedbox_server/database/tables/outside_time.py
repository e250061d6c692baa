"""What others said of when: each row belongs to a log entry of the same record, staged in the same transaction."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigInt, Bytea, Text, Timestamptz


class TimeBeacon(Table, tablename="time_beacon"):
    """A `time.beacon` entry. A verified round, or the word for its absence. `seq` is filled in once the entry is in the log."""

    record = UUID(primary_key=True)
    chain = Bytea()
    round = BigInt(null=True)
    published = Timestamptz(null=True)
    absent = Text(null=True)
    created = Timestamptz(index=True)
    seq = BigInt(null=True, index=True)


class TimeStamp(Table, tablename="time_stamp"):
    """A `time.stamp` entry with its response and the exact note it is over. `valid_from` and `expires` are of the signing
    certificates; `crls` are digests of revocation lists, in hex, joined by commas.
    """

    record = UUID(primary_key=True)
    url = Text()
    authority = Text()
    size = BigInt(index=True)
    time = Timestamptz()
    valid_from = Timestamptz()
    expires = Timestamptz()
    token = Bytea()
    note = Text()
    crls = Text()
    created = Timestamptz()


class RevocationList(Table, tablename="revocation_list"):
    """A CRL as it was fetched; stamps of a day share it."""

    digest = Bytea(primary_key=True)
    url = Text()
    der = Bytea()
    fetched = Timestamptz()
