"""Cases and who is on them."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigSerial, Text, Timestamptz


class LegalCase(Table, tablename="legal_case"):
    """A matter; its number is the firm's own."""

    id = UUID(primary_key=True)
    number = Text(unique=True)
    title = Text()
    created = Timestamptz()
    state = Text()


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
