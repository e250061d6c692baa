"""What a worker says and how the dispatcher listens: a stream of small frames, strictly parsed, every length capped.

A frame is one type byte, a four-byte big-endian length and that many bytes. `P` progress (pages done, pages in all, two u32);
`H`, once, the header as canonical JSON; `D` bytes of the result files, end to end in the header's order; `E`, empty, the end. A
worker is taken to be hostile: what comes from it is data of stated size and form, and nothing in it is trusted to be true.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deedbox_server.documents.states import ReadState
from deedbox_sync.canonical_json import Fields, Json, encode, parse_object
from deedbox_sync.errors import FormatError

_FRAME = struct.Struct(">cI")
_PROGRESS = struct.Struct(">II")
# The header holds a state and the list of files; facts and texts are files.
_HEADER_LIMIT = 16 * 1024
_CHUNK = 1 << 20
# One a page and then some; more only serves to keep the dispatcher busy.
_PROGRESS_LIMIT = 100_000
_FILES_LIMIT = 8
_PAGES_LIMIT = 1 << 24
_MEDIA_TYPES = frozenset(("application/json", "application/pdf"))
_WHERE = "worker's answer"


class ProtocolError(Exception):
    """The worker said something that is not of the protocol."""


@dataclass(frozen=True)
class ResultFile:
    """One thing a worker made: its form (`text`, `words`, `facts`, `searchable-pdf`) and bytes."""

    form: str
    media_type: str
    data: bytes


@dataclass(frozen=True)
class WorkerResult:
    """What one reading came to. `note` is a word of our own vocabulary, never text from the document."""

    state: ReadState
    pages: int
    note: str
    producer: str
    files: tuple[ResultFile, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Pages done of pages in all."""

    done: int
    total: int


def encode_progress(progress: Progress) -> bytes:
    return _frame(b"P", _PROGRESS.pack(progress.done, progress.total))


def encode_result(result: WorkerResult) -> Iterator[bytes]:
    """The frames of a whole result, in pieces of at most a MiB."""
    files: Sequence[Json] = [
        {"form": file.form, "media_type": file.media_type, "size": len(file.data)} for file in result.files
    ]
    header: Json = {
        "files": files,
        "note": result.note,
        "pages": result.pages,
        "producer": result.producer,
        "state": result.state.value,
    }
    yield _frame(b"H", encode(header))
    for file in result.files:
        for at in range(0, len(file.data), _CHUNK):
            yield _frame(b"D", file.data[at : at + _CHUNK])
    yield _frame(b"E", b"")


@dataclass(frozen=True)
class _Expected:
    form: str
    media_type: str
    size: int


class ResultReader:
    """Takes a worker's bytes as they come; `result()` once the stream has ended. ProtocolError at the first byte out of place."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._header: WorkerResult | None = None
        self._expected: tuple[_Expected, ...] = ()
        self._data = bytearray()
        self._due = 0
        self._reports = 0
        self._ended = False

    def feed(self, data: bytes) -> Progress | None:
        """Take more bytes; the latest progress among them, if any."""
        self._buffer += data
        latest = None
        while len(self._buffer) >= _FRAME.size:
            kind, length = _FRAME.unpack_from(self._buffer)
            if length > _longest(kind):
                raise ProtocolError(f"a frame of {length} bytes")
            if len(self._buffer) < _FRAME.size + length:
                break
            body = bytes(self._buffer[_FRAME.size : _FRAME.size + length])
            del self._buffer[: _FRAME.size + length]
            latest = self._take(kind, body) or latest
        return latest

    def result(self) -> WorkerResult:
        """The whole result. ProtocolError where it is not complete."""
        if not self._ended or self._header is None or self._buffer:
            raise ProtocolError("the answer ends early")
        files, at = [], 0
        for expected in self._expected:
            files.append(ResultFile(expected.form, expected.media_type, bytes(self._data[at : at + expected.size])))
            at += expected.size
        head = self._header
        return WorkerResult(head.state, head.pages, head.note, head.producer, tuple(files))

    def _take(self, kind: bytes, body: bytes) -> Progress | None:
        if self._ended:
            raise ProtocolError("bytes after the end")
        if kind == b"P":
            return self._progress(body)
        if kind == b"H" and self._header is None:
            self._read_header(body)
        elif kind == b"D" and self._header is not None and len(self._data) + len(body) <= self._due:
            self._data += body
        elif kind == b"E" and self._header is not None and len(self._data) == self._due:
            self._ended = True
        else:
            raise ProtocolError("a frame out of place")
        return None

    def _progress(self, body: bytes) -> Progress:
        self._reports += 1
        if len(body) != _PROGRESS.size or self._reports > _PROGRESS_LIMIT:
            raise ProtocolError("progress out of bounds")
        done, total = _PROGRESS.unpack(body)
        if not done <= total <= _PAGES_LIMIT:
            raise ProtocolError("progress out of bounds")
        return Progress(done, total)

    def _read_header(self, body: bytes) -> None:
        try:
            fields = Fields(parse_object(body, limit=_HEADER_LIMIT, where=_WHERE), _WHERE)
            state = ReadState(fields.text("state"))
            self._header = WorkerResult(
                state, fields.integer("pages", high=_PAGES_LIMIT), _short(fields, "note"), _short(fields, "producer")
            )
            self._expected = tuple(self._expect(file) for file in fields.objects("files"))
            fields.done()
        except (FormatError, ValueError) as error:
            raise ProtocolError(str(error)) from error
        forms = [file.form for file in self._expected]
        if len(forms) > _FILES_LIMIT or len(set(forms)) != len(forms):
            raise ProtocolError("too many result files")
        self._due = sum(file.size for file in self._expected)
        if self._due > self._limit:
            raise ProtocolError(f"results of {self._due} bytes")

    def _expect(self, fields: Fields) -> _Expected:
        expected = _Expected(fields.word("form"), fields.text("media_type"), fields.integer("size", high=self._limit))
        fields.done()
        if expected.media_type not in _MEDIA_TYPES:
            raise ProtocolError("an unknown media type")
        return expected


def _longest(kind: bytes) -> int:
    return {b"P": _PROGRESS.size, b"H": _HEADER_LIMIT, b"D": _CHUNK, b"E": 0}.get(kind, -1)


def _short(fields: Fields, name: str) -> str:
    text = fields.text(name)
    if len(text) > 200 or not text.isprintable():
        raise fields.fault(name, "is not a short line")
    return text


def _frame(kind: bytes, body: bytes) -> bytes:
    return _FRAME.pack(kind, len(body)) + body
