"""An office for each test that wants one: a box opened in the test's process, on both databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kit.open_box import Office, office


@pytest.fixture(params=["sqlite", "postgres"])
def office_url(request: pytest.FixtureRequest) -> str | None:
    """None for SQLite, else the URL of a fresh Postgres database."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def desk_and_box(office_url: str | None, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path, office_url) as made:
        yield made
