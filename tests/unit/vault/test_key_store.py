"""The key store: what it took is durable, what it never took is missing, and nobody exchanges rows."""

import asyncio
import os
import stat
from pathlib import Path
from uuid import UUID

import apsw
import pytest

from deedbox_disk import sealed_sqlite
from deedbox_server.errors import Conflict, DiskFull
from deedbox_server.vault.errors import DamagedKeys
from deedbox_server.vault.key_store import CaseKey, KeyBatch, KeyStore, PartKey, Salts
from deedbox_server.vault.key_tables import KeyTables
from deedbox_server.vault.keyring import Keyring
from deedbox_sync import uuid7


def part_key(case_key: CaseKey, part: int = 0) -> PartKey:
    return PartKey(uuid7.new(), part, case_key.id, os.urandom(32))


async def test_a_case_has_one_key_however_often_it_is_asked_for(keys: KeyStore) -> None:
    case = uuid7.new()
    assert len(set(await asyncio.gather(*(keys.case_key(case) for _ in range(20))))) == 1
    assert await keys.case_key(uuid7.new()) != await keys.case_key(case)
    assert (await keys.find_case_key((await keys.case_key(case)).id)).case_id == case


async def test_keys_and_salts_are_there_after_reopening(keys: KeyStore, keyring: Keyring, tmp_path: Path) -> None:
    case_key = await keys.case_key(uuid7.new())
    first, salts = part_key(case_key), Salts(uuid7.new(), {"content": os.urandom(32), "case": os.urandom(32)})
    second = PartKey(first.blob, 1, case_key.id, os.urandom(32))
    await keys.commit(KeyBatch(part_keys=[first, second], salts=[salts]))
    other = await KeyStore.open(tmp_path / "keys", keyring)
    try:
        assert await other.part_keys([first.blob]) == {first.blob: {0: first, 1: second}}
        assert await other.salts([salts.record]) == {salts.record: salts.by_field}
        assert await other.case_key(case_key.case_id) == case_key
    finally:
        await other.close()


async def test_what_was_never_taken_is_missing_not_an_error(keys: KeyStore) -> None:
    assert await keys.part_keys([uuid7.new()]) == {}
    assert await keys.salts([uuid7.new()]) == {}
    with pytest.raises(DamagedKeys):
        await keys.find_case_key(uuid7.new())


async def test_batches_that_wait_together_are_one_commit(keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = []
    commit = KeyTables.commit

    def counted(tables: KeyTables, batches: list[KeyBatch]) -> object:
        groups.append(len(batches))
        return commit(tables, batches)

    monkeypatch.setattr(KeyTables, "commit", counted)
    case_key = await keys.case_key(uuid7.new())
    wanted = [part_key(case_key) for _ in range(200)]
    await asyncio.gather(*(keys.commit(KeyBatch(part_keys=[key])) for key in wanted))
    assert sum(groups) == 200
    assert len(groups) <= 2
    assert len(await keys.part_keys([key.blob for key in wanted])) == 200


async def test_a_record_gets_its_salts_once(keys: KeyStore) -> None:
    salts = Salts(uuid7.new(), {"content": os.urandom(32)})
    await keys.commit(KeyBatch(salts=[salts]))
    with pytest.raises(Conflict):
        await keys.commit(KeyBatch(salts=[Salts(salts.record, {"case": os.urandom(32)})]))
    assert await keys.salts([salts.record]) == {salts.record: salts.by_field}


async def test_a_batch_that_conflicts_keeps_out_nobody_else_and_leaves_nothing_of_itself(keys: KeyStore) -> None:
    case_key = await keys.case_key(uuid7.new())
    held = part_key(case_key)
    await keys.commit(KeyBatch(part_keys=[held]))
    good, fresh = part_key(case_key), part_key(case_key)
    again = PartKey(held.blob, held.part, case_key.id, os.urandom(32))
    unknown_case = PartKey(uuid7.new(), 0, uuid7.new(), os.urandom(32))
    outcomes = await asyncio.gather(
        keys.commit(KeyBatch(part_keys=[fresh, again])),
        keys.commit(KeyBatch(part_keys=[good])),
        keys.commit(KeyBatch(part_keys=[unknown_case])),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [Conflict, type(None), DamagedKeys]
    found = await keys.part_keys([held.blob, good.blob, fresh.blob, unknown_case.blob])
    assert found == {held.blob: {0: held}, good.blob: {0: good}}


async def test_a_caller_that_gives_up_does_not_stop_the_others(keys: KeyStore) -> None:
    case_key = await keys.case_key(uuid7.new())
    wanted = [part_key(case_key) for _ in range(10)]
    tasks = [asyncio.create_task(keys.commit(KeyBatch(part_keys=[key]))) for key in wanted]
    await asyncio.sleep(0)
    tasks[3].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await keys.commit(KeyBatch(part_keys=[part_key(case_key)]))
    found = await keys.part_keys([key.blob for key in wanted])
    assert {key.blob for key in wanted} - set(found) <= {wanted[3].blob}


async def test_forgotten_keys_are_gone_from_a_part_number_on(keys: KeyStore) -> None:
    case_key = await keys.case_key(uuid7.new())
    blob = uuid7.new()
    parts = [PartKey(blob, number, case_key.id, os.urandom(32)) for number in range(4)]
    await keys.commit(KeyBatch(part_keys=parts))
    await keys.forget_parts([blob], first=2)
    assert await keys.part_keys([blob]) == {blob: {0: parts[0], 1: parts[1]}}
    await keys.forget_parts([blob])
    assert await keys.part_keys([blob]) == {}


async def test_a_walk_meets_every_blob_once(keys: KeyStore) -> None:
    case_key = await keys.case_key(uuid7.new())
    wanted = [part_key(case_key) for _ in range(25)]
    await keys.commit(KeyBatch(part_keys=wanted))
    seen: list[UUID] = []
    while group := await keys.blobs_after(seen[-1] if seen else UUID(int=0), 10):
        seen += group
    assert seen == sorted(key.blob for key in wanted)


async def test_a_part_key_moved_to_another_row_does_not_unwrap(
    keys: KeyStore, keyring: Keyring, tmp_path: Path
) -> None:
    case_key = await keys.case_key(uuid7.new())
    one, other = part_key(case_key), part_key(case_key)
    await keys.commit(KeyBatch(part_keys=[one, other]))
    with edited(tmp_path, keyring) as db:
        db.execute(
            "UPDATE part_key SET wrapped = (SELECT wrapped FROM part_key WHERE blob = ?) WHERE blob = ?",
            (other.blob.bytes, one.blob.bytes),
        )
    with pytest.raises(DamagedKeys, match=str(one.blob)):
        await keys.part_keys([one.blob])
    assert await keys.part_keys([other.blob]) == {other.blob: {0: other}}


async def test_the_file_is_for_its_owner_alone_and_shows_nothing(keys: KeyStore, tmp_path: Path) -> None:
    salt = os.urandom(32)
    await keys.commit(KeyBatch(salts=[Salts(uuid7.new(), {"content": salt})]))
    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
        data = path.read_bytes()
        assert b"SQLite format 3" not in data
        assert salt not in data


async def test_another_boxs_key_store_does_not_open(keys: KeyStore, tmp_path: Path) -> None:
    from vault_box import make_keys

    (tmp_path / "other").mkdir()
    stranger = make_keys(tmp_path / "other")
    with pytest.raises(DamagedKeys):
        await KeyStore.open(tmp_path / "keys", stranger)


async def test_damage_met_while_reading_is_called_damage(keys: KeyStore, keyring: Keyring, tmp_path: Path) -> None:
    case_key = await keys.case_key(uuid7.new())
    await keys.commit(KeyBatch(part_keys=[part_key(case_key) for _ in range(500)]))
    with edited(tmp_path, keyring) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = tmp_path / "keys" / "keys.db"
    data = bytearray(path.read_bytes())
    for page in range(2, len(data) // 4096):
        data[page * 4096 + 100] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedKeys):
        damaged = await KeyStore.open(tmp_path / "keys", keyring)
        try:
            await damaged.blobs_after(UUID(int=0), 1000)
        finally:
            await damaged.close()


async def test_a_full_disk_is_called_a_full_disk(keys: KeyStore) -> None:
    case_key = await keys.case_key(uuid7.new())
    keys._tables._db.pragma("max_page_count", 1)  # SQLite's own way to have no more room
    with pytest.raises(DiskFull):
        await keys.commit(KeyBatch(part_keys=[part_key(case_key) for _ in range(2_000)]))
    keys._tables._db.pragma("max_page_count", 1 << 20)
    await keys.commit(KeyBatch(part_keys=[part_key(case_key)]))


class edited:  # noqa: N801 - reads as what it does
    """The key store's own database, opened beside it by whoever has its key."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._db = sealed_sqlite.connect(folder / "keys" / "keys.db", keyring.named("key-store"))

    def __enter__(self) -> apsw.Connection:
        return self._db

    def __exit__(self, *error: object) -> None:
        self._db.close()
