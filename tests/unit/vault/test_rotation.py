"""A new root key: the old way stops working, everything under it is as it was, and being cut short is no harm."""

import asyncio
import os
from pathlib import Path

import pytest

from deedbox_server.errors import Conflict
from deedbox_server.vault.errors import CannotUnlock
from deedbox_server.vault.key_store import KeyBatch, KeyStore, PartKey
from deedbox_server.vault.key_tables import KeyTables
from deedbox_server.vault.keyring import NAMES, KeyFile, Keyring, Passphrase
from deedbox_server.vault.root_file import read_root_file
from deedbox_server.vault.rotation import rotate
from deedbox_sync import uuid7


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def old(tmp_path: Path) -> KeyFile:
    return KeyFile.create(tmp_path / "old")


@pytest.fixture
def new(tmp_path: Path) -> KeyFile:
    return KeyFile.create(tmp_path / "new")


@pytest.fixture
def held(folder: Path, old: KeyFile) -> list[PartKey]:
    """Part keys of three cases, in a key store under `old`."""

    async def fill() -> list[PartKey]:
        store = await KeyStore.open(folder, Keyring.create(folder, old))
        case_keys = [await store.case_key(uuid7.new()) for _ in range(3)]
        parts = [PartKey(uuid7.new(), 0, case_key.id, os.urandom(32)) for case_key in case_keys]
        await store.commit(KeyBatch(part_keys=parts))
        await store.close()
        return parts

    return asyncio.run(fill())


def read_all(folder: Path, way: KeyFile | Passphrase, held: list[PartKey]) -> bool:
    async def read() -> bool:
        store = await KeyStore.open(folder, Keyring.open(folder, way))
        try:
            return await store.part_keys([key.blob for key in held]) == {key.blob: {0: key} for key in held}
        finally:
            await store.close()

    return asyncio.run(read())


def test_afterwards_only_the_new_ways_unlock_and_all_keys_are_as_they_were(
    folder: Path, old: KeyFile, new: KeyFile, held: list[PartKey]
) -> None:
    before = Keyring.open(folder, old)
    after = rotate(folder, old, new, Passphrase("spare"))
    assert after.root_id != before.root_id
    assert [after.named(name) for name in NAMES] == [before.named(name) for name in NAMES]
    assert read_all(folder, new, held)
    assert read_all(folder, Passphrase("spare"), held)
    with pytest.raises(CannotUnlock):
        Keyring.open(folder, old)


def test_the_old_root_key_is_forgotten(folder: Path, old: KeyFile, new: KeyFile, held: list[PartKey]) -> None:
    rotate(folder, old, new)
    assert read_root_file(folder).previous is None


def test_with_the_wrong_secret_nothing_happens(folder: Path, old: KeyFile, new: KeyFile, held: list[PartKey]) -> None:
    before = (folder / "root.json").read_bytes()
    with pytest.raises(CannotUnlock):
        rotate(folder, new, new)
    assert (folder / "root.json").read_bytes() == before


def test_cut_short_after_root_json_the_next_opening_goes_on(
    folder: Path, old: KeyFile, new: KeyFile, held: list[PartKey]
) -> None:
    Keyring.open(folder, old).renewed(folder, new)
    assert read_all(folder, new, held)
    assert read_root_file(folder).previous is None
    assert read_all(folder, new, held)


def test_cut_short_after_the_case_keys_the_next_opening_goes_on(
    folder: Path, old: KeyFile, new: KeyFile, held: list[PartKey]
) -> None:
    after = Keyring.open(folder, old).renewed(folder, new)
    tables = KeyTables(folder, after)
    tables.rewrap()
    tables.close()
    assert read_all(folder, new, held)
    assert read_root_file(folder).previous is None


def test_a_second_rotation_finishes_the_first(folder: Path, old: KeyFile, new: KeyFile, held: list[PartKey]) -> None:
    Keyring.open(folder, old).renewed(folder, new)
    rotate(folder, new, Passphrase("third"))
    assert read_all(folder, Passphrase("third"), held)


def test_a_store_that_was_open_meanwhile_cannot_make_a_key_that_nobody_could_open(
    folder: Path, old: KeyFile, new: KeyFile, held: list[PartKey]
) -> None:
    async def scenario() -> None:
        store = await KeyStore.open(folder, Keyring.open(folder, old))
        await asyncio.to_thread(rotate, folder, old, new)
        with pytest.raises(Conflict):
            await store.case_key(uuid7.new())
        await store.close()

    asyncio.run(scenario())


def test_a_keyring_from_before_does_not_open_the_store(
    folder: Path, old: KeyFile, new: KeyFile, held: list[PartKey]
) -> None:
    before = Keyring.open(folder, old)
    rotate(folder, old, new)
    with pytest.raises(Conflict):
        asyncio.run(KeyStore.open(folder, before))
