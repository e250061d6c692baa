"""A blob that goes to another case: its keys are wrapped anew, no byte of it changes, and nothing between is lost."""

from pathlib import Path
from uuid import UUID

import apsw
import pytest

from deedbox_disk import sealed_sqlite
from deedbox_server.vault.errors import DamagedKeys
from deedbox_server.vault.key_store import CaseKey, KeyBatch, KeyStore, PartKey
from deedbox_server.vault.keyring import Keyring
from deedbox_sync import uuid7
from vault_box import CASE, VaultBox

OTHER = UUID("0192f0c1-2345-7abc-8def-0123456789ac")
TEXT = b"filed under the wrong matter"


async def stored(box: VaultBox) -> UUID:
    pack = await box.vault.write_pack(CASE, [TEXT])
    await box.insert_pack(pack)
    return pack.blobs[0].blob


async def move(box: VaultBox, blob: UUID, case: UUID) -> None:
    await box.vault.prepare_move([blob], case)
    async with box.database.transaction():
        await box.vault.move_rows([blob], case)


async def wrapped_for(box: VaultBox, blob: UUID) -> UUID:
    (key,) = (await box.keys.part_keys([blob]))[blob].values()
    return (await box.keys.find_case_key(key.case_key)).case_id


async def test_its_keys_are_those_of_the_other_case_and_its_bytes_are_untouched(box: VaultBox) -> None:
    blob = await stored(box)
    before = [path.read_bytes() for path in box.files("packs")]
    await move(box, blob, OTHER)
    assert await box.vault.settle_moves() == 1
    assert await wrapped_for(box, blob) == OTHER
    assert await box.read(blob) == TEXT
    assert [path.read_bytes() for path in box.files("packs")] == before


async def test_it_can_be_read_at_every_moment(box: VaultBox) -> None:
    blob = await stored(box)
    await box.vault.prepare_move([blob], OTHER)
    assert await box.read(blob) == TEXT
    async with box.database.transaction():
        await box.vault.move_rows([blob], OTHER)
    assert await box.read(blob) == TEXT
    await box.vault.settle_moves()
    assert await box.read(blob) == TEXT


async def test_moved_back_it_is_as_it_was(box: VaultBox) -> None:
    blob = await stored(box)
    before = await box.keys.part_keys([blob])
    for case in (OTHER, CASE):
        await move(box, blob, case)
        await box.vault.settle_moves()
    assert await box.keys.part_keys([blob]) == before


@pytest.mark.parametrize("committed", [False, True], ids=["before-the-rows", "after-the-rows"])
async def test_after_a_crash_the_keys_follow_the_rows(box: VaultBox, committed: bool) -> None:
    blob = await stored(box)
    await box.vault.prepare_move([blob], OTHER)
    if committed:
        async with box.database.transaction():
            await box.vault.move_rows([blob], OTHER)
    again = await box.die()
    try:
        await again.vault.sweep([])
        assert await again.keys.moving() == {}
        assert await wrapped_for(again, blob) == (OTHER if committed else CASE)
        assert await again.read(blob) == TEXT
    finally:
        await again.close()


async def test_a_move_prepared_for_another_case_counts_no_more(box: VaultBox) -> None:
    blob, third = await stored(box), uuid7.new()
    await box.vault.prepare_move([blob], third)
    await box.vault.prepare_move([blob], OTHER)
    assert await box.keys.moving() == {blob: OTHER}


async def test_forgotten_parts_are_forgotten_on_their_way_too(box: VaultBox) -> None:
    blob = await stored(box)
    await box.vault.prepare_move([blob], OTHER)
    await box.keys.forget_parts([blob])
    assert await box.keys.moving() == {}


async def test_a_wrapping_for_another_part_does_not_settle_into_it(box: VaultBox, tmp_path: Path) -> None:
    one, other = await stored(box), await stored(box)
    await box.vault.prepare_move([one, other], OTHER)
    db = sealed_sqlite.connect(tmp_path / "keys" / "keys.db", box.keyring.named("key-store"))
    db.execute(
        "UPDATE part_key_moving SET wrapped = (SELECT wrapped FROM part_key_moving WHERE blob = ?) WHERE blob = ?",
        (other.bytes, one.bytes),
    )
    db.close()
    async with box.database.transaction():
        await box.vault.move_rows([one], OTHER)
    await box.vault.settle_moves()
    with pytest.raises(DamagedKeys, match=str(one)):
        await box.keys.part_keys([one])


async def test_a_key_store_of_the_first_version_is_taken_up(keyring: Keyring, tmp_path: Path) -> None:
    store = await KeyStore.open(tmp_path / "keys", keyring)
    case_key: CaseKey = await store.case_key(CASE)
    key = PartKey(uuid7.new(), 0, case_key.id, bytes(range(32)))
    await store.commit(KeyBatch(part_keys=[key]))
    await store.close()
    _make_first_version(tmp_path, keyring)
    store = await KeyStore.open(tmp_path / "keys", keyring)
    try:
        assert await store.part_keys([key.blob]) == {key.blob: {0: key}}
        await store.prepare_move([key.blob], await store.case_key(OTHER))
        await store.settle_move([key.blob], [])
        moved = (await store.part_keys([key.blob]))[key.blob][0]
        assert (moved.key, moved.bound) == (key.key, case_key.id)
    finally:
        await store.close()


def _make_first_version(folder: Path, keyring: Keyring) -> None:
    db: apsw.Connection = sealed_sqlite.connect(folder / "keys" / "keys.db", keyring.named("key-store"))
    db.execute("ALTER TABLE part_key DROP COLUMN bound; DROP TABLE part_key_moving; PRAGMA user_version = 1")
    db.close()
