"""How statements and bytes go from desk to box: the messages, without sockets (formats/transfer.md)."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

from deedbox_sync import canonical_json
from deedbox_sync.binary_text import parse_base64, parse_hex
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.errors import FormatError
from deedbox_sync.statement import MAX_ENVELOPE

BATCH_TYPE: Final = "application/vnd.deedbox.batch"
MAX_BATCH_ITEMS: Final = 1_000  # one commit must stay short enough for others to wait for it
MAX_BATCH_BYTES: Final = 32 << 20  # what a box holds of one batch in memory
MAX_INLINE_BYTES: Final = 256 << 10  # a larger file is worth an upload of its own
MAX_MESSAGE: Final = MAX_BATCH_ITEMS * (MAX_ENVELOPE * 2)  # JSON bodies; most are a hundredth of it
MAX_RECEIPT_WAIT: Final = 10  # seconds that a box holds a request for receipts open
_CONTROLS: Final = bytes(range(0x20))
UPLOAD_ID: Final = re.compile(r"[0-9a-f]{32}\Z")


@dataclass(frozen=True)
class Problem:
    """Why the box refused one statement. `expected` is the next journal number, with `journal-gap` only."""

    slug: str
    detail: str
    expected: int | None = None


class State(Enum):
    """What the box says of one statement."""

    RECEIPTED = "receipted"
    COMMITTED = "committed"
    SEND = "send"
    PROVE = "prove"
    UNKNOWN = "unknown"
    REFUSED = "refused"


@dataclass(frozen=True)
class Result:
    """The box's answer about one statement; which members are set follows from `state`."""

    statement: bytes
    state: State
    receipt: str | None = None
    upload: str | None = None
    offset: int | None = None
    nonce: bytes | None = None
    problem: Problem | None = None


def encode_results(results: Iterable[Result]) -> bytes:
    return b'{"results":[%s]}' % b",".join([_encode_result(result) for result in results])


def parse_results(data: bytes) -> list[Result]:
    """The box's results, each checked for the members that its state needs. Raises `FormatError`."""
    top = Fields(canonical_json.parse_object(data, limit=MAX_MESSAGE, where="answer"), "answer")
    results = [_parse_result(fields) for fields in top.objects("results")]
    top.done()
    return results


def _encode_result(result: Result) -> bytes:
    """A box that takes in many files writes little else than receipts: those are put in place without a walk over them."""
    if result.state is not State.RECEIPTED or result.receipt is None:
        return canonical_json.encode(_result_json(result))
    statement = result.statement.hex().encode()
    return b'{"receipt":%s,"state":"receipted","statement":"%s"}' % (_quoted(result.receipt), statement)


def _quoted(text: str) -> bytes:
    """`canonical_json.encode` of a text, faster where only quotes and backslashes need escaping, as in JSON within JSON."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return canonical_json.encode(text)  # which says what is wrong
    if len(data.translate(None, _CONTROLS)) < len(data):
        return canonical_json.encode(text)
    return b'"%s"' % data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _result_json(result: Result) -> dict[str, Json]:
    out: dict[str, Json] = {"state": result.state.value, "statement": result.statement.hex()}
    if result.receipt is not None:
        out["receipt"] = result.receipt
    if result.upload is not None:
        out["upload"] = result.upload
    if result.offset is not None:
        out["offset"] = result.offset
    if result.nonce is not None:
        out["nonce"] = result.nonce.hex()
    if result.problem is not None:
        problem = result.problem
        out["problem"] = {"detail": problem.detail, "expected": problem.expected, "slug": problem.slug}
    return out


def _parse_result(fields: Fields) -> Result:
    statement = fields.hex("statement", 32)
    try:
        state = State(fields.text("state"))
    except ValueError as error:
        raise fields.fault("state", "is not a known word") from error
    match state:
        case State.RECEIPTED:
            result = Result(statement, state, receipt=fields.text("receipt"))
        case State.SEND:
            result = Result(statement, state, upload=_upload(fields), offset=fields.integer("offset"))
        case State.PROVE:
            result = Result(statement, state, upload=_upload(fields), nonce=fields.hex("nonce", 32))
        case State.REFUSED:
            inner = fields.object("problem")
            problem = Problem(inner.text("slug"), inner.text("detail"), inner.optional_integer("expected"))
            inner.done()
            result = Result(statement, state, problem=problem)
        case State.COMMITTED | State.UNKNOWN:
            result = Result(statement, state)
    fields.done()
    return result


def _upload(fields: Fields) -> str:
    text = fields.text("upload")
    if not UPLOAD_ID.match(text):
        raise fields.fault("upload", "is not 32 hex digits")
    return text


# --- requests


@dataclass(frozen=True)
class Closing:
    """One statement that closes an upload (streaming lane)."""

    envelope: bytes
    upload: str


@dataclass(frozen=True)
class PossessionProof:
    statement: bytes
    mac: bytes


def encode_offers(envelopes: Iterable[bytes]) -> bytes:
    return canonical_json.encode({"offers": [base64.b64encode(envelope).decode() for envelope in envelopes]})


def parse_offers(data: bytes) -> list[bytes]:
    """The offered envelopes' bytes, not yet parsed themselves. Raises `FormatError`."""
    top = _request(data, "offers")
    texts = _few(top.texts("offers"), "offers")
    top.done()
    return [_envelope(text, f"offers[{number}]") for number, text in enumerate(texts)]


def encode_closings(closings: Iterable[Closing]) -> bytes:
    return canonical_json.encode(
        {"statements": [{"envelope": base64.b64encode(c.envelope).decode(), "upload": c.upload} for c in closings]}
    )


def parse_closings(data: bytes) -> list[Closing]:
    top = _request(data, "statements")
    closings = []
    for fields in _few(top.objects("statements"), "statements"):
        closings.append(Closing(_envelope(fields.text("envelope"), fields.where), _upload(fields)))
        fields.done()
    top.done()
    return closings


def encode_proofs(proofs: Iterable[PossessionProof]) -> bytes:
    return canonical_json.encode({"proofs": [{"mac": p.mac.hex(), "statement": p.statement.hex()} for p in proofs]})


def parse_proofs(data: bytes) -> list[PossessionProof]:
    top = _request(data, "proofs")
    proofs = []
    for fields in _few(top.objects("proofs"), "proofs"):
        proofs.append(PossessionProof(fields.hex("statement", 32), fields.hex("mac", 32)))
        fields.done()
    top.done()
    return proofs


def encode_receipts_request(digests: Iterable[bytes], wait: int) -> bytes:
    return canonical_json.encode({"digests": [digest.hex() for digest in digests], "wait": wait})


def parse_receipts_request(data: bytes) -> tuple[list[bytes], int]:
    """Statement digests and the seconds to wait (0 … `MAX_RECEIPT_WAIT`). Raises `FormatError`."""
    top = _request(data, "receipts")
    texts = _few(top.texts("digests"), "digests")
    wait = top.integer("wait", high=MAX_RECEIPT_WAIT)
    top.done()
    return [parse_hex(text, length=32, where="digests") for text in texts], wait


_Item = TypeVar("_Item")


def _request(data: bytes, where: str) -> Fields:
    return Fields(canonical_json.parse_object(data, limit=MAX_MESSAGE, where=where), where)


def _few(items: Sequence[_Item], where: str) -> Sequence[_Item]:
    if len(items) > MAX_BATCH_ITEMS:
        raise FormatError(where, f"has more than {MAX_BATCH_ITEMS} items")
    return items


def _envelope(text: str, where: str) -> bytes:
    if len(text) > MAX_ENVELOPE * 2:
        raise FormatError(where, "has an envelope larger than allowed")
    return parse_base64(text, where=where)


# --- batches of small files

_ENVELOPE_LENGTH = struct.Struct(">I")
_CONTENT_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True)
class BatchItem:
    """One statement and the bytes that it is about. What `parse_batch` gives is part of the batch and lives as long."""

    envelope: bytes
    content: bytes | memoryview


def encode_batch(items: Iterable[BatchItem]) -> bytes:
    parts: list[bytes | memoryview] = []
    for item in items:
        parts += (
            _ENVELOPE_LENGTH.pack(len(item.envelope)),
            item.envelope,
            _CONTENT_LENGTH.pack(len(item.content)),
            item.content,
        )
    return b"".join(parts)


def parse_batch(data: bytes | bytearray | memoryview) -> list[BatchItem]:
    """The items of a whole batch, contents not copied. FormatError past any limit, and where it ends inside an item."""
    if len(data) > MAX_BATCH_BYTES:
        raise FormatError("batch", f"is larger than {MAX_BATCH_BYTES} bytes")
    view = memoryview(data).toreadonly()
    items: list[BatchItem] = []
    at = 0
    while at < len(view):
        where = f"batch item {len(items)}"
        if len(items) == MAX_BATCH_ITEMS:
            raise FormatError("batch", f"has more than {MAX_BATCH_ITEMS} items")
        envelope, at = _piece(view, at, _ENVELOPE_LENGTH, MAX_ENVELOPE, where)
        if not envelope:
            raise FormatError(where, "has no envelope")
        content, at = _piece(view, at, _CONTENT_LENGTH, MAX_INLINE_BYTES, where)
        items.append(BatchItem(bytes(envelope), content))
    return items


def _piece(view: memoryview, at: int, form: struct.Struct, most: int, where: str) -> tuple[memoryview, int]:
    """A length and so many bytes, and where they end."""
    start = at + form.size
    if start > len(view):
        raise FormatError("batch", f"ends inside {where}")
    (length,) = form.unpack_from(view, at)
    if length > most:
        raise FormatError(where, f"has a part of {length} bytes, at most {most} are allowed")
    if start + length > len(view):
        raise FormatError("batch", f"ends inside {where}")
    return view[start : start + length], start + length
