"""A document held in memory, as the vault would give it, and a dispatcher with limits small enough for tests."""

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from textwrap import dedent

import pytest

from deedbox_server.documents.dispatcher import WORKER, Dispatcher
from deedbox_server.documents.limits import MIB, WorkerLimits

SMALL = WorkerLimits(
    input_bytes=4 * MIB,
    memory_bytes=700 * MIB,
    seconds=30.0,
    scratch_bytes=64 * MIB,
    result_bytes=32 * MIB,
    processes=24,
)


class InMemory:
    """Bytes with the reader's face."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def size(self) -> int:
        return len(self._data)

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        for at in range(start, end, 65536):
            yield self._data[at : min(at + 65536, end)]


Make = Callable[..., Dispatcher]


@pytest.fixture
def source() -> type[InMemory]:
    return InMemory


@pytest.fixture
def small() -> WorkerLimits:
    return SMALL


@pytest.fixture
def data_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "box.db").write_bytes(b"secret")
    return folder


@pytest.fixture
def make_dispatcher(data_folder: Path) -> Make:
    """A dispatcher whose worker is ours, or a hostile script in its place."""

    def make(
        script: str | None = None,
        *,
        limits: WorkerLimits = SMALL,
        slots: int = 1,
        languages: tuple[str, ...] = ("eng",),
    ) -> Dispatcher:
        program = WORKER if script is None else (sys.executable, "-I", "-B", "-c", dedent(script))
        return Dispatcher(hidden=(data_folder,), limits=limits, languages=languages, slots=slots, program=program)

    return make
