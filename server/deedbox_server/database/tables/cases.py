"""Cases and who is on them."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigInt, BigSerial, Boolean, Bytea, Integer, Text, Timestamptz


class LegalCase(Table, tablename="legal_case"):
    """A matter; its number is the firm's own. `labels` is a JSON list, `opened` a date; the columns in `_key` are folded, to be
    found and sorted by. A null `version` is the first.
    """

    id = UUID(primary_key=True)
    number = Text(unique=True)
    title = Text()
    created = Timestamptz()
    state = Text()
    kind = Text(null=True)
    client = Text(null=True)
    court = Text(null=True)
    docket = Text(null=True)
    jurisdiction = Text(null=True)
    labels = Text(null=True)
    opened = Text(null=True)
    closed = Timestamptz(null=True)
    state_reason = Text(null=True)
    updated = Timestamptz(null=True)
    version = Integer(null=True)
    title_key = Text(null=True)
    client_key = Text(null=True)
    court_key = Text(null=True)


class CaseMember(Table, tablename="case_member"):
    """One account on one case; unique together."""

    id = BigSerial(primary_key=True)
    case_id = UUID()
    account = UUID(index=True)
    role = Text()
    until = Timestamptz(null=True)


class CaseWall(Table, tablename="case_wall"):
    """An ethical wall: this account does not see this case, but until `opened_until`, whatever its role."""

    id = UUID(primary_key=True)
    case_id = UUID(index=True)
    account = UUID()
    reason = Text()
    made_by = Text()
    created = Timestamptz()
    lifted = Timestamptz(null=True)
    lifted_by = Text(null=True)
    opened_until = Timestamptz(null=True)


class GlassRequest(Table, tablename="glass_request"):
    """Somebody asks to see a case that is barred to them. `case_id` is None where there is none of that number."""

    id = UUID(primary_key=True)
    account = UUID(index=True)
    account_name = Text()
    case_number = Text()
    case_id = UUID(null=True)
    reason = Text()
    created = Timestamptz()
    due = Timestamptz(null=True)
    expires = Timestamptz()
    state = Text()
    decided = Timestamptz(null=True)
    decided_by = Text(null=True)
    opened_until = Timestamptz(null=True)


class CaseCounter(Table, tablename="case_counter"):
    """The last matter number that was given under a pattern's fixed part (`2026-{}`); it only grows."""

    name = Text(primary_key=True)
    last = BigInt()


class CaseLabel(Table, tablename="case_label"):
    """A case's labels once more, folded, to find cases by."""

    id = BigSerial(primary_key=True)
    case_id = UUID(index=True)
    label = Text()


class CaseRelation(Table, tablename="case_relation"):
    """That a case is `kind` of another one; kept in both directions."""

    id = BigSerial(primary_key=True)
    case_id = UUID()
    other = UUID()
    kind = Text()
    created = Timestamptz()
    made_by = Text()


class CaseParty(Table, tablename="case_party"):
    """Somebody who has to do with a case. `organisation`: no person. `aliases`, `contacts` and `counsel_for` (ids of the parties
    that it stands for) are JSON lists. `removed` ones stay, and count in conflict checks.
    """

    id = UUID(primary_key=True)
    case_id = UUID()
    kind = Text()
    name = Text()
    organisation = Boolean()
    aliases = Text()
    contacts = Text()
    counsel_for = Text(null=True)
    firm = Text(null=True)
    bar_number = Text(null=True)
    notes = Text(null=True)
    version = Integer()
    created = Timestamptz()
    removed = Timestamptz(null=True)


class CaseEvent(Table, tablename="case_event"):
    """Something that happened or will, as exactly as `certainty` says (exact, minute, day, month, year, about)."""

    id = UUID(primary_key=True)
    case_id = UUID()
    kind = Text()
    title = Text()
    detail = Text(null=True)
    starts = Timestamptz()
    ends = Timestamptz(null=True)
    zone = Text()
    certainty = Text()
    source = Text(null=True)
    shared = Boolean()
    version = Integer()
    created = Timestamptz()
    made_by = Text()
    removed = Timestamptz(null=True)


class CaseArtifact(Table, tablename="case_artifact"):
    """What belongs to a case: an exhibit (`evidence`), a document or a note, bound to it in the log by the entry `record`, that
    of its last change. `content` is the SHA-256 of what it is.
    """

    id = UUID(primary_key=True)
    case_id = UUID()
    kind = Text()
    title = Text()
    body = Text(null=True)
    exhibit = UUID(null=True, index=True)
    content = Bytea()
    record = UUID()
    shared = Boolean()
    version = Integer()
    created = Timestamptz()
    made_by = Text()
    removed = Timestamptz(null=True)


class CaseRecord(Table, tablename="case_record"):
    """What an entry `case.artifact` of the log tells, in full (formats/case.md); the id is the entry's record."""

    id = UUID(primary_key=True)
    case_id = UUID(index=True)
    object = UUID(index=True)
    kind = Text()
    record = Bytea()
    created = Timestamptz()


class CaseWord(Table, tablename="case_word"):
    """A folded word of any case's title, number, docket or names, and how it sounds."""

    word = Text(primary_key=True)
    sound = Text()
    codex = Text()


class CaseWordTrigram(Table, tablename="case_word_trigram"):
    """Three letters that stand together in a word; by them a misspelt word is found."""

    id = BigSerial(primary_key=True)
    trigram = Text()
    word = Text()


class CasePosting(Table, tablename="case_posting"):
    """That a word stands in a case, on its `card` (number, title, docket) or in a name (`party`)."""

    id = BigSerial(primary_key=True)
    word = Text()
    place = Text()
    case_id = UUID(index=True)


class PartyName(Table, tablename="party_name"):
    """One name of a party, or of a case's client where `party` is None, for conflict checks; of removed parties too."""

    id = UUID(primary_key=True)
    case_id = UUID(index=True)
    party = UUID(null=True, index=True)
    kind = Text()
    name = Text()
    folded = Text()
    joined = Text()
    words = Integer()


class PartyNameWord(Table, tablename="party_name_word"):
    """That a word stands in such a name."""

    id = BigSerial(primary_key=True)
    word = Text()
    name = UUID(index=True)


class ConflictCheck(Table, tablename="conflict_check"):
    """Names that were asked about before a matter was taken. `names` is JSON; `state` is open or settled."""

    id = UUID(primary_key=True)
    case_id = UUID(null=True, index=True)
    account = UUID(null=True)
    made_by = Text()
    created = Timestamptz()
    subject = Text()
    names = Text()
    state = Text()
    outcome = Text(null=True)
    reason = Text(null=True)
    settled = Timestamptz(null=True)
    settled_by = Text(null=True)
    version = Integer()


class ConflictHit(Table, tablename="conflict_hit"):
    """A name in a case that one of the check's names met: how, how surely (0 … 100), and what an officer made of it."""

    id = UUID(primary_key=True)
    check_id = UUID()
    case_id = UUID(index=True)
    party = UUID(null=True, index=True)
    asked = Text()
    found = Text()
    name_kind = Text()
    how = Text()
    sure = Integer()
    result = Text()
    reason = Text(null=True)
    settled = Timestamptz(null=True)
    settled_by = Text(null=True)
