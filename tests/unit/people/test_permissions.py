"""Denied unless allowed, and walls that cannot be told from nothing."""

from dataclasses import replace
from uuid import uuid4

import pytest

from deedbox_server.errors import Denied, NotFound
from deedbox_server.people import SYSTEM, Permissions, Principal, Role, Rule
from people_box import PASSWORD, account_principal

SPINE = [
    "case.list",
    "case.create",
    "evidence.read",
    "evidence.download",
    "evidence.verify",
    "evidence.export",
    "evidence.send",
    "search",
    "log.read",
    "device.pair",
    "device.revoke",
    "device.list",
    "key.rotate",
]


@pytest.fixture
async def member(box):
    return account_principal(await box.accounts.create("Bob", "paralegal", PASSWORD))


def device_of(principal: Principal, cases=None) -> Principal:
    return replace(principal, kind="device", device=uuid4(), cases=cases)


async def may(box, principal, operation, case=None) -> bool:
    try:
        await box.permissions.permit(box.db, principal, operation, case=case)
    except Denied:
        return False
    return True


async def test_what_is_not_registered_is_denied_to_everyone(box):
    for principal in (box.owner_principal, SYSTEM):
        with pytest.raises(Denied):
            await box.permissions.permit(box.db, principal, "box.explode")


async def test_the_owner_may_do_all_of_the_spine(box):
    case = await box.add_case("1")
    for operation in SPINE:
        assert await may(box, box.owner_principal, operation, case)


async def test_a_member_administers_nothing(box, member):
    allowed = {
        operation
        for operation in SPINE
        if await may(box, member, operation, await box.add_case(operation, member.account))
    }
    assert allowed == set(SPINE) - {"device.pair", "device.revoke", "device.list", "key.rotate"}


async def test_a_bare_device_sends_and_reads_the_log_and_nothing_else(box):
    device = device_of(box.owner_principal)
    case = await box.add_case("1")
    allowed = {operation for operation in SPINE if await may(box, device, operation, case)}
    assert allowed == {"case.list", "evidence.send", "log.read"}


async def test_an_unknown_role_may_nothing(box):
    stranger = replace(box.owner_principal, role="emperor")
    assert not any([await may(box, stranger, operation) for operation in SPINE])
    assert await box.permissions.visible_case_ids(box.db, stranger) == frozenset()


async def test_a_barred_case_answers_as_one_that_does_not_exist(box, member):
    barred = await box.add_case("1", box.owner.id)
    outcomes = []
    for case in (barred, uuid4()):
        with pytest.raises(NotFound) as refusal:
            await box.permissions.permit(box.db, member, "evidence.read", case=case)
        outcomes.append((refusal.value.status, refusal.value.slug, refusal.value.detail, dict(refusal.value.extra)))
    assert outcomes[0] == outcomes[1]


async def test_a_member_sees_its_cases_in_the_query(box, member):
    mine, other = await box.add_case("1", member.account), await box.add_case("2")
    assert await box.permissions.visible_case_ids(box.db, member) == {mine}
    assert await box.permissions.visible_case_ids(box.db, box.owner_principal) == {mine, other}
    assert await box.permissions.visible_case_ids(box.db, SYSTEM) == {mine, other}
    assert await may(box, member, "evidence.read", mine)


async def test_a_device_is_confined_to_its_cases_within_those_of_its_account(box, member):
    mine, also_mine, other = [
        await box.add_case(number, *who)
        for number, who in (("1", [member.account]), ("2", [member.account]), ("3", []))
    ]
    confined = device_of(member, frozenset({mine, other}))
    assert await box.permissions.visible_case_ids(box.db, confined) == {mine}
    assert await may(box, confined, "evidence.send", mine)
    for case in (also_mine, other):
        with pytest.raises(NotFound):
            await box.permissions.permit(box.db, confined, "evidence.send", case=case)
    nowhere = device_of(box.owner_principal, frozenset())
    assert await box.permissions.visible_case_ids(box.db, nowhere) == frozenset()


async def test_an_operation_in_a_case_must_name_it(box):
    with pytest.raises(ValueError, match="name it"):
        await box.permissions.permit(box.db, box.owner_principal, "evidence.read")


def test_a_wall_takes_columns_and_nothing_else():
    wall = Permissions().wall(SYSTEM)
    with pytest.raises(ValueError, match="not a column"):
        wall.on("1 = 1 OR id")


def test_names_are_registered_once_and_roles_before_rules():
    permissions = Permissions()
    with pytest.raises(ValueError, match="unknown roles"):
        permissions.register("x", Rule(frozenset({"owner"}), "all"))
    permissions.register_role(Role("owner", standing=True, sees_all_cases=True))
    permissions.register("x", Rule(frozenset({"owner"}), "all"))
    with pytest.raises(ValueError, match="already"):
        permissions.register("x", Rule(frozenset({"owner"}), "all"))
    with pytest.raises(ValueError, match="already"):
        permissions.register_role(Role("owner", standing=True))
