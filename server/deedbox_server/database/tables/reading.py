"""What was read from derived documents."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigSerial, Bytea, Integer, Text


class PageText(Table, tablename="page_text"):
    """The text of one page, with the words' places and confidences where an engine gave them."""

    id = BigSerial(primary_key=True)
    derived = UUID()
    exhibit = UUID(index=True)
    case_id = UUID()
    page = Integer()
    text = Text()
    words = Bytea(null=True)
