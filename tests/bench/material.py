"""What is sent: bytes that nothing can compress or has seen before."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

_PIECE: Final = 1 << 20


@dataclass(frozen=True)
class Material:
    """`root` is a folder with `files` files of `size` bytes each. Contenders get it by hard links: the same bytes for all."""

    root: Path
    files: int
    size: int

    @property
    def bytes(self) -> int:
        return self.files * self.size

    def paths(self) -> list[Path]:
        return sorted(self.root.iterdir())

    def copy_to(self, folder: Path) -> None:
        """Put the files into `folder`, as links, without a byte being written."""
        shutil.copytree(self.root, folder, copy_function=os.link, dirs_exist_ok=True)

    def warm(self) -> None:
        """Read everything once, so that each contender finds it in the page cache, and let nothing wait to be written."""
        space = bytearray(_PIECE)
        for path in self.paths():
            with path.open("rb", buffering=0) as file:
                while file.readinto(space):
                    pass
        os.sync()


def make_material(root: Path, files: int, size: int) -> Material:
    root.mkdir(parents=True)
    noise = _noise()
    for number in range(files):
        with (root / f"evidence {number:06}.bin").open("wb", buffering=0) as file:
            left = size
            while left:
                left -= file.write(next(noise)[: min(left, _PIECE)])
    return Material(root, files, size)


def _noise() -> Iterator[memoryview]:
    """A key stream, which is made faster than any disk takes it."""
    stream = Cipher(AES(os.urandom(32)), CTR(bytes(16))).encryptor()
    zeros, out = bytes(_PIECE), bytearray(_PIECE + 15)
    while True:
        count = stream.update_into(zeros, out)
        yield memoryview(out)[:count]
