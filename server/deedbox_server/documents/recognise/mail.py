"""An e-mail (RFC 5322, MIME): who, when, about what, the words of its body, and the names of what is attached.

The attachments themselves are not opened here. Header block and parts are capped first: the standard library's parser throws
nothing, but takes seconds over headers of hundreds of kilobytes and over endless nesting.
"""

from email.message import Message
from email.parser import BytesParser
from email.policy import default
from html.parser import HTMLParser
from typing import BinaryIO

from deedbox_server.documents.derived import TEXT_CHARACTERS, clean
from deedbox_server.documents.reading import Reading, Unreadable
from deedbox_server.documents.recognise.plain import decode, paged
from deedbox_server.documents.states import ReadState
from deedbox_sync.canonical_json import Json

_HEADER_BYTES = 128 * 1024
_PARTS = 500
_DEPTH = 30
_VALUE = 2000  # characters of one header value that are kept
_NAME = 255  # and of one file name, the most that file systems hold
_NAMED = ("From", "To", "Cc", "Bcc", "Subject", "Date", "Message-ID", "In-Reply-To")
_HIDDEN = frozenset(("script", "style", "head", "title"))
_BREAKS = frozenset(("br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "blockquote"))


def read_mail(document: BinaryIO) -> Reading:
    """The message as text, headers first, and its headers and attachments as facts."""
    data = document.read()
    _refuse_long_headers(data)
    found = _Found()
    message = BytesParser(policy=default).parsebytes(data)
    _gather(message, found, depth=0)
    text = "\n".join((*found.lines, *(f"Attachment: {name}" for name in found.names), "", *found.bodies))
    reading = paged(text)
    facts: dict[str, Json] = {"attachments": found.attachments, "headers": _headers(message), "kind": "mail"}
    return Reading(reading.pages, (), facts=facts, note=reading.note)


class _Found:
    """What is gathered from a message's parts."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.bodies: list[str] = []
        self.names: list[str] = []
        self.attachments: list[Json] = []
        self.parts = 0


def _gather(part: Message, found: _Found, *, depth: int) -> None:
    """Take in a part and those inside it, to a depth and number that no honest mail reaches."""
    found.parts += 1
    if found.parts > _PARTS or depth > _DEPTH:
        return
    if depth == 0 or part.get_content_type() == "message/rfc822":
        inner = part if depth == 0 else _only(part)
        if inner is None:
            return
        found.lines += [f"{name}: {value}" for name, value in _headers(inner).items()]
        if depth:
            _gather_body(inner, found, depth + 1)
            return
    _gather_body(part, found, depth)


def _gather_body(part: Message, found: _Found, depth: int) -> None:
    if part.is_multipart():
        inner = [item for item in part.get_payload() if isinstance(item, Message)]
        if part.get_content_subtype() == "alternative":
            inner = _best(inner)
        for item in inner:
            _gather(item, found, depth=depth + 1)
        return
    name = _file_name(part)
    content = part.get_payload(decode=True)
    size = len(content) if isinstance(content, bytes) else 0
    if name is None and part.get_content_maintype() == "text" and isinstance(content, bytes):
        found.bodies.append(_text(part, content))
        return
    found.names.append(name or part.get_content_type())
    found.attachments.append({"media_type": clean(part.get_content_type())[:_NAME], "name": name, "size": size})


def _only(part: Message) -> Message | None:
    inner = part.get_payload()
    return inner[0] if isinstance(inner, list) and inner and isinstance(inner[0], Message) else None


def _best(alternatives: list[Message]) -> list[Message]:
    """Of several forms of one body the plain one, else the last, which is the richest (RFC 2046 5.1.4)."""
    plain = [item for item in alternatives if item.get_content_type() == "text/plain"]
    return plain[:1] or alternatives[-1:]


def _headers(message: Message) -> dict[str, str]:
    return {name: value for name in _NAMED if (value := _header(message, name))}


def _header(message: Message, name: str) -> str:
    try:
        value = str(message.get(name, ""))
    except Exception:  # the library's header parser has raised IndexError, ValueError and more on hostile headers
        raw = [value for field, value in message.raw_items() if field.lower() == name.lower()]
        value = str(raw[0]) if raw else ""
    return " ".join(clean(value).split())[:_VALUE]


def _file_name(part: Message) -> str | None:
    try:
        name = part.get_filename()
    except Exception:  # as above: parameters are parsed by the same code
        name = "?"
    if name is None:
        return "?" if part.get_content_disposition() == "attachment" else None
    return " ".join(clean(name).split())[:_NAME] or "?"


def _text(part: Message, content: bytes) -> str:
    try:
        text = content[:TEXT_CHARACTERS].decode(part.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError, ValueError):
        text = decode(content[:TEXT_CHARACTERS])
    return _without_tags(text) if part.get_content_subtype() == "html" else text


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in _HIDDEN
        if tag in _BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN and self._hidden:
            self._hidden -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)


def _without_tags(text: str) -> str:
    words = _Words()
    words.feed(text)
    words.close()
    return "".join(words.pieces)


def _refuse_long_headers(data: bytes) -> None:
    ends = [end for end in (data.find(b"\n\n"), data.find(b"\r\n\r\n")) if end >= 0]
    if min(ends, default=len(data)) > _HEADER_BYTES:
        raise Unreadable(ReadState.DAMAGED, "mail-headers")
