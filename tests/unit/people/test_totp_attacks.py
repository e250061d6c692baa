"""TOTP by the standard's own figures, and against who has seen a code or guesses one."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from deedbox_server.errors import TooMany
from deedbox_server.people.lockout import FREE_TRIES
from deedbox_server.people.second_factors import WrongCode
from deedbox_server.people.totp import SECONDS, code_at, step_of
from people_box import PeopleBox
from people_door import HOME, bob, first_factor, who, with_app

SECRET = b"12345678901234567890"
# RFC 6238, appendix B, SHA-1. Its codes have eight digits; six are the last six of them.
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_at(SECRET, seconds // SECONDS) == code[-6:]
    assert step_of(SECRET, code[-6:], datetime.fromtimestamp(seconds, UTC)) == seconds // SECONDS


@pytest.mark.skipif(shutil.which("oathtool") is None, reason="needs oathtool")
@pytest.mark.parametrize("seconds", [0, 59, 1111111109, 1790000000])
def test_codes_are_those_of_oathtool(seconds: int) -> None:
    told = subprocess.run(
        ["oathtool", "--totp", f"--now=@{seconds}", SECRET.hex()], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == code_at(SECRET, seconds // SECONDS)


@pytest.mark.parametrize(
    "text", ["", "1", "94287", "942870820", "287 082", "²87082", "２８７０８２", "-87082", "\ud800", "287082\n"]
)
def test_nothing_but_six_digits_is_a_code(text: str) -> None:
    assert step_of(SECRET, text, datetime.fromtimestamp(59, UTC)) is None


async def test_the_address_for_the_app_says_whose_and_of_which_box(box: PeopleBox) -> None:
    setup = await box.door.second_factors.begin_totp(await who(box, await first_factor(box)))
    parts = urlsplit(setup.uri)
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Test%20box:ada")
    assert parse_qs(parts.query) == {"secret": [setup.secret], "issuer": ["Test box"]}
    assert setup.secret not in repr(setup)


async def test_a_code_works_once(box: PeopleBox) -> None:
    app, _ = await with_app(box)
    box.clock.pass_time(minutes=1)
    seen = app.code()
    await box.door.second_factors.show_code(await who(box, await first_factor(box)), "totp", seen, None)
    half = await who(box, await first_factor(box))
    with pytest.raises(WrongCode):
        await box.door.second_factors.show_code(half, "totp", seen, None)


async def test_nor_does_the_code_that_set_the_app_up(box: PeopleBox) -> None:
    app, _ = await with_app(box)
    half = await who(box, await first_factor(box))
    with pytest.raises(WrongCode):
        await box.door.second_factors.show_code(half, "totp", app.code(), None)


async def test_nor_an_older_one_that_was_not_used(box: PeopleBox) -> None:
    app, _ = await with_app(box)
    box.clock.pass_time(minutes=1)
    overheard, newer = app.code(), app.code(1)
    await box.door.second_factors.show_code(await who(box, await first_factor(box)), "totp", newer, None)
    half = await who(box, await first_factor(box))
    with pytest.raises(WrongCode):
        await box.door.second_factors.show_code(half, "totp", overheard, None)


async def test_guessing_has_to_wait_from_wherever_it_comes(box: PeopleBox) -> None:
    """Only who knows the password gets here: all its networks are one guesser."""
    app, _ = await with_app(box)
    box.clock.pass_time(minutes=1)
    for _ in range(FREE_TRIES):
        half = await who(box, await first_factor(box))
        with pytest.raises(WrongCode):
            await box.door.second_factors.show_code(half, "totp", "000000", None)
    with pytest.raises(TooMany):
        await box.door.second_factors.show_code(half, "totp", app.code(), None)
    with pytest.raises(TooMany):  # nor by the other kind of code
        await box.door.second_factors.show_code(half, "recovery", "0000-0000-0000-0000", None)


async def test_who_guesses_with_a_stolen_password_locks_the_owners_browser_out_of_nothing(box: PeopleBox) -> None:
    app, _ = await with_app(box)
    token = await box.door.known_browsers.remember(None, box.owner.id)
    assert token is not None
    box.clock.pass_time(minutes=1)
    half = await who(box, await first_factor(box))
    for _ in range(FREE_TRIES):
        with pytest.raises(WrongCode):
            await box.door.second_factors.show_code(half, "totp", "000000", None)
    with pytest.raises(TooMany):
        await box.door.second_factors.show_code(half, "totp", app.code(), None)
    await box.door.second_factors.show_code(half, "totp", app.code(), token.text)


async def test_guessing_makes_nobody_else_wait(box: PeopleBox) -> None:
    await bob(box)
    app, _ = await with_app(box, "Bob")
    await with_app(box)
    box.clock.pass_time(minutes=1)
    half = await who(box, await first_factor(box))
    for _ in range(FREE_TRIES):
        with pytest.raises(WrongCode):
            await box.door.second_factors.show_code(half, "totp", "000000", None)
    his = await who(box, await first_factor(box, "Bob", HOME))
    await box.door.second_factors.show_code(his, "totp", app.code(), None)
