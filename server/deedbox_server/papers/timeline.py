"""Papers on the timeline of their case."""

from __future__ import annotations

from typing import Final

from deedbox_server.cases.timeline import TimelineSource

PAPER_SOURCE: Final = TimelineSource(
    name="papers",
    operation="paper.read",
    table="paper",
    time="created",
    kind="'paper-made'",
    title="title",
    said_by="'the box'",
)
