"""Second factors: set up, shown, changed, and never fewer than the firm asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deedbox_server.errors import Conflict, Denied, NotFound, SecondFactorNeeded, Unauthenticated
from deedbox_server.people.recovery_codes import HOW_MANY
from deedbox_server.people.second_factors import WrongCode
from deedbox_server.people.sessions import STRONG_FOR, SessionRules, is_half
from people_box import PeopleBox
from people_door import HOME, PARTY, add_passkey, bob, first_factor, passkey_of, who, with_app, with_passkey


async def test_a_password_alone_is_half_a_sign_in(box: PeopleBox) -> None:
    await with_app(box)
    assert is_half(await who(box, await first_factor(box)))


async def test_a_code_of_the_app_makes_it_whole_and_strong(box: PeopleBox) -> None:
    app, _ = await with_app(box)
    box.clock.pass_time(seconds=30)
    half = await who(box, await first_factor(box))
    started = await box.door.second_factors.show_code(half, "totp", app.code(), None)
    principal = await who(box, started.token)
    assert (is_half(principal), principal.strong) == (False, True)


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_a_clock_may_be_a_step_off_either_way(box: PeopleBox, steps: int) -> None:
    app, _ = await with_app(box)
    box.clock.pass_time(minutes=2)
    half = await who(box, await first_factor(box))
    await box.door.second_factors.show_code(half, "totp", app.code(steps), None)


@pytest.mark.parametrize("steps", [-2, 2])
async def test_but_no_more(box: PeopleBox, steps: int) -> None:
    app, _ = await with_app(box)
    box.clock.pass_time(minutes=2)
    half = await who(box, await first_factor(box))
    with pytest.raises(WrongCode):
        await box.door.second_factors.show_code(half, "totp", app.code(steps), None)


async def test_the_first_factor_ends_sessions_that_had_none(box: PeopleBox) -> None:
    other = await first_factor(box)
    _, token = await with_app(box)
    assert not is_half(await who(box, token))
    with pytest.raises(Unauthenticated):
        await who(box, other)


async def test_an_app_counts_only_once_it_has_shown_a_code(box: PeopleBox) -> None:
    principal = await who(box, await first_factor(box))
    await box.door.second_factors.begin_totp(principal)
    with pytest.raises(WrongCode):
        await box.door.second_factors.confirm_totp(principal, "000000")
    assert not (await box.door.second_factors.of(box.owner.id)).any


async def test_another_app_takes_the_place_of_the_first_and_not_before_it_works(box: PeopleBox) -> None:
    old, token = await with_app(box)
    principal = await who(box, token)
    setup = await box.door.second_factors.begin_totp(principal)
    box.clock.pass_time(seconds=30)
    await box.door.second_factors.show_code(principal, "totp", old.code(), None)
    principal = replace(principal, strong=True)
    from base64 import b32decode

    from people_door import App

    new = App(box, b32decode(setup.secret))
    assert await box.door.second_factors.confirm_totp(principal, new.code()) is None
    box.clock.pass_time(seconds=60)
    with pytest.raises(WrongCode):
        await box.door.second_factors.show_code(principal, "totp", old.code(), None)
    await box.door.second_factors.show_code(principal, "totp", new.code(), None)


async def test_a_passkey_is_shown_as_the_second_factor(box: PeopleBox) -> None:
    authenticator, _ = await with_passkey(box)
    half = await who(box, await first_factor(box))
    ceremony, options = await box.door.second_factors.ask_passkey(half, PARTY)
    assert [one["id"] for one in options["allowCredentials"]] == [authenticator.get(options)["id"]]
    assert options["userVerification"] == "required"
    started = await box.door.second_factors.show_passkey(half, ceremony, authenticator.get(options), PARTY)
    assert not is_half(await who(box, started.token))


async def test_a_passkey_alone_is_both_factors(box: PeopleBox) -> None:
    authenticator, _ = await with_passkey(box)
    ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
    assert options.get("allowCredentials", []) == []
    account, started = await box.door.signing_in.by_passkey(ceremony, authenticator.get(options), PARTY, HOME)
    principal = await who(box, started.token)
    assert (account.id, principal.strong, is_half(principal)) == (box.owner.id, True, False)
    assert started.session.via == "passkey"


async def test_an_authenticator_that_does_not_count_is_taken(box: PeopleBox) -> None:
    """Passkeys that are kept in several devices stay at nought."""
    authenticator, _ = await with_passkey(box, counts=False)
    for _ in range(2):
        ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
        await box.door.signing_in.by_passkey(ceremony, authenticator.get(options), PARTY, HOME)


async def test_a_recovery_code_stands_in_once(box: PeopleBox) -> None:
    _, token = await with_app(box)
    codes = await box.door.second_factors.renew_recovery(await who(box, token))
    assert len(set(codes)) == HOW_MANY
    half = await who(box, await first_factor(box))
    typed = codes[3].upper().replace("-", " ").replace("1", "I").replace("0", "O")
    started = await box.door.second_factors.show_code(half, "recovery", typed, None)
    assert not is_half(await who(box, started.token))
    assert (await box.door.second_factors.of(box.owner.id)).recovery_left == HOW_MANY - 1
    half = await who(box, await first_factor(box))
    with pytest.raises(WrongCode):
        await box.door.second_factors.show_code(half, "recovery", codes[3], None)


async def test_new_recovery_codes_void_the_old_ones(box: PeopleBox) -> None:
    _, token = await with_app(box)
    principal = await who(box, token)
    old = await box.door.second_factors.renew_recovery(principal)
    await box.door.second_factors.renew_recovery(principal)
    with pytest.raises(WrongCode):
        await box.door.second_factors.show_code(principal, "recovery", old[0], None)


async def test_a_code_is_nobody_elses(box: PeopleBox) -> None:
    _, token = await with_app(box)
    codes = await box.door.second_factors.renew_recovery(await who(box, token))
    await bob(box)
    await with_app(box, "Bob")
    his = await who(box, await first_factor(box, "Bob"))
    with pytest.raises(WrongCode):
        await box.door.second_factors.show_code(his, "recovery", codes[0], None)


async def test_recovery_codes_without_a_factor_stand_in_for_nothing(box: PeopleBox) -> None:
    with pytest.raises(Conflict):
        await box.door.second_factors.renew_recovery(await who(box, await first_factor(box)))


async def test_the_last_factor_stays_where_one_is_required(box: PeopleBox) -> None:
    _, token = await with_app(box)
    principal = await who(box, token)
    with pytest.raises(Conflict):
        await box.door.second_factors.remove_totp(principal)
    assert (await box.door.second_factors.of(box.owner.id)).totp is not None
    await add_passkey(box, principal)
    await box.door.second_factors.remove_totp(principal)
    with pytest.raises(Conflict):
        await box.door.second_factors.remove_passkey(principal, await passkey_of(box, box.owner.id))


async def test_it_may_go_where_none_is_required_and_takes_the_recovery_codes_with_it(box: PeopleBox) -> None:
    box.sessions.rules = SessionRules(second_factor="optional")
    _, token = await with_app(box)
    principal = await who(box, token)
    await box.door.second_factors.renew_recovery(principal)
    await box.door.second_factors.remove_totp(principal)
    factors = await box.door.second_factors.of(box.owner.id)
    assert (factors.any, factors.recovery_left, factors.required) == (False, 0, False)


async def test_changing_factors_asks_for_one_shown_of_late(box: PeopleBox) -> None:
    app, token = await with_app(box)
    box.clock.now += STRONG_FOR
    principal, service = await who(box, token), box.door.second_factors
    passkey = box.owner.id
    for attempt in (
        service.begin_totp(principal),
        service.confirm_totp(principal, app.code()),
        service.remove_totp(principal),
        service.offer_passkey(principal, PARTY),
        service.rename_passkey(principal, passkey, "x"),
        service.remove_passkey(principal, passkey),
        service.renew_recovery(principal),
    ):
        with pytest.raises(SecondFactorNeeded):
            await attempt
    stepped = await service.show_code(principal, "totp", app.code(), None)
    await service.renew_recovery(await who(box, stepped.token))


async def test_half_a_session_of_somebody_who_has_a_factor_sets_up_none(box: PeopleBox) -> None:
    """Else whoever knows the password would make themselves a second factor."""
    await with_app(box)
    half = await who(box, await first_factor(box))
    for attempt in (
        box.door.second_factors.begin_totp(half),
        box.door.second_factors.offer_passkey(half, PARTY),
        box.door.second_factors.renew_recovery(half),
    ):
        with pytest.raises(SecondFactorNeeded):
            await attempt


async def test_an_api_key_touches_no_factor(box: PeopleBox) -> None:
    key = replace(box.owner_principal, strong=True)
    for attempt in (
        box.door.second_factors.begin_totp(key),
        box.door.second_factors.offer_passkey(key, PARTY),
        box.door.second_factors.show_code(key, "totp", "000000", None),
        box.door.signing_in.change_password(key, "x", "y"),
    ):
        with pytest.raises(Denied):
            await attempt


async def test_a_passkey_is_named_and_named_anew_and_removed_by_its_owner_only(box: PeopleBox) -> None:
    _, token = await with_passkey(box)
    passkey = await passkey_of(box, box.owner.id)
    await bob(box)
    _, other = await with_app(box, "Bob")
    his = await who(box, other)
    with pytest.raises(NotFound):
        await box.door.second_factors.rename_passkey(his, passkey, "mine")
    with pytest.raises(NotFound):
        await box.door.second_factors.remove_passkey(his, passkey)
    mine = await who(box, token)
    renamed = await box.door.second_factors.rename_passkey(mine, passkey, "Yellow key ")
    assert (renamed.name, renamed.rp, renamed.backed_up) == ("Yellow key", "box.lan", False)


async def test_the_same_authenticator_is_not_registered_twice(box: PeopleBox) -> None:
    authenticator, token = await with_passkey(box)
    principal = await who(box, token)
    ceremony, options = await box.door.second_factors.offer_passkey(principal, PARTY)
    assert len(options["excludeCredentials"]) == 1
    with pytest.raises(Conflict):
        await box.door.second_factors.add_passkey(principal, ceremony, "x", authenticator.create(options), PARTY)


async def test_what_was_set_up_and_shown_is_recorded_without_any_secret(box: PeopleBox) -> None:
    app, token = await with_app(box)
    codes = await box.door.second_factors.renew_recovery(await who(box, token))
    assert box.trail.told == ["first factor shown", "authenticator app set up", "recovery codes renewed"]
    assert not any(code in repr(box.trail.records) for code in codes)
    rows = await box.db.fetch("SELECT * FROM recovery_code")
    assert not any(code.replace("-", "").encode() in row["digest"] for row in rows for code in codes)
    assert app.secret.hex() not in repr(box.trail.records)
