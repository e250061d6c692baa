"""A desk at its bench, for tests that run the whole engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from unit.desk.desk_bench import DeskBench, make_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[DeskBench]:
    made = make_bench(tmp_path)
    yield made
    made.stop()
