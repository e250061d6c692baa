"""Values of the shared formats for tests: fixed samples, strategies, and the check that every strict parser passes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import strategies as st

from deedbox_sync.beacon import Beacon
from deedbox_sync.canonical_json import MAX_INTEGER, Json
from deedbox_sync.custody import Actor, CustodyRecord
from deedbox_sync.errors import SyncError
from deedbox_sync.file_facts import FileFacts, readable_name
from deedbox_sync.statement import (
    NO_DIGEST,
    Captured,
    CaptureStatement,
    DeviceRef,
    GapStatement,
    JournalPlace,
    Operator,
    ReadException,
    Source,
    Tool,
)

Value = TypeVar("Value")

KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"a test device").digest())
PUBLIC_KEY = KEY.public_key().public_bytes_raw()
NOON = datetime(2026, 3, 14, 12, 0, 0, 123456, tzinfo=UTC)
DEVICE = DeviceRef(UUID("0195a3c4-0000-7000-8000-000000000001"), "Anna's laptop", sha256(PUBLIC_KEY).digest())


def capture_statement(**changes: object) -> CaptureStatement:
    """A plain statement; name the members that shall differ."""
    members: dict[str, object] = {
        "digests": {"sha256": sha256(b"content").digest()},
        "captured": Captured(NOON, "Europe/Berlin", 3600, 123_456_789_012),
        "device": DEVICE,
        "file": FileFacts("Vertrag.pdf", ("Fälle", "2026"), 7, 1_773_489_600_000_000_000, mode=0o644),
        "journal": JournalPlace(2, sha256(b"the first").digest()),
        "operator": Operator("Anna", None, "os-session"),
        "tool": Tool("deedbox-desktop", "0.1.0"),
        "method": "watched-folder",
        "salt": bytes(range(32)),
    }
    return CaptureStatement(**(members | changes))  # type: ignore[arg-type]  # the caller names members of the class


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
words = st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,6}){0,2}", fullmatch=True)
digests = st.binary(min_size=32, max_size=32)
real_digests = digests.filter(lambda value: value != NO_DIGEST)
times = st.datetimes(timezones=st.just(UTC))
counts = st.integers(0, MAX_INTEGER)
long_counts = st.integers(-(1 << 63), (1 << 63) - 1)
segments = texts.filter(lambda text: text not in ("", ".", "..") and "/" not in text and "\0" not in text)
json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
json_objects = st.dictionaries(texts, json_values, max_size=5)


@st.composite
def file_facts(draw: st.DrawFn) -> FileFacts:
    facts = FileFacts(
        name=draw(segments),
        path=tuple(draw(st.lists(segments, max_size=3))),
        size=draw(counts),
        modified_ns=draw(st.none() | long_counts),
        created_ns=draw(st.none() | long_counts),
        mode=draw(st.none() | st.integers(0, 0o7777)),
        streams=tuple(draw(st.lists(texts, max_size=2))),
        attributes=draw(st.dictionaries(texts, st.binary(max_size=8), max_size=2)),
    )
    if draw(st.booleans()):
        return facts
    raw_segment = st.binary(min_size=1, max_size=12).filter(
        lambda raw: raw not in (b".", b"..") and b"/" not in raw and b"\0" not in raw
    )
    name, path = draw(raw_segment) + b"\xff", tuple(draw(st.lists(raw_segment, max_size=3)))
    readable = {"name": readable_name(name), "path": tuple(map(readable_name, path))}
    return replace(facts, **readable, name_bytes=name, path_bytes=path)  # type: ignore[arg-type]


beacons = st.builds(Beacon, digests, st.integers(1, MAX_INTEGER), st.binary(min_size=48, max_size=48))


@st.composite
def captured(draw: st.DrawFn) -> Captured:
    seen = draw(st.booleans())
    return Captured(
        time=draw(times),
        zone=draw(st.none() | texts),
        utc_offset_s=draw(st.integers(-86_400, 86_400)),
        monotonic_ns=draw(st.integers(0, (1 << 63) - 1)),
        boot=draw(st.none() | st.binary(min_size=16, max_size=16)),
        box_offset_ms=draw(st.integers(-MAX_INTEGER, MAX_INTEGER)) if seen else None,
        box_seen=draw(times) if seen else None,
        beacon=draw(st.none() | beacons),
    )


devices = st.builds(DeviceRef, st.uuids(), texts, digests)


@st.composite
def capture_statements(draw: st.DrawFn) -> CaptureStatement:
    sequence = draw(st.just(1) | st.integers(2, MAX_INTEGER))
    optional_texts = st.none() | texts
    return CaptureStatement(
        digests={
            "sha256": draw(digests),
            **draw(st.fixed_dictionaries({}, optional={"md5": st.binary(min_size=16, max_size=16)})),
            **draw(st.fixed_dictionaries({}, optional={"sha512": st.binary(min_size=64, max_size=64)})),
        },
        captured=draw(captured()),
        device=draw(devices),
        file=draw(file_facts()),
        journal=JournalPlace(sequence, NO_DIGEST if sequence == 1 else draw(real_digests)),
        operator=Operator(draw(texts), draw(st.none() | st.uuids()), draw(words)),
        tool=Tool(draw(texts), draw(texts)),
        method=draw(words),
        salt=draw(digests),
        case=draw(st.none() | st.uuids()),
        labels=tuple(draw(st.lists(texts, max_size=3))),
        place=draw(optional_texts),
        purpose=draw(optional_texts),
        source=Source(draw(optional_texts), draw(optional_texts), draw(optional_texts), draw(optional_texts)),
        exceptions=tuple(draw(st.lists(st.builds(ReadException, words, texts), max_size=2))),
        supersedes=draw(st.none() | digests),
    )


@st.composite
def gap_statements(draw: st.DrawFn) -> GapStatement:
    first = draw(st.integers(1, 1000))
    last = first + draw(st.integers(0, 1000))
    previous = NO_DIGEST if first == 1 else draw(real_digests)
    return GapStatement(
        device=draw(devices),
        captured=draw(captured()),
        first=first,
        last=last,
        journal=JournalPlace(last + 1, previous),
        reason=draw(texts),
        salt=draw(digests),
    )


@st.composite
def custody_records(draw: st.DrawFn) -> CustodyRecord:
    number = draw(st.just(1) | st.integers(2, MAX_INTEGER))
    ids = st.just("box") | st.builds("{}:{}".format, st.sampled_from(["account", "device"]), st.uuids())
    kind, detail = draw(
        st.tuples(words.map(lambda word: f"later-{word}"), json_objects)
        | st.tuples(st.just("superseded"), st.fixed_dictionaries({"by": st.uuids().map(str)}))
        | st.tuples(
            st.just("refiled"),
            st.fixed_dictionaries(
                {
                    "from": st.just(str(UUID(int=1))),
                    "from_number": st.integers(1, MAX_INTEGER),
                    "reason": st.none() | texts,
                    "to": st.uuids().filter(lambda one: one.int != 1).map(str),
                    "to_number": st.integers(1, MAX_INTEGER),
                }
            ),
        )
        | st.tuples(
            st.just("exported"),
            st.fixed_dictionaries({"bundle": st.uuids().map(str), "purpose": st.none() | texts}),
        )
    )
    return CustodyRecord(
        exhibit=draw(st.uuids()),
        number=number,
        kind=kind[:64],
        time=draw(times),
        actor=Actor(draw(ids), draw(texts), draw(texts)),
        previous=NO_DIGEST if number == 1 else draw(real_digests),
        detail=detail,
        salt=draw(st.binary(min_size=32, max_size=32)),
    )


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with one thing done to them: a bit turned, bytes lost, doubled, added, moved, or the end cut off."""
    at = draw(st.integers(0, max(len(data) - 1, 0)))
    end = min(at + draw(st.integers(1, 8)), len(data))
    return draw(
        st.sampled_from(
            [
                data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :] if data else b"\0",
                data[:at] + data[end:],
                data[:at],
                data[:end] + data[at:],
                data[:at] + draw(st.binary(min_size=1, max_size=4)) + data[at:],
                data[at:] + data[:at],
                data[:at] + draw(st.sampled_from([b" ", b"\n", b",", b'"', b"{", b"}", b"0", b"null"])) + data[end:],
            ]
        )
    )


def assert_strict(parse: Callable[[bytes], Value], encode: Callable[[Value], bytes], data: bytes) -> None:
    """Whatever the bytes are, the parser refuses them by a SyncError or takes them as a value whose bytes are these."""
    try:
        value = parse(data)
    except SyncError:
        return
    assert encode(value) == data
