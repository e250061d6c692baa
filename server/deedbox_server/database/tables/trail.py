"""The trail."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, Bytea, Text, Timestamptz


class AuditRow(Table, tablename="audit_record"):
    """One audit record, whole in `record` (formats/audit.md); the other columns are what it is found by. The id is the log
    entry's record.
    """

    id = UUID(primary_key=True)
    time = Timestamptz()
    outcome = Text()
    operation = Text()
    actor = Text()
    case_id = UUID(null=True)
    object = UUID(null=True, index=True)
    record = Bytea()
