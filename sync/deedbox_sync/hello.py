"""What a desk and a box say of themselves and of the log before they exchange statements (formats/transfer.md)."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from deedbox_sync import beacon, canonical_json
from deedbox_sync.beacon import Beacon
from deedbox_sync.binary_text import parse_base64
from deedbox_sync.canonical_json import Fields
from deedbox_sync.errors import FormatError
from deedbox_sync.transfer import MAX_MESSAGE

MAX_LOG = 1 << 17  # a checkpoint with all the signatures it may have (formats/log.md), and a proof of at most 64 nodes


@dataclass(frozen=True)
class CaseRef:
    id: str
    number: str
    title: str


@dataclass(frozen=True)
class Hello:
    """What a box says of itself to a paired desk. `beacon` is the newest that it has verified, `alarms` are for people."""

    box_id: str
    box_name: str
    box_time: str
    version: str
    origin: str
    vkey: str
    checkpoint: str
    backup_configured: bool
    backed_up_to: int | None
    device: str
    next_sequence: int
    last_digest: bytes
    batch_bytes: int
    batch_items: int
    inline_bytes: int
    cases: tuple[CaseRef, ...]
    beacon: Beacon | None = None
    alarms: tuple[str, ...] = ()


def encode_hello(hello: Hello) -> bytes:
    return canonical_json.encode(
        {
            "alarms": list(hello.alarms),
            "backup": {"backed_up_to": hello.backed_up_to, "configured": hello.backup_configured},
            "beacon": None if hello.beacon is None else beacon.members(hello.beacon),
            "box": {
                "id": hello.box_id,
                "name": hello.box_name,
                "origin": hello.origin,
                "time": hello.box_time,
                "version": hello.version,
                "vkey": hello.vkey,
            },
            "cases": [{"id": case.id, "number": case.number, "title": case.title} for case in hello.cases],
            "checkpoint": hello.checkpoint,
            "device": {
                "id": hello.device,
                "last_digest": hello.last_digest.hex(),
                "next_sequence": hello.next_sequence,
            },
            "limits": {
                "batch_bytes": hello.batch_bytes,
                "batch_items": hello.batch_items,
                "inline_bytes": hello.inline_bytes,
            },
        }
    )


def parse_hello(data: bytes) -> Hello:
    """What the box says of itself. Raises `FormatError`."""
    top = Fields(canonical_json.parse_object(data, limit=MAX_MESSAGE, where="hello"), "hello")
    box, backup, device, limits = (top.object(name) for name in ("box", "backup", "device", "limits"))
    cases = top.objects("cases")
    known = top.optional_object("beacon")
    hello = Hello(
        box_id=box.text("id"),
        box_name=box.text("name"),
        box_time=box.text("time"),
        version=box.text("version"),
        origin=box.text("origin"),
        vkey=box.text("vkey"),
        checkpoint=top.text("checkpoint"),
        backup_configured=backup.boolean("configured"),
        backed_up_to=backup.optional_integer("backed_up_to"),
        device=device.text("id"),
        next_sequence=device.integer("next_sequence"),
        last_digest=device.hex("last_digest", 32),
        batch_bytes=limits.integer("batch_bytes"),
        batch_items=limits.integer("batch_items"),
        inline_bytes=limits.integer("inline_bytes"),
        cases=tuple(CaseRef(case.text("id"), case.text("number"), case.text("title")) for case in cases),
        beacon=None if known is None else beacon.read(known),
        alarms=top.texts("alarms"),
    )
    for fields in (top, box, backup, device, limits, *cases):
        fields.done()
    return hello


@dataclass(frozen=True)
class LogAnswer:
    """The box's newest checkpoint and the proof that it extends the one the desk showed (empty if it showed none)."""

    checkpoint: str
    consistency: tuple[bytes, ...]


def encode_log_request(checkpoint: str | None) -> bytes:
    return canonical_json.encode({"checkpoint": checkpoint})


def parse_log_request(data: bytes) -> str | None:
    top = Fields(canonical_json.parse_object(data, limit=MAX_LOG, where="log request"), "log request")
    checkpoint = top.optional_text("checkpoint")
    top.done()
    return checkpoint


def encode_log_answer(answer: LogAnswer) -> bytes:
    return canonical_json.encode(
        {
            "checkpoint": answer.checkpoint,
            "consistency": [base64.b64encode(node).decode() for node in answer.consistency],
        }
    )


def parse_log_answer(data: bytes) -> LogAnswer:
    top = Fields(canonical_json.parse_object(data, limit=MAX_LOG, where="log answer"), "log answer")
    path = tuple(parse_base64(text, where="consistency") for text in top.texts("consistency"))
    answer = LogAnswer(top.text("checkpoint"), path)
    top.done()
    if any(len(node) != 32 for node in path):
        raise FormatError("log answer.consistency", "has a node that is not 32 bytes")
    return answer
