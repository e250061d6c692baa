"""Uploads, statements, exhibits and their custody."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigInt, BigSerial, Boolean, Bytea, Integer, Text, Timestamptz


class Upload(Table, tablename="upload"):
    """Bytes on their way in; the sender chose the id."""

    id = Text(primary_key=True)
    case_id = UUID()
    owner = Text()
    size = BigInt(null=True)
    blob = UUID()
    state = Text()
    created = Timestamptz()
    touched = Timestamptz(index=True)


class DesklessUpload(Table, tablename="deskless_upload"):
    """What an upload of a person's program is to become, and who began it; `arrived` once every byte is durable. Kept
    until it expires.
    """

    upload = Text(primary_key=True)
    account = UUID(index=True)
    account_name = Text()
    via = Text()
    metadata = Text()
    expires = Timestamptz(index=True)
    arrived = Boolean()


class Statement(Table, tablename="statement"):
    """A signed statement as it came, capture or gap; one for each journal number of a device. `record` is that of
    its log entry.
    """

    digest = Bytea(primary_key=True)
    device = UUID()
    sequence = BigInt()
    kind = Text()
    envelope = Bytea()
    case_id = UUID(null=True)
    size = BigInt()
    content = Bytea()
    state = Text()
    upload = Text(null=True)
    exhibit = UUID(null=True)
    record = UUID(null=True)
    received = Timestamptz()


class Exhibit(Table, tablename="exhibit"):
    """One piece of evidence; the number is unique within its case."""

    id = UUID(primary_key=True)
    case_id = UUID()
    number = Integer()
    statement = Bytea(unique=True)
    content = Bytea()
    size = BigInt()
    blob = UUID()
    name = Text()
    media_type = Text()
    labels = Text()
    captured = Timestamptz()
    received = Timestamptz()
    device = UUID(null=True)
    captured_by_desk = Boolean()
    supersedes = UUID(null=True)
    state = Text()


class CustodyEvent(Table, tablename="custody_event"):
    """What happened to an exhibit, numbered from one; the id is the log entry's record."""

    id = UUID(primary_key=True)
    exhibit = UUID()
    number = Integer()
    kind = Text()
    time = Timestamptz()
    actor = Text()
    record = Bytea()


class ViewMark(Table, tablename="view_mark"):
    """One account's views of one exhibit within a quarter hour are one event."""

    id = BigSerial(primary_key=True)
    exhibit = UUID()
    account = Text()
    kind = Text()
    quarter = Timestamptz()


class Derived(Table, tablename="derived"):
    """A document that workers made from an exhibit."""

    id = UUID(primary_key=True)
    exhibit = UUID(index=True)
    form = Text()
    media_type = Text()
    content = Bytea()
    size = BigInt()
    blob = UUID()
    producer = Text()
    created = Timestamptz()
    event = Integer()
