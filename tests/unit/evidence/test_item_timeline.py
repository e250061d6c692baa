"""What was done with an item stands on the timeline of its case, at the time when it was done."""

from datetime import UTC, datetime, timedelta

import pytest

from deedbox_server.cases.timeline import TimelineAsked
from deedbox_server.evidence.item import Condition, Description
from deedbox_server.evidence.items import NewItem
from kit.open_box import Office

pytestmark = pytest.mark.anyio


async def test_an_items_records_are_on_the_timeline(desk_and_box: Office) -> None:
    happened = datetime.now(UTC) - timedelta(days=3)
    order = NewItem(Description("Claw hammer", "tool"), Condition("dry", "shelf 3"), "R. Roe", happened=happened)
    item = await desk_and_box.box.items.create(desk_and_box.principal, desk_and_box.case.id, order)
    rows = await desk_and_box.box.timeline.page(desk_and_box.principal, desk_and_box.case.id, TimelineAsked())
    (found,) = [one for one in rows.entries if one.object == item.id]
    assert (found.kind, found.title, found.time) == ("received", "Claw hammer", happened)
