"""kill -9 of a process that writes a blob, at random: every durable byte is there, and no nonce ever sealed two texts."""

import asyncio
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from deedbox_server.database import migrate, open_sqlite
from kit import vault_writer_process as program
from nonce_ledger import NonceLedger
from vault_box import make_keys

LIVES = 400  # at most; a life reaches some points further, so that far fewer are needed


def live(folder: Path, seed: int, seconds: float) -> None:
    """One life of the writing process, ended by a kill unless it is done before."""
    command = [sys.executable, str(program.__file__), "write", str(folder), str(seed)]
    with subprocess.Popen(command) as process:
        deadline = time.monotonic() + 60
        while process.poll() is None and not _began(folder, seed) and time.monotonic() < deadline:
            time.sleep(0.002)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        else:
            assert code == 0, "the writer failed by itself"


def _began(folder: Path, seed: int) -> bool:
    """Whether this life has got past its imports: there is nothing to break before that."""
    return (folder / "lives").exists() and f"{seed}\n" in (folder / "lives").read_text()


def promises(folder: Path) -> list[tuple[str, int]]:
    lines = (folder / "promises").read_text().split("\n")[:-1] if (folder / "promises").exists() else []
    return [(word, int(rest[0]) if rest else 0) for word, *rest in (line.split() for line in lines)]


async def _make(folder: Path) -> None:
    database = await open_sqlite(folder / "db" / "box.db", program.DATABASE_KEY)
    await migrate(database)
    await database.close()


async def _read(folder: Path) -> tuple[bytes, int, int, bytes]:
    box = await program.open_box(folder)
    try:
        await box.vault.sweep(())
        verified = await box.vault.verify_blob(program.BLOB)
        return verified.sha256, verified.size, len(box.files("uploads")), await box.read(program.BLOB)
    finally:
        await box.close()
        await box.database.close()


def test_killed_at_random_instants_a_blob_is_written_exactly(tmp_path: Path) -> None:
    kills = int(os.environ.get("DEEDBOX_TEST_KILLS", "10"))
    chance = random.Random()
    killed = rounds = 0
    while killed < kills:
        rounds += 1
        folder = tmp_path / str(rounds)
        folder.mkdir()
        make_keys(folder)
        asyncio.run(_make(folder))
        for _ in range(LIVES):
            live(folder, chance.getrandbits(32), chance.uniform(0, 0.25) if killed < kills else 60)
            if promises(folder)[-1:] == [("stored", 0)]:
                break
            killed += 1
        _check(folder)
        shutil.rmtree(folder)


def _check(folder: Path) -> None:
    reached = 0
    for word, offset in promises(folder):
        if word == "durable":
            reached = offset
        elif word == "resumed":
            assert offset >= reached, "durable bytes were lost"
            reached = offset
    digest, size, tails, text = asyncio.run(_read(folder))
    assert size == program.SIZE
    assert text == program.text(0, program.SIZE)
    assert digest == hashlib.sha256(text).digest()
    assert tails == 0
    ledger = NonceLedger(folder / "ledger")
    assert ledger.check() > 20
    ledger.close()
