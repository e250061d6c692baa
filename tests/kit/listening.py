"""The people's listener of a box, in the test's own process. To register its calls takes a second: one whose box was closed is
given to the next box."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, cast

from litestar import Litestar

from deedbox_server.app import listeners
from deedbox_server.app.parts import Box
from deedbox_server.web.idempotency import Repeats
from deedbox_server.web.recording import TRAIL
from deedbox_sync.pace import Pace
from deedbox_sync.witness import BURST, RATE

_spare: list[Litestar] = []
_used: dict[int, tuple[Box, Litestar]] = {}


def people_app(box: Box) -> Litestar:
    """For requests only: what it does as long as it is up it does for the box that it was made for."""
    if box.settings.trusted_proxies:
        return listeners.people_app(box)
    known = _used.get(id(box))
    if known is not None:
        return known[1]
    app = _given_to(box, _spare.pop()) if _spare else listeners.people_app(box)
    _used[id(box)] = (box, app)
    return app


def box_closed(box: Box) -> None:
    """Nobody asks this box any more."""
    known = _used.pop(id(box), None)
    if known is not None:
        _spare.append(known[1])


def _given_to(box: Box, app: Litestar) -> Litestar:
    providers = cast("dict[str, Any]", app.dependencies)
    for part in fields(Box):
        providers[part.name].value = getattr(box, part.name)
    providers["witness_pace"].value = Pace(BURST, RATE)
    repeats: Repeats = providers["repeats"].dependency()
    repeats.__init__(box.database)  # type: ignore[misc] # middleware holds on to it
    app.state[TRAIL] = box.trail
    return app
