"""Keys and salts that are deleted are gone, durably and from the file; what is still used is not."""

import os
from pathlib import Path

import pytest

from deedbox_server.errors import Conflict
from deedbox_server.vault.key_store import KeyBatch, KeyStore, PartKey, Salts
from deedbox_server.vault.keyring import KeyFile, Keyring
from deedbox_sync import uuid7
from vault_box import make_keys

pytestmark = pytest.mark.anyio


async def open_store(folder: Path) -> KeyStore:
    if not (folder / "keys").exists():
        make_keys(folder)
    return await KeyStore.open(folder / "keys", Keyring.open(folder / "keys", KeyFile(folder / "key")))


async def test_salts_of_some_fields_go_and_the_others_stay(tmp_path: Path) -> None:
    store = await open_store(tmp_path)
    whole, part, other = uuid7.new(), uuid7.new(), uuid7.new()
    by_field = {"person": os.urandom(32), "record": os.urandom(32)}
    await store.commit(KeyBatch(salts=[Salts(record, by_field) for record in (whole, part, other)]))
    await store.forget_salts([part], ["person"])
    await store.forget_salts([whole, uuid7.new()])
    assert await store.purge()
    await store.close()
    store = await open_store(tmp_path)
    assert await store.salts([whole, part, other]) == {part: {"record": by_field["record"]}, other: by_field}
    await store.close()


async def test_a_cases_key_goes_when_nothing_is_under_it(tmp_path: Path) -> None:
    store, case, blob = await open_store(tmp_path), uuid7.new(), uuid7.new()
    key = await store.case_key(case)
    await store.commit(KeyBatch(part_keys=[PartKey(blob, 0, key.id, os.urandom(32))]))
    with pytest.raises(Conflict):
        await store.forget_case_key(case)
    await store.forget_parts([blob])
    await store.forget_case_key(case)
    await store.forget_case_key(case)
    assert (await store.case_key(case)).id != key.id
    await store.close()
