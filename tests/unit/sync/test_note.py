from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import merkle, note
from deedbox_sync.errors import FormatError, ProofError, SyncError
from deedbox_sync.note import Checkpoint, NoteSignature, SignedNote
from sync_samples import KEY, PUBLIC_KEY, digests, mutated

BOX = UUID("0195a3c4-0000-7000-8000-0000000000b0")
ORIGIN = note.encode_origin(BOX, 0)
VKEY = note.encode_vkey(ORIGIN, note.ED25519, PUBLIC_KEY)
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
WITNESS = "witness.example/w1"
WITNESS_VKEY = note.encode_vkey(WITNESS, note.COSIGNATURE_V1, WITNESS_KEY.public_key().public_bytes_raw())
LATTICE_KEY = MLDSA44PrivateKey.from_seed_bytes(bytes([9]) * 32)
LATTICE_VKEY = note.encode_vkey(WITNESS, note.COSIGNATURE_ML_DSA_44, LATTICE_KEY.public_key().public_bytes_raw())
BODY = note.encode_checkpoint(Checkpoint(ORIGIN, 7, bytes(range(32))))
SIGNED = note.assemble_note(BODY, [note.sign(BODY, ORIGIN, KEY)])
COSIGNED = SIGNED + note.cosign(BODY, WITNESS, WITNESS_KEY, 1_773_489_600)

names = st.text(st.characters(codec="utf-8", exclude_characters="+"), min_size=1, max_size=20).filter(
    lambda name: not any(character.isspace() or character < " " for character in name)
)
bodies = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20), min_size=1, max_size=4
).map(lambda lines: "".join(f"{line}\n" for line in lines))
signatures = st.builds(NoteSignature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80))
notes = st.builds(SignedNote, bodies, st.lists(signatures, min_size=1, max_size=4).map(tuple))
checkpoints = st.builds(Checkpoint, names, st.integers(0, merkle.MAX_SIZE), digests)


@given(notes)
def test_a_note_reads_back_as_itself(made: SignedNote) -> None:
    assert note.parse_note(note.encode_note(made)) == made


@given(st.data())
def test_mutated_notes_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    encoded = note.encode_note(data.draw(notes)).encode()
    try:
        text = data.draw(mutated(encoded)).decode()
        made = note.parse_note(text)
    except (SyncError, UnicodeDecodeError):
        return
    assert note.encode_note(made) == text


@given(checkpoints)
def test_a_checkpoint_reads_back_as_itself(made: Checkpoint) -> None:
    assert note.parse_checkpoint(note.encode_checkpoint(made)) == made


@given(st.data())
def test_mutated_checkpoints_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    encoded = note.encode_checkpoint(data.draw(checkpoints)).encode()
    try:
        body = data.draw(mutated(encoded)).decode()
        made = note.parse_checkpoint(body)
    except (SyncError, UnicodeDecodeError):
        return
    assert note.encode_checkpoint(made) == body


@given(st.data())
def test_a_mutated_signed_checkpoint_never_says_anything_else(data: st.DataObject) -> None:
    try:
        made = note.parse_note(data.draw(mutated(COSIGNED.encode())).decode())
        note.verify_note(made, [VKEY])
    except (SyncError, UnicodeDecodeError):
        return
    assert note.parse_checkpoint(made.body) == Checkpoint(ORIGIN, 7, bytes(range(32)))


def test_the_origin_names_box_and_epoch() -> None:
    assert ORIGIN == "deedbox/0195a3c40000700080000000000000b0/0"
    assert note.parse_origin(ORIGIN) == (BOX, 0)
    for other in ("deedbox/0195A3C40000700080000000000000B0/0", f"{ORIGIN}1".replace("/01", "/01"), ORIGIN + "\n"):
        with pytest.raises(FormatError):
            note.parse_origin(other)


def test_who_signed_is_said_with_the_witness_time() -> None:
    made = note.parse_note(COSIGNED)
    assert note.verify_note(made, [VKEY]) == {ORIGIN: None}
    assert note.verify_note(made, [WITNESS_VKEY]) == {WITNESS: 1_773_489_600}
    assert note.verify_note(made, [VKEY, WITNESS_VKEY]) == {ORIGIN: None, WITNESS: 1_773_489_600}


def test_a_note_that_none_of_the_keys_signed_proves_nothing() -> None:
    other = note.encode_vkey(ORIGIN, note.ED25519, WITNESS_KEY.public_key().public_bytes_raw())
    for vkeys in ([], [other], [WITNESS_VKEY]):
        with pytest.raises(ProofError, match="none"):
            note.verify_note(note.parse_note(SIGNED), vkeys)


def test_one_false_signature_by_a_known_key_spoils_the_note() -> None:
    made = note.parse_note(COSIGNED)
    forged = NoteSignature(WITNESS, made.signatures[1].key_id, bytes(72))
    with pytest.raises(ProofError, match="does not hold"):
        note.verify_note(SignedNote(made.body, (made.signatures[0], forged)), [VKEY, WITNESS_VKEY])
    assert note.verify_note(SignedNote(made.body, (made.signatures[0], forged)), [VKEY]) == {ORIGIN: None}


def test_signatures_by_unknown_keys_are_ignored_even_under_a_known_name() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32)
    text = note.assemble_note(BODY, [note.sign(BODY, ORIGIN, stranger), note.sign(BODY, ORIGIN, KEY)])
    assert note.verify_note(note.parse_note(text), [VKEY]) == {ORIGIN: None}


def test_a_cosignature_does_not_hold_at_another_time() -> None:
    made = note.parse_note(COSIGNED)
    value = made.signatures[1].value
    moved = NoteSignature(WITNESS, made.signatures[1].key_id, (1_773_489_599).to_bytes(8) + value[8:])
    with pytest.raises(ProofError):
        note.verify_note(SignedNote(made.body, (moved,)), [WITNESS_VKEY])


def test_of_several_cosignatures_the_earliest_time_counts() -> None:
    text = SIGNED + "".join(note.cosign(BODY, WITNESS, WITNESS_KEY, time) for time in (30, 10, 20))
    assert note.verify_note(note.parse_note(text), [WITNESS_VKEY]) == {WITNESS: 10}


def timed(time: int) -> NoteSignature:
    """A true cosignature that says `time`, whatever that is."""
    line = note.parse_note(f"{BODY}\n{note.cosign(BODY, WITNESS, WITNESS_KEY, 1)}").signatures[0]
    signature = WITNESS_KEY.sign(f"cosignature/v1\ntime {time}\n{BODY}".encode())
    return NoteSignature(WITNESS, line.key_id, time.to_bytes(8) + signature)


def test_a_cosignature_of_time_0_says_who_and_not_when() -> None:
    assert note.verify_note(SignedNote(BODY, (timed(0),)), [WITNESS_VKEY]) == {WITNESS: None}
    for lines in ((timed(0), timed(9)), (timed(9), timed(0))):
        assert note.verify_note(SignedNote(BODY, lines), [WITNESS_VKEY]) == {WITNESS: 9}
    with pytest.raises(ProofError, match="impossible"):
        note.verify_note(SignedNote(BODY, (timed(1 << 63),)), [WITNESS_VKEY])
    with pytest.raises(FormatError):
        note.cosign(BODY, WITNESS, WITNESS_KEY, 0)


def test_a_witness_may_have_keys_of_both_kinds_under_its_name() -> None:
    both = COSIGNED + note.cosign(BODY, WITNESS, LATTICE_KEY, 1_773_489_000)
    made = note.parse_note(both)
    assert note.verify_note(made, [WITNESS_VKEY]) == {WITNESS: 1_773_489_600}
    assert note.verify_note(made, [LATTICE_VKEY]) == {WITNESS: 1_773_489_000}
    assert note.verify_note(made, [VKEY, WITNESS_VKEY, LATTICE_VKEY]) == {ORIGIN: None, WITNESS: 1_773_489_000}


@pytest.mark.parametrize("at", [0, 7, 8, 1_000, 2_427])
def test_a_lattice_cosignature_with_one_changed_byte_does_not_hold(at: int) -> None:
    line = note.parse_note(f"{BODY}\n{note.cosign(BODY, WITNESS, LATTICE_KEY, 5)}").signatures[0]
    assert len(line.value) == 8 + 2_420
    value = bytearray(line.value)
    value[at] ^= 1
    with pytest.raises(ProofError):
        note.verify_note(SignedNote(BODY, (NoteSignature(WITNESS, line.key_id, bytes(value)),)), [LATTICE_VKEY])


def test_a_lattice_cosignature_is_over_that_origin_size_root_and_name_only() -> None:
    (line,) = note.parse_note(f"{BODY}\n{note.cosign(BODY, WITNESS, LATTICE_KEY, 5)}").signatures
    for changed in (
        Checkpoint(note.encode_origin(BOX, 1), 7, bytes(range(32))),
        Checkpoint(ORIGIN, 8, bytes(range(32))),
        Checkpoint(ORIGIN, 7, bytes(32)),
    ):
        with pytest.raises(ProofError, match="does not hold"):
            note.verify_note(SignedNote(note.encode_checkpoint(changed), (line,)), [LATTICE_VKEY])
    other = note.encode_vkey("other", note.COSIGNATURE_ML_DSA_44, LATTICE_KEY.public_key().public_bytes_raw())
    moved = NoteSignature("other", note.parse_vkey(other).key_id, line.value)
    with pytest.raises(ProofError, match="does not hold"):
        note.verify_note(SignedNote(BODY, (moved,)), [other])


def test_a_lattice_cosignature_is_over_checkpoints_only() -> None:
    for body in ("a text\n", f"{BODY}extension\n", f"{'o' * 256}\n7\n{BODY.splitlines()[2]}\n"):
        with pytest.raises(FormatError):
            note.cosign(body, WITNESS, LATTICE_KEY, 5)
        line = NoteSignature(WITNESS, note.parse_vkey(LATTICE_VKEY).key_id, bytes(2_428))
        with pytest.raises(ProofError, match="no checkpoint"):
            note.verify_note(SignedNote(body, (line,)), [LATTICE_VKEY])


def test_lattice_vkeys_have_keys_of_1312_bytes_and_names_of_255() -> None:
    assert note.parse_vkey(LATTICE_VKEY).algorithm == note.COSIGNATURE_ML_DSA_44
    assert len(LATTICE_VKEY) < note.MAX_VKEY
    for name, key in ((WITNESS, bytes(1_311)), (WITNESS, bytes(1_313)), ("\u00e4" * 128, bytes(1_312))):
        with pytest.raises(FormatError):
            note.encode_vkey(name, note.COSIGNATURE_ML_DSA_44, key)


def test_a_plain_signature_is_no_cosignature_and_the_other_way_round() -> None:
    plain = note.encode_vkey(WITNESS, note.ED25519, WITNESS_KEY.public_key().public_bytes_raw())
    with pytest.raises(ProofError):
        note.verify_note(note.parse_note(COSIGNED), [plain])
    with pytest.raises(FormatError, match="log's and a witness's"):
        note.verify_note(note.parse_note(COSIGNED), [plain, WITNESS_VKEY])


@pytest.mark.parametrize("timestamp", [0, -1, 1 << 63])
def test_a_witness_signs_at_no_impossible_time(timestamp: int) -> None:
    with pytest.raises(FormatError):
        note.cosign(BODY, WITNESS, WITNESS_KEY, timestamp)


@given(names, st.sampled_from([note.ED25519, note.COSIGNATURE_V1]))
def test_a_vkey_reads_back_as_itself(name: str, algorithm: int) -> None:
    vkey = note.encode_vkey(name, algorithm, PUBLIC_KEY)
    verifier = note.parse_vkey(vkey)
    assert (verifier.name, verifier.algorithm, verifier.public_key) == (name, algorithm, PUBLIC_KEY)
    assert note.encode_vkey(name, algorithm, PUBLIC_KEY) == vkey


@given(st.data())
def test_a_mutated_vkey_is_refused(data: st.DataObject) -> None:
    text = data.draw(mutated(VKEY.encode()).filter(lambda changed: changed != VKEY.encode()))
    with pytest.raises((SyncError, UnicodeDecodeError)):
        note.parse_vkey(text.decode())


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n", "a\u00a0b", "a\u2003", "x" * 257, "\ud800"])
def test_names_that_the_note_form_cannot_carry_are_refused(name: str) -> None:
    with pytest.raises(FormatError):
        note.encode_vkey(name, note.ED25519, PUBLIC_KEY)
    with pytest.raises(FormatError):
        note.sign(BODY, name, KEY)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "origin\n1\n",
        f"origin\n01\n{'A' * 43}=\n",
        f"origin\n-1\n{'A' * 43}=\n",
        f"origin\n9223372036854775808\n{'A' * 43}=\n",
        f"origin\n1\n{'A' * 42}==\n",
        f"origin\n1\n{'A' * 43}\n",
        f"origin\n1\n{'A' * 43}=",
        f"\n1\n{'A' * 43}=\n",
        f"origin\n1\n{'A' * 43}=\nextension\n",
        f"origin\r\n1\r\n{'A' * 43}=\r\n",
        f"origin\n1\n{'A' * 42}B=\n",
    ],
)
def test_other_checkpoints_are_refused(body: str) -> None:
    with pytest.raises(FormatError):
        note.parse_checkpoint(body)


def test_a_note_has_its_limits() -> None:
    line = note.sign(BODY, ORIGIN, KEY)
    assert len(note.parse_note(f"{BODY}\n{line * note.MAX_SIGNATURES}").signatures) == note.MAX_SIGNATURES
    with pytest.raises(FormatError):
        note.parse_note(f"{BODY}\n{line * (note.MAX_SIGNATURES + 1)}")
    with pytest.raises(FormatError, match="longer"):
        note.parse_note("x" * (note.MAX_NOTE + 1))
