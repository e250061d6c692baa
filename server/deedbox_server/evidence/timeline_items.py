"""What was done with physical items, for timelines."""

from __future__ import annotations

from typing import Final

from deedbox_server.cases.timeline import TimelineSource

ITEM_SOURCE: Final = TimelineSource(
    name="items",
    operation="item.read",
    table="item_event",
    time="happened",
    kind="kind",
    title="(SELECT item.description FROM item WHERE item.id = item_event.item)",
    said_by="'the record of the item'",
    object="item",
)
