"""As whom the box asks for passkeys: the host name under which a browser reached it (WebAuthn level 3, 5.1.2, 13.4.9)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from deedbox_server.errors import BadRequest

_HOST: Final = re.compile(r"([a-z0-9.-]{1,253})(?::[0-9]{1,5})?")
_ADDRESS: Final = re.compile(r"[0-9.]+")


@dataclass(frozen=True)
class RelyingParty:
    """`id` is what a passkey is bound to, `origin` the only one whose pages may use it."""

    id: str
    origin: str


class RelyingParties:
    """The host names that are the box's own. A request under any other name is somebody between, or a mistake."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(name.lower() for name in names)

    def of(self, host: str) -> RelyingParty:
        """For the `Host` of a request. BadRequest for a name that is not the box's, and for an address, which passkeys cannot be
        bound to."""
        found = _HOST.fullmatch(host.lower())
        if found is None or _ADDRESS.fullmatch(found[1]):
            raise BadRequest("passkeys need a host name: open the box by its name, not its address")
        if found[1] not in self._names:
            raise BadRequest("passkeys work under the box's own names only: an administrator adds one to people_names")
        return RelyingParty(found[1], f"https://{host.lower()}")
