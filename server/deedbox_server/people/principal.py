"""Who asks: every request, and every act of the box itself, has exactly one principal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

SYSTEM_ROLE: Final = "system"


@dataclass(frozen=True)
class Principal:
    """An account, a device of an account, or the box itself.

    `name` is for people, `via` says how it was recognised (`api-key:…`, `certificate:…`), `role` is the account's.
    `cases`, if not None, confines a device or an API key to some cases of those its account sees; `scopes`, if not None, is what
    an API key was given. `strong`: a session whose second factor was shown of late. `address` is where it comes from, None
    inside the box's own process. `duties` are what the account does for the firm beside its role (`conflicts-officer`).
    `pace`, if not None, is an API key's own: calls a second, and at once.
    """

    kind: Literal["account", "device", "system"]
    account: UUID | None
    device: UUID | None
    name: str
    via: str
    role: str
    cases: frozenset[UUID] | None = None
    scopes: frozenset[str] | None = None
    session: UUID | None = None
    strong: bool = False
    address: str | None = None
    duties: frozenset[str] = frozenset()
    pace: tuple[int, int] | None = None

    @property
    def actor_id(self) -> str:
        """As custody records and log commitments name it (formats/log.md, field `person`)."""
        if self.kind == "system":
            return "box"
        return f"{self.kind}:{self.device if self.kind == 'device' else self.account}"


SYSTEM: Final = Principal("system", None, None, "box", "box", SYSTEM_ROLE)
