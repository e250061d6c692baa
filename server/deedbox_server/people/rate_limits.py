"""How often somebody may call: so much at once, then so much a second. For whoever is known, and, by their address, for those
who are nobody yet.

In memory of one process and bounded (deedbox_sync.pace): a box that starts again has forgotten it, which gives nobody more than
one burst.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from deedbox_server.errors import TooMany
from deedbox_server.people.principal import Principal
from deedbox_sync.pace import Pace

_BURST_SECONDS: Final = 2  # what may come at once, in seconds of the rate: a page that loads, a desk that comes back
_STRANGER_BURST: Final = 60  # pairing takes three calls, signing in two; an office may have one address
_NETWORK_BITS: Final = 64  # of an IPv6 address: below that, addresses cost nothing (RFC 4291 2.5.4)
_TOGETHER: Final = 100  # times one's own, for all: the box's whole burden, not a way to shut others out


@dataclass(frozen=True)
class Limits:
    """Calls a second of one account or key, and of one device; calls a minute of one address that is nobody; calls a second of
    one account for identifiers, of which many are asked for in one."""

    account: int = 300
    device: int = 1000
    stranger: int = 60
    identifiers: int = 100


class RateLimits:
    """Used from one event loop."""

    def __init__(self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits = limits or Limits()
        self._accounts = _pace(limits.account, clock)
        self._devices = _pace(limits.device, clock)
        self._identifiers = _pace(limits.identifiers, clock)
        self._strangers = Pace(_STRANGER_BURST, limits.stranger / 60, clock, together=_TOGETHER)

    def take(self, principal: Principal) -> None:
        """Counts one call of whoever was recognised. TooMany if it comes too soon. The box itself has no limit."""
        if principal.kind == "system":
            return
        if principal.kind == "device":
            _refuse(
                self._devices.wait(principal.actor_id), f"a device makes at most {self._limits.device} calls a second"
            )
            return
        rate, burst = principal.pace or (self._limits.account, self._limits.account * _BURST_SECONDS)
        who = principal.via if principal.via.startswith("api-key:") else principal.actor_id
        _refuse(self._accounts.wait(who, burst=burst, rate=rate), f"this caller makes at most {rate} calls a second")

    def take_identifiers(self, principal: Principal) -> None:
        """Counts one call for identifiers, of all keys of an account together."""
        detail = f"an account makes at most {self._limits.identifiers} such calls a second"
        _refuse(self._identifiers.wait(principal.actor_id), detail)

    def take_stranger(self, address: str | None) -> None:
        """Counts one call of somebody who is nobody yet: sign-in, registration, invitation, pairing, a credential that opens
        nothing. By IPv4 address or IPv6 network."""
        detail = f"an address makes at most {self._limits.stranger} such calls a minute"
        _refuse(self._strangers.wait(_place(address)), detail)


def _pace(rate: int, clock: Callable[[], float]) -> Pace:
    return Pace(rate * _BURST_SECONDS, rate, clock, together=_TOGETHER)


def _place(address: str | None) -> str:
    try:
        found = ip_address((address or "").split("%", 1)[0])
    except ValueError:
        return "nowhere"
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(IPv6Address(int(found) >> _NETWORK_BITS << _NETWORK_BITS))
    return str(found)


def _refuse(seconds: float, detail: str) -> None:
    if seconds > 0:
        raise TooMany(detail, max(1, math.ceil(seconds)))
