"""Ethical walls bar anyone, and open for a while only by two people, or one and a delay."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from deedbox_server.errors import Conflict, Denied, NotFound, SecondFactorNeeded
from deedbox_server.people import Principal
from deedbox_server.people.rules import standard_permissions
from deedbox_server.people.walls import REQUEST_LIFE, Walls
from people_box import PASSWORD, PeopleBox, account_principal

OPEN_FOR, WAIT = timedelta(hours=4), timedelta(hours=24)


@dataclass
class Noted:
    """What was recorded of changes, for a look at whether they were."""

    changes: list[tuple[str, str, UUID | None]] = field(default_factory=list)

    async def changed(self, principal, operation, *, case=None, object=None, detail=None) -> UUID:
        self.changes.append((principal.name, operation, case))
        return uuid4()


@dataclass
class Firm:
    box: PeopleBox
    walls: Walls
    noted: Noted
    ada: Principal

    async def join(self, name: str, role: str) -> Principal:
        return strong(await self.box.accounts.create(name, role, PASSWORD))

    async def sees(self, principal: Principal, case: UUID) -> bool:
        return case in await self.box.permissions.visible_case_ids(self.box.db, principal)


def strong(account) -> Principal:
    return replace(account_principal(account), strong=True)


@pytest.fixture
async def firm(box):
    box.permissions = standard_permissions(clock=box.clock)
    noted = Noted()
    walls = Walls(box.db, box.permissions, noted, open_for=OPEN_FOR, wait=WAIT, clock=box.clock)
    return Firm(box, walls, noted, strong(box.owner))


async def test_a_wall_bars_an_administrator_as_if_there_were_no_such_case(firm):
    barred = await firm.join("Bob", "administrator")
    case = await firm.box.add_case("1")
    assert await firm.sees(barred, case)
    await firm.walls.bar(firm.ada, case, barred.account, "worked for the other side")
    assert not await firm.sees(barred, case)
    outcomes = []
    for one in (case, uuid4()):
        with pytest.raises(NotFound) as refusal:
            await firm.box.permissions.permit(firm.box.db, barred, "case.read", case=one)
        outcomes.append((refusal.value.detail, dict(refusal.value.extra)))
    assert outcomes[0] == outcomes[1]
    assert await firm.sees(firm.ada, case)


async def test_a_wall_bars_members_and_their_devices(firm):
    member = await firm.join("Bob", "paralegal")
    case = await firm.box.add_case("1", member.account)
    await firm.walls.bar(firm.ada, case, member.account, "kin of a party")
    device = replace(member, kind="device", device=uuid4())
    assert not await firm.sees(member, case)
    assert not await firm.sees(device, case)


async def test_whoever_is_barred_can_neither_see_nor_lift_the_wall(firm):
    barred = await firm.join("Bob", "administrator")
    case = await firm.box.add_case("1")
    wall = await firm.walls.bar(firm.ada, case, barred.account, "worked for the other side")
    for call in (firm.walls.walls(barred, case), firm.walls.lift(barred, case, wall.id)):
        with pytest.raises(NotFound):
            await call
    await firm.walls.lift(firm.ada, case, wall.id)
    assert await firm.sees(barred, case)
    assert [change[1] for change in firm.noted.changes] == ["wall.manage", "wall.manage"]


async def test_walls_need_a_fresh_second_factor_and_an_administrator(firm):
    attorney = await firm.join("Bob", "attorney")
    case = await firm.box.add_case("1", attorney.account)
    with pytest.raises(SecondFactorNeeded):
        await firm.walls.bar(replace(firm.ada, strong=False), case, attorney.account, "x")
    with pytest.raises(Denied):
        await firm.walls.bar(attorney, case, firm.ada.account, "x")


async def test_one_is_barred_once(firm):
    case = await firm.box.add_case("1")
    other = await firm.join("Bob", "attorney")
    await firm.walls.bar(firm.ada, case, other.account, "x")
    with pytest.raises(Conflict):
        await firm.walls.bar(firm.ada, case, other.account, "x")


async def test_the_glass_breaks_with_two_people_and_closes_by_itself(firm):
    barred = await firm.join("Bob", "administrator")
    case = await firm.box.add_case("2026-1")
    await firm.walls.bar(firm.ada, case, barred.account, "worked for the other side")
    asked = await firm.walls.ask(barred, " 2026-1 ", "the court sits tonight")
    assert (asked.state, asked.due) == ("asked", None)
    with pytest.raises(Denied):
        await firm.walls.approve(barred, asked.id)
    assert [one.id for one in await firm.walls.requests(firm.ada)] == [asked.id]
    opened = await firm.walls.approve(firm.ada, asked.id)
    assert opened.opened_until == firm.box.clock.now + OPEN_FOR
    assert await firm.sees(barred, case)
    firm.box.clock.pass_time(hours=5)
    assert not await firm.sees(barred, case)
    assert firm.noted.changes[-2:] == [("Bob", "glass.ask", case), ("Ada", "glass.approve", case)]


async def test_breaking_the_glass_lets_in_one_who_is_not_on_the_case(firm):
    attorney = await firm.join("Bob", "attorney")
    case = await firm.box.add_case("2026-1")
    asked = await firm.walls.ask(attorney, "2026-1", "I stand in for a colleague")
    await firm.walls.approve(firm.ada, asked.id)
    permit = await firm.box.permissions.permit(firm.box.db, attorney, "evidence.read", case=case)
    assert permit.roles == {"attorney"}
    firm.box.clock.pass_time(hours=5)
    with pytest.raises(NotFound):
        await firm.box.permissions.permit(firm.box.db, attorney, "evidence.read", case=case)


async def test_it_does_not_shorten_a_membership(firm):
    attorney = await firm.join("Bob", "attorney")
    case = await firm.box.add_case("2026-1", attorney.account)
    await firm.walls.bar(firm.ada, case, attorney.account, "x")
    asked = await firm.walls.ask(attorney, "2026-1", "x")
    await firm.walls.approve(firm.ada, asked.id)
    await firm.walls.lift(firm.ada, case, (await firm.walls.walls(firm.ada, case))[0].id)
    firm.box.clock.pass_time(hours=5)
    assert await firm.sees(attorney, case)


async def test_asking_does_not_tell_whether_there_is_such_a_case(firm):
    barred = await firm.join("Bob", "administrator")
    case = await firm.box.add_case("there")
    await firm.walls.bar(firm.ada, case, barred.account, "x")
    answers = [await firm.walls.ask(barred, number, "x") for number in ("there", "nowhere")]
    told = [replace(one, id=case, number="") for one in answers]
    assert told[0] == told[1]
    mine = await firm.walls.requests(barred)
    assert [one.number for one in mine] == ["nowhere", "there"]
    assert [one.number for one in await firm.walls.requests(firm.ada)] == ["there"]


async def test_who_does_not_see_the_case_cannot_approve(firm):
    asker, other = await firm.join("Bob", "attorney"), await firm.join("Cyd", "attorney")
    await firm.box.add_case("2026-1")
    asked = await firm.walls.ask(asker, "2026-1", "x")
    assert await firm.walls.requests(other) == []
    with pytest.raises(NotFound):
        await firm.walls.approve(other, asked.id)


async def test_a_request_is_decided_once_and_ends_by_itself(firm):
    asker = await firm.join("Bob", "attorney")
    case = await firm.box.add_case("2026-1")
    first = await firm.walls.ask(asker, "2026-1", "x")
    await firm.walls.refuse(firm.ada, first.id)
    with pytest.raises(Conflict):
        await firm.walls.approve(firm.ada, first.id)
    second = await firm.walls.ask(asker, "2026-1", "x")
    firm.box.clock.now += REQUEST_LIFE
    with pytest.raises(NotFound):
        await firm.walls.approve(firm.ada, second.id)
    assert not await firm.sees(asker, case)


async def test_a_firm_of_one_waits_instead(firm):
    case = await firm.box.add_case("2026-1")
    await firm.walls.bar(firm.ada, case, firm.ada.account, "my former client")
    asked = await firm.walls.ask(firm.ada, "2026-1", "a deadline")
    assert asked.due == firm.box.clock.now + WAIT
    with pytest.raises(Conflict):
        await firm.walls.open_alone(firm.ada, asked.id)
    firm.box.clock.now += WAIT
    await firm.walls.open_alone(firm.ada, asked.id)
    assert await firm.sees(firm.ada, case)


async def test_who_waited_still_needs_the_second_person_who_has_joined_meanwhile(firm):
    case = await firm.box.add_case("2026-1")
    await firm.walls.bar(firm.ada, case, firm.ada.account, "my former client")
    asked = await firm.walls.ask(firm.ada, "2026-1", "a deadline")
    await firm.join("Bob", "administrator")
    firm.box.clock.now += WAIT
    with pytest.raises(Conflict):
        await firm.walls.open_alone(firm.ada, asked.id)
    assert not await firm.sees(firm.ada, case)
