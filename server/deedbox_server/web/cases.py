"""Cases over HTTP, as much of them as the spine needs."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from deedbox_server.cases import Case, Cases
from deedbox_server.people import Principal
from deedbox_server.web.operations import operation
from deedbox_sync import timestamp


@dataclass(frozen=True)
class NewCase:
    number: str
    title: str


class CaseController(Controller):
    path = "/api/v1/cases"

    @get("/", opt=operation("case.list"))
    async def list_cases(
        self, cases: NamedDependency[Cases], principal: NamedDependency[Principal]
    ) -> dict[str, object]:
        return {"items": [_case(case) for case in await cases.visible(principal)]}

    @post("/", opt=operation("case.create"))
    async def open_case(
        self, data: JSONBody[NewCase], cases: NamedDependency[Cases], principal: NamedDependency[Principal]
    ) -> dict[str, object]:
        return _case(await cases.open(principal, data.number, data.title))

    @get("/{case:uuid}", opt=operation("case.read"))
    async def look(
        self, case: FromPath[UUID], cases: NamedDependency[Cases], principal: NamedDependency[Principal]
    ) -> dict[str, object]:
        return _case(await cases.get(principal, case))


def _case(case: Case) -> dict[str, object]:
    return {
        "created": timestamp.encode(case.created),
        "id": str(case.id),
        "number": case.number,
        "state": case.state,
        "title": case.title,
    }
