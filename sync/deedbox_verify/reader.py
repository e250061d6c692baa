"""A bundle's files, from a folder or a ZIP, read in place: nothing is extracted, no link is followed."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from deedbox_sync.bundle.layout import MAX_FILES
from deedbox_verify.errors import UncheckableError

MAX_DEPTH = 8  # data/exhibits/N/original/NAME is five deep
CHUNK = 1 << 20

#: Called with the number of bytes just read; draws progress.
Progress = Callable[[int], None]


class Source(Protocol):
    """Something to read the next bytes from; b"" at the end."""

    def read(self, size: int, /) -> bytes: ...


class BundleFiles(Protocol):
    """Regular files only, by path below the bag in Unicode normal form C, with their sizes.

    `folder` is the name of the bag's own folder. `open` yields the bytes there are at that time; OSError where the
    medium fails.
    """

    @property
    def folder(self) -> str: ...

    @property
    def sizes(self) -> Mapping[str, int]: ...

    @contextmanager
    def open(self, path: str) -> Iterator[Source]: ...


class FolderBundle:
    """An unpacked bag. Refuses links, special files, names that differ only in Unicode form, and too many files."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._real: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._scan("", os.fspath(root), 0)

    @property
    def folder(self) -> str:
        return self._root.resolve().name

    @property
    def sizes(self) -> Mapping[str, int]:
        return self._sizes

    def _scan(self, prefix: str, folder: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise UncheckableError(f"folders in the bundle are nested deeper than {MAX_DEPTH}: {prefix}")
        with os.scandir(folder) as entries:
            for entry in entries:
                path = prefix + unicodedata.normalize("NFC", entry.name)
                if entry.is_symlink():
                    raise UncheckableError(f"{path} is a symbolic link; a bundle has none")
                if entry.is_dir(follow_symlinks=False):
                    self._scan(f"{path}/", entry.path, depth + 1)
                    continue
                facts = entry.stat(follow_symlinks=False)
                if not stat.S_ISREG(facts.st_mode):
                    raise UncheckableError(f"{path} is neither a file nor a folder")
                if path in self._real:
                    raise UncheckableError(f"{path} is there twice, in two Unicode forms")
                if len(self._real) >= MAX_FILES:
                    raise UncheckableError(f"the bundle has more than {MAX_FILES} files")
                self._real[path] = entry.path
                self._sizes[path] = facts.st_size

    @contextmanager
    def open(self, path: str) -> Iterator[Source]:
        # O_NOFOLLOW: what was a file when it was listed must not have become a link. Windows has no such flag.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(self._real[path], flags), "rb", buffering=0) as file:
            yield file


def measure(
    files: BundleFiles, path: str, algorithms: tuple[str, ...], progress: Progress
) -> tuple[int, dict[str, bytes]]:
    """Size and digests of one file, streamed; `algorithms` are names of hashlib."""
    hashes = [hashlib.new(name, usedforsecurity=False) for name in algorithms]
    size = 0
    with files.open(path) as source:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            for one in hashes:
                one.update(chunk)
            progress(len(chunk))
    return size, {one.name: one.digest() for one in hashes}


def read_whole(files: BundleFiles, path: str, limit: int) -> bytes | None:
    """The bytes of a small file; None where it is longer than `limit`."""
    parts: list[bytes] = []
    left = limit + 1
    with files.open(path) as source:
        while left and (chunk := source.read(min(CHUNK, left))):
            parts.append(chunk)
            left -= len(chunk)
    return b"".join(parts) if left else None
