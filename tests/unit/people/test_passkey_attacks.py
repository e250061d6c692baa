"""WebAuthn answers that were replayed, forged, made elsewhere or for somebody else (WebAuthn level 3, 7.1, 7.2, 13.4)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from deedbox_server.errors import BadRequest, NotFound, Unauthenticated
from deedbox_server.people.passkeys import CEREMONY_FOR, PasskeyCloned, PasskeyRefused
from deedbox_server.people.relying_party import RelyingParties, RelyingParty
from kit.authenticator import PRESENT, VERIFIED, Authenticator, text
from people_box import PeopleBox
from people_door import HOME, PARTY, bob, first_factor, who, with_passkey

EVIL = "https://box.lan.evil.example"


async def sign_in(box: PeopleBox, answer: dict[str, Any], ceremony: Any, party: RelyingParty = PARTY) -> None:
    await box.door.signing_in.by_passkey(ceremony, answer, party, HOME)


LIES: list[dict[str, Any]] = [
    {"origin": EVIL},
    {"origin": "http://box.lan:8443"},
    {"origin": "https://box.lan"},
    {"origin": "https://BOX.lan:8443"},
    {"rp": "evil.example"},
    {"rp": "lan"},
    {"challenge": text(bytes(32))},
    {"challenge": ""},
    {"type": "webauthn.create"},
    {"type": "payment.get"},
    {"key": ec.generate_private_key(ec.SECP256R1())},
    {"handle": uuid4().bytes},
    {"flags": PRESENT},  # nobody verified the user: that is one factor, not two
    {"flags": VERIFIED},
    {"flags": 0},
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: "-".join(f"{k}" for k in lie))
async def test_an_answer_that_lies_opens_nothing(box: PeopleBox, lie: dict[str, Any]) -> None:
    authenticator, _ = await with_passkey(box)
    ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
    with pytest.raises(PasskeyRefused):
        await sign_in(box, authenticator.get(options, **lie), ceremony)


@pytest.mark.parametrize("lie", [lie for lie in LIES if not lie.keys() & {"key", "handle"}])
async def test_a_new_passkey_that_lies_is_not_taken(box: PeopleBox, lie: dict[str, Any]) -> None:
    principal = await who(box, await first_factor(box))
    ceremony, options = await box.door.second_factors.offer_passkey(principal, PARTY)
    if lie.get("type") == "webauthn.create":
        lie = {"type": "webauthn.get"}
    answer = Authenticator().create(options, **lie)
    with pytest.raises(PasskeyRefused):
        await box.door.second_factors.add_passkey(principal, ceremony, "x", answer, PARTY)
    assert not (await box.door.second_factors.of(box.owner.id)).any


async def test_an_answer_is_good_once(box: PeopleBox) -> None:
    authenticator, _ = await with_passkey(box, counts=False)
    ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
    answer = authenticator.get(options)
    await sign_in(box, answer, ceremony)
    with pytest.raises(PasskeyRefused):
        await sign_in(box, answer, ceremony)
    another, _ = await box.door.signing_in.ask_passkey(PARTY)
    with pytest.raises(PasskeyRefused):
        await sign_in(box, answer, another)


async def test_a_wrong_answer_uses_the_challenge_up_too(box: PeopleBox) -> None:
    authenticator, _ = await with_passkey(box)
    ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
    with pytest.raises(PasskeyRefused):
        await sign_in(box, authenticator.get(options, origin=EVIL), ceremony)
    with pytest.raises(PasskeyRefused):
        await sign_in(box, authenticator.get(options), ceremony)


async def test_a_challenge_does_not_wait_for_ever(box: PeopleBox) -> None:
    authenticator, _ = await with_passkey(box)
    ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
    box.clock.now += CEREMONY_FOR
    with pytest.raises(PasskeyRefused):
        await sign_in(box, authenticator.get(options), ceremony)


async def test_a_challenge_of_nobodys_opens_nothing(box: PeopleBox) -> None:
    authenticator, _ = await with_passkey(box)
    with pytest.raises(PasskeyRefused):
        await sign_in(box, authenticator.get({"challenge": text(bytes(32))}), uuid4())


async def test_a_challenge_is_for_what_it_was_made_for(box: PeopleBox) -> None:
    """Not one of signing in for stepping up, nor one of making a passkey for showing one."""
    authenticator, token = await with_passkey(box)
    principal = await who(box, token)
    ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
    with pytest.raises(PasskeyRefused):
        await box.door.second_factors.show_passkey(principal, ceremony, authenticator.get(options), PARTY)
    ceremony, options = await box.door.second_factors.offer_passkey(principal, PARTY)
    with pytest.raises(PasskeyRefused):
        await box.door.second_factors.show_passkey(principal, ceremony, authenticator.get(options), PARTY)


async def test_a_challenge_of_one_session_is_not_answered_in_another(box: PeopleBox) -> None:
    authenticator, _ = await with_passkey(box)
    victim = await who(box, await first_factor(box))
    attacker = await who(box, await first_factor(box))
    ceremony, options = await box.door.second_factors.ask_passkey(victim, PARTY)
    with pytest.raises(PasskeyRefused):
        await box.door.second_factors.show_passkey(attacker, ceremony, authenticator.get(options), PARTY)


async def test_ones_own_passkey_is_no_second_factor_for_another(box: PeopleBox) -> None:
    await with_passkey(box)
    await bob(box)
    his, _ = await with_passkey(box, "Bob")
    half = await who(box, await first_factor(box))  # Bob knows Ada's password
    ceremony, options = await box.door.second_factors.ask_passkey(half, PARTY)
    with pytest.raises(PasskeyRefused):
        await box.door.second_factors.show_passkey(half, ceremony, his.get(options), PARTY)


async def test_a_copied_authenticator_is_found_by_its_counter_and_told_of(box: PeopleBox) -> None:
    authenticator, _ = await with_passkey(box)
    copy = authenticator.copy()
    for _ in range(2):
        ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
        await sign_in(box, authenticator.get(options), ceremony)
    ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
    with pytest.raises(PasskeyCloned):
        await sign_in(box, copy.get(options), ceremony)
    assert box.trail.told[-1] == "passkey refused: its counter went backwards"


async def test_the_same_count_again_is_a_copy_too(box: PeopleBox) -> None:
    authenticator, _ = await with_passkey(box)
    for raised in (False, True):
        ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
        answer = authenticator.get(options, count=7)
        if not raised:
            await sign_in(box, answer, ceremony)
        else:
            with pytest.raises(PasskeyCloned):
                await sign_in(box, answer, ceremony)


async def test_a_forged_counter_accuses_nobody(box: PeopleBox) -> None:
    """Else a stranger could have somebody's passkey reported as copied."""
    authenticator, _ = await with_passkey(box)
    told = len(box.trail.told)
    for count in (0, 10**6):
        ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
        forged = authenticator.get(options, key=ec.generate_private_key(ec.SECP256R1()), count=count)
        with pytest.raises(PasskeyRefused) as refused:
            await sign_in(box, forged, ceremony)
        assert not isinstance(refused.value, PasskeyCloned)
    assert len(box.trail.told) == told
    ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
    await sign_in(box, authenticator.get(options), ceremony)


async def test_a_passkey_of_one_host_name_is_none_under_another(box: PeopleBox) -> None:
    authenticator, _ = await with_passkey(box)
    other = RelyingParty("localhost", "https://localhost:8443")
    half = await who(box, await first_factor(box))
    with pytest.raises(NotFound):
        await box.door.second_factors.ask_passkey(half, other)
    ceremony, options = await box.door.signing_in.ask_passkey(other)
    with pytest.raises(PasskeyRefused):
        await sign_in(box, authenticator.get(options, origin=other.origin, rp=other.id), ceremony, other)


@pytest.mark.parametrize(
    "host", ["evil.example", "box.lan.evil.example", "192.0.2.1:8443", "[::1]:8443", "", "box.lan:x", "a b"]
)
def test_under_a_name_that_is_not_the_boxs_there_are_no_passkeys(host: str) -> None:
    with pytest.raises(BadRequest):
        RelyingParties(["box.lan", "localhost"]).of(host)


def test_the_origin_is_that_of_the_name_and_port() -> None:
    assert RelyingParties(["Box.LAN"]).of("box.lan:8443") == PARTY


async def test_a_removed_passkey_or_a_disabled_account_opens_nothing(box: PeopleBox) -> None:
    await bob(box)
    authenticator, _ = await with_passkey(box, "Bob")
    account = await box.accounts.known_as("Bob")
    assert account is not None
    await box.disable(account)
    ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
    with pytest.raises(Unauthenticated):
        await sign_in(box, authenticator.get(options), ceremony)
    await box.door.second_factors.reset(account)
    ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
    with pytest.raises(PasskeyRefused):
        await sign_in(box, authenticator.get(options), ceremony)


NONSENSE: list[dict[str, Any]] = [
    {},
    {"id": 7},
    {"id": "", "rawId": "", "type": "public-key", "response": {}},
    {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": []},
    {"id": "\u2603", "rawId": "!", "type": "x", "response": {"clientDataJSON": "AA"}},
]


async def test_nonsense_is_refused_like_any_other(box: PeopleBox) -> None:
    for answer in NONSENSE:
        ceremony, _ = await box.door.signing_in.ask_passkey(PARTY)
        with pytest.raises(PasskeyRefused):
            await sign_in(box, answer, ceremony)
        principal = await who(box, await first_factor(box))
        ceremony, _ = await box.door.second_factors.offer_passkey(principal, PARTY)
        with pytest.raises(PasskeyRefused):
            await box.door.second_factors.add_passkey(principal, ceremony, "x", answer, PARTY)


async def test_nonsense_in_its_parts_too(box: PeopleBox) -> None:
    authenticator, _ = await with_passkey(box)
    for member in ("clientDataJSON", "authenticatorData", "signature", "userHandle"):
        for value in ("", "AA", "////", "A" * 5000, 7, [], {}):
            ceremony, options = await box.door.signing_in.ask_passkey(PARTY)
            answer = authenticator.get(options)
            answer["response"][member] = value
            with pytest.raises(PasskeyRefused):
                await sign_in(box, answer, ceremony)
