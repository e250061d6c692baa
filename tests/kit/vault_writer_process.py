"""A process that writes blobs and is killed.

`write FOLDER TRACES SEED` goes on with one blob until it is stored; `measure FOLDER MEBIBYTES` stores one and prints by how many
bytes that raised the process's peak memory. TRACES/lives has the seeds of the lives that began, TRACES/ledger what was sealed,
TRACES/promises what was reported durable. The blob's text is a function of the offset, so that every life writes the same.
"""

import asyncio
import os
import random
import resource
import sys
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1]))

from deedbox_server.database import migrate, open_sqlite
from deedbox_server.errors import Conflict
from deedbox_server.vault.key_store import KeyStore
from deedbox_server.vault.keyring import KeyFile, Keyring
from deedbox_sync import uuid7
from nonce_ledger import NonceLedger
from vault_box import VaultBox

DATABASE_KEY = bytes(range(32))
BLOB = UUID("0192f0c1-2345-7abc-8def-ba9876543210")
PERIOD = random.Random(7).randbytes(1_000_003)
SIZE = 23_456_789


def text(start: int, end: int) -> bytes:
    """What the blob holds there."""
    first, last = start // len(PERIOD), -(-end // len(PERIOD))
    return (PERIOD * (last - first))[start - first * len(PERIOD) : end - first * len(PERIOD)]


async def open_box(folder: Path) -> VaultBox:
    keyring = Keyring.open(folder / "keys", KeyFile(folder / "key"))
    database = await open_sqlite(folder / "db" / "box.db", DATABASE_KEY)
    return VaultBox(folder, keyring, database, await KeyStore.open(folder / "keys", keyring))


async def write(folder: Path, traces: Path, seed: int) -> None:
    """Pieces of any size, durable points and refused checksums at random, until the blob is stored."""
    chance = random.Random(seed)
    with (traces / "lives").open("a") as lives:
        lives.write(f"{seed}\n")
    NonceLedger(traces / "ledger").install()
    promises = os.open(traces / "promises", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    box = await open_box(folder)
    try:
        writer = await box.begin(BLOB)
    except Conflict:
        os.write(promises, b"stored\n")
        return
    os.write(promises, b"resumed %d\n" % writer.offset)
    while writer.offset < SIZE:
        end = min(SIZE, writer.offset + chance.choice([1, 4_000, 300_000, 1_048_536, 1_048_560, 3_000_000]))
        await writer.write(text(writer.offset, end))
        match chance.randrange(8):
            case 0 | 1:
                os.write(promises, b"durable %d\n" % await writer.durable())
            case 2:
                await writer.write(os.urandom(chance.choice([10, 2_000_000])))
                os.write(promises, b"resumed %d\n" % await writer.roll_back())
    if chance.randrange(2):
        os.write(promises, b"durable %d\n" % await writer.durable())
    await box.insert([await writer.finish()])
    os.write(promises, b"stored\n")


async def measure(folder: Path, mebibytes: int) -> None:
    database = await open_sqlite(folder / "db" / "box.db", DATABASE_KEY)
    await migrate(database)
    box = await VaultBox.make(folder, database)
    writer = await box.begin(uuid7.new())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(mebibytes * 4):
        await writer.write(PERIOD[: 256 * 1024])
    await writer.finish()
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
    await database.close()
    await box.close()


def main(command: str, folder: str, *rest: str) -> None:
    if command == "write":
        traces, seed = rest
        asyncio.run(write(Path(folder), Path(traces), int(seed)))
    else:
        asyncio.run(measure(Path(folder), int(rest[0])))


if __name__ == "__main__":
    main(*sys.argv[1:])
