"""How a change becomes part of the record of who did what, for packages below the one that keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from deedbox_server.people.principal import Principal
from deedbox_sync.canonical_json import Json

NOTHING: Mapping[str, Json] = MappingProxyType({})


class Recorder(Protocol):
    """The trail, as packages that change something need it (formats/audit.md)."""

    async def changed(
        self,
        principal: Principal,
        operation: str,
        *,
        case: UUID | None = None,
        object: UUID | None = None,
        detail: Mapping[str, Json] = NOTHING,
    ) -> UUID:
        """Keeps that the principal did this, and stages its log entry. Called inside the transaction that it belongs to: both
        or neither. Returns the record's id."""
