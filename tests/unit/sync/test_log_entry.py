from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import canonical_json, entry
from deedbox_sync.canonical_json import MAX_INTEGER
from deedbox_sync.commitment import FIELDS
from deedbox_sync.entry import MAX_ENTRY, LogEntry
from deedbox_sync.errors import FormatError
from sync_samples import NOON, assert_strict, digests, json_objects, mutated, times

kinds = st.from_regex(r"[a-z][a-z0-9]{0,8}([.-][a-z0-9]{1,8}){0,2}", fullmatch=True)
entries = st.builds(
    LogEntry,
    seq=st.integers(0, MAX_INTEGER),
    time=times,
    kind=kinds,
    prev=digests,
    commitments=st.dictionaries(st.sampled_from(FIELDS), digests),
    data=json_objects,
)
SAMPLE = LogEntry(7, NOON, "exhibit.received", bytes(range(32)), {"content": bytes(32), "case": bytes([1]) * 32})


@given(entries)
def test_an_entry_reads_back_as_itself(made: LogEntry) -> None:
    assert entry.parse(entry.encode(made)) == made


@given(entries)
def test_the_fast_writer_writes_canonical_json(made: LogEntry) -> None:
    encoded = entry.encode(made)
    assert canonical_json.encode(canonical_json.parse(encoded, limit=MAX_ENTRY)) == encoded


@given(st.data())
def test_mutated_entries_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    encoded = entry.encode(data.draw(entries))
    assert_strict(entry.parse, entry.encode, data.draw(mutated(encoded)))


def test_the_form_is_the_pages() -> None:
    assert entry.encode(SAMPLE) == (
        b'{"commitments":{"case":"' + b"01" * 32 + b'","content":"' + b"00" * 32 + b'"},"data":{},'
        b'"kind":"exhibit.received","prev":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",'
        b'"seq":7,"time":"2026-03-14T12:00:00.123456Z","v":1}'
    )
    assert entry.digest(entry.encode(SAMPLE)) == sha256(entry.encode(SAMPLE)).digest()


@pytest.mark.parametrize(
    "broken",
    [
        replace(SAMPLE, seq=-1),
        replace(SAMPLE, seq=MAX_INTEGER + 1),
        replace(SAMPLE, prev=bytes(31)),
        replace(SAMPLE, kind="Exhibit"),
        replace(SAMPLE, kind='x","seq":1,"y":"'),
        replace(SAMPLE, kind="exhibit..received"),
        replace(SAMPLE, kind="exhibit.received\n"),
        replace(SAMPLE, kind="x" * 65),
        replace(SAMPLE, commitments={"size": bytes(32)}),
        replace(SAMPLE, commitments={"content": bytes(31)}),
        replace(SAMPLE, data={"x": 1.5}),
        replace(SAMPLE, time=NOON.replace(tzinfo=None)),
        replace(SAMPLE, data={"x": "y" * MAX_ENTRY}),
    ],
)
def test_what_breaks_a_rule_cannot_be_written(broken: LogEntry) -> None:
    with pytest.raises(FormatError):
        entry.encode(broken)


def test_the_largest_entry_is_65535_bytes() -> None:
    room = MAX_ENTRY - len(entry.encode(replace(SAMPLE, data={"x": ""})))
    largest = entry.encode(replace(SAMPLE, data={"x": "y" * room}))
    assert len(largest) == MAX_ENTRY
    assert entry.encode(entry.parse(largest)) == largest
    with pytest.raises(FormatError, match="at most"):
        entry.encode(replace(SAMPLE, data={"x": "y" * (room + 1)}))


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_bundle_reads_back_as_its_entries(made: list[bytes]) -> None:
    assert entry.parse_bundle(entry.encode_bundle(made)) == made


@given(st.data())
def test_mutated_bundles_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    encoded = entry.encode_bundle(data.draw(st.lists(st.binary(max_size=20), max_size=6)))
    assert_strict(entry.parse_bundle, entry.encode_bundle, data.draw(mutated(encoded)))


def test_a_bundle_has_at_most_256_entries() -> None:
    with pytest.raises(FormatError):
        entry.encode_bundle([b""] * 257)
    with pytest.raises(FormatError):
        entry.parse_bundle(bytes(2 * 257))


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x02x", b"\x00\x00\x01"])
def test_a_bundle_that_ends_within_an_entry_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="ends within"):
        entry.parse_bundle(data)
