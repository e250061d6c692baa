"""Invitations, and links for a new password: once, in time, as what was meant, and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound, SecondFactorNeeded, Unauthenticated
from deedbox_server.people.invitations import MAX_TRIES, Invitation, NewInvitation
from deedbox_server.people.principal import SYSTEM, Principal
from deedbox_server.people.secret_text import INVITATION, SESSION, make_secret
from people_box import PASSWORD, PeopleBox, account_principal
from people_door import HOME, bob, who, with_app

GRETA = NewInvitation("Greta Guest", "paralegal")


def strong(box: PeopleBox) -> Principal:
    return replace(account_principal(box.owner), strong=True)


async def invited(box: PeopleBox, wanted: NewInvitation = GRETA) -> tuple[Invitation, str]:
    made, token = await box.door.invitations.invite(strong(box), wanted)
    return made, token.text


async def register(box: PeopleBox, token: str, sign_in: str = "greta", password: str = PASSWORD) -> Principal:
    account = await box.door.invitations.register(token, sign_in, password, HOME.address)
    return account_principal(account)


async def test_whoever_has_the_link_makes_the_account_that_was_meant(box: PeopleBox) -> None:
    case = await box.add_case("2026-0001")
    wanted = replace(
        GRETA, duties=frozenset({"conflicts-officer"}), email="greta@firm.example", cases=((case, "auditor"),)
    )
    _, token = await invited(box, wanted)
    principal = await register(box, token)
    assert principal.account is not None
    account = await box.accounts.by_id(principal.account)
    assert (account.name, account.role, account.sign_in) == ("Greta Guest", "paralegal", "greta")
    assert (account.email, account.duties) == ("greta@firm.example", {"conflicts-officer"})
    assert await box.permissions.roles_in(box.db, principal, case) == {"auditor"}
    signed_in, _ = await box.door.signing_in.by_password("Greta", PASSWORD, HOME)
    assert signed_in.id == account.id


async def test_a_link_works_once_whoever_comes_at_the_same_time(box: PeopleBox) -> None:
    _, token = await invited(box)
    outcomes = await asyncio.gather(*(register(box, token, f"greta{n}") for n in range(3)), return_exceptions=True)
    assert sum(isinstance(outcome, Principal) for outcome in outcomes) == 1
    assert {type(outcome) for outcome in outcomes} <= {Principal, NotFound, Conflict}
    with pytest.raises(NotFound):
        await register(box, token, "again")


async def test_it_expires_and_can_be_withdrawn(box: PeopleBox) -> None:
    made, token = await invited(box, replace(GRETA, valid_for=timedelta(days=1)))
    box.clock.now += timedelta(days=1)
    with pytest.raises(NotFound):
        await register(box, token)
    assert made.state(box.clock()) == "expired"
    other, token = await invited(box)
    await box.door.invitations.withdraw(strong(box), other.id)
    with pytest.raises(NotFound):
        await register(box, token)
    with pytest.raises(NotFound):
        await box.door.invitations.withdraw(strong(box), other.id)


async def test_every_token_that_opens_nothing_answers_alike(box: PeopleBox) -> None:
    _, token = await invited(box)
    await register(box, token)
    answers = set()
    for text in (token, make_secret(INVITATION).text, make_secret(SESSION).text, "", "x", f"{token} ", token[:-1]):
        for attempt in (
            box.door.invitations.look(text),
            box.door.invitations.register(text, "mallory", PASSWORD, None),
            box.door.invitations.reset_password(text, PASSWORD, None),
        ):
            with pytest.raises(NotFound) as refused:
                await attempt
            answers.add(refused.value.detail)
    assert len(answers) == 1


async def test_of_a_stranger_no_password_is_hashed(box: PeopleBox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that opens nothing is no way to keep the box busy."""

    async def hashed(*_: str) -> str:
        raise AssertionError("it should not have come to that")

    monkeypatch.setattr(box.accounts, "hashed", hashed)
    with pytest.raises(NotFound):
        await register(box, make_secret(INVITATION).text)


async def test_an_invitation_is_no_way_to_try_out_names(box: PeopleBox) -> None:
    _, token = await invited(box)
    for _ in range(MAX_TRIES):
        with pytest.raises(Conflict):
            await register(box, token, "Ada")
    with pytest.raises(NotFound):
        await register(box, token, "greta")


async def test_a_password_or_a_name_that_will_not_do_leaves_the_link_open(box: PeopleBox) -> None:
    _, token = await invited(box)
    for sign_in, password in (
        ("greta", "short"),
        ("greta", "Greta Guest!"),
        (" greta", PASSWORD),
        ("gr\neta", PASSWORD),
    ):
        with pytest.raises(BadRequest):
            await register(box, token, sign_in, password)
    await register(box, token)


@pytest.mark.parametrize(
    "wanted",
    [
        replace(GRETA, role="emperor"),
        replace(GRETA, role="mediator"),
        replace(GRETA, duties=frozenset({"cleaning"})),
        replace(GRETA, role="outsider", duties=frozenset({"conflicts-officer"})),
        replace(GRETA, email="no address"),
        replace(GRETA, name=""),
        replace(GRETA, valid_for=timedelta(days=61)),
        replace(GRETA, valid_for=timedelta(0)),
    ],
)
async def test_what_makes_no_sense_is_not_sent(box: PeopleBox, wanted: NewInvitation) -> None:
    with pytest.raises(BadRequest):
        await invited(box, wanted)


async def test_the_cases_are_some_that_there_are_with_roles_that_fit(box: PeopleBox) -> None:
    case = await box.add_case("2026-0001")
    with pytest.raises(NotFound):
        await invited(box, replace(GRETA, cases=((uuid4(), "paralegal"),)))
    for role, in_case in (("paralegal", "mediator"), ("outsider", "attorney"), ("paralegal", "administrator")):
        with pytest.raises(BadRequest):
            await invited(box, replace(GRETA, role=role, cases=((case, in_case),)))
    await invited(box, replace(GRETA, role="outsider", cases=((case, "mediator"),)))


async def test_nobody_is_invited_under_the_name_of_another(box: PeopleBox) -> None:
    with pytest.raises(Conflict):
        await invited(box, replace(GRETA, name="Ada"))


async def test_only_who_manages_accounts_invites_and_only_with_a_second_factor_shown_of_late(box: PeopleBox) -> None:
    with pytest.raises(SecondFactorNeeded):
        await box.door.invitations.invite(account_principal(box.owner), GRETA)
    him = replace(account_principal(await bob(box)), strong=True)
    for attempt in (
        box.door.invitations.invite(him, GRETA),
        box.door.invitations.page(him, 10),
        box.door.invitations.withdraw(him, uuid4()),
        box.door.invitations.invite_to_reset(him, box.owner.id),
    ):
        with pytest.raises(Denied):
            await attempt
    await box.door.invitations.invite(SYSTEM, GRETA)  # the command line beside the box


async def test_they_are_listed_newest_first_without_their_tokens(box: PeopleBox) -> None:
    tokens = [(await invited(box, replace(GRETA, name=f"Greta {n}")))[1] for n in range(3)]
    page = await box.door.invitations.page(strong(box), 2)
    assert [one.name for one in page] == ["Greta 2", "Greta 1"]
    assert [one.name for one in await box.door.invitations.page(strong(box), 2, page[-1].id)] == ["Greta 0"]
    stored = repr(await box.db.fetch("SELECT * FROM invitation")) + repr(page) + repr(box.trail.records)
    assert not any(token[4:] in stored for token in tokens)


async def test_a_link_for_a_new_password_ends_sessions_and_is_void_when_there_is_a_newer_one(box: PeopleBox) -> None:
    him = await bob(box)
    _, session = await with_app(box, "Bob")
    _, old = await box.door.invitations.invite_to_reset(strong(box), him.id)
    _, token = await box.door.invitations.invite_to_reset(strong(box), him.id)
    with pytest.raises(NotFound):
        await box.door.invitations.reset_password(old.text, "a quite new password", None)
    with pytest.raises(NotFound):
        await box.door.invitations.register(token.text, "bobby", PASSWORD, None)
    await box.door.invitations.reset_password(token.text, "a quite new password", None)
    with pytest.raises(Unauthenticated):
        await who(box, session)
    await box.door.signing_in.by_password("Bob", "a quite new password", HOME)
    assert (await box.door.second_factors.of(him.id)).any  # the second factor stays
    with pytest.raises(NotFound):
        await box.door.invitations.reset_password(token.text, "a quite new password", None)


async def test_a_disabled_account_gets_no_link(box: PeopleBox) -> None:
    him = await bob(box)
    await box.disable(him.id)
    with pytest.raises(NotFound):
        await box.door.invitations.invite_to_reset(strong(box), him.id)
