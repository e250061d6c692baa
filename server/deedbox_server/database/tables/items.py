"""Physical items and what was done with them; refiled exhibits; links by which one exhibit can be downloaded."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigSerial, Bytea, Integer, Text, Timestamptz


class RefiledExhibit(Table, tablename="refiled_exhibit"):
    """An exhibit left this case, where its number stays taken; `returned` once it has come back and has that number again."""

    id = UUID(primary_key=True)
    exhibit = UUID(index=True)
    case_id = UUID()
    number = Integer()
    to_case = UUID()
    time = Timestamptz()
    actor = Text()
    returned = Timestamptz(null=True)


class ExhibitDigest(Table, tablename="exhibit_digest"):
    """A digest of an exhibit's bytes other than its SHA-256, as its statement has it; unique together."""

    id = BigSerial(primary_key=True)
    exhibit = UUID(index=True)
    algorithm = Text()
    digest = Bytea()


class Item(Table, tablename="item"):
    """A thing that lies somewhere; the number is unique within its case. `seals` and `holder` are JSON."""

    id = UUID(primary_key=True)
    case_id = UUID()
    number = Integer()
    kind = Text()
    description = Text()
    made = Text()
    serial = Text()
    condition = Text()
    seals = Text()
    place = Text()
    holder = Text()
    state = Text()
    version = Integer()
    created = Timestamptz()
    updated = Timestamptz()
    made_by = Text()


class ItemEvent(Table, tablename="item_event"):
    """What happened to an item, numbered from one (formats/item.md); the id is the log entry's record. `time` is when it was
    recorded, `happened` when it was done, as the record says.
    """

    id = UUID(primary_key=True)
    item = UUID()
    case_id = UUID()
    number = Integer()
    kind = Text()
    time = Timestamptz()
    happened = Timestamptz()
    actor = Text()
    record = Bytea()


class ItemPhoto(Table, tablename="item_photo"):
    """An exhibit of the item's case that shows it."""

    id = BigSerial(primary_key=True)
    item = UUID()
    exhibit = UUID(index=True)
    added = Timestamptz()


class Handover(Table, tablename="handover"):
    """A handover that waits for a side's word, or is settled. `detail` is JSON; `given` and `taken` are when each side
    confirmed.
    """

    id = UUID(primary_key=True)
    item = UUID(index=True)
    kind = Text()
    state = Text()
    detail = Text()
    given = Timestamptz(null=True)
    taken = Timestamptz(null=True)
    made_by = Text()
    created = Timestamptz()
    settled = Timestamptz(null=True)
    version = Integer()


class DownloadLink(Table, tablename="download_link"):
    """An address that gives one exhibit, or a document derived from it, for a while; only the digest of its token is kept."""

    id = UUID(primary_key=True)
    handle = Text(unique=True)
    digest = Bytea()
    exhibit = UUID(index=True)
    derived = UUID(null=True)
    case_id = UUID()
    account = UUID(index=True)
    made_via = Text()
    note = Text()
    network = Text(null=True)
    uses = Integer()
    used = Integer()
    created = Timestamptz()
    expires = Timestamptz(index=True)
    revoked = Timestamptz(null=True)
    revoked_by = Text(null=True)
