"""Every call × every role × inside and outside the case, from the OpenAPI document itself: what is not allowed is refused, and
what is barred answers as what does not exist. Who may do what is in server/ROLES.md, which another test holds to the rules."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from litestar import Litestar

from conformance.role_walk import Call, Somebody, allows, ask, calls, everybody
from deedbox_server.app.description import described
from deedbox_server.app.listeners import people_app
from deedbox_server.people.permissions import Permissions
from kit.open_box import Office, office

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
FORBIDDEN, MISSING, NOBODY = 403, 404, 401
# Streams that end with their reader only.
ENDLESS = {"GET /api/v1/events/stream"}


@dataclass
class Walk:
    office: Office
    app: Litestar
    client: httpx.AsyncClient
    calls: list[Call]
    people: list[Somebody]
    exhibit: UUID

    async def ask(self, somebody: Somebody, call: Call, case: UUID) -> httpx.Response:
        return await ask(self.client, self.office, somebody, call, case, self.exhibit)


@pytest.fixture
async def walk(tmp_path: Path) -> AsyncIterator[Walk]:
    async with office(tmp_path) as made:
        sender = made.desk.sender(made.owner.id)
        await made.box.intake.batch(sender, [made.desk.item("a.txt", b"a")], wait=0)
        await made.settle()
        (exhibit,) = await made.box.exhibits.page(made.principal)
        app = people_app(made.box)
        found = [call for call in calls(json.loads(described("people"))) if str(call) not in ENDLESS]
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://box.test") as client:
            yield Walk(made, app, client, found, await everybody(made), exhibit.id)


async def test_every_call_says_what_it_is_about(walk: Walk) -> None:
    permissions: Permissions = walk.office.box.permissions
    for call in walk.calls:
        if call.rule is None:
            assert len(call.open) > 10, f"{call} must say what it is about, or why anyone may call it"
        else:
            rule = permissions.rules[call.rule["name"]]
            assert (set(call.rule["roles"]), call.rule["in_case"]) == (set(rule.roles), rule.in_case), str(call)


async def test_nobody_may_call_what_is_not_open(walk: Walk) -> None:
    case = walk.office.case.id
    for number, call in enumerate(one for one in walk.calls if one.rule is not None):
        # Each from another address: one that asks so often is told to wait.
        transport = httpx.ASGITransport(walk.app, client=(f"10.0.{number // 250}.{number % 250}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
            answer = await client.request(call.method.upper(), call.at(case, walk.exhibit), params=call.wanted(case))
        assert answer.status_code == NOBODY, str(call)


async def test_each_role_may_what_the_page_says_and_nothing_else(walk: Walk) -> None:
    faults = []
    for somebody in walk.people:
        for call in (one for one in walk.calls if one.rule is not None):
            answer = await walk.ask(somebody, call, walk.office.case.id)
            if not _is_right(call, somebody, answer):
                faults.append(f"{somebody.name}: {call}: {answer.status_code} {answer.text[:100]}")
    assert not faults, "\n".join(faults)


async def test_outside_a_case_everything_answers_as_if_there_were_none(walk: Walk) -> None:
    faults = []
    for somebody in (one for one in walk.people if one.role is None):
        for call in (one for one in walk.calls if one.rule is not None and (one.names_case or one.asks_case)):
            told = [_without_ids(await walk.ask(somebody, call, case)) for case in (walk.office.case.id, uuid4())]
            if told[0] != told[1]:
                faults.append(f"{somebody.name}: {call}: {told[0]} but {told[1]}")
    assert not faults, "\n".join(faults)


def _is_right(call: Call, somebody: Somebody, answer: httpx.Response) -> bool:
    assert call.rule is not None
    status = answer.status_code
    if status >= 500 and status != 501:
        return False
    if allows(call, somebody):
        # What it names beside the case does not exist, and its body says nothing: but nobody may be told that they may not.
        return status not in (NOBODY, FORBIDDEN)
    if call.rule["in_case"] and somebody.role is None:
        return status == MISSING if call.names_case else _tells_nothing(answer)
    if not call.rule["in_case"]:
        return status == FORBIDDEN
    return status == FORBIDDEN if call.names_case else status in (FORBIDDEN, MISSING) or _tells_nothing(answer)


def _tells_nothing(answer: httpx.Response) -> bool:
    """A refusal, or a list of nothing: the wall was in the query."""
    if answer.is_success:
        told = answer.json()
        return isinstance(told, dict) and not told.get("items")
    return answer.status_code >= 400


def _without_ids(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, _ID.sub("ID", answer.text)
