"""One look at everything in a folder: names, sizes, times. Opens nothing, follows no link."""

import os
import stat
import sys
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple

_MOST = (1 << 63) - 1  # what the journal's integers hold; some file systems know years and inodes beyond


class Kind(Enum):
    FILE = "file"
    LINK = "link"
    SPECIAL = "special"
    CLOSED = "closed"  # a folder that cannot be read


class Entry(NamedTuple):
    """One name as the system shows it now. `changed_ns` is when the system last changed anything about it, 0 if unknown."""

    path: bytes
    kind: Kind
    size: int
    modified_ns: int
    changed_ns: int
    inode: int


@dataclass
class Scan:
    """What one look found. `blind` are folders (with a separator at the end) whose contents could not be seen."""

    entries: list[Entry] = field(default_factory=list)
    blind: list[bytes] = field(default_factory=list)


class FolderUnreachable(Exception):
    """The watched folder itself cannot be read: nothing is known about what is in it."""


def scan(root: bytes) -> Scan:
    """Look at every name below `root`. FolderUnreachable if that cannot be read; what vanishes meanwhile is left out."""
    found = Scan()
    try:
        pending = [(root, b"", os.scandir(root))]
    except OSError as error:
        raise FolderUnreachable(f"This folder cannot be read: {error.strerror or error}.") from error
    while pending:
        folder, prefix, listing = pending.pop()
        with listing:
            try:
                for item in listing:
                    _look(item, prefix, found, pending)
            except OSError:
                found.blind.append(prefix)  # the listing broke off: what it did not name may still be there
                if folder == root:
                    raise FolderUnreachable("This folder cannot be read to its end.") from None
    return found


def _look(
    item: os.DirEntry[bytes],
    prefix: bytes,
    found: Scan,
    pending: list[tuple[bytes, bytes, "os._ScandirIterator[bytes]"]],
) -> None:
    path = prefix + item.name
    try:
        facts = Path(os.fsdecode(item.path)).lstat() if sys.platform == "win32" else item.stat(follow_symlinks=False)
    except FileNotFoundError:
        return
    except OSError:
        found.entries.append(Entry(path, Kind.CLOSED, 0, 0, 0, 0))
        return
    if stat.S_ISDIR(facts.st_mode):
        below = path + os.fsencode(os.sep)
        try:
            pending.append((item.path, below, os.scandir(item.path)))
        except FileNotFoundError:
            return
        except OSError:
            found.blind.append(below)
            found.entries.append(_entry(path, Kind.CLOSED, facts))
        return
    kind = Kind.FILE if stat.S_ISREG(facts.st_mode) else Kind.LINK if stat.S_ISLNK(facts.st_mode) else Kind.SPECIAL
    found.entries.append(_entry(path, kind, facts))


def _entry(path: bytes, kind: Kind, facts: os.stat_result) -> Entry:
    changed = 0 if sys.platform == "win32" else facts.st_ctime_ns  # there it is the time of making
    return Entry(path, kind, facts.st_size, within(facts.st_mtime_ns), changed, facts.st_ino & _MOST)


def within(nanoseconds: int) -> int:
    """A time as the journal can hold it: what lies centuries away, as a broken clock writes it, is cut off there."""
    return max(-_MOST, min(_MOST, nanoseconds))
