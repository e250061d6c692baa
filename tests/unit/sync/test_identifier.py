"""Identifiers: their text, their records, and who may have minted them (formats/identifier.md)."""

import contextlib
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from deedbox_sync import canonical_json, dsse, ecvrf, identifier
from deedbox_sync.beacon import QUICKNET, Beacon
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.identifier import Minter, MintRecord

SEED = bytes(range(32))
CONTENT = sha256(b"a deed").digest()
ROUND_1000 = Beacon(
    QUICKNET.hash,
    1000,
    bytes.fromhex("b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"),
)
RECORD = identifier.mint(SEED, content=CONTENT, beacon=ROUND_1000, namespace="box/b", counter=7)
DEVICE = UUID("0198c0de-0000-7000-8000-000000000001")
VALUES = st.binary(min_size=10, max_size=10)


# --- text


@given(VALUES)
def test_text_reads_back(value: bytes) -> None:
    text = identifier.format_text(value)
    assert identifier.parse_text(text) == value
    assert identifier.normal_text(text) == text


def test_the_written_form() -> None:
    assert identifier.format_text(bytes(10)) == "E-0000-0000-0000-0000-98"
    assert identifier.format_text(b"\xff" * 10)[:-3] == "E-ZZZZ-ZZZZ-ZZZZ-ZZZZ"


@given(VALUES)
def test_letters_and_check_number_leave_1_modulo_97(value: bytes) -> None:
    letters = identifier.format_text(value)[2:].replace("-", "")
    assert (int(letters[:16], 36) * 100 + int(letters[16:])) % 97 == 1
    assert 2 <= int(letters[16:]) <= 98


@given(VALUES, st.sampled_from(["", "-", "--"]), st.booleans())
def test_people_may_write_it_in_lower_case_and_with_any_hyphens(value: bytes, hyphen: str, lower: bool) -> None:
    text = "E" + identifier.format_text(value)[1:].replace("-", hyphen)
    assert identifier.parse_text(text.lower() if lower else text) == value


def test_people_may_write_the_letters_that_look_like_digits() -> None:
    text = identifier.format_text(bytes.fromhex("00443214c74254b635cf"))
    assert {"0", "1"} <= set(text)
    misread = "E" + text[1:].replace("0", "O").replace("1", "l")
    assert identifier.parse_text(misread) == identifier.parse_text(text)


@given(VALUES, st.integers(0, 15), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_mistyped_letter_shows(value: bytes, at: int, letter: str) -> None:
    letters = identifier.format_text(value)[2:].replace("-", "")
    if letters[at] != letter:
        with pytest.raises(FormatError, match="mistyped"):
            identifier.parse_text("E" + letters[:at] + letter + letters[at + 1 :])


@given(VALUES, st.integers(0, 14))
def test_two_swapped_letters_show(value: bytes, at: int) -> None:
    letters = identifier.format_text(value)[2:].replace("-", "")
    if letters[at] != letters[at + 1]:
        swapped = letters[:at] + letters[at + 1] + letters[at] + letters[at + 2 :]
        with pytest.raises(FormatError, match="mistyped"):
            identifier.parse_text("E" + swapped)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "E",
        "F-0000-0000-0000-0000-98",
        "E-0000-0000-0000-0000-01",
        "E-0000-0000-0000-0000-99",
        "E-0000-0000-0000-0000-9",
        "E-0000-0000-0000-0000-98 ",
        "E-0000-0000-0000-0000-98\n",
        "E-U000-0000-0000-0000-98",
        "E-0000-0000-0000-000-98",
        "E-0000-0000-0000-0000-9\N{ARABIC-INDIC DIGIT EIGHT}",
        "E" + "-" * 1000,
    ],
)
def test_other_text_is_no_identifier(text: str) -> None:
    with pytest.raises(FormatError):
        identifier.parse_text(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(FormatError):
        assert identifier.parse_text(identifier.normal_text(text)) == identifier.parse_text(text)


# --- minting and verifying


def test_the_input_is_the_one_of_the_format() -> None:
    expected = (
        b"deedbox/v1/id\x00"
        + CONTENT
        + QUICKNET.hash
        + (1000).to_bytes(8)
        + ROUND_1000.signature
        + b"\x05box/b"
        + b"\x00" * 7
        + b"\x07"
    )
    assert identifier.encode_input(CONTENT, ROUND_1000, "box/b", 7) == expected
    assert identifier.encode_input(CONTENT, None, "box/b", 7)[46:134] == bytes(88)


def test_the_identifier_is_the_first_80_bits_of_the_output() -> None:
    alpha = identifier.encode_input(CONTENT, ROUND_1000, "box/b", 7)
    beta = ecvrf.verify(ecvrf.public_key(SEED), alpha, RECORD.proof)
    assert identifier.parse_text(RECORD.id) == beta[:10]


@settings(max_examples=20)
@given(
    st.binary(min_size=32, max_size=32),
    st.sampled_from([None, ROUND_1000]),
    st.from_regex(r"[a-z0-9./-]{1,64}", fullmatch=True),
    st.integers(0, (1 << 53) - 1),
)
def test_what_is_minted_reads_back_and_verifies(
    content: bytes, beacon: Beacon | None, namespace: str, counter: int
) -> None:
    record = Minter(SEED, namespace).mint(content, beacon, counter)
    assert identifier.parse(identifier.encode(record)) == record
    identifier.verify_record(record)


@pytest.mark.parametrize(
    "changed",
    [
        replace(RECORD, content=sha256(b"another deed").digest()),
        replace(RECORD, beacon=None),
        replace(RECORD, beacon=replace(ROUND_1000, round=1001)),
        replace(RECORD, beacon=replace(ROUND_1000, signature=bytes(48))),
        replace(RECORD, beacon=replace(ROUND_1000, chain=bytes(32))),
        replace(RECORD, namespace="box/c"),
        replace(RECORD, counter=8),
        replace(RECORD, key=ecvrf.public_key(bytes(32))),
        replace(RECORD, proof=ecvrf.prove(SEED, b"something else")),
        replace(RECORD, id=identifier.format_text(bytes(10))),
    ],
)
def test_a_record_with_any_member_changed_does_not_verify(changed: MintRecord) -> None:
    identifier.verify_record(RECORD)
    with pytest.raises(ProofError):
        identifier.verify_record(changed)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("id", RECORD.id.lower()),
        ("id", "E-0000-0000-0000-0000-97"),
        ("content", "00"),
        ("counter", -1),
        ("counter", "7"),
        ("namespace", ""),
        ("namespace", "Box/b"),
        ("namespace", "b" * 65),
        ("key", "01" + "00" * 31),
        ("proof", "00" * 79),
        ("beacon", {}),
        ("v", 2),
        ("more", 1),
    ],
)
def test_a_record_in_any_other_form_is_refused(member: str, value: canonical_json.Json) -> None:
    members = identifier.record_members(RECORD) | {member: value}
    with pytest.raises(FormatError):
        identifier.parse(canonical_json.encode(members))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        identifier.parse(data)


@pytest.mark.parametrize("counter", [-1, 1 << 53])
def test_a_counter_fits_json(counter: int) -> None:
    with pytest.raises(FormatError):
        identifier.mint(SEED, content=CONTENT, beacon=None, namespace="box/b", counter=counter)


# --- issuers


def test_a_desk_has_another_key_for_minting() -> None:
    seed = identifier.desk_seed(SEED)
    assert len(seed) == 32 and seed != SEED
    assert identifier.desk_seed(SEED) == seed


def test_the_desks_key_derivation_is_hkdf_of_rfc_5869() -> None:
    import hmac

    extracted = hmac.digest(bytes(32), SEED, "sha256")
    assert identifier.desk_seed(SEED) == hmac.digest(extracted, b"deedbox/v1/vrf\x01", "sha256")


def test_a_device_vouches_for_its_minting_key() -> None:
    statement_key = Ed25519PrivateKey.from_private_bytes(SEED)
    note = identifier.issuer_note(statement_key, DEVICE, RECORD.key)
    told = identifier.verify_issuer_note(note, statement_key.public_key())
    assert told == identifier.IssuerNote(DEVICE, RECORD.key) == identifier.parse_issuer_note(note)


def test_a_note_by_another_key_is_refused() -> None:
    note = identifier.issuer_note(Ed25519PrivateKey.generate(), DEVICE, RECORD.key)
    with pytest.raises(ProofError):
        identifier.verify_issuer_note(note, Ed25519PrivateKey.from_private_bytes(SEED).public_key())


def test_a_note_for_a_weak_key_is_refused() -> None:
    statement_key = Ed25519PrivateKey.from_private_bytes(SEED)
    note = identifier.issuer_note(statement_key, DEVICE, b"\x01" + bytes(31))
    with pytest.raises(ProofError, match="weak"):
        identifier.verify_issuer_note(note, statement_key.public_key())


def test_a_statement_is_no_issuer_note() -> None:
    """The payload type is signed: nothing signed as one thing is taken for the other."""
    statement_key = Ed25519PrivateKey.from_private_bytes(SEED)
    payload = canonical_json.encode({"device": str(DEVICE), "key": RECORD.key.hex(), "v": 1})
    envelope = dsse.sign(payload, statement_key)
    with pytest.raises(FormatError):
        identifier.verify_issuer_note(dsse.encode(envelope), statement_key.public_key())
    with pytest.raises(ProofError):
        identifier.verify_issuer_note(dsse.encode(envelope, identifier.ISSUER_NOTE_TYPE), statement_key.public_key())
