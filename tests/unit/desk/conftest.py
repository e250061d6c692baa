"""A desk at its bench, for tests that run the whole engine; and a TLS server under a CA of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from unit.desk.desk_bench import DeskBench, make_bench
from unit.desk.tls_site import Site


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[DeskBench]:
    made = make_bench(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()
