"""A process that writes a blob dies at random, by kill -9 and by power cuts: durable bytes stay, no nonce seals two texts."""

import asyncio
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deedbox_server.database import migrate, open_sqlite
from kit import loop_disk
from kit import vault_writer_process as program
from kit.loop_disk import LoopDisk
from nonce_ledger import NonceLedger
from vault_box import make_keys

KILLS = int(os.environ.get("DEEDBOX_TEST_KILLS", "10"))
LONGEST = 0.25  # seconds of a life; three or four make a blob


class Lives:
    """The lives of a writing process on `folder`; what they leave for us to read is in `traces`, which never loses power."""

    def __init__(self, folder: Path, traces: Path) -> None:
        self.folder = folder
        self.traces = traces
        traces.mkdir()
        make_keys(folder)
        asyncio.run(_make_database(folder))

    def begin(self) -> "subprocess.Popen[bytes]":
        """A life that has got past its imports: there is nothing to break before that."""
        seed = str(random.getrandbits(32))
        command = [sys.executable, str(program.__file__), "write", str(self.folder), str(self.traces), seed]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        lives, deadline = self.traces / "lives", time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if lives.exists() and seed in lives.read_text().split():
                break
            time.sleep(0.002)
        return process

    def finish(self) -> None:
        """A last life that nobody ends."""
        assert self.begin().wait(60) == 0
        assert self.promises()[-1] == ("stored", 0)

    def promises(self) -> list[tuple[str, int]]:
        path = self.traces / "promises"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [(word, int(rest[0]) if rest else 0) for word, *rest in (line.split() for line in lines)]

    @property
    def stored(self) -> bool:
        return ("stored", 0) in self.promises()

    def check(self) -> None:
        reached = 0
        for word, offset in self.promises():
            if word == "durable":
                reached = offset
            elif word == "resumed":
                assert offset >= reached, "durable bytes were lost"
                reached = offset
        asyncio.run(_check_blob(self.folder))
        ledger = NonceLedger(self.traces / "ledger")
        assert ledger.check() > 20
        ledger.close()


def test_killed_at_random_a_blob_is_written_exactly(tmp_path: Path) -> None:
    killed = rounds = 0
    while killed < KILLS:
        rounds += 1
        folder = tmp_path / str(rounds)
        folder.mkdir()
        lives = Lives(folder, tmp_path / f"traces {rounds}")
        while not lives.stored and killed < KILLS:
            process = lives.begin()
            try:
                code = process.wait(random.uniform(0, LONGEST))
                assert code == 0, "the writer failed by itself"
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
        lives.finish()
        lives.check()
        shutil.rmtree(folder)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[LoopDisk]:
    if reason := loop_disk.why_not():
        pytest.skip(reason)
    try:
        disk = LoopDisk(tmp_path / "image", tmp_path / "disk", 256)
    except loop_disk.CannotMount as error:
        pytest.skip(str(error))
    yield disk
    disk.close()


def test_without_power_at_random_a_blob_is_written_exactly(disk: LoopDisk, tmp_path: Path) -> None:
    cuts = rounds = 0
    while cuts < KILLS:
        rounds += 1
        folder = disk.folder / str(rounds)
        folder.mkdir()
        lives = Lives(folder, tmp_path / f"traces {rounds}")
        os.sync()  # the test's own preparations are not what is tested
        while not lives.stored and cuts < KILLS:
            process = lives.begin()
            time.sleep(random.uniform(0, LONGEST))
            disk.cut_power()
            process.send_signal(signal.SIGKILL)
            process.wait()
            disk.restore()
            cuts += 1
        lives.finish()
        lives.check()
        shutil.rmtree(folder)


async def _make_database(folder: Path) -> None:
    database = await open_sqlite(folder / "db" / "box.db", program.DATABASE_KEY)
    await migrate(database)
    await database.close()


async def _check_blob(folder: Path) -> None:
    box = await program.open_box(folder)
    try:
        await box.vault.sweep(())
        text = program.text(0, program.SIZE)
        assert await box.vault.verify_blob(program.BLOB) == (hashlib.sha256(text).digest(), program.SIZE)
        assert await box.read(program.BLOB) == text
        assert box.files("uploads") == []
    finally:
        await box.close()
        await box.database.close()
