"""Evidence on its way into a watched folder: many files, large ones, odd names, slow and restless writers; all by a seed."""

import hashlib
import os
import random
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path


class Load:
    """Puts files into `folder` and knows what must come out: `made` has the SHA-256 of what each path's file holds in the end.

    Paths are bytes, relative to the folder; `versions` has all that a path ever held. With `durable`, a file is whole and on
    the disk before its name appears in the folder, and the name is on the disk before the call returns: what a power cut
    must not take away again.
    """

    def __init__(self, folder: Path, seed: int, *, durable: bool = False) -> None:
        self.folder = folder
        self.made: dict[bytes, bytes] = {}
        self.versions: dict[bytes, list[bytes]] = {}
        self._rng = random.Random(seed)
        self._durable = durable
        self._aside = folder.with_name(f"{folder.name}-aside")  # on the same disk, not watched
        self._number = 0
        for made in (folder, self._aside):
            made.mkdir(parents=True, exist_ok=True)

    def small(self, count: int, *, largest: int = 20 << 10, below: bytes = b"") -> None:
        """Files of 0 to `largest` bytes, one in fifty with none at all and one in fifty with the bytes of another."""
        data = b"the first"
        for _ in range(count):
            chance = self._rng.random()
            if chance < 0.02:
                data = b""
            elif chance > 0.04:
                data = self._rng.randbytes(self._rng.randint(1, largest))
            self._number += 1
            self.put(below + b"paper %06d" % self._number, data)

    def large(self, count: int, *, mib: int) -> None:
        """Files of up to so many MiB, not on any round boundary."""
        for _ in range(count):
            self._number += 1
            self.put(b"recording %06d" % self._number, self._rng.randbytes(self._rng.randint(1 << 20, mib << 20)))

    def named(self, names: Iterable[bytes], *, below: bytes = b"") -> None:
        """Small files under just these names."""
        for name in names:
            self.put(below + name, name + self._rng.randbytes(self._rng.randint(0, 2_000)))

    def put(self, path: bytes, data: bytes) -> None:
        """Put a file there, or another in its place, as programs do that save safely: written aside, then renamed."""
        self._number += 1
        aside, target = self._aside / str(self._number), self.place(path)
        with aside.open("wb") as file:
            file.write(data)
            if self._durable:
                file.flush()
                os.fsync(file.fileno())
        aside.replace(target)
        if self._durable:
            _sync(target.parent)
        self._note(path, data)

    def write_slowly(self, path: bytes, size: int, *, seconds: float, pieces: int = 20) -> None:
        """Write in place, piece by piece, with the file open all the while."""
        data = self._rng.randbytes(size)
        step = -(-size // pieces)
        with self.place(path).open("wb", buffering=0) as file:
            for start in range(0, size, step):
                file.write(data[start : start + step])
                time.sleep(seconds / pieces)
        self._note(path, data)

    def rename(self, path: bytes, new: bytes) -> None:
        self.place(path).rename(self.place(new))
        self.made[new] = self.made.pop(path)
        self.versions[new] = self.versions.pop(path)

    def place(self, path: bytes) -> Path:
        """Where a path lies; the folders above it are made."""
        place = self.folder / os.fsdecode(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _note(self, path: bytes, data: bytes) -> None:
        digest = hashlib.sha256(data).digest()
        self.made[path] = digest
        self.versions.setdefault(path, []).append(digest)


class Writing(threading.Thread):
    """Work on a load beside the test. `finish` waits for it and raises what went wrong in it."""

    def __init__(self, *work: Callable[[], object]) -> None:
        super().__init__(name="load", daemon=True)
        self._work = work
        self._failure: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            for one in self._work:
                one()
        except BaseException as error:
            self._failure = error

    def finish(self, seconds: float) -> None:
        self.join(seconds)
        if self.is_alive():
            raise AssertionError(f"the load was not written within {seconds:.0f} s")
        if self._failure is not None:
            raise self._failure


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
