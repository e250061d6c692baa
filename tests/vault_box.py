"""A vault with its key store over any database, for tests: it can die and be opened again, as a process does."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.vault import BlobWriter, Pack, StoredBlob, Vault
from deedbox_server.vault.key_store import KeyStore
from deedbox_server.vault.keyring import KeyFile, Keyring
from deedbox_sync import uuid7

CASE = UUID("0192f0c1-2345-7abc-8def-0123456789ab")


def make_keys(folder: Path) -> Keyring:
    """A keyring in `folder`/keys under the key file `folder`/key."""
    return Keyring.create(folder / "keys", KeyFile.create(folder / "key"))


class VaultBox:
    """The vault of the data folder `folder`."""

    def __init__(self, folder: Path, keyring: Keyring, database: Database, keys: KeyStore) -> None:
        self.folder = folder
        self.keyring = keyring
        self.database = database
        self.keys = keys
        self.vault = Vault(folder, keys, database)
        self._alive = True

    @classmethod
    async def make(cls, folder: Path, database: Database) -> "VaultBox":
        keyring = make_keys(folder)
        return cls(folder, keyring, database, await KeyStore.open(folder / "keys", keyring))

    async def die(self) -> "VaultBox":
        """The next life of the same folder. Nothing of this one is finished or tidied; it may only be forgotten."""
        await self.close()
        return VaultBox(
            self.folder, self.keyring, self.database, await KeyStore.open(self.folder / "keys", self.keyring)
        )

    async def close(self) -> None:
        if self._alive:
            self._alive = False
            await self.vault.close()
            await self.keys.close()

    async def begin(self, blob: UUID | None = None) -> BlobWriter:
        return await self.vault.resume(CASE, blob or uuid7.new())

    async def insert(self, stored: Sequence[StoredBlob]) -> None:
        """What intake does with finished blobs: their rows, in a transaction."""
        async with self.database.transaction():
            for table, rows in zip(("blob", "blob_part"), self.vault.record_rows(stored), strict=True):
                await self.database.insert_many(table, rows.columns, rows.rows)

    async def insert_pack(self, pack: Pack) -> None:
        await self.keys.commit(pack.keys)
        await self.insert(pack.blobs)

    async def store(self, data: bytes) -> StoredBlob:
        """A stored blob, all the way."""
        writer = await self.begin()
        await writer.write(data)
        stored = await writer.finish()
        await self.insert([stored])
        return stored

    async def read(self, blob: UUID) -> bytes:
        reader = await self.vault.open(blob)
        return b"".join([piece async for piece in reader.read(0, reader.size)])

    def files(self, folder: str) -> list[Path]:
        return sorted(path for path in (self.folder / folder).rglob("*") if path.is_file())
