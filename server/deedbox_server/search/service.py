"""Searching as a person does it: what was typed, within what this person may see."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.people import Permissions, Principal
from deedbox_server.search.index import Count, Found, SearchIndex
from deedbox_server.search.query import parse_query
from deedbox_server.vault.errors import BlobDamaged
from deedbox_sync.errors import FormatError

_log = logging.getLogger(__name__)
_PAGE = 500  # exhibits listed at a time while rebuilding


@dataclass(frozen=True)
class Results:
    """A part of the hits, and how many there are in all."""

    found: Found
    count: Count


class Search:
    """Answers searches. A case that the principal may not see is answered as one in which nothing fits."""

    def __init__(self, db: Database, permissions: Permissions, index: SearchIndex) -> None:
        self._db = db
        self._permissions = permissions
        self._index = index

    async def find(
        self, principal: Principal, typed: str, *, case: UUID | None = None, after: int | None = None, limit: int = 25
    ) -> Results:
        """The pages that fit what was typed (see `query`), in all visible cases or in one.

        Denied where this principal may not search at all.
        """
        self._permissions.require(principal, "search")
        visible = await self._permissions.visible_case_ids(self._db, principal, "evidence.read")
        cases = sorted(visible if case is None else visible & {case})
        query = parse_query(typed)
        return Results(
            await self._index.find(query, cases, after=after, limit=limit), await self._index.count(query, cases)
        )


async def rebuild(db: Database, index: SearchIndex, index_exhibit: Callable[[UUID], Awaitable[None]]) -> int:
    """Fill the index with every exhibit, oldest first, and drop what is none any more; how many there are.

    `index_exhibit` puts one exhibit in from its derived documents. Searching goes on meanwhile, over what is there.
    """
    strangers = set(await index.exhibits())
    last, done = UUID(int=0), 0
    while rows := await db.fetch(f"SELECT id FROM exhibit WHERE id > {{}} ORDER BY id LIMIT {_PAGE}", last):
        for row in rows:
            try:
                await index_exhibit(row["id"])
            except (BlobDamaged, FormatError) as error:  # the audit names it; it hides no other
                _log.warning("exhibit %s could not be indexed: %s", row["id"], type(error).__name__)
            strangers.discard(row["id"])
            last, done = row["id"], done + 1
    await index.forget(sorted(strangers))
    return done
