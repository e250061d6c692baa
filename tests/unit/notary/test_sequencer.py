"""The log: what is staged gets its entry, its place in the tree and a receipt that holds for ever."""

import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_server.database import Database
from deedbox_server.errors import LogBehind, Suspended
from deedbox_server.notary import tiles
from deedbox_server.notary.drafts import EntryDraft, new_salts
from deedbox_server.notary.sequencer import Sequencer, open_log
from deedbox_server.notary.service import Notary
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_server.vault.keyring import KeyFile, Keyring
from deedbox_sync import entry, merkle, note, receipt, uuid7
from deedbox_sync.errors import FormatError, ProofError

pytestmark = pytest.mark.anyio

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ORIGIN = note.encode_origin(uuid7.new(), 1)
VALUES = {"statement": b"s" * 32, "content": b"c" * 32, "case": b"k" * 16}


@pytest.fixture
async def keys(tmp_path: Path) -> AsyncIterator[KeyStore]:
    keyring = Keyring.create(tmp_path / "keys", KeyFile.create(tmp_path / "key"))
    store = await KeyStore.open(tmp_path / "keys", keyring)
    yield store
    await store.close()


@pytest.fixture
async def notary(database: Database, keys: KeyStore) -> Notary:
    notary = Notary(database, keys, KEY, ORIGIN)
    await open_log(database, ORIGIN, notary.vkey)
    return notary


@pytest.fixture
def sequencer(database: Database, notary: Notary) -> Sequencer:
    return Sequencer(database, notary, KEY)


async def stage(database: Database, keys: KeyStore, notary: Notary, count: int) -> dict[object, dict[str, bytes]]:
    opened = {}
    drafts = []
    for _ in range(count):
        values = VALUES | {"content": os.urandom(32)}
        salts = new_salts(uuid7.new(), values)
        drafts.append(EntryDraft("exhibit.received", salts, values))
        opened[salts.record] = {"content": values["content"], "statement": values["statement"]}
    await keys.commit(KeyBatch(salts=[draft.salts for draft in drafts]))
    async with database.transaction():
        await notary.stage(drafts)
    return opened


async def test_every_staged_event_gets_a_receipt_that_a_stranger_can_verify(
    database: Database, keys: KeyStore, notary: Notary, sequencer: Sequencer
) -> None:
    opened = await stage(database, keys, notary, 600)
    assert await sequencer.step() == 601  # with the log's own first entry
    receipts = await notary.receipts(opened)
    assert receipts.keys() == opened.keys()
    for record, text in receipts.items():
        parsed = receipt.parse(text.encode())
        receipt.verify_receipt(parsed, notary.vkey, statement=b"s" * 32, content=opened[record]["content"])
        with pytest.raises(ProofError):
            receipt.verify_receipt(parsed, notary.vkey, statement=b"s" * 32, content=bytes(32))


async def test_entries_chain_and_the_tree_agrees_whatever_the_groups_and_restarts(
    database: Database, keys: KeyStore, notary: Notary, sequencer: Sequencer
) -> None:
    checkpoints = []
    for count in (1, 254, 1, 3, 700):
        await stage(database, keys, notary, count)
        await Sequencer(database, notary, KEY).step()  # each time a new one, as after a restart
        checkpoints.append(note.parse_checkpoint(note.parse_note(await notary.checkpoint()).body))
    rows = await database.fetch("SELECT entry, leaf FROM log_entry ORDER BY seq")
    previous, time = bytes(32), entry.parse(rows[0]["entry"]).time
    for seq, row in enumerate(rows):
        parsed = entry.parse(row["entry"])
        assert (parsed.seq, parsed.prev) == (seq, previous)
        assert parsed.time >= time
        previous, time = entry.digest(row["entry"]), parsed.time
    tree = merkle.Tiles()
    tree.append(b"".join(merkle.leaf_hash(row["entry"]) for row in rows))
    assert checkpoints[-1].root == tree.root()
    for older, newer in itertools.pairwise(checkpoints):
        proof = await notary.consistency(older.size, newer.size)
        merkle.verify_consistency(older.size, newer.size, proof, older.root, newer.root)


async def test_proofs_hold_whatever_the_notary_has_kept_of_earlier_sizes(
    database: Database, keys: KeyStore, notary: Notary, sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "_KEPT", 3)  # less than one proof needs
    seen: list[note.Checkpoint] = []
    for count in (3, 250, 4, 300, 1, 40):
        await stage(database, keys, notary, count)
        await sequencer.step()
        seen.append(note.parse_checkpoint(note.parse_note(await notary.checkpoint()).body))
        leaves = [row["leaf"] for row in await database.fetch("SELECT leaf FROM log_entry ORDER BY seq")]
        for checkpoint in seen:
            indexes = sorted({0, checkpoint.size // 2, checkpoint.size - 1})
            for index, path in (await notary.inclusion(indexes, checkpoint.size)).items():
                merkle.verify_inclusion(index, checkpoint.size, leaves[index], path, checkpoint.root)
            proof = await notary.consistency(checkpoint.size, seen[-1].size)
            merkle.verify_consistency(checkpoint.size, seen[-1].size, proof, checkpoint.root, seen[-1].root)


async def test_receipts_are_the_same_from_memory_and_from_the_database(
    database: Database, keys: KeyStore, notary: Notary, sequencer: Sequencer
) -> None:
    opened = await stage(database, keys, notary, 20)
    await sequencer.step()
    stranger = Notary(database, keys, KEY, ORIGIN)  # as after a restart
    assert await notary.receipts(opened) == await stranger.receipts(opened)


async def test_an_entry_too_large_for_the_log_is_refused_when_it_is_staged(
    database: Database, notary: Notary, sequencer: Sequencer
) -> None:
    with pytest.raises(FormatError):
        await notary.publish("refusals", {"unknown": "x" * entry.MAX_ENTRY})
    assert await sequencer.step() == 1  # the log's own first entry, and nothing in its way


async def test_a_group_that_fails_is_written_again_whole(
    database: Database, keys: KeyStore, notary: Notary, sequencer: Sequencer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await stage(database, keys, notary, 10)

    async def fail(*_: object) -> None:
        raise OSError("disk gone")

    with monkeypatch.context() as patch:
        patch.setattr(sequencer, "_store_checkpoint", fail)
        with pytest.raises(OSError, match="disk gone"):
            await sequencer.step()
    assert (await notary.head()).size == 0
    assert await sequencer.step() == 11
    assert await sequencer.step() == 0
    assert len(await notary.receipts(opened)) == 10


async def test_what_is_not_in_the_log_yet_has_no_receipt(database: Database, keys: KeyStore, notary: Notary) -> None:
    opened = await stage(database, keys, notary, 1)
    assert await notary.receipts(opened, 0.01) == {}
    assert await notary.oldest_pending_seconds() > 0


async def test_a_desk_is_shown_that_the_log_extends_what_it_has_seen(
    database: Database, keys: KeyStore, notary: Notary, sequencer: Sequencer
) -> None:
    await sequencer.step()
    seen = await notary.checkpoint()
    await stage(database, keys, notary, 300)
    await sequencer.step()
    current, proof = await notary.compare(seen)
    old, new = (note.parse_checkpoint(note.parse_note(text).body) for text in (seen, current))
    merkle.verify_consistency(old.size, new.size, proof, old.root, new.root)


async def test_a_box_that_is_shown_its_signature_on_a_log_it_does_not_have_signs_nothing_more(
    database: Database, keys: KeyStore, notary: Notary, sequencer: Sequencer
) -> None:
    await sequencer.step()
    body = note.encode_checkpoint(note.Checkpoint(ORIGIN, 500, b"x" * 32))
    shown = note.assemble_note(body, [note.sign(body, ORIGIN, KEY)])
    with pytest.raises(LogBehind):
        await notary.compare(shown)
    with pytest.raises(Suspended):
        await stage(database, keys, notary, 1)
    assert await sequencer.step() == 0


async def test_a_stranger_cannot_suspend_the_box(notary: Notary, sequencer: Sequencer) -> None:
    await sequencer.step()
    body = note.encode_checkpoint(note.Checkpoint(ORIGIN, 500, b"x" * 32))
    forged = note.assemble_note(body, [note.sign(body, ORIGIN, Ed25519PrivateKey.generate())])
    with pytest.raises(LogBehind):
        await notary.compare(forged)
    assert (await notary.head()).suspended is None
