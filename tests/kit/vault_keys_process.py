"""A process that uses a key store or rotates its root key, and is killed.

`commit FOLDER SEED` commits batches as fast as it can and writes to FOLDER/promises what was reported durable; `rotate FOLDER OLD
NEW` makes FOLDER/NEW the key file in place of FOLDER/OLD.
"""

import asyncio
import os
import random
import sys
from pathlib import Path
from uuid import UUID

from deedbox_server.vault.key_store import KeyBatch, KeyStore, PartKey, Salts
from deedbox_server.vault.keyring import KeyFile, Keyring
from deedbox_server.vault.rotation import rotate
from deedbox_sync import uuid7


async def commit(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    promises = os.open(folder / "promises", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    store = await KeyStore.open(folder / "keys", Keyring.open(folder / "keys", KeyFile(folder / "key")))

    async def one() -> None:
        case_key = await store.case_key(UUID(int=chance.randrange(5)))
        key = PartKey(uuid7.new(), chance.randrange(3), case_key.id, os.urandom(32))
        salts = [Salts(key.blob, dict.fromkeys(("statement", "content", "case"), key.key))]
        await store.commit(KeyBatch(part_keys=[key], salts=salts))
        os.write(promises, f"{key.blob} {key.part} {key.key.hex()}\n".encode())

    async def many() -> None:
        while True:
            await one()

    await asyncio.gather(*(many() for _ in range(20)))


def main() -> None:
    folder = Path(sys.argv[2])
    if sys.argv[1] == "commit":
        asyncio.run(commit(folder, int(sys.argv[3])))
    else:
        (folder / "begun").touch()
        rotate(folder / "keys", KeyFile(folder / sys.argv[3]), KeyFile(folder / sys.argv[4]))


if __name__ == "__main__":
    main()
