"""Where a signed statement's bytes can still be had: in memory, in the spool, or in an original that is still the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

from deedbox_desktop.engine.bytes_in_motion import Source
from deedbox_desktop.engine.capture.original import FileBusy, FileGone, FileUnreadable, OpenOriginal
from deedbox_desktop.engine.desk import Desk
from deedbox_desktop.engine.journal import statements
from deedbox_desktop.engine.model import StatementRow, StatementState
from deedbox_desktop.engine.spool import SpoolDamaged


class BytesLost(Exception):
    """The bytes of a statement cannot be had any more; the text is a sentence for the person."""


CHANGED = "The file was changed before its bytes reached the box. What it is now is captured separately."


@dataclass(frozen=True)
class FoundSource:
    """`sure`: every byte read from it is authentic. Else the digest has to be compared after reading."""

    source: Source
    sure: bool


class MemorySource:
    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)

    @property
    def size(self) -> int:
        return len(self._content)

    def read_into(self, buffer: memoryview, offset: int) -> int:
        part = self._content[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        return len(part)


def small_content(desk: Desk, row: StatementRow) -> bytes:
    """A small statement's bytes, checked to be its own. BytesLost if they cannot be had."""
    content = desk.contents.get(row.sequence)
    if content is not None:
        return content
    with find_source(desk, row) as found:
        data = bytearray(row.size)
        if found.source.read_into(memoryview(data), 0) != row.size or sha256(data).digest() != row.content:
            raise BytesLost(CHANGED)
        return bytes(data)


@contextmanager
def find_source(desk: Desk, row: StatementRow) -> Iterator[FoundSource]:
    """The best source there is. BytesLost if there is none, or if it fails while it is read."""
    content = desk.contents.get(row.sequence)
    try:
        if content is not None:
            yield FoundSource(MemorySource(content), sure=True)
        elif row.spool is not None:
            with desk.spool.open(row.spool) as spooled:
                yield FoundSource(spooled, sure=True)
        else:
            place = desk.original_of(row.file) if row.file is not None else None
            if place is None:
                raise BytesLost("The journal does not say where the file was.")
            with OpenOriginal(place[0], local=place[1]) as original:
                if original.size != row.size:
                    raise BytesLost(CHANGED)
                yield FoundSource(original, sure=False)
    except SpoolDamaged as error:
        raise BytesLost(f"{error}. If the original is still there, save it anew to have it captured again.") from error
    except FileGone as error:
        raise BytesLost("The file was taken away before its bytes reached the box.") from error
    except FileBusy as error:
        raise BytesLost(CHANGED) from error
    except FileUnreadable as error:
        raise BytesLost(f"{error}.") from error


def spill(desk: Desk) -> None:
    """The box is out of reach: what is only in memory goes into the spool. OutOfSpace leaves it where it is."""
    held = desk.contents.all()
    if not held:
        return
    known = desk.journal.read(lambda db: statements.by_numbers(db, held))
    wanted = [number for number, row in known.items() if row.spool is None and row.state in _UNSENT]
    if wanted:
        refs = desk.spool.write_pack([held[number] for number in wanted])
        desk.journal.write(lambda db: statements.put_in_spool(db, zip(wanted, refs, strict=True)))
    for number in held:
        desk.contents.drop(number)


_UNSENT = (StatementState.SIGNED, StatementState.ACCEPTED)
