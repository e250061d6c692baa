"""What an API key may of what its account may: scopes, cases, networks, pace, an end. None is stronger than its maker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Final
from uuid import UUID

from deedbox_server.errors import BadRequest, Denied

SECURITY: Final = "account:security"  # factors, sessions and keys: in no preset, it has to be asked for by name
MAX_CASES: Final = 1000  # that a key is confined to: more is a role, not a confinement
MAX_NETWORKS: Final = 64  # looked through at every call
MAX_RATE: Final = 1000  # calls a second; more than a box of a small firm answers
MAX_BURST: Final = 10_000

_CAPTURE: Final = frozenset({"account", "case:read", "evidence:write", "identifier", "log:read"})


@dataclass(frozen=True)
class KeyRights:
    """None, or no networks, is: as its account. `pace`: calls a second, and at once. `signed_only`: it opens nothing as a bearer
    token, only calls that it signed."""

    scopes: frozenset[str] | None = None
    cases: frozenset[UUID] | None = None
    networks: tuple[str, ...] = ()
    pace: tuple[int, int] | None = None
    signed_only: bool = False
    expires: datetime | None = None


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for a new key. What is not said is as the maker has it, but for `SECURITY`."""

    scopes: tuple[str, ...] | None = None
    cases: frozenset[UUID] | None = None
    networks: tuple[str, ...] | None = None
    rate: int | None = None
    burst: int | None = None
    signed_only: bool | None = None
    expires: datetime | None = None


def presets(known: frozenset[str]) -> dict[str, frozenset[str]]:
    """The sets of scopes that have a name: to look, to bring things in, to do all that is not the account's own safety."""
    return {
        "read": frozenset(scope for scope in known if scope.endswith(":read")) | {"account"},
        "capture": _CAPTURE,
        "full": known - {SECURITY},
    }


def expand(names: Iterable[str], known: frozenset[str]) -> frozenset[str]:
    """The scopes of these names, of scopes and presets. BadRequest for a name that is neither, or for none."""
    named, found = presets(known), set[str]()
    for name in names:
        if name not in known and name not in named:
            raise BadRequest(f"there is no such scope; there are {', '.join(sorted(known | named.keys()))}")
        found |= named.get(name, {name})
    if not found:
        raise BadRequest("a key without any scope would open nothing")
    return frozenset(found)


def grant(wanted: Wanted, own: KeyRights, known: frozenset[str]) -> KeyRights:
    """The rights of a key that a holder of `own` makes. Denied where it would be stronger, BadRequest for what confines to
    nothing."""
    mine = known if own.scopes is None else own.scopes
    scopes = mine - {SECURITY} if wanted.scopes is None else expand(wanted.scopes, known)
    if not scopes:
        raise BadRequest("a key without any scope would open nothing")
    made = KeyRights(
        scopes,
        own.cases if wanted.cases is None else wanted.cases,
        own.networks if wanted.networks is None else checked_networks(wanted.networks),
        _pace(wanted, own),
        own.signed_only if wanted.signed_only is None else wanted.signed_only,
        own.expires if wanted.expires is None else wanted.expires,
    )
    if made.cases is not None and not 0 < len(made.cases) <= MAX_CASES:
        raise BadRequest(f"a key is confined to 1 to {MAX_CASES} cases")
    if (what := stronger(made, own, known)) is not None:
        raise Denied(f"a key makes none that may more than itself: this one has other {what}")
    return made


def stronger(one: KeyRights, other: KeyRights, known: frozenset[str]) -> str | None:
    """What `one` may and `other` may not, in a word; None if nothing."""
    if not (known if one.scopes is None else one.scopes) <= (known if other.scopes is None else other.scopes):
        return "scopes"
    if other.cases is not None and (one.cases is None or not one.cases <= other.cases):
        return "cases"
    if other.networks and not (one.networks and all(_lies_in(network, other.networks) for network in one.networks)):
        return "networks"
    if other.pace is not None and (one.pace is None or one.pace[0] > other.pace[0] or one.pace[1] > other.pace[1]):
        return "pace"
    if other.signed_only and not one.signed_only:
        return "ways to be shown"
    if other.expires is not None and (one.expires is None or one.expires > other.expires):
        return "end"
    return None


def checked_networks(networks: Iterable[str]) -> tuple[str, ...]:
    """Networks in their usual form, once each. BadRequest for what is none, and for too many or none at all."""
    try:
        found = dict.fromkeys(str(ip_network(network)) for network in networks)
    except ValueError:
        raise BadRequest("a network is written as 192.168.1.0/24, without bits of a host") from None
    if not 0 < len(found) <= MAX_NETWORKS:
        raise BadRequest(f"a key is confined to 1 to {MAX_NETWORKS} networks")
    return tuple(found)


def _pace(wanted: Wanted, own: KeyRights) -> tuple[int, int] | None:
    if wanted.rate is None:
        if wanted.burst is not None:
            raise BadRequest("a burst goes with a rate")
        return own.pace
    burst = min(2 * wanted.rate, MAX_BURST) if wanted.burst is None else wanted.burst
    if own.pace is not None and wanted.burst is None:
        burst = min(burst, own.pace[1])
    if not 0 < wanted.rate <= MAX_RATE or not 0 < burst <= MAX_BURST:
        raise BadRequest(f"a key makes 1 to {MAX_RATE} calls a second, and 1 to {MAX_BURST} at once")
    return wanted.rate, burst


def _lies_in(network: str, others: Iterable[str]) -> bool:
    found = ip_network(network)
    for text in others:
        other = ip_network(text)
        if found.version == other.version and found.subnet_of(other):  # type: ignore[arg-type] # of one version, as was asked
            return True
    return False
