"""Log entries and entry bundles (`formats/log.md`, Entry and Tree)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from deedbox_sync import canonical_json, timestamp
from deedbox_sync.canonical_json import MAX_INTEGER, Fields, Json
from deedbox_sync.commitment import FIELDS
from deedbox_sync.errors import FormatError

# Entry bundles carry the length of an entry in 16 bits (c2sp.org/tlog-tiles).
MAX_ENTRY = 65_535
BUNDLE_ENTRIES = 256
DIGEST_LENGTH = 32
NO_DIGEST = bytes(DIGEST_LENGTH)

_KIND = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*")
_MAX_KIND = 64
_LONGEST_END = 160  # place, time and version: 146 bytes with the longest number


@dataclass(frozen=True)
class LogEntry:
    """One line of the notary's log: public by itself, telling nothing without openings."""

    seq: int
    time: datetime
    kind: str
    prev: bytes
    commitments: Mapping[str, bytes]
    data: Mapping[str, Json] = field(default_factory=dict)


def encode(entry: LogEntry) -> bytes:
    """The entry's one byte string; FormatError if it has none."""
    begun = _begin(entry.kind, entry.commitments, entry.data)
    return complete(begun, entry.seq, timestamp.encode(entry.time), entry.prev)


def begin(kind: str, commitments: Mapping[str, bytes], data: Mapping[str, Json]) -> bytes:
    """The beginning of an entry's bytes: all that is known of an event before its place in the log.

    FormatError for what no entry can say, so that whatever was begun can be completed.
    """
    begun = _begin(kind, commitments, data)
    if len(begun) > MAX_ENTRY - _LONGEST_END:
        raise FormatError("entry", f"has {len(begun)} bytes before its place, at most {MAX_ENTRY} with it are allowed")
    return begun


def complete(begun: bytes, seq: int, time: str, prev: bytes) -> bytes:
    """An entry's bytes from their beginning and its place in the log; the time in its wire form, which a group shares.

    A busy log does this tens of thousands of times a second: what is put in place needs no escaping.
    """
    if not 0 <= seq <= MAX_INTEGER:
        raise FormatError("entry.seq", "is out of range")
    if len(prev) != DIGEST_LENGTH:
        raise FormatError("entry.prev", f"is not {DIGEST_LENGTH} bytes")
    end = f',"prev":"{prev.hex()}","seq":{seq},"time":"{time}","v":1}}'
    encoded = begun + end.encode()
    if len(encoded) > MAX_ENTRY:
        raise FormatError("entry", f"has {len(encoded)} bytes, at most {MAX_ENTRY} are allowed")
    return encoded


def _begin(kind: str, commitments: Mapping[str, bytes], data: Mapping[str, Json]) -> bytes:
    if len(kind) > _MAX_KIND or not _KIND.fullmatch(kind):
        raise FormatError("entry.kind", "is not a dotted lower-case word")
    committed = [f'"{name}":"{commitments[name].hex()}"' for name in FIELDS if name in commitments]
    if len(committed) != len(commitments):
        unknown = min(commitments.keys() - set(FIELDS))
        raise FormatError("entry.commitments", f"has an unknown member {unknown[:40]!a}")
    for name, value in commitments.items():
        if len(value) != DIGEST_LENGTH:
            raise FormatError(f"entry.commitments.{name}", f"is not {DIGEST_LENGTH} bytes")
    public = canonical_json.encode(data).decode() if data else "{}"
    return f'{{"commitments":{{{",".join(committed)}}},"data":{public},"kind":"{kind}"'.encode()


def parse(data: bytes) -> LogEntry:
    """The entry of these bytes, each of them accounted for. Whether the log holds it is for its proof to say."""
    fields = Fields(canonical_json.parse_object(data, limit=MAX_ENTRY, where="entry"), "entry")
    fields.literal("v", 1)
    commitments = fields.object("commitments")
    entry = LogEntry(
        seq=fields.integer("seq"),
        time=fields.time("time"),
        kind=fields.text("kind"),
        prev=fields.hex("prev", DIGEST_LENGTH),
        commitments={name: commitments.hex(name, DIGEST_LENGTH) for name in FIELDS if commitments.has(name)},
        data=fields.members("data"),
    )
    commitments.done()
    fields.done()
    if len(entry.kind) > _MAX_KIND or not _KIND.fullmatch(entry.kind):
        raise fields.fault("kind", "is not a dotted lower-case word")
    return entry


def digest(encoded: bytes) -> bytes:
    """What the next entry's `prev` holds."""
    return sha256(encoded).digest()


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """An entry bundle of at most 256 entries (c2sp.org/tlog-tiles, Log entries)."""
    if len(entries) > BUNDLE_ENTRIES or any(len(entry) > MAX_ENTRY for entry in entries):
        raise FormatError("entry bundle", "has too many entries or one that is too long")
    return b"".join(part for entry in entries for part in (len(entry).to_bytes(2), entry))


def parse_bundle(data: bytes) -> list[bytes]:
    """The entries' bytes, themselves not parsed."""
    if len(data) > BUNDLE_ENTRIES * (2 + MAX_ENTRY):
        raise FormatError("entry bundle", "is too long")
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2])
        if end > len(data) or at + 2 > len(data):
            raise FormatError("entry bundle", f"ends within entry {len(entries)}")
        entries.append(data[at + 2 : end])
        at = end
    if len(entries) > BUNDLE_ENTRIES:
        raise FormatError("entry bundle", f"has more than {BUNDLE_ENTRIES} entries")
    return entries
