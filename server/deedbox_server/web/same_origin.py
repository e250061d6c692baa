"""Whether a browser was made to ask by one of this box's own pages (Fetch Metadata; RFC 6454 for browsers without it)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from litestar import Request

from deedbox_server.errors import Denied

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSAL: Final = "this did not come from a page of this box"


def refuse_foreign(request: Request[Any, Any, Any]) -> None:
    """Denied for a request that another site's page caused, or, where it could change something, of which that cannot be
    ruled out. What a person types or opens from a bookmark (`none`) may read."""
    site = _only(request, "sec-fetch-site")
    if request.method in _SAFE:
        if site in (None, "same-origin", "none"):
            return
    elif site == "same-origin" or (site is None and _same_origin(request)):
        return
    raise Denied(_REFUSAL)


def refuse_foreign_browser(request: Request[Any, Any, Any]) -> None:
    """The same for calls that carry no cookie yet but will be given one, or that no foreign page has any business with: Denied
    where a browser says that another site's page caused them. Programs say neither, and pass."""
    site, origin = _only(request, "sec-fetch-site"), _only(request, "origin")
    if site is None and origin is None:
        return
    if site == "same-origin" or (site is None and _same_origin(request)):
        return
    raise Denied(_REFUSAL)


def _same_origin(request: Request[Any, Any, Any]) -> bool:
    origin, host = _only(request, "origin"), _only(request, "host")
    if not origin or not host:
        return False
    parts = urlsplit(origin)
    return parts.scheme == "https" and parts.netloc.lower() == host.lower()


def _only(request: Request[Any, Any, Any], name: str) -> str | None:
    """A header's value; two of them are a value that matches nothing."""
    values: list[str] = request.headers.getall(name, [])
    return None if not values else values[0] if len(values) == 1 else ""
