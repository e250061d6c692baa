"""Where a call comes from when a reverse proxy stands between: said by the proxies that are trusted, and by nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from deedbox_server.people.permissions import is_within

FORWARDED: Final = "forwarded"  # RFC 7239
X_FORWARDED_FOR: Final = "x-forwarded-for"
MAX_HOPS: Final = 16  # read from the right; a longer row of proxies than this is somebody's game

_ELEMENT: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_FOR: Final = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"([^"\\]*)"|([^;,"\s]+))\s*(?:;|$)', re.IGNORECASE)
_PORT: Final = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<four>[0-9.]+))(?::[0-9]{1,5})?")


def caller_address(
    peer: str | None, header: str, values: Sequence[str], trusted: Iterable[IPv4Network | IPv6Network]
) -> str | None:
    """The right-most address that is not a trusted proxy's, from the connection backwards. `values` are those of the one header
    that the proxies write: what they pass on of the other is the caller's word.

    Where a proxy says nothing, or nothing that is an address, the last address that was told by someone trusted stands.
    """
    networks = tuple(trusted)
    if peer is None or not networks or not is_within(peer, networks):
        return peer
    found = peer
    entries = [entry for value in values for entry in _entries(header, value)]
    for entry in entries[: -MAX_HOPS - 1 : -1]:
        address = _address(entry)
        if address is None:
            return found
        found = address
        if not is_within(found, networks):
            return found
    return found


def _entries(header: str, value: str) -> list[str]:
    if header == FORWARDED:
        return [_of_element(element) for element in _ELEMENT.findall(value)]
    return [part.strip() for part in value.split(",")]


def _of_element(element: str) -> str:
    found = _FOR.search(element.strip())
    return "" if found is None else found[1] or found[2] or ""


def _address(text: str) -> str | None:
    if (found := _PORT.fullmatch(text)) is not None:
        text = found["six"] or found["four"]
    try:
        return str(ip_address(text))
    except ValueError:
        return None
