"""A bundle's files in memory, as the verifier reads them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from deedbox_verify.reader import Source


class MemoryBundle:
    folder = "in memory"

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self.sizes: Mapping[str, int] = {path: len(data) for path, data in files.items()}

    @contextmanager
    def open(self, path: str) -> Iterator[Source]:
        yield io.BytesIO(self._files[path])
