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
