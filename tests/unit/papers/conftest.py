"""A desk for papers, for each test that wants one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from papers_made import Desk, papers_desk


@pytest.fixture
async def papers(tmp_path: Path) -> AsyncIterator[Desk]:
    async with papers_desk(tmp_path) as made:
        yield made
