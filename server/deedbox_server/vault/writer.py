"""Writing one blob: constant memory, exact offsets, nothing lost that was reported durable (formats/blob.md)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from uuid import UUID

from deedbox_disk import durable
from deedbox_server.errors import Conflict, DeedboxError
from deedbox_server.vault.errors import disk_errors
from deedbox_server.vault.key_rows import CaseKey
from deedbox_server.vault.open_part import OpenPart
from deedbox_server.vault.resume import HEAD_BYTES, Mark, TakenUp, close_old_part
from deedbox_server.vault.stored import StoredBlob, StoredPart
from deedbox_server.vault.stretch import Stretch
from deedbox_server.vault.tail import open_tail, read_tail, seal_tail
from deedbox_server.vault.workshop import Workshop

_NO_ROOM = memoryview(b"")


class BlobWriter:
    """One unfinished blob, used by one task at a time. Memory is a few blocks while bytes come, a segment when they rest.

    After a call has failed (or was cancelled) the writer takes nothing more until `roll_back`; or `abandon` it and have the
    vault resume the blob. Either way what was durable stays, and writing goes on in a new part under a new key.
    """

    def __init__(
        self, workshop: Workshop, case_key: CaseKey, blob: UUID, taken_up: TakenUp, let_go: Callable[[UUID], None]
    ) -> None:
        self.blob = blob
        self._workshop = workshop
        self._case_key = case_key
        self._let_go = let_go
        self._closed = list(taken_up.closed)
        self._head = taken_up.head
        self._marks = [taken_up.mark]  # what the tail record on disk may be: the last point, and one that was tried
        self._stretch = self._next_stretch()
        self._room = _NO_ROOM
        self._stored: StoredBlob | None = None
        self._failure: BaseException | None = None
        self._abandoned = False

    @property
    def offset(self) -> int:
        """Bytes taken so far; those past `durable_offset` are lost in a crash."""
        return self._stretch.offset

    @property
    def durable_offset(self) -> int:
        """Bytes that survive anything."""
        return self._marks[0].offset

    def head(self, length: int) -> bytes:
        """The blob's first bytes, as far as they came: at most HEAD_BYTES are kept."""
        return self._head[:length]

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes; `data` may be used again on return. Waits while two blocks are on their way. DiskFull."""
        with memoryview(data) as whole, whole.cast("B") as view:
            start = 0
            while start < len(view):
                room = await self.room()
                count = min(len(room), len(view) - start)
                room[:count] = view[start : start + count]
                self.took(count)
                start += count

    async def room(self) -> memoryview:
        """Where the next bytes go, for whoever can put them there without another copy; `took` says how many he did.

        It holds at least one, and is nobody's any more after `took`. Waits while two blocks are on their way. DiskFull.
        """
        self._refuse_unless_open()
        with self._failing():
            self._room = await self._stretch.room()
        return self._room

    def took(self, count: int) -> None:
        """So many bytes, from the beginning of the last `room`, are the blob's next ones."""
        if count > len(self._room):
            raise ValueError("more bytes than there was room for")
        if (missing := HEAD_BYTES - len(self._head)) > 0:
            self._head += self._room[: min(missing, count)]
        self._stretch.took(count)
        self._room = _NO_ROOM

    async def durable(self) -> int:
        """Make every byte taken durable and return how many those are. DiskFull; then `durable_offset` is what it was."""
        self._refuse_unless_open()
        self._room = _NO_ROOM
        if self.offset != self.durable_offset:
            with self._failing():
                await self._fix(await self._stretch.flush())
                self._stretch.rest()
        return self.durable_offset

    async def finish(self) -> StoredBlob:
        """Close the blob; all of it is durable on return, and so are its parts' keys. Again gives the same.

        A crash before its rows are committed leaves what the last `durable` fixed: resumed there, it is finished again.
        """
        if self._stored is None:
            self._refuse_unless_open()
            self._room = _NO_ROOM
            with self._failing():
                if not self._stretch.is_empty or not self._closed:
                    await self._close_part()
                await self._stretch.quiet()
            self._stretch.release()
            digest = self._stretch.hashed.digest()
            case_id = self._case_key.case_id
            self._stored = StoredBlob(self.blob, case_id, self.offset, digest, tuple(self._closed))
        return self._stored

    async def roll_back(self) -> int:
        """Drop every byte after the last durable point and be usable again; returns that offset.

        For a refused checksum, and after a failure. What is durable is what the disk says: a point that was tried and
        reported as failed may be the one that holds.
        """
        if self._stored is not None or self._abandoned:
            raise Conflict("this writer is finished or abandoned")
        with self._failing():
            await self._stretch.quiet()
            self._stretch.release()
            path = self._workshop.places.tail(self.blob)
            record = await self._workshop.run(partial(read_tail, path, self.blob))
            mark = next((mark for mark in self._marks if mark.is_of(record)), None)
            if mark is None:
                raise Conflict("the tail record is not this writer's: resume the blob")
            key = self._stretch.key
            self._closed = [
                part for part in self._closed if part.number < key.part
            ]  # a failed `finish` may have closed it
            if record is not None and record.part == key.part:
                tail = open_tail(record, key)
                close = partial(close_old_part, self._workshop.places, key, record.segments, tail)
                self._closed.append(await self._workshop.run(close))
            else:
                await self._drop_part()
            self._marks = [mark]
            self._head = self._head[: mark.offset]
            self._stretch = self._next_stretch()
        self._failure = None
        return mark.offset

    async def abandon(self) -> None:
        """Let go of file and memory. Unfinished, the blob can be resumed from its last durable point."""
        self._abandoned = True
        await self._stretch.quiet()
        self._stretch.release()
        self._let_go(self.blob)

    def _next_stretch(self) -> Stretch:
        number = self._closed[-1].number + 1 if self._closed else 0
        mark = self._marks[0]
        return Stretch(self._workshop, self._case_key, self.blob, number, mark.hashed.copy(), mark.offset)

    async def _fix(self, part: OpenPart) -> None:
        """Make a durable point of where we are: the key, the segments, then the tail record by rename."""
        await self._stretch.key_durable()
        tail = self._stretch.tail()
        mark = Mark(part.key.part, part.segments, len(tail), self.offset, self._stretch.hashed.copy())
        self._marks = [self._marks[0], mark]
        await self._stretch.seal(partial(self._fix_on_disk, part, tail))
        self._marks = [mark]

    def _fix_on_disk(self, part: OpenPart, tail: bytes) -> None:
        part.sync()
        with disk_errors():
            durable.write_file(self._workshop.places.tail(self.blob), seal_tail(part.key, part.segments, tail))

    async def _close_part(self) -> None:
        part = await self._stretch.flush()
        if self._marks[0].part == part.key.part and self._marks[0].offset != self.offset:
            # A tail record says how this part would be closed after a crash: it must say what is sealed now.
            await self._fix(part)
        await self._stretch.key_durable()
        tail = self._stretch.tail()
        closed: list[StoredPart] = []
        await self._stretch.seal(lambda: closed.append(part.close_with(tail)))
        self._closed += closed

    async def _drop_part(self) -> None:
        """Nothing of the newest part is durable: its key must not outlive it, and its number is free again."""
        if not self._stretch.is_empty:
            key = self._stretch.key
            name = self._workshop.places.part(self.blob, key.part)
            await self._workshop.run(partial((self._workshop.places.data / name).unlink, missing_ok=True))
            await self._workshop.keys.forget_parts([self.blob], first=key.part)

    def _refuse_unless_open(self) -> None:
        if self._stored is not None or self._abandoned:
            raise Conflict("this writer is finished or abandoned")
        if isinstance(self._failure, DeedboxError | OSError):
            raise self._failure
        if self._failure is not None:
            raise Conflict("this writer failed: roll it back")

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._failure = error
            raise
