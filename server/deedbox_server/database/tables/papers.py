"""Papers for court."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigInt, Boolean, Bytea, Integer, Text, Timestamptz


class Paper(Table, tablename="paper"):
    """A paper as it was signed; the id is its log entry's record. `unsigned` are the bytes of the PDF before the signature, its
    beginning. `notes` is the blob of the notes for counsel; `shows_content` says that it carries an exhibit's content.
    """

    id = UUID(primary_key=True)
    case_id = UUID(index=True)
    kind = Text()
    title = Text()
    content = Bytea()
    size = BigInt()
    unsigned = BigInt()
    pages = Integer()
    blob = UUID()
    notes = UUID()
    notes_content = Bytea()
    notes_size = BigInt()
    signature = Text()
    shows_content = Boolean()
    made_by = Text()
    created = Timestamptz()
    record = Bytea()
