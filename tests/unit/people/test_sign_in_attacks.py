"""Guessing names and passwords at the door: what is told, what is counted, who has to wait, and who never has."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from deedbox_server.errors import Conflict, DeedboxError, Denied, TooMany, Unauthenticated
from deedbox_server.people import accounts as accounts_module
from deedbox_server.people.lockout import FREE_TRIES
from deedbox_server.people.passwords import PasswordCost, needs_rehash
from deedbox_server.people.secret_text import BROWSER, make_secret
from deedbox_server.people.sessions import is_half
from deedbox_server.people.signing_in import Caller
from people_box import PASSWORD, PeopleBox
from people_door import ELSEWHERE, HOME, bob, first_factor, who, with_app

NEW_PASSWORD = "another battery of horses"


async def guess(box: PeopleBox, name: str = "Ada", caller: Caller = ELSEWHERE) -> tuple[type[DeedboxError], str]:
    """How a wrong guess is answered."""
    with pytest.raises(DeedboxError) as refused:
        await box.door.signing_in.by_password(name, "not the password", caller)
    return type(refused.value), refused.value.detail


async def test_an_unknown_name_and_a_wrong_password_answer_alike_and_wait_alike(box: PeopleBox) -> None:
    known = [await guess(box, "Ada") for _ in range(FREE_TRIES + 2)]
    unknown = [await guess(box, "Nobody") for _ in range(FREE_TRIES + 2)]
    assert known == unknown
    assert {kind for kind, _ in known} == {Unauthenticated, TooMany}


async def test_a_disabled_account_answers_like_an_unknown_one_even_to_its_password(box: PeopleBox) -> None:
    await box.disable((await bob(box)).id)
    with pytest.raises(Unauthenticated) as refused:
        await box.door.signing_in.by_password("Bob", PASSWORD, HOME)
    assert (Unauthenticated, refused.value.detail) == await guess(box, "Nobody")


async def test_for_an_unknown_name_as_much_is_hashed_as_for_a_known_one(
    box: PeopleBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work is counted, not the time: a machine may stall."""
    await guess(box, "warm up")
    work: list[tuple[str, str]] = []
    real = accounts_module.matches

    def counted(password: str, phc: str) -> bool:
        work.append((password, phc.rpartition("$")[0].rpartition("$")[0]))
        return real(password, phc)

    monkeypatch.setattr(accounts_module, "matches", counted)
    await guess(box, "Ada")
    await guess(box, "Nobody")
    known, unknown = work
    assert known == unknown  # one hash each, of the same password, at the same cost


async def test_guessing_from_elsewhere_does_not_lock_the_owner_out(box: PeopleBox) -> None:
    for _ in range(FREE_TRIES + 5):
        await guess(box)
    await box.door.signing_in.by_password("Ada", PASSWORD, HOME)


async def test_guessing_in_the_owners_own_network_does_not_lock_a_known_browser_out(box: PeopleBox) -> None:
    token = await box.door.known_browsers.remember(None, box.owner.id)
    assert token is not None
    for _ in range(FREE_TRIES + 5):
        await guess(box, caller=HOME)
    with pytest.raises(TooMany):
        await box.door.signing_in.by_password("Ada", PASSWORD, HOME)
    known = Caller(HOME.address, HOME.agent, token.text)
    await box.door.signing_in.by_password("Ada", PASSWORD, known)


async def test_a_stolen_browser_token_signs_nobody_in_and_guesses_no_faster(box: PeopleBox) -> None:
    token = await box.door.known_browsers.remember(None, box.owner.id)
    assert token is not None
    thief = Caller(ELSEWHERE.address, ELSEWHERE.agent, token.text)
    answers = [(await guess(box, caller=thief))[0] for _ in range(FREE_TRIES + 3)]
    assert answers == [Unauthenticated] * FREE_TRIES + [TooMany] * 3
    assert is_half(await who(box, await first_factor(box)))  # and the second factor is asked for all the same
    with pytest.raises(Unauthenticated):
        await box.sessions.by_token(token.text, None)


async def test_a_browser_token_counts_for_the_account_that_it_was_given_to_only(box: PeopleBox) -> None:
    await bob(box)
    token = await box.door.known_browsers.remember(None, box.owner.id)
    assert token is not None
    for _ in range(FREE_TRIES):
        await guess(box, "Bob")
    with pytest.raises(TooMany):  # as if it were not there
        await guess_with(box, "Bob", token.text)


async def test_a_browser_token_of_ones_own_making_counts_for_nothing(box: PeopleBox) -> None:
    made = make_secret(BROWSER).text
    for _ in range(FREE_TRIES):
        await guess(box)
    with pytest.raises(TooMany):
        await guess_with(box, "Ada", made)
    given = await box.door.known_browsers.remember(made, box.owner.id)
    assert given is not None
    assert given.text != made


async def guess_with(box: PeopleBox, name: str, browser: str) -> None:
    await box.door.signing_in.by_password(name, PASSWORD, Caller(ELSEWHERE.address, "curl", browser))


async def test_two_people_at_one_browser_are_both_known(box: PeopleBox) -> None:
    him = await bob(box)
    token = await box.door.known_browsers.remember(None, box.owner.id)
    assert token is not None
    assert await box.door.known_browsers.remember(token.text, him.id) is None
    for account in (box.owner.id, him.id):
        assert await box.door.known_browsers.knows(token.text, account)


async def test_a_flood_of_guesses_holds_up_its_sender_only(box: PeopleBox) -> None:
    flood = [asyncio.create_task(box.door.signing_in.by_password(f"n{n}", "x" * 20, ELSEWHERE)) for n in range(50)]
    await box.door.signing_in.by_password("Ada", PASSWORD, HOME)
    answers: list[Any] = await asyncio.gather(*flood, return_exceptions=True)
    assert {type(answer) for answer in answers} <= {Unauthenticated, TooMany}
    assert sum(isinstance(answer, TooMany) for answer in answers) >= 40


async def test_a_password_of_a_megabyte_is_no_work(box: PeopleBox, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unauthenticated):
        await box.door.signing_in.by_password("Ada" * 10**5, "x" * 10**6, HOME)


async def test_names_are_taken_as_people_type_them(box: PeopleBox) -> None:
    for typed in ("ada", " ADA ", "Ａｄａ"):
        account, _ = await box.door.signing_in.by_password(typed, PASSWORD, HOME)
        assert account.id == box.owner.id


async def test_an_account_from_before_sign_in_names_uses_its_name(box: PeopleBox) -> None:
    await box.db.execute("UPDATE account SET sign_in = NULL WHERE id = {}", box.owner.id)
    account, _ = await box.door.signing_in.by_password("Ada", PASSWORD, HOME)
    assert account.id == box.owner.id
    with pytest.raises(Conflict):
        await box.accounts.create("Ada", "paralegal", PASSWORD)


async def test_a_hash_is_made_anew_when_its_cost_changed(box: PeopleBox) -> None:
    dearer = PasswordCost(memory_kib=128, iterations=2, lanes=1)
    box.accounts.cost = dearer
    before = await phc(box)
    assert needs_rehash(before, dearer)
    await guess(box)
    assert await phc(box) == before  # only the right password tells what to hash
    await box.door.signing_in.by_password("Ada", PASSWORD, HOME)
    after = await phc(box)
    assert not needs_rehash(after, dearer)
    await box.door.signing_in.by_password("Ada", PASSWORD, HOME)
    assert await phc(box) == after


async def phc(box: PeopleBox) -> str:
    row = await box.db.fetch_one("SELECT password_hash FROM account WHERE id = {}", box.owner.id)
    assert row is not None
    return str(row["password_hash"])


async def test_another_password_needs_the_old_one_and_ends_other_sessions(box: PeopleBox) -> None:
    _, token = await with_app(box)
    other = (await box.sessions.start(box.owner.id, "passkey", True, None, "phone")).token
    principal = await who(box, token)
    with pytest.raises(Denied):
        await box.door.signing_in.change_password(principal, "not the password", NEW_PASSWORD)
    started = await box.door.signing_in.change_password(principal, PASSWORD, NEW_PASSWORD)
    for ended in (token, other):
        with pytest.raises(Unauthenticated):
            await who(box, ended)
    assert (await who(box, started.token)).strong
    with pytest.raises(Unauthenticated):
        await first_factor(box)
    await box.door.signing_in.by_password("Ada", NEW_PASSWORD, HOME)


async def test_whoever_finds_a_browser_open_guesses_the_old_password_no_faster(box: PeopleBox) -> None:
    _, token = await with_app(box)
    principal = await who(box, token)
    for _ in range(FREE_TRIES):
        with pytest.raises(Denied):
            await box.door.signing_in.change_password(principal, "not the password", NEW_PASSWORD)
    with pytest.raises(TooMany):
        await box.door.signing_in.change_password(principal, PASSWORD, NEW_PASSWORD)


async def test_no_token_of_before_is_good_for_what_comes_after(box: PeopleBox) -> None:
    """Session fixation: whatever token somebody knew or planted before the factors were shown opens nothing then."""
    planted = await first_factor(box)
    app_principal = await who(box, planted)
    setup = await box.door.second_factors.begin_totp(app_principal)
    assert setup.secret
    _, whole = await with_app(box)
    with pytest.raises(Unauthenticated):
        await who(box, planted)
    assert whole != planted
