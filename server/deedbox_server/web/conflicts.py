"""Conflict checks over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import UNSET, UnsetType

from deedbox_server.cases import plain_text
from deedbox_server.cases.conflict import AskedName, Check, Hit, NewCheck, Result
from deedbox_server.cases.conflict_rows import is_officer
from deedbox_server.cases.conflicts import Conflicts
from deedbox_server.cases.page import DEFAULT_LIMIT
from deedbox_server.people import Principal
from deedbox_server.web.operations import operation
from deedbox_server.web.versions import etag, expected_version
from deedbox_sync import timestamp

AnyRequest = Request[Any, Any, Any]
State = Annotated[str | None, QueryParameter(name="state")]  # `state` itself is a word of the framework
Reason = Annotated[str, msgspec.Meta(max_length=plain_text.MAX_REASON)]

SENT = "sent to the conflicts officer"  # said of every check, so that it tells nothing


class HitResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a hit is: cleared, a conflict, or a conflict that was waived; the latter two with a reason."""

    result: Result
    reason: Reason | None = None


class CheckOutcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the asker is told."""

    outcome: Result
    reason: Reason | None = None


class HitView(msgspec.Struct, frozen=True):
    """A name that was met: how (exact, initials, part, phonetic, fuzzy) and how surely, 0 … 100."""

    id: UUID
    case: UUID
    number: str
    title: str
    party: UUID | None
    party_kind: str | None
    party_removed: bool
    asked: str
    found: str
    name_kind: str
    how: str
    sure: int
    result: str
    reason: str | None
    settled: str | None
    settled_by: str | None


class CheckView(msgspec.Struct, frozen=True):
    """A check. `hits` are those that the reader may see; `sent` is said of every check. Only the officer has a `version`."""

    id: UUID
    case: UUID | None
    subject: str
    names: list[AskedName]
    made_by: str
    created: str
    state: str
    outcome: str | None
    reason: str | None
    settled: str | None
    sent: str
    hits: list[HitView] | UnsetType = UNSET
    version: int | UnsetType = UNSET


class CheckList(msgspec.Struct, frozen=True):
    items: list[CheckView]
    next: str | None


class ConflictController(Controller):
    path = "/api/v1/conflicts"

    @get("/", opt=operation("conflict.check"))
    async def list_checks(
        self,
        conflict_checks: NamedDependency[Conflicts],
        principal: NamedDependency[Principal],
        in_state: State = None,
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[int] = DEFAULT_LIMIT,
    ) -> CheckList:
        """One's own checks, newest first; for a conflicts officer all of them."""
        page = await conflict_checks.of(principal, state=in_state, after=cursor, limit=limit)
        return CheckList([_check(one, is_officer(principal), hits=False) for one in page.items], page.next)

    @post("/", status_code=201, opt=operation("conflict.check"))
    async def check(
        self,
        data: JSONBody[NewCheck],
        conflict_checks: NamedDependency[Conflicts],
        principal: NamedDependency[Principal],
    ) -> Response[CheckView]:
        """Look for the names of a new matter among the parties and clients of all cases. Hits in cases that one does not see
        go to the conflicts officer, as every check does.
        """
        made = await conflict_checks.check(principal, data)
        where = {"location": f"{self.path}/{made.id}"} | _tag(made, principal)
        return Response(_check(made, is_officer(principal)), status_code=201, headers=where)

    @get("/{check:uuid}", opt=operation("conflict.check"))
    async def look(
        self,
        check: FromPath[UUID],
        conflict_checks: NamedDependency[Conflicts],
        principal: NamedDependency[Principal],
    ) -> Response[CheckView]:
        """One's own check, with the hits that one may see; for a conflicts officer any, with all hits and an ETag."""
        found = await conflict_checks.get(principal, check)
        headers = {"etag": etag(found.version)} if is_officer(principal) else {}
        return Response(_check(found, is_officer(principal)), headers=headers)

    @put("/{check:uuid}/hits/{hit:uuid}", opt=operation("conflict.settle"))
    async def settle_hit(
        self,
        request: AnyRequest,
        check: FromPath[UUID],
        hit: FromPath[UUID],
        data: JSONBody[HitResult],
        conflict_checks: NamedDependency[Conflicts],
        principal: NamedDependency[Principal],
    ) -> Response[CheckView]:
        """Say what a hit is. For conflicts officers."""
        said = await conflict_checks.settle_hit(
            principal, check, hit, data.result, data.reason, expected_version(request)
        )
        return Response(_check(said, officer=True), headers={"etag": etag(said.version)})

    @post("/{check:uuid}/settle", status_code=200, opt=operation("conflict.settle"))
    async def settle(
        self,
        request: AnyRequest,
        check: FromPath[UUID],
        data: JSONBody[CheckOutcome],
        conflict_checks: NamedDependency[Conflicts],
        principal: NamedDependency[Principal],
    ) -> Response[CheckView]:
        """Close a check whose hits are all settled, with what its asker is told. For conflicts officers."""
        said = await conflict_checks.settle(principal, check, data.outcome, data.reason, expected_version(request))
        return Response(_check(said, officer=True), headers={"etag": etag(said.version)})


def _tag(check: Check, principal: Principal) -> dict[str, str]:
    """Versions count what the officer does, also to hits that the asker does not see."""
    return {"etag": etag(check.version)} if is_officer(principal) else {}


def _check(check: Check, officer: bool, *, hits: bool = True) -> CheckView:
    return CheckView(
        check.id,
        check.case,
        check.subject,
        list(check.names),
        check.made_by,
        timestamp.encode(check.created),
        check.state,
        check.outcome,
        check.reason,
        None if check.settled is None else timestamp.encode(check.settled),
        SENT,
        [_hit(one) for one in check.hits] if hits else UNSET,
        check.version if officer else UNSET,
    )


def _hit(hit: Hit) -> HitView:
    return HitView(
        hit.id,
        hit.case,
        hit.number,
        hit.title,
        hit.party,
        hit.party_kind,
        hit.party_removed,
        hit.asked,
        hit.found,
        hit.name_kind,
        hit.how,
        hit.sure,
        hit.result,
        hit.reason,
        None if hit.settled is None else timestamp.encode(hit.settled),
        hit.settled_by,
    )
