"""The search index follows a refiled exhibit: found in its case by who sees it there, and by nobody on the way."""

from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from deedbox_server.errors import Conflict
from deedbox_server.jobs import JobContext
from deedbox_server.people import Principal
from deedbox_server.search.following import FOLLOW
from kit.open_box import Office

pytestmark = pytest.mark.anyio


async def filed(office: Office) -> UUID:
    item = office.desk.item("partnership agreement.txt", b"x")
    await office.box.intake.batch(office.desk.sender(office.owner.id), [item], wait=0)
    (found,) = await office.box.exhibits.page(office.principal)
    await office.box.reading.index_exhibit(found.id)
    return found.id


async def member(office: Office, name: str, case: UUID) -> Principal:
    account = await office.box.accounts.create(name, "paralegal", "correct horse battery staple")
    row = (case, account.id, "paralegal")
    await office.box.database.insert_many("case_member", ("case_id", "account", "role"), [row])
    return Principal("account", account.id, None, name, "tests", "paralegal")


async def finds(office: Office, principal: Principal) -> int:
    return (await office.box.search.find(principal, "partnership")).count.exhibits


async def follow(office: Office) -> int:
    """Do the jobs that are due."""
    jobs = await office.box.jobs.claim("tests", [FOLLOW], 10, timedelta(minutes=1))
    for job in jobs:
        context = cast("JobContext", SimpleNamespace(job=job))
        await office.box.handlers[FOLLOW](context)
    return len(jobs)


async def test_it_is_found_where_it_is_and_no_longer_where_it_was(desk_and_box: Office) -> None:
    exhibit = await filed(desk_and_box)
    target = (await desk_and_box.box.cases.open(desk_and_box.principal, "2026-0002", "Doe v. Roe")).id
    here = await member(desk_and_box, "Ann", desk_and_box.case.id)
    there = await member(desk_and_box, "Tom", target)
    assert [await finds(desk_and_box, one) for one in (here, there)] == [1, 0]
    await desk_and_box.box.refiling.refile(desk_and_box.principal, exhibit, target, None)
    assert [await finds(desk_and_box, one) for one in (here, there, desk_and_box.principal)] == [0, 0, 0]
    assert await follow(desk_and_box) == 1
    assert [await finds(desk_and_box, one) for one in (here, there)] == [0, 1]


async def test_where_it_stays_it_is_found_again(desk_and_box: Office) -> None:
    exhibit = await filed(desk_and_box)
    target = (await desk_and_box.box.cases.open(desk_and_box.principal, "2026-0002", "Doe v. Roe")).id
    await desk_and_box.box.database.execute("UPDATE legal_case SET state = 'closed' WHERE id = {}", target)
    with pytest.raises(Conflict):
        await desk_and_box.box.refiling.refile(desk_and_box.principal, exhibit, target, None)
    await follow(desk_and_box)
    assert await finds(desk_and_box, desk_and_box.principal) == 1


async def test_a_crash_on_the_way_is_made_good_by_a_job_that_was_durable_before(desk_and_box: Office) -> None:
    exhibit = await filed(desk_and_box)
    target = (await desk_and_box.box.cases.open(desk_and_box.principal, "2026-0002", "Doe v. Roe")).id
    await desk_and_box.box.refiling.refile(desk_and_box.principal, exhibit, target, None)
    rows: list[Mapping[str, Any]] = await desk_and_box.box.database.fetch(
        "SELECT run_at, created FROM job WHERE kind = {} ORDER BY run_at", FOLLOW
    )
    assert [row["run_at"] > row["created"] for row in rows] == [False, True]
