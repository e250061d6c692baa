from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import commitment, entry, merkle, note, receipt
from deedbox_sync.commitment import FIELDS, Opening
from deedbox_sync.entry import LogEntry
from deedbox_sync.errors import FormatError, ProofError, SyncError
from deedbox_sync.note import Checkpoint
from deedbox_sync.receipt import Receipt, TlogProof
from sync_samples import KEY, NOON, PUBLIC_KEY, assert_strict, digests, mutated

ORIGIN = note.encode_origin(UUID(int=11), 0)
VKEY = note.encode_vkey(ORIGIN, note.ED25519, PUBLIC_KEY)
STATEMENT, CONTENT = sha256(b"statement").digest(), sha256(b"content").digest()
SALTS = {field: sha256(field.encode()).digest() for field in FIELDS}
INDEX, SIZE = 300, 600


def log_entry(seq: int, kind: str = "exhibit.received") -> bytes:
    values = {"statement": STATEMENT, "content": CONTENT, "case": bytes(16), "person": b"box", "record": bytes(32)}
    made = {field: commitment.commit(field, SALTS[field], value) for field, value in values.items()}
    return entry.encode(LogEntry(seq, NOON, kind, bytes(32), made))


def signed(body: str, key: Ed25519PrivateKey = KEY, name: str = ORIGIN) -> str:
    return note.assemble_note(body, [note.sign(body, name, key)])


ENTRIES = [log_entry(seq) for seq in range(SIZE)]
TILES = merkle.Tiles()
FULL = {(tile.level, tile.index): tile.hashes for tile in TILES.append(b"".join(map(merkle.leaf_hash, ENTRIES)))}
CHECKPOINT = Checkpoint(ORIGIN, SIZE, TILES.root())


def read_tile(level: int, index: int, width: int) -> bytes:
    return FULL.get((level, index)) or TILES.partials[level]


OPENINGS = (Opening("content", SALTS["content"], CONTENT), Opening("statement", SALTS["statement"], STATEMENT))
GOOD = Receipt(
    entry=ENTRIES[INDEX],
    openings=OPENINGS,
    index=INDEX,
    path=tuple(merkle.inclusion_proof(INDEX, SIZE, read_tile)),
    note=signed(note.encode_checkpoint(CHECKPOINT)),
)


def verify(made: Receipt, vkey: str = VKEY) -> LogEntry:
    return receipt.verify_receipt(made, vkey, statement=STATEMENT, content=CONTENT)


def test_a_good_receipt_gives_its_entry() -> None:
    assert verify(GOOD) == entry.parse(ENTRIES[INDEX])
    assert verify(receipt.parse(receipt.encode(GOOD))).seq == INDEX


def test_what_the_holder_does_not_have_is_not_asked_for() -> None:
    closed = replace(GOOD, openings=())
    assert receipt.verify_receipt(closed, VKEY, statement=None, content=None).seq == INDEX


STRANGER = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
OTHER_LOG = note.encode_origin(UUID(int=12), 0)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (replace(GOOD, entry=ENTRIES[INDEX] + b" "), "canonical"),
        (replace(GOOD, entry=ENTRIES[INDEX + 1]), "root"),
        (replace(GOOD, note=signed(note.encode_checkpoint(CHECKPOINT), STRANGER)), "none of the expected"),
        (replace(GOOD, note=GOOD.note.replace(f"\n{SIZE}\n", f"\n{SIZE - 1}\n")), "does not hold"),
        (replace(GOOD, note=signed(note.encode_checkpoint(replace(CHECKPOINT, origin=OTHER_LOG)))), "another log"),
        (replace(GOOD, note=signed(note.encode_checkpoint(replace(CHECKPOINT, root=bytes(32))))), "root"),
        (replace(GOOD, note=signed(note.encode_checkpoint(replace(CHECKPOINT, size=INDEX)))), "outside"),
        (replace(GOOD, index=INDEX + 1), "root"),
        (replace(GOOD, path=GOOD.path[:-1]), "root"),
        (replace(GOOD, path=(*GOOD.path, bytes(32))), "too long"),
        (replace(GOOD, openings=(replace(OPENINGS[0], salt=bytes(32)), OPENINGS[1])), "commits to"),
        (replace(GOOD, openings=(replace(OPENINGS[0], value=bytes(32)), OPENINGS[1])), "commits to"),
        (replace(GOOD, openings=OPENINGS[:1]), "does not open statement"),
        (replace(GOOD, openings=OPENINGS[1:]), "does not open content"),
    ],
)
def test_a_receipt_with_one_thing_wrong_is_refused_for_it(broken: Receipt, why: str) -> None:
    with pytest.raises(SyncError, match=why):
        verify(broken)


def test_a_receipt_for_other_bytes_or_another_statement_is_refused() -> None:
    with pytest.raises(ProofError, match="another statement"):
        receipt.verify_receipt(GOOD, VKEY, statement=bytes(32), content=CONTENT)
    with pytest.raises(ProofError, match="another content"):
        receipt.verify_receipt(GOOD, VKEY, statement=STATEMENT, content=bytes(32))


def test_a_checkpoint_that_was_seen_before_opens_no_door() -> None:
    verifier = receipt.ReceiptVerifier(VKEY)
    for _ in range(2):
        assert verifier.verify(GOOD, statement=STATEMENT, content=CONTENT).seq == INDEX
        for broken in (
            replace(GOOD, entry=ENTRIES[INDEX + 1]),
            replace(GOOD, index=INDEX + 1),
            replace(GOOD, path=GOOD.path[:-1]),
            replace(GOOD, note=GOOD.note.replace(f"\n{SIZE}\n", f"\n{SIZE - 1}\n")),
            replace(GOOD, note=signed(note.encode_checkpoint(CHECKPOINT), STRANGER)),
        ):
            with pytest.raises(SyncError):
                verifier.verify(broken, statement=STATEMENT, content=CONTENT)
        with pytest.raises(ProofError, match="another statement"):
            verifier.verify(GOOD, statement=bytes(32), content=CONTENT)


def test_an_entry_out_of_its_place_is_refused() -> None:
    moved = [*ENTRIES[:10], log_entry(3)]
    tiles = merkle.Tiles()
    tiles.append(b"".join(map(merkle.leaf_hash, moved)))
    body = note.encode_checkpoint(Checkpoint(ORIGIN, 11, tiles.root()))
    path = merkle.inclusion_proof(10, 11, lambda level, index, width: tiles.partials[level])
    with pytest.raises(ProofError, match="not its place"):
        verify(Receipt(moved[10], OPENINGS, 10, tuple(path), signed(body)))


def test_an_opening_of_what_the_entry_does_not_commit_to_is_refused() -> None:
    bare = entry.encode(LogEntry(0, NOON, "refusals", bytes(32), {}))
    body = note.encode_checkpoint(Checkpoint(ORIGIN, 1, merkle.leaf_hash(bare)))
    with pytest.raises(ProofError, match="no content"):
        verify(Receipt(bare, OPENINGS[:1], 0, (), signed(body)))


def test_a_cosigned_checkpoint_serves_as_well() -> None:
    body = note.encode_checkpoint(CHECKPOINT)
    witnessed = GOOD.note + note.cosign(body, "witness.example", STRANGER, 5)
    assert verify(replace(GOOD, note=witnessed)).seq == INDEX


@given(st.data())
def test_no_mutation_makes_a_receipt_say_anything_else(data: st.DataObject) -> None:
    changed = data.draw(mutated(receipt.encode(GOOD)))
    try:
        made = receipt.parse(changed)
        verify(made)
    except SyncError:
        return
    assert (made.entry, made.openings, made.index) == (GOOD.entry, GOOD.openings, GOOD.index)


openings = st.lists(st.sampled_from(FIELDS), unique=True).map(
    lambda fields: tuple(Opening(field, SALTS[field], b"value") for field in sorted(fields))
)
receipts = st.builds(
    Receipt,
    entry=st.binary(max_size=60),
    openings=openings,
    index=st.integers(0, merkle.MAX_SIZE),
    path=st.lists(digests, max_size=5).map(tuple),
    note=st.text(st.characters(codec="utf-8"), max_size=30),
)


@given(receipts)
def test_a_receipt_reads_back_as_itself(made: Receipt) -> None:
    assert receipt.parse(receipt.encode(made)) == made


@given(st.data())
def test_mutated_receipts_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    assert_strict(receipt.parse, receipt.encode, data.draw(mutated(receipt.encode(data.draw(receipts)))))


@given(st.data())
def test_mutated_proofs_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    made = data.draw(receipts)
    encoded = receipt.encode_tlog_proof(made.index, made.path, made.note).encode()
    try:
        text = data.draw(mutated(encoded)).decode()
        proof = receipt.parse_tlog_proof(text)
    except (SyncError, UnicodeDecodeError):
        return
    assert receipt.encode_tlog_proof(proof.index, proof.path, proof.note) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1\n\nnote",
        "c2sp.org/tlog-proof@v2\nindex 0\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 00\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 0\nAA==\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + ("A" * 43 + "=\n") * 64 + "\nnote",
        "c2sp.org/tlog-proof@v1\nindex 0\n",
    ],
)
def test_other_proofs_are_refused(text: str) -> None:
    with pytest.raises(FormatError):
        receipt.parse_tlog_proof(text)


def test_a_proof_without_path_is_that_of_a_single_entry() -> None:
    assert receipt.parse_tlog_proof("c2sp.org/tlog-proof@v1\nindex 0\n\nnote") == TlogProof(0, (), "note")


def test_openings_out_of_order_or_doubled_cannot_be_written() -> None:
    for wrong in (OPENINGS[::-1], OPENINGS[:1] * 2):
        with pytest.raises(FormatError, match="in order"):
            receipt.encode(replace(GOOD, openings=wrong))


@pytest.mark.parametrize(
    "broken",
    [
        replace(GOOD, index=-1),
        replace(GOOD, index=merkle.MAX_SIZE + 1),
        replace(GOOD, path=(bytes(31),)),
        replace(GOOD, path=(bytes(32),) * (merkle.MAX_PATH + 1)),
        replace(GOOD, openings=(replace(OPENINGS[0], field="colour"),)),
        replace(GOOD, openings=(replace(OPENINGS[0], salt=bytes(31)),)),
        replace(GOOD, openings=(replace(OPENINGS[0], value=bytes(257)),)),
        replace(GOOD, entry=bytes(receipt.MAX_RECEIPT)),
        replace(GOOD, note="\u2014" * receipt.MAX_RECEIPT),
        replace(GOOD, note="\ud800"),
    ],
)
def test_what_would_not_read_back_cannot_be_written(broken: Receipt) -> None:
    with pytest.raises(FormatError):
        receipt.encode(broken)
