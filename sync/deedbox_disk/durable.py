"""Files that survive a power cut: fsync the bytes, rename, fsync the folder; in that order, once for everybody.

What returns is on the disk; what raises may or may not be: the caller does the same step again. POSIX only promises
that a new name survives once its folder has been fsynced (open(2), fsync(2) NOTES).
"""

import os
from pathlib import Path

from deedbox_disk.space import space_errors

TEMPORARY_SUFFIX = ".part"  # what a crash may leave behind; the next write of the same name replaces it


def write_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put `data` at `path`, whole or not at all: a reader and a crash see the old bytes or the new ones.

    openat(O_CREAT|O_TRUNC), write, fsync, rename, fsync of the folder. Not for two writers of the same name at once.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    with space_errors(path):
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            os.fchmod(descriptor, mode)  # the umask, or a file left by a crash, may have given another
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    move_file(temporary, path)


def move_file(source: Path, target: Path) -> None:
    """Rename within a volume, replacing what is there, and make the new name durable. The bytes must be fsynced
    already.
    """
    with space_errors(target):
        source.replace(target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)


def sync_folder(path: Path) -> None:
    """Make the names in this folder durable: additions, removals, renames."""
    with space_errors(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_folder(path: Path, mode: int = 0o700) -> None:
    """Make a folder and those above it that are missing, each durable. An existing folder is left as it is, with its
    mode.
    """
    if path.is_dir():
        return
    make_folder(path.parent, mode)
    with space_errors(path):
        path.mkdir(mode, exist_ok=True)
    sync_folder(path.parent)
