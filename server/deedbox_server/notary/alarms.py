"""What people should know of the box's outside proof: sentences, from whoever has something to say.

An alarm stops nothing. It is shown in `/health/ready`, in `GET /api/v1/time` and in every desk's `hello`, so a sentence names
no case, no person and no address, says what is the matter and what to do.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from deedbox_server import faults

AlarmSource: TypeAlias = Callable[[], Awaitable[list[str]]]
"""Gives the sentences that hold now: asked often, so from memory or by one short query."""

_BROKEN = "One of the box's alarms could not be looked at: see the box's own log."

log = logging.getLogger("deedbox.alarms")


class Alarms:
    """A registry, filled at start-up."""

    def __init__(self) -> None:
        self._sources: list[AlarmSource] = []

    def register(self, source: AlarmSource) -> None:
        self._sources.append(source)

    async def now(self) -> list[str]:
        """Every sentence that holds now, in the order of the sources, each once."""
        sentences: list[str] = []
        for source in self._sources:
            try:
                sentences += await source()
            except Exception as error:  # an alarm that fails must neither silence the others nor stop a desk's hello
                log.error("an alarm could not be looked at: %s", faults.told(error))
                sentences.append(_BROKEN)
        return list(dict.fromkeys(sentences))
