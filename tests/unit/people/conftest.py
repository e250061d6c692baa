import pytest

from deedbox_server.database import Database
from people_box import PeopleBox, make_people_box


@pytest.fixture
async def box(database: Database) -> PeopleBox:
    """People and devices of a fresh box; on both databases."""
    return await make_people_box(database)
