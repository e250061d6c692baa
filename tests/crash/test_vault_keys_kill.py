"""kill -9 while the key store commits or the root key is rotated: what was promised is there, and one key opens all of it."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import pytest

from deedbox_server.vault.errors import CannotUnlock
from deedbox_server.vault.key_store import KeyBatch, KeyStore, PartKey
from deedbox_server.vault.keyring import KeyFile, Keyring
from deedbox_server.vault.root_file import read_root_file
from deedbox_sync import uuid7
from kit import vault_keys_process as program
from vault_box import make_keys

KILLS = int(os.environ.get("DEEDBOX_TEST_KILLS", "6"))


def start(*arguments: str | Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, str(program.__file__), *map(str, arguments)])


def kill_after(process: "subprocess.Popen[bytes]", sign: Path, length: int, seconds: float) -> None:
    """Kill it some time after `sign` has grown past `length`: after its imports."""
    deadline = time.monotonic() + 60
    while (
        process.poll() is None and time.monotonic() < deadline and not (sign.exists() and sign.stat().st_size >= length)
    ):
        time.sleep(0.001)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()


async def _part_keys(folder: Path, way: KeyFile, blobs: list[UUID]) -> dict[UUID, dict[int, PartKey]]:
    store = await KeyStore.open(folder / "keys", Keyring.open(folder / "keys", way))
    try:
        found = await store.part_keys(blobs)
        for blob, by_field in (await store.salts(blobs)).items():
            assert set(by_field) == {"statement", "content", "case"}, "half a batch"
            assert set(by_field.values()) == {key.key for key in found[blob].values()}
        return found
    finally:
        await store.close()


def test_what_the_key_store_took_is_there_whole_after_any_kill(tmp_path: Path) -> None:
    make_keys(tmp_path)
    chance, promises = random.Random(), tmp_path / "promises"
    for _ in range(KILLS):
        length = promises.stat().st_size if promises.exists() else 0
        process = start("commit", tmp_path, str(chance.getrandbits(32)))
        kill_after(process, promises, length + 1, chance.uniform(0, 0.2))
    promised = [line.split() for line in promises.read_text().splitlines()]
    found = asyncio.run(_part_keys(tmp_path, KeyFile(tmp_path / "key"), [UUID(blob) for blob, _, _ in promised]))
    assert len(promised) >= KILLS
    for blob, part, key in promised:
        assert found[UUID(blob)][int(part)].key.hex() == key


async def _fill(folder: Path) -> dict[UUID, dict[int, PartKey]]:
    store = await KeyStore.open(folder / "keys", Keyring.open(folder / "keys", KeyFile(folder / "key")))
    case_keys = [await store.case_key(uuid7.new()) for _ in range(300)]
    parts = [PartKey(uuid7.new(), 0, case_key.id, os.urandom(32)) for case_key in case_keys]
    await store.commit(KeyBatch(part_keys=parts))
    await store.close()
    return {key.blob: {0: key} for key in parts}


def test_a_rotation_killed_anywhere_leaves_one_key_that_opens_everything(tmp_path: Path) -> None:
    make_keys(tmp_path)
    KeyFile.create(tmp_path / "other")
    held = asyncio.run(_fill(tmp_path))
    chance, present, spare = random.Random(), "key", "other"
    for _ in range(2 * KILLS):
        (tmp_path / "begun").unlink(missing_ok=True)
        process = start("rotate", tmp_path, present, spare)
        kill_after(process, tmp_path / "begun", 0, chance.uniform(0, 0.08))
        try:
            Keyring.open(tmp_path / "keys", KeyFile(tmp_path / spare))
        except CannotUnlock:
            pass  # killed before root.json was replaced: nothing has happened
        else:
            present, spare = spare, present
            with pytest.raises(CannotUnlock):
                Keyring.open(tmp_path / "keys", KeyFile(tmp_path / spare))
        if chance.randrange(2):  # else the next rotation has to finish this one
            assert asyncio.run(_part_keys(tmp_path, KeyFile(tmp_path / present), list(held))) == held
            assert read_root_file(tmp_path / "keys").previous is None
    assert asyncio.run(_part_keys(tmp_path, KeyFile(tmp_path / present), list(held))) == held
