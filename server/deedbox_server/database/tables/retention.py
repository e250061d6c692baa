"""Legal holds, rules of retention, disposal, erasure, and what stays of what is gone."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigInt, BigSerial, Boolean, Bytea, Integer, Text, Timestamptz


class LegalHold(Table, tablename="legal_hold"):
    """While one is not lifted nothing under its subject is deleted: a case, an exhibit, a party or an account. `case_id` is None
    for an account.
    """

    id = UUID(primary_key=True)
    kind = Text()
    subject = UUID(index=True)
    case_id = UUID(null=True, index=True)
    reason = Text()
    placed = Timestamptz()
    placed_by = Text()
    placed_by_name = Text()
    lifted = Timestamptz(null=True)
    lifted_by = Text(null=True)
    lifted_by_name = Text(null=True)
    lifted_reason = Text(null=True)
    version = BigInt()


class RetentionRule(Table, tablename="retention_rule"):
    """How long cases like these are kept after what happened to them, and which law says so. None means any."""

    id = UUID(primary_key=True)
    name = Text()
    case_kind = Text(null=True)
    label = Text(null=True)
    state = Text(null=True)
    after = Text()
    years = Integer()
    months = Integer()
    citation = Text()
    created = Timestamptz()
    made_by = Text()
    removed = Timestamptz(null=True)
    version = BigInt()


class Disposal(Table, tablename="disposal"):
    """A request to dispose of exhibits or of a whole case. `covers` is what it is about, frozen as canonical JSON when it was
    asked.
    """

    id = UUID(primary_key=True)
    case_id = UUID(index=True)
    whole = Boolean()
    reason = Text()
    rule = Text(null=True)
    covers = Bytea()
    state = Text(index=True)
    asked = Timestamptz()
    asked_by = Text()
    asked_by_name = Text()
    not_before = Timestamptz(null=True)
    approved = Timestamptz(null=True)
    approved_by = Text(null=True)
    approved_by_name = Text(null=True)
    approved_via = Text(null=True)
    ended = Timestamptz(null=True)
    version = BigInt()


class DisposalBlob(Table, tablename="disposal_blob"):
    """Bytes that a disposal under way still has to remove, or the pack file that they were in."""

    id = BigSerial(primary_key=True)
    disposal = UUID(index=True)
    blob = UUID(null=True)
    file = Text(null=True)


class Tombstone(Table, tablename="tombstone"):
    """What stays of a disposed exhibit or case, or of erased records: the readable record, bound to the log (formats/erasure.md).
    The id is the log entry's record; the other columns are what it is found by.
    """

    id = UUID(primary_key=True)
    what = Text()
    object = UUID(index=True)
    case_id = UUID(null=True, index=True)
    number = Integer(null=True)
    statement = Bytea(null=True, index=True)
    content = Bytea(null=True)
    time = Timestamptz()
    record = Bytea()


class ErasedRecord(Table, tablename="erased_record"):
    """A log entry's record that is gone with its salts, and the tombstone that says so."""

    record = UUID(primary_key=True)
    tombstone = UUID(index=True)


class Erasure(Table, tablename="erasure"):
    """A request to erase a person: an account, parties of cases, or both. `covers` and `kept` are canonical JSON; `certificate`
    is the record that the log commits to.
    """

    id = UUID(primary_key=True)
    reason = Text()
    covers = Bytea()
    state = Text(index=True)
    asked = Timestamptz()
    asked_by = Text()
    asked_by_name = Text()
    not_before = Timestamptz(null=True)
    approved = Timestamptz(null=True)
    approved_by = Text(null=True)
    approved_by_name = Text(null=True)
    approved_via = Text(null=True)
    ended = Timestamptz(null=True)
    kept = Bytea(null=True)
    certificate = Bytea(null=True)
    expiry = Timestamptz(null=True)
    version = BigInt()


class ErasureDesk(Table, tablename="erasure_desk"):
    """A desk that has something of an erased person or exhibit, and when it confirmed that it is gone there too."""

    id = BigSerial(primary_key=True)
    erasure = UUID(index=True)
    device = UUID()
    confirmed = Timestamptz(null=True)
