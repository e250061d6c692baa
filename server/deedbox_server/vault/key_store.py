"""The key store: case keys, part keys and salts in an encrypted database of their own (formats/keys.md).

What refers to a key is written only after the key is durable here: a row too many is swept, a row too few cannot be.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from deedbox_server.vault.key_rows import CaseKey, KeyBatch, PartKey, Salts
from deedbox_server.vault.key_tables import KeyTables
from deedbox_server.vault.keyring import Keyring
from deedbox_server.vault.rotation import finish_rotation

__all__ = ["CaseKey", "KeyBatch", "KeyStore", "PartKey", "Salts"]

_Result = TypeVar("_Result")


class KeyStore:
    """One connection in one thread; awaited from one event loop. Batches that wait together are one commit."""

    def __init__(self, tables: KeyTables, thread: ThreadPoolExecutor) -> None:
        self._tables = tables
        self._thread = thread
        self._waiting: list[tuple[KeyBatch, asyncio.Future[None]]] = []
        self._committer: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, folder: Path, keyring: Keyring) -> "KeyStore":
        """Open (or make) `folder`/keys.db, first finishing a rotation that was cut short."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="key-store")
        try:
            tables = await asyncio.wrap_future(thread.submit(finish_rotation, folder, keyring))
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(tables, thread)

    async def close(self) -> None:
        """Wait for what was asked and close the database."""
        if self._committer is not None:
            await asyncio.shield(self._committer)
        await self._run(self._tables.close)
        self._thread.shutdown(wait=False)

    async def case_key(self, case_id: UUID) -> CaseKey:
        """The key of a case, made and durable where there was none."""
        return await self._run(partial(self._tables.case_key, case_id))

    async def find_case_key(self, case_key: UUID) -> CaseKey:
        """The case that a key is of; DamagedKeys when there is no such key."""
        return await self._run(partial(self._tables.find_case_key, case_key))

    async def commit(self, batch: KeyBatch) -> None:
        """Make the batch durable, all or nothing. Conflict where one of its rows exists.

        A caller that is cancelled may have committed. While one commit is being synced the next batches gather, and all
        of them are the next commit.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((batch, done))
        if self._committer is None:
            self._committer = asyncio.create_task(self._commit_groups())
        await done

    async def part_keys(self, blobs: Iterable[UUID]) -> dict[UUID, dict[int, PartKey]]:
        """Keys by part number, of those blobs that have any."""
        return await self._run(partial(self._tables.part_keys, list(blobs)))

    async def salts(self, records: Iterable[UUID]) -> dict[UUID, dict[str, bytes]]:
        """Salts by field, of those records that have any."""
        return await self._run(partial(self._tables.salts, list(records)))

    async def forget_parts(self, blobs: Iterable[UUID], *, first: int = 0) -> None:
        """Delete the keys of these blobs' parts from number `first` on; then nobody can read their bytes again."""
        await self._run(partial(self._tables.forget_parts, list(blobs), first=first))

    async def prepare_move(self, blobs: Iterable[UUID], case_key: CaseKey) -> None:
        """Wrap the keys of these blobs by another case's key too; until `settle_move` the old wrapping counts. Again is the
        same, and what was prepared for another case is forgotten."""
        await self._run(partial(self._tables.prepare_move, list(blobs), case_key))

    async def moving(self) -> dict[UUID, UUID]:
        """The blobs whose move is prepared and not settled, and the case that each goes to."""
        return await self._run(self._tables.moving)

    async def settle_move(self, arrived: Collection[UUID], stayed: Collection[UUID]) -> None:
        """The new wrapping is the only one of blobs that arrived; of those that stayed the old one is. Again does nothing."""
        await self._run(partial(self._tables.settle_move, list(arrived), list(stayed)))

    async def forget_salts(self, records: Iterable[UUID], fields: Collection[str] | None = None) -> None:
        """Delete these records' salts, all or those of some fields; then nobody can open their commitments again."""
        await self._run(partial(self._tables.forget_salts, list(records), fields))

    async def forget_case_key(self, case_id: UUID) -> None:
        """Delete a case's key. Conflict while anything is under it."""
        await self._run(partial(self._tables.forget_case_key, case_id))

    async def purge(self) -> bool:
        """What was deleted leaves the files too; whether it did: another process that reads may keep it from that."""
        return await self._run(self._tables.purge)

    async def blobs_after(self, blob: UUID, limit: int) -> list[UUID]:
        """Up to `limit` blobs that have keys, in the order of their ids, after `blob`. For walks over all of them."""
        return await self._run(partial(self._tables.blobs_after, blob, limit))

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.wrap_future(self._thread.submit(work))

    async def _commit_groups(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                await self._commit_group(group)
        finally:
            self._committer = None

    async def _commit_group(self, group: list[tuple[KeyBatch, asyncio.Future[None]]]) -> None:
        try:
            outcomes = await self._run(partial(self._tables.commit, [batch for batch, _ in group]))
        except Exception as error:  # whatever kept the group out is each caller's answer, and the next group is tried
            for _, done in group:
                if not done.done():
                    done.set_exception(error)
            return
        for (_, done), outcome in zip(group, outcomes, strict=True):
            if done.done():  # cancelled
                continue
            if outcome is None:
                done.set_result(None)
            else:
                done.set_exception(outcome)
