"""Search over HTTP: words in what was read, within the walls (DO-8)."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from deedbox_server.database import Database
from deedbox_server.evidence.exhibits import Exhibits
from deedbox_server.people.principal import Principal
from deedbox_server.search.index import Hit
from deedbox_server.search.service import Search
from deedbox_server.web.operations import operation

PAGE = 25


class SearchController(Controller):
    path = "/api/v1/search"

    @get("/", opt=operation("search"))
    async def find(
        self,
        search: NamedDependency[Search],
        exhibits: NamedDependency[Exhibits],
        database: NamedDependency[Database],
        principal: NamedDependency[Principal],
        q: FromQuery[str],
        case: FromQuery[UUID | None] = None,
        cursor: FromQuery[int | None] = None,
        limit: FromQuery[int] = PAGE,
    ) -> dict[str, object]:
        """Pages that fit, newest exhibit first; the wall is part of the question put to the index.

        Who is shown words of an exhibit has viewed it: custody says so. Hits on a name (page 0) show no content.
        """
        results = await search.find(principal, q, case=case, after=cursor, limit=limit)
        found = results.found
        await exhibits.show(principal, {hit.exhibit: hit.case for hit in found.hits if hit.page > 0})
        rows = await database.fetch_in(
            "SELECT id, name, number FROM exhibit WHERE id IN ", sorted({hit.exhibit for hit in found.hits})
        )
        named = {row["id"]: (str(row["name"]), int(row["number"])) for row in rows}
        return {
            "items": [_hit(hit, *named[hit.exhibit]) for hit in found.hits if hit.exhibit in named],
            "next": found.after,
            "total": {"exhibits": results.count.exhibits, "pages": results.count.pages},
        }


def _hit(hit: Hit, name: str, number: int) -> dict[str, object]:
    return {
        "boxes": [list(box) for box in hit.boxes],
        "case": str(hit.case),
        "exhibit": str(hit.exhibit),
        "highlights": [list(span) for span in hit.snippet.highlights],
        "name": name,
        "number": number,
        "page": hit.page,
        "snippet": hit.snippet.text,
    }
