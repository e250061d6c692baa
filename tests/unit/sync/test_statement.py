from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import canonical_json, dsse, statement
from deedbox_sync.beacon import Beacon
from deedbox_sync.errors import FormatError
from deedbox_sync.file_facts import FileFacts, readable_name
from deedbox_sync.statement import (
    MAX_ENVELOPE,
    NO_DIGEST,
    Captured,
    CaptureStatement,
    GapStatement,
    JournalPlace,
    Operator,
    encode_payload,
    parse_payload,
)
from sync_samples import (
    DEVICE,
    KEY,
    NOON,
    assert_strict,
    capture_statement,
    capture_statements,
    gap_statements,
    mutated,
)


@given(capture_statements())
def test_a_capture_statement_reads_back_as_itself(made: CaptureStatement) -> None:
    assert parse_payload(encode_payload(made)) == made


@given(gap_statements())
def test_a_gap_statement_reads_back_as_itself(made: GapStatement) -> None:
    assert parse_payload(encode_payload(made)) == made


@given(st.data())
def test_mutated_payloads_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    payload = encode_payload(data.draw(capture_statements() | gap_statements()))
    assert_strict(parse_payload, encode_payload, data.draw(mutated(payload)))


def test_the_payload_is_an_in_toto_statement() -> None:
    payload = canonical_json.parse_object(encode_payload(capture_statement()), limit=MAX_ENVELOPE, where="x")
    assert payload["_type"] == "https://in-toto.io/Statement/v1"
    assert payload["predicateType"] == "urn:deedbox:capture:v1"
    assert payload["subject"] == [{"name": "Vertrag.pdf", "digest": {"sha256": sha256(b"content").hexdigest()}}]


def test_every_member_of_the_page_is_there() -> None:
    payload = canonical_json.parse_object(encode_payload(capture_statement()), limit=MAX_ENVELOPE, where="x")
    assert payload["predicate"] == {
        "captured": {
            "beacon": None,
            "boot": None,
            "box_offset_ms": None,
            "box_seen": None,
            "monotonic_ns": "123456789012",
            "time": "2026-03-14T12:00:00.123456Z",
            "utc_offset_s": 3600,
            "zone": "Europe/Berlin",
        },
        "case": None,
        "device": {"id": str(DEVICE.id), "key": DEVICE.key.hex(), "name": "Anna's laptop"},
        "exceptions": [],
        "file": {
            "attributes": {},
            "created_ns": None,
            "mode": "0644",
            "modified_ns": "1773489600000000000",
            "name": "Vertrag.pdf",
            "path": ["Fälle", "2026"],
            "size": 7,
            "streams": [],
        },
        "journal": {"previous": sha256(b"the first").hexdigest(), "sequence": 2},
        "labels": [],
        "method": "watched-folder",
        "operator": {"account": None, "authenticated": "os-session", "name": "Anna"},
        "place": None,
        "purpose": None,
        "salt": bytes(range(32)).hex(),
        "source": {"account": None, "make": None, "medium": None, "serial": None},
        "supersedes": None,
        "tool": {"name": "deedbox-desktop", "version": "0.1.0"},
    }


def test_the_digest_names_the_payload_and_not_the_envelope() -> None:
    payload = encode_payload(capture_statement())
    assert statement.digest(payload) == sha256(payload).digest()
    assert dsse.parse(dsse.encode(dsse.sign(payload, KEY))).payload == payload


SAMPLE = capture_statement()
FACTS = SAMPLE.file
CAPTURED = Captured(NOON, None, 0, 0)
GAP = GapStatement(DEVICE, CAPTURED, 3, 5, JournalPlace(6, sha256(b"2").digest()), "disk lost", bytes(32))


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        (replace(SAMPLE, digests={"sha1": bytes(20)}), "digest"),
        (replace(SAMPLE, digests={"sha256": bytes(31)}), "sha256"),
        (replace(SAMPLE, digests={"sha256": bytes(32), "crc32": bytes(4)}), "crc32"),
        (replace(SAMPLE, salt=bytes(31)), "salt"),
        (replace(SAMPLE, method="Watched Folder"), "method"),
        (replace(SAMPLE, operator=Operator("A", None, "")), "authenticated"),
        (replace(SAMPLE, journal=JournalPlace(0, NO_DIGEST)), "sequence"),
        (replace(SAMPLE, journal=JournalPlace(1, bytes([1]) * 32)), "previous"),
        (replace(SAMPLE, journal=JournalPlace(2, NO_DIGEST)), "previous"),
        (replace(SAMPLE, captured=replace(CAPTURED, monotonic_ns=-1)), "monotonic"),
        (replace(SAMPLE, captured=replace(CAPTURED, utc_offset_s=86_401)), "utc_offset_s"),
        (replace(SAMPLE, captured=replace(CAPTURED, box_offset_ms=5)), "box_seen"),
        (replace(SAMPLE, captured=replace(CAPTURED, boot=bytes(15))), "boot"),
        (replace(SAMPLE, captured=replace(CAPTURED, beacon=Beacon(bytes(32), 0, bytes(48)))), "round"),
        (replace(SAMPLE, captured=replace(CAPTURED, beacon=Beacon(bytes(32), 1, bytes(47)))), "signature"),
        (replace(SAMPLE, file=replace(FACTS, name="")), "path"),
        (replace(SAMPLE, file=replace(FACTS, name="a/b")), "path"),
        (replace(SAMPLE, file=replace(FACTS, path=("..",))), "path"),
        (replace(SAMPLE, file=replace(FACTS, path=("a\0",))), "path"),
        (replace(SAMPLE, file=replace(FACTS, name="x" * 766)), "path"),
        (replace(SAMPLE, file=replace(FACTS, size=-1)), "size"),
        (replace(SAMPLE, file=replace(FACTS, modified_ns=1 << 63)), "modified_ns"),
        (replace(SAMPLE, file=replace(FACTS, mode=0o10000)), "mode"),
        (replace(SAMPLE, file=replace(FACTS, name_bytes=b"Vertrag.pdf")), "name_bytes"),
        (replace(SAMPLE, file=replace(FACTS, name_bytes=b"x\xff", path_bytes=())), "name_bytes"),
        (replace(GAP, first=6), "sequence"),
        (replace(GAP, last=6), "sequence"),
        (replace(GAP, first=1), "previous"),
        (replace(GAP, journal=JournalPlace(6, NO_DIGEST)), "previous"),
    ],
)
def test_a_statement_that_breaks_a_rule_cannot_be_written(broken: CaptureStatement | GapStatement, where: str) -> None:
    with pytest.raises(FormatError, match=where):
        encode_payload(broken)


def test_a_statement_too_large_for_any_envelope_cannot_be_written() -> None:
    with pytest.raises(FormatError, match="at most"):
        encode_payload(replace(SAMPLE, labels=("x" * MAX_ENVELOPE,)))


def test_names_that_are_not_utf8_travel_raw_beside_their_readable_form() -> None:
    raw, folder = b"caf\xe9.txt", "Fälle".encode()
    facts = replace(FACTS, name="caf\ufffd.txt", path=("Fälle",), name_bytes=raw, path_bytes=(folder,))
    assert readable_name(raw) == facts.name
    read = parse_payload(encode_payload(replace(SAMPLE, file=facts)))
    assert isinstance(read, CaptureStatement)
    assert read.file == facts


def test_raw_names_are_absent_where_the_readable_ones_say_it_all() -> None:
    facts = replace(FACTS, name="a", path=(), name_bytes=b"a", path_bytes=())
    with pytest.raises(FormatError, match="say it all"):
        encode_payload(replace(SAMPLE, file=facts))


@pytest.mark.parametrize(
    "name", ["مستند.pdf", "文書.txt", "e\u0301te\u0301", "\U0001f5c4", "con", "a\\b", "ends with dot.", "x" * 255]
)
def test_names_of_every_script_are_kept_as_they_are(name: str) -> None:
    read = parse_payload(encode_payload(replace(SAMPLE, file=FileFacts(name, (), 0, 0))))
    assert isinstance(read, CaptureStatement)
    assert read.file.name == name


def altered(change: object) -> bytes:
    members = canonical_json.parse_object(encode_payload(SAMPLE), limit=MAX_ENVELOPE, where="x")
    change(members)  # type: ignore[operator]
    return canonical_json.encode(members)


@pytest.mark.parametrize(
    "change",
    [
        lambda top: top.update(extra=1),
        lambda top: top.update(_type="https://in-toto.io/Statement/v0.1"),
        lambda top: top.update(predicateType="urn:deedbox:capture:v2"),
        lambda top: top.update(predicateType="urn:deedbox:gap:v1"),
        lambda top: top.update(subject=[]),
        lambda top: top.update(subject=top["subject"] * 2),
        lambda top: top["subject"][0].update(name="other.pdf"),
        lambda top: top["predicate"].update(extra=None),
        lambda top: top["predicate"].pop("purpose"),
        lambda top: top["predicate"]["captured"].pop("beacon"),
        lambda top: top["predicate"]["device"].update(extra=None),
        lambda top: top["predicate"]["file"].update(name_bytes=None),
        lambda top: top["predicate"]["file"].update(attributes={"user.x": 1}),
        lambda top: top["predicate"]["file"].update(mode="644"),
        lambda top: top["predicate"]["source"].pop("serial"),
        lambda top: top["predicate"]["tool"].update(name=None),
    ],
)
def test_unknown_missing_and_ill_typed_members_are_refused(change: object) -> None:
    with pytest.raises(FormatError):
        parse_payload(altered(change))


def test_a_case_and_what_it_supersedes_are_kept() -> None:
    made = replace(SAMPLE, case=UUID(int=5), supersedes=bytes(range(32)))
    assert parse_payload(encode_payload(made)) == made
    assert made.content == sha256(b"content").digest()
