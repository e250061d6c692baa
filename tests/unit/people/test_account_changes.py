"""What an administrator changes about accounts, and that there is always one left."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound, PreconditionFailed, Unauthenticated
from deedbox_server.people.principal import SYSTEM, Principal
from people_box import PASSWORD, PeopleBox, account_principal
from people_door import HOME, bob, first_factor, who, with_app


def strong(box: PeopleBox) -> Principal:
    return replace(account_principal(box.owner), strong=True)


async def test_role_and_duties_hold_from_the_next_request_on(box: PeopleBox) -> None:
    him = await bob(box)
    _, token = await with_app(box, "Bob")
    changed = await box.door.account_changes.change(
        strong(box), him.id, 1, role="attorney", duties=frozenset({"conflicts-officer"}), email="bob@firm.example"
    )
    assert (changed.role, changed.duties, changed.email, changed.version) == (
        "attorney",
        {"conflicts-officer"},
        "bob@firm.example",
        2,
    )
    principal = await who(box, token)
    assert (principal.role, principal.duties) == ("attorney", {"conflicts-officer"})
    changed = await box.door.account_changes.change(strong(box), him.id, 2, email="")
    assert (changed.role, changed.email) == ("attorney", None)


async def test_a_change_of_what_was_not_read_is_refused(box: PeopleBox) -> None:
    him = await bob(box)
    await box.door.account_changes.change(strong(box), him.id, 1, role="attorney")
    with pytest.raises(PreconditionFailed):
        await box.door.account_changes.change(strong(box), him.id, 1, role="paralegal")


async def test_no_role_or_duty_that_there_is_not_and_no_way_in_from_outside(box: PeopleBox) -> None:
    him = await bob(box)
    with pytest.raises(BadRequest):
        await box.door.account_changes.change(strong(box), him.id, 1, role="emperor")
    with pytest.raises(BadRequest):
        await box.door.account_changes.change(strong(box), him.id, 1, duties=frozenset({"cleaning"}))
    with pytest.raises(Conflict):
        await box.door.account_changes.change(strong(box), him.id, 1, role="outsider")
    assert (await box.accounts.by_id(him.id)).version == 1


async def test_disabled_is_out_at_once_and_enabled_may_come_again(box: PeopleBox) -> None:
    him = await bob(box)
    _, token = await with_app(box, "Bob")
    assert (await box.door.account_changes.disable(strong(box), him.id)).disabled
    with pytest.raises(Unauthenticated):
        await who(box, token)
    with pytest.raises(Unauthenticated):
        await first_factor(box, "Bob")
    assert not (await box.door.account_changes.enable(strong(box), him.id)).disabled
    with pytest.raises(Unauthenticated):
        await who(box, token)  # what ended has ended
    await first_factor(box, "Bob", HOME)


async def test_doing_it_again_changes_and_records_nothing(box: PeopleBox) -> None:
    him = await bob(box)
    first = await box.door.account_changes.disable(strong(box), him.id)
    told = len(box.trail.records)
    assert await box.door.account_changes.disable(strong(box), him.id) == first
    assert len(box.trail.records) == told


async def test_the_last_administrator_stays_one(box: PeopleBox) -> None:
    for attempt in (
        box.door.account_changes.disable(strong(box), box.owner.id),
        box.door.account_changes.change(strong(box), box.owner.id, 1, role="attorney"),
        box.door.account_changes.disable(SYSTEM, box.owner.id),
    ):
        with pytest.raises(Conflict):
            await attempt
    other = await bob(box, "administrator")
    await box.door.account_changes.disable(strong(box), box.owner.id)
    with pytest.raises(Conflict):
        await box.door.account_changes.change(SYSTEM, other.id, 1, role="attorney")


async def test_two_who_demote_each_other_at_the_same_moment_are_not_both_heard(box: PeopleBox) -> None:
    other = await bob(box, "administrator")
    his = replace(account_principal(other), strong=True)
    outcomes = await asyncio.gather(
        box.door.account_changes.change(strong(box), other.id, 1, role="attorney"),
        box.door.account_changes.change(his, box.owner.id, 1, role="attorney"),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Account", "Conflict"]


async def test_reset_factors_are_gone_with_codes_sessions_and_known_browsers(box: PeopleBox) -> None:
    him = await bob(box)
    _, token = await with_app(box, "Bob")
    await box.door.second_factors.renew_recovery(await who(box, token))
    browser = await box.door.known_browsers.remember(None, him.id)
    assert browser is not None
    await box.door.account_changes.reset_factors(strong(box), him.id)
    factors = await box.door.second_factors.of(him.id)
    assert (factors.any, factors.recovery_left) == (False, 0)
    assert await box.door.known_browsers.knows(browser.text, him.id) is None
    with pytest.raises(Unauthenticated):
        await who(box, token)
    assert box.trail.records[-1][1:] == ("account.manage", {"what": "second factors reset", "name": "Bob"})
    await with_app(box, "Bob")


async def test_nobody_else_may(box: PeopleBox) -> None:
    him = await bob(box)
    his = replace(account_principal(him), strong=True)
    for attempt in (
        box.door.account_changes.change(his, him.id, 1, role="administrator"),
        box.door.account_changes.disable(his, box.owner.id),
        box.door.account_changes.enable(his, him.id),
        box.door.account_changes.reset_factors(his, box.owner.id),
        box.door.account_changes.page(his, 10),
    ):
        with pytest.raises(Denied):
            await attempt


async def test_accounts_are_listed_in_pages_and_looked_up(box: PeopleBox) -> None:
    for number in range(4):
        await box.accounts.create(f"Bob {number}", "paralegal", PASSWORD)
    first = await box.door.account_changes.page(strong(box), 3)
    rest = await box.door.account_changes.page(strong(box), 3, first[-1].id)
    assert [one.name for one in first + rest] == ["Ada", "Bob 0", "Bob 1", "Bob 2", "Bob 3"]
    assert (await box.door.account_changes.get(strong(box), rest[0].id)).name == "Bob 2"
    with pytest.raises(NotFound):
        await box.door.account_changes.get(strong(box), first[0].id.__class__(int=0))
