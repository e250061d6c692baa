"""Download links over HTTP: made, listed and ended by people of the case, opened by whoever has the address."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response, delete, get, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server import cursor as cursors
from deedbox_server.errors import BadRequest, NotFound
from deedbox_server.evidence.links import Link, LinkOrder, Links
from deedbox_server.people import Principal
from deedbox_server.people.rate_limits import RateLimits
from deedbox_server.web.evidence import send_bytes
from deedbox_server.web.operations import open_to_all, operation
from deedbox_sync import timestamp

AnyRequest = Request[Any, Any, Any]

_PATH: Final = "/api/v1/links"
_DAY: Final = 86_400
_MAX_PAGE: Final = 500
# Not to be kept by anybody on the way, nor told to whatever the reader goes to next, nor found by a search engine.
_QUIET: Final = {"cache-control": "no-store", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}


class NewLink(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How long it opens, how often, what (the original, or a derived document), from which network, and for whom."""

    seconds: int = _DAY
    uses: int = 1
    derived: UUID | None = None
    network: str | None = None
    note: str = ""


class LinkAnswer(msgspec.Struct, frozen=True):
    """A link without its token."""

    id: str
    handle: str
    exhibit: str
    derived: str | None
    maker: str
    note: str
    network: str | None
    uses: int
    used: int
    created: str
    expires: str
    revoked: str | None


class MadeLink(msgspec.Struct, frozen=True):
    """A new link. `address`, below the box's own, is told this once."""

    address: str
    link: LinkAnswer


class LinkList(msgspec.Struct, frozen=True):
    """A page of an exhibit's links, oldest first."""

    items: list[LinkAnswer]
    next: str | None


@post("/api/v1/evidence/{exhibit:uuid}/links", status_code=201, opt=operation("evidence.download"))
async def make_link(
    exhibit: FromPath[UUID],
    data: JSONBody[NewLink],
    links: NamedDependency[Links],
    principal: NamedDependency[Principal],
) -> Response[MadeLink]:
    """Make an address that gives this exhibit, or a document derived from it, to whoever has it."""
    lasts = timedelta(seconds=max(min(data.seconds, 1 << 31), 0))
    order = LinkOrder(lasts, data.uses, data.derived, data.network, data.note)
    link, token = await links.make(principal, exhibit, order)
    return Response(MadeLink(f"{_PATH}/{token}", _link(link)), headers={"Cache-Control": "no-store"}, status_code=201)


@get("/api/v1/evidence/{exhibit:uuid}/links", opt=operation("evidence.download"))
async def list_links(
    exhibit: FromPath[UUID],
    links: NamedDependency[Links],
    principal: NamedDependency[Principal],
    cursor: FromQuery[str | None] = None,
    limit: FromQuery[int] = 100,
) -> LinkList:
    """The links to this exhibit and what was derived from it, also those that open nothing any more."""
    if not 1 <= limit <= _MAX_PAGE:
        raise BadRequest(f"A page has 1 to {_MAX_PAGE} rows.")
    after = _after(cursor) if cursor is not None else None
    rows = await links.of(principal, exhibit, after=after, limit=limit)
    return LinkList([_link(row) for row in rows], cursors.encode(str(rows[-1].id)) if len(rows) == limit else None)


@delete("/api/v1/evidence/{exhibit:uuid}/links/{link:uuid}", status_code=200, opt=operation("evidence.download"))
async def revoke_link(
    exhibit: FromPath[UUID], link: FromPath[UUID], links: NamedDependency[Links], principal: NamedDependency[Principal]
) -> LinkAnswer:
    """End a link. Repeating it changes nothing."""
    return _link(await links.revoke(principal, exhibit, link))


@route(
    f"{_PATH}/{{token:str}}",
    http_method=["GET", "HEAD"],
    status_code=200,
    opt=open_to_all("whoever has the address of a link has what opens it"),
)
async def open_link(
    request: AnyRequest,
    token: Annotated[str, msgspec.Meta(max_length=200)],
    links: NamedDependency[Links],
    rate_limits: NamedDependency[RateLimits],
) -> Response[Any]:
    """The bytes that a link gives; parts of them too. Each call is one use, and in the exhibit's custody."""
    address = request.client.host if request.client else None
    rate_limits.take_stranger(address)
    if (
        request.method == "HEAD"
    ):  # what only asks whether something is there, as mail programs do, takes no use and learns nothing
        raise NotFound
    opened = await links.open(token, address)
    if opened.derived is not None:
        document = opened.derived
        return send_bytes(request, opened.reader, document.content, document.media_type, document.form, _QUIET)
    exhibit = opened.exhibit
    return send_bytes(request, opened.reader, exhibit.content, exhibit.media_type, exhibit.name, _QUIET)


def _after(cursor: str) -> UUID:
    (last,) = cursors.decode(cursor, str)
    try:
        return UUID(str(last))
    except ValueError:
        raise BadRequest("the cursor is not one of this list: begin again without it") from None


def _link(link: Link) -> LinkAnswer:
    return LinkAnswer(
        id=str(link.id),
        handle=link.handle,
        exhibit=str(link.exhibit),
        derived=str(link.derived) if link.derived else None,
        maker=link.maker,
        note=link.note,
        network=link.network,
        uses=link.uses,
        used=link.used,
        created=timestamp.encode(link.created),
        expires=timestamp.encode(link.expires),
        revoked=timestamp.encode(link.revoked) if link.revoked else None,
    )
