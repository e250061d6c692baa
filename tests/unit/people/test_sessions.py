"""Sessions: whole and half, strong for a while, idle, expired, ended, rotated."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deedbox_server.errors import NotFound, SecondFactorNeeded, Unauthenticated
from deedbox_server.people.secret_text import make_secret
from deedbox_server.people.sessions import HALF_FOR, MAX_SESSIONS, STRONG_FOR, SessionRules, Sessions, is_half
from people_box import PASSWORD, PeopleBox

AGENT = "Mozilla/5.0 (X11; Linux x86_64)"


async def begin(box: PeopleBox, strong: bool = True) -> str:
    return (await box.sessions.start(box.owner.id, "password", strong, "192.0.2.7", AGENT)).token


async def opens(box: PeopleBox, token: str) -> bool:
    try:
        await box.sessions.by_token(token, "192.0.2.7")
    except Unauthenticated:
        return False
    return True


async def test_a_session_acts_for_its_account_and_says_how(box: PeopleBox) -> None:
    principal = await box.sessions.by_token(await begin(box), "192.0.2.7")
    assert (principal.account, principal.name, principal.role) == (box.owner.id, "Ada", "administrator")
    assert principal.via == f"session:{principal.session.hex[-12:]}"  # type: ignore[union-attr]
    assert (principal.address, principal.scopes) == ("192.0.2.7", None)


async def test_it_is_strong_for_a_quarter_of_an_hour(box: PeopleBox) -> None:
    token = await begin(box)
    assert (await box.sessions.by_token(token, None)).strong
    box.clock.now += STRONG_FOR - timedelta(seconds=1)
    assert (await box.sessions.by_token(token, None)).strong
    box.clock.pass_time(seconds=1)
    assert not (await box.sessions.by_token(token, None)).strong


async def test_with_one_factor_it_is_half_a_session_that_may_do_one_thing(box: PeopleBox) -> None:
    principal = await box.sessions.by_token(await begin(box, strong=False), None)
    assert is_half(principal)
    assert not principal.strong
    box.permissions.require(principal, "account.security")
    for operation in box.permissions.rules.keys() - {"account.security"}:
        with pytest.raises(Exception) as refused:
            box.permissions.require(principal, operation)
        assert type(refused.value).__name__ in ("Denied", SecondFactorNeeded.__name__)


async def test_half_a_session_does_not_wait_for_long(box: PeopleBox) -> None:
    token = await begin(box, strong=False)
    box.clock.now += HALF_FOR
    assert not await opens(box, token)


async def test_the_second_factor_makes_it_whole_under_another_token(box: PeopleBox) -> None:
    half = await begin(box, strong=False)
    session = (await box.sessions.by_token(half, None)).session
    assert session is not None
    whole = (await box.sessions.shown(session)).token
    principal = await box.sessions.by_token(whole, None)
    assert (is_half(principal), principal.strong, principal.session) == (False, True, session)
    assert not await opens(box, half)


async def test_showing_it_again_rotates_again_but_prolongs_nothing(box: PeopleBox) -> None:
    first = await begin(box)
    session = (await box.sessions.by_token(first, None)).session
    assert session is not None
    end = (await box.sessions.get(session)).expires
    box.clock.pass_time(minutes=20)
    second = await box.sessions.shown(session)
    assert second.session.expires == end
    assert not await opens(box, first)
    assert (await box.sessions.by_token(second.token, None)).strong


async def test_without_a_request_for_an_hour_it_ends(box: PeopleBox) -> None:
    token = await begin(box)
    for _ in range(3):
        box.clock.pass_time(minutes=59)
        assert await opens(box, token)
    box.clock.pass_time(minutes=61)
    assert not await opens(box, token)


async def test_it_ends_after_its_longest_time_whatever_is_asked(box: PeopleBox) -> None:
    token = await begin(box)
    for _ in range(23):
        box.clock.pass_time(minutes=30)
        assert await opens(box, token)
    box.clock.pass_time(minutes=30)
    assert not await opens(box, token)


async def test_ended_is_refused_at_the_next_request(box: PeopleBox) -> None:
    token, other = await begin(box), await begin(box)
    principal = await box.sessions.by_token(token, None)
    assert principal.session is not None
    await box.sessions.end(principal, principal.session)
    assert not await opens(box, token)
    assert await opens(box, other)
    with pytest.raises(NotFound):
        await box.sessions.end(principal, principal.session)
    assert box.trail.told[-1] == "signed out"


async def test_all_are_ended_but_the_one_that_says_so(box: PeopleBox) -> None:
    tokens = [await begin(box) for _ in range(3)]
    principal = await box.sessions.by_token(tokens[0], None)
    assert await box.sessions.end_all(principal, box.owner.id, but=principal.session) == 2
    assert [await opens(box, token) for token in tokens] == [True, False, False]


async def test_nobody_ends_the_session_of_another(box: PeopleBox) -> None:
    bob = await box.accounts.create("Bob", "paralegal", PASSWORD)
    token = await begin(box)
    session = (await box.sessions.by_token(token, None)).session
    his = await box.sessions.by_token(
        (await box.sessions.start(bob.id, "password", True, None, AGENT)).token, "192.0.2.8"
    )
    assert session is not None
    with pytest.raises(NotFound):
        await box.sessions.end(his, session)
    assert await opens(box, token)


async def test_a_disabled_account_has_no_session(box: PeopleBox) -> None:
    token = await begin(box)
    await box.disable(box.owner.id)
    assert not await opens(box, token)
    with pytest.raises(NotFound):
        await begin(box)


async def test_what_was_never_a_token_opens_nothing(box: PeopleBox) -> None:
    token = await begin(box)
    for text in ("", "dbs_", token[:-1], f"{token}A", token.replace("dbs_", "dbi_"), make_secret("dbs").text):
        assert not await opens(box, text)


async def test_the_box_keeps_no_token(box: PeopleBox) -> None:
    token = await begin(box)
    (row,) = await box.db.fetch("SELECT * FROM people_session")
    assert token not in repr(row)
    assert token[4:] not in repr(row)
    assert token[4:] not in repr(box.trail.records)


async def test_they_are_listed_with_where_from_and_what_with(box: PeopleBox) -> None:
    await begin(box)
    box.clock.pass_time(minutes=5)
    await box.sessions.start(box.owner.id, "passkey", True, "2001:db8::1", "Deedbox\r\n\x1b[31mdesk " + "x" * 400)
    newest, older = await box.sessions.of(box.owner.id)
    assert (newest.via, newest.address) == ("passkey", "2001:db8::1")
    assert newest.agent.startswith("Deedbox   [31mdesk xxx")
    assert len(newest.agent) <= 200
    assert (older.via, older.agent, older.whole) == ("password", AGENT, True)


async def test_an_account_has_so_many_and_the_least_used_one_ends(box: PeopleBox) -> None:
    tokens = []
    for _ in range(MAX_SESSIONS + 1):
        tokens.append(await begin(box))
        box.clock.pass_time(seconds=1)
    assert not await opens(box, tokens[0])
    assert await opens(box, tokens[1])


async def test_where_the_firm_asks_for_one_factor_only_a_session_is_whole_but_never_strong(box: PeopleBox) -> None:
    box.sessions = Sessions(box.db, box.trail, clock=box.clock, rules=SessionRules(second_factor="optional"))
    token = await begin(box, strong=False)
    principal = await box.sessions.by_token(token, None)
    assert (is_half(principal), principal.strong) == (False, False)
    box.sessions = Sessions(box.db, box.trail, clock=box.clock)  # and from the day it is required, no more
    assert is_half(await box.sessions.by_token(token, None))


async def test_a_repr_tells_no_secret() -> None:
    secret = make_secret("dbs")
    assert secret.text[8:] not in repr(secret)
