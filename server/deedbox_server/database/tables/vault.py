"""Where the encrypted bytes are."""

from piccolo.table import Table

from deedbox_server.database.columns import UUID, BigInt, BigSerial, Integer, Text, Timestamptz


class Blob(Table, tablename="blob"):
    """Some bytes under one id, in parts."""

    id = UUID(primary_key=True)
    case_id = UUID()
    size = BigInt()
    created = Timestamptz()
    state = Text()


class BlobPart(Table, tablename="blob_part"):
    """One part of a blob: a stretch of a file under a key of its own."""

    id = BigSerial(primary_key=True)
    blob = UUID()
    part = Integer()
    file = Text()
    file_offset = BigInt()
    cipher_length = BigInt()
    plain_length = BigInt()
