"""What a file is, told by its first bytes; a name or a claimed media type proves nothing.

The answer only decides whether a sandbox is started and which reader runs in it: a wrong guess costs a failed reading, no
more. It compares bytes and decodes text, so that it may run in the trusted process.
"""

import re
from enum import StrEnum

# What is looked at. PDF allows its header anywhere in the first KiB; mail headers and text show themselves well within this.
HEAD_BYTES = 8192
_PDF_HEADER_WITHIN = 1024


class Kind(StrEnum):
    """The kinds that a worker can read; everything else is NOTHING."""

    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"
    TIFF = "tiff"
    MAIL = "mail"
    TEXT = "text"
    NOTHING = "nothing"

    @property
    def is_image(self) -> bool:
        return self in (Kind.JPEG, Kind.PNG, Kind.TIFF)


_MAGIC = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"II*\x00", Kind.TIFF),
    (b"MM\x00*", Kind.TIFF),
    (b"II+\x00\x08\x00", Kind.TIFF),  # BigTIFF
    (b"MM\x00+\x00\x08", Kind.TIFF),
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Text has tab, line feed, form feed, carriage return and escape (terminal logs); any other control byte means it is not text.
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_FIELD = re.compile(rb"([!-9;-~]{1,76}):")
# Two of these in the header block make a mail; one alone also starts many a note.
_MAIL_FIELDS = frozenset(
    b"from to cc subject date message-id received mime-version return-path delivered-to sender reply-to".split()
)


def kind_of(head: bytes) -> Kind:
    """The kind of a file that begins with `head` (its first HEAD_BYTES, or all of it)."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if b"%PDF-" in head[:_PDF_HEADER_WITHIN]:
        return Kind.PDF
    if _is_mail(head):
        return Kind.MAIL
    return Kind.TEXT if _is_text(head) else Kind.NOTHING


def _is_mail(head: bytes) -> bool:
    lines = head.replace(b"\r\n", b"\n").split(b"\n")
    if lines[0].startswith(b"From "):  # the envelope line of an mbox
        lines = lines[1:]
    found: set[bytes] = set()
    for line in lines:
        if line[:1] in (b" ", b"\t"):
            continue
        field = _FIELD.match(line)
        if not field:
            break
        found.add(field[1].lower())
    return len(found & _MAIL_FIELDS) >= 2


def _is_text(head: bytes) -> bool:
    if head.startswith(_UTF16_MARKS):
        return len(head) >= 4
    if not head.strip() or _NOT_TEXT.search(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # The head may end inside a character. Old single-byte text is text too: mostly ASCII, with some accents.
        return error.start >= len(head) - 3 or sum(byte > 0x7F for byte in head) * 4 < len(head)
    return True
