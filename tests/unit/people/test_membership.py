"""Who is on a case: granted, changed, ended, and never more than the account can be."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import pytest

from deedbox_server.errors import BadRequest, Denied, NotFound
from deedbox_server.people.membership import Membership
from deedbox_server.people.rules import standard_permissions
from people_box import PASSWORD, account_principal


@dataclass
class Silent:
    count: int = 0

    async def changed(self, principal, operation, *, case=None, object=None, detail=None):
        self.count += 1
        return uuid4()


@pytest.fixture
async def silent():
    return Silent()


@pytest.fixture
async def membership(box, silent):
    box.permissions = standard_permissions(clock=box.clock)
    return Membership(box.db, box.permissions, silent, box.clock)


async def join(box, name, role):
    return account_principal(await box.accounts.create(name, role, PASSWORD))


async def test_who_is_granted_a_role_has_it_until_it_ends(box, membership, silent):
    bob, case = await join(box, "Bob", "paralegal"), await box.add_case("1")
    until = box.clock.now + timedelta(days=1)
    granted = await membership.grant(box.owner_principal, case, bob.account, "investigator", until)
    assert (granted.name, granted.standing, granted.role, granted.until) == ("Bob", "paralegal", "investigator", until)
    permit = await box.permissions.permit(box.db, bob, "evidence.read", case=case)
    assert permit.roles == {"investigator"}
    with pytest.raises(Denied):
        await box.permissions.permit(box.db, bob, "evidence.export", case=case)
    box.clock.now = until
    with pytest.raises(NotFound):
        await box.permissions.permit(box.db, bob, "evidence.read", case=case)
    assert await membership.members(box.owner_principal, case) == []
    assert silent.count == 1


async def test_granting_again_changes_the_role(box, membership):
    bob, case = await join(box, "Bob", "paralegal"), await box.add_case("1")
    await membership.grant(box.owner_principal, case, bob.account, "investigator")
    await membership.grant(box.owner_principal, case, bob.account, "attorney")
    assert [one.role for one in await membership.members(box.owner_principal, case)] == ["attorney"]


async def test_who_is_withdrawn_is_on_the_case_no_more(box, membership, silent):
    bob = await join(box, "Bob", "paralegal")
    case = await box.add_case("1", bob.account)
    await membership.withdraw(box.owner_principal, case, bob.account)
    assert await box.permissions.visible_case_ids(box.db, bob) == frozenset()
    with pytest.raises(NotFound):
        await membership.withdraw(box.owner_principal, case, bob.account)
    assert silent.count == 1


@pytest.mark.parametrize(
    ("standing", "role"),
    [
        ("paralegal", "administrator"),
        ("paralegal", "party"),
        ("paralegal", "outsider"),
        ("paralegal", "emperor"),
        ("outsider", "attorney"),
        ("outsider", "administrator"),
        ("outsider", "outsider"),
    ],
)
async def test_nobody_is_made_what_they_cannot_be(box, membership, silent, standing, role):
    bob, case = await join(box, "Bob", standing), await box.add_case("1")
    with pytest.raises(BadRequest):
        await membership.grant(box.owner_principal, case, bob.account, role)
    assert silent.count == 0


async def test_an_outsider_sees_the_card_and_what_is_shared_and_no_evidence(box, membership):
    party, case = await join(box, "Pat", "outsider"), await box.add_case("1")
    await membership.grant(box.owner_principal, case, party.account, "party")
    assert (await box.permissions.permit(box.db, party, "event.read", case=case)).outside
    for operation in ("evidence.read", "party.read", "case.members", "paper.read", "case.write"):
        with pytest.raises(Denied):
            await box.permissions.permit(box.db, party, operation, case=case)
    assert await box.permissions.visible_case_ids(box.db, party, "evidence.read") == frozenset()
    assert await box.permissions.visible_case_ids(box.db, party, "case.read") == {case}


async def test_only_lawyers_grant_and_only_in_their_cases(box, membership):
    attorney, paralegal = await join(box, "Al", "attorney"), await join(box, "Pa", "paralegal")
    case = await box.add_case("1", paralegal.account)
    await box.db.execute("UPDATE case_member SET role = {} WHERE account = {}", "paralegal", paralegal.account)
    with pytest.raises(Denied):
        await membership.grant(paralegal, case, attorney.account, "attorney")
    with pytest.raises(NotFound):
        await membership.grant(attorney, case, attorney.account, "attorney")


async def test_a_membership_cannot_end_before_it_begins(box, membership):
    bob, case = await join(box, "Bob", "paralegal"), await box.add_case("1")
    with pytest.raises(BadRequest):
        await membership.grant(box.owner_principal, case, bob.account, "paralegal", box.clock.now)


async def test_disabled_accounts_join_nothing(box, membership):
    bob, case = await join(box, "Bob", "paralegal"), await box.add_case("1")
    await box.disable(bob.account)
    with pytest.raises(NotFound):
        await membership.grant(box.owner_principal, case, bob.account, "paralegal")
