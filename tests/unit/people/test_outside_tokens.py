"""Tokens of other issuers (AC-1; RFC 8725): what opens the box, and everything that must not."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.errors import NotFound, Unauthenticated
from deedbox_server.people.fetching import DirectoryFails, is_safe
from deedbox_server.people.jwt_check import Expected, TokenRefused, issuer_of, parse_keys, verify_token
from deedbox_server.people.key_sets import KeySets
from deedbox_server.people.outside_identities import OutsideIdentities
from deedbox_server.people.outside_tokens import IssuersFileError, OutsideIssuer, OutsideTokens, load_issuers
from kit.token_issuer import AUDIENCE, ISSUER, KEYS, Issuer, ec_key, part, rsa_key
from people_box import START, PeopleBox

EXPECTED = Expected(ISSUER, AUDIENCE)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer(START)


def tokens_of(box: PeopleBox, issuer: Issuer, **changes: Any) -> OutsideTokens:
    identities = OutsideIdentities(box.db, box.trail, clock=box.clock)
    given = OutsideIssuer(ISSUER, AUDIENCE, KEYS, **changes)
    return OutsideTokens(box.db, box.permissions, identities, KeySets(issuer, clock=box.clock), [given])


async def linked(box: PeopleBox, issuer: Issuer, **changes: Any) -> OutsideTokens:
    identities = OutsideIdentities(box.db, box.trail, clock=box.clock)
    await identities.link(box.owner_principal, box.owner.id, ISSUER, "0815")
    return tokens_of(box, issuer, **changes)


async def test_a_linked_subject_acts_as_its_account_within_the_issuers_scopes(box: PeopleBox, issuer: Issuer) -> None:
    tokens = await linked(box, issuer, scopes=("read",))
    principal = await tokens.by_token(issuer.token(), "192.0.2.1")
    assert (principal.account, principal.role, principal.address) == (box.owner.id, "administrator", "192.0.2.1")
    assert principal.via == f"token:{ISSUER}"
    assert principal.scopes is not None and "case:read" in principal.scopes
    assert not {"case:write", "account:security"} & principal.scopes
    assert (principal.session, principal.strong) == (None, False)


async def test_never_the_accounts_own_safety_unless_it_was_set(box: PeopleBox, issuer: Issuer) -> None:
    principal = await (await linked(box, issuer)).by_token(issuer.token())
    assert "account:security" not in (principal.scopes or ())


async def test_one_account_can_stand_for_all_of_an_issuers_tokens(box: PeopleBox, issuer: Issuer) -> None:
    principal = await tokens_of(box, issuer, account="Ada").by_token(issuer.token(sub="anybody"))
    assert principal.account == box.owner.id
    with pytest.raises(Unauthenticated):
        await tokens_of(box, issuer, account="Nobody").by_token(issuer.token())


async def test_who_is_not_linked_disabled_or_unlinked_opens_nothing(box: PeopleBox, issuer: Issuer) -> None:
    tokens = await linked(box, issuer)
    with pytest.raises(Unauthenticated):
        await tokens.by_token(issuer.token(sub="0816"))
    await box.disable(box.owner.id)
    with pytest.raises(Unauthenticated):
        await tokens.by_token(issuer.token())


async def test_an_address_in_the_token_links_nobody(box: PeopleBox, issuer: Issuer) -> None:
    with pytest.raises(Unauthenticated):
        await tokens_of(box, issuer).by_token(issuer.token(sub="0815", email="ada@firm.example", name="Ada"))


async def test_an_issuer_nobody_set_opens_nothing(box: PeopleBox, issuer: Issuer) -> None:
    with pytest.raises(Unauthenticated):
        await (await linked(box, issuer)).by_token(issuer.token(iss="https://other.example"))
    assert issuer.asked == 0


async def test_an_identity_token_is_no_bearer_token(box: PeopleBox, issuer: Issuer) -> None:
    with pytest.raises(Unauthenticated):
        await (await linked(box, issuer)).by_token(issuer.token(nonce="n"))


async def test_a_token_that_never_ends_opens_nothing(box: PeopleBox, issuer: Issuer) -> None:
    with pytest.raises(Unauthenticated):
        await (await linked(box, issuer)).by_token(issuer.token(exp=int(START.timestamp()) + 86_401))


def hostile(issuer: Issuer) -> dict[str, str]:
    """Each token that was ever taken by somebody's library, by its name."""
    at = int(START.timestamp())
    head, body, signature = issuer.token().split(".")
    public = issuer.key.as_pem(private=False)
    confused = f"{part({'alg': 'HS256', 'typ': 'JWT', 'kid': 'one'})}.{body}"
    unsigned = part({"alg": "none", "kid": "one"})
    own = rsa_key("evil")
    return {
        "no algorithm": f"{unsigned}.{body}.",
        "no algorithm, with a signature": f"{unsigned}.{body}.{signature}",
        "none in capitals": f"{part({'alg': 'NONE', 'kid': 'one'})}.{body}.",
        "the public key as an HMAC secret": f"{confused}.{part(hmac.digest(public, confused.encode(), 'sha256'))}",
        "another key under the issuer's name": Issuer(START, own).token({"kid": "one"}),
        "another key under its own name": Issuer(START, own).token(),
        "a key that comes along": Issuer(START, own).token({"jwk": own.as_dict(private=False), "kid": "one"}),
        "an address of a key": Issuer(START, own).token({"jku": "https://evil.example/keys", "kid": "one"}),
        "a critical extension": f"{part({'alg': 'RS256', 'kid': 'one', 'crit': ['x'], 'x': 1})}.{body}.{signature}",
        "another body": f"{head}.{part(issuer.claims(sub='0816'))}.{signature}",
        "another audience": issuer.token(aud="other"),
        "a list of other audiences": issuer.token(aud=["other", "deedbox2"]),
        "an audience that is no text": issuer.token(aud={"deedbox": 1}),
        "no audience": issuer.token(aud=None),
        "expired": issuer.token(exp=at - 61),
        "no end": issuer.token(exp=None),
        "an end that is no number": issuer.token(exp="never"),
        "an endless end": issuer.token(exp=1e300),
        "issued tomorrow": issuer.token(iat=at + 86_400),
        "no time of issue": issuer.token(iat=None),
        "not before tomorrow": issuer.token(nbf=at + 86_400),
        "no subject": issuer.token(sub=None),
        "an empty subject": issuer.token(sub=""),
        "a subject that is no text": issuer.token(sub=815),
        "an issuer with a slash": issuer.token(iss=f"{ISSUER}/"),
        "too long": issuer.token(x="x" * 20_000),
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "five parts": f"{head}.{body}.{signature}.{signature}.{signature}",
        "no JSON": f"{head}.{part(b'{')}.{signature}",
        "a list": f"{part([])}.{body}.{signature}",
        "nothing": "..",
        "not ASCII": f"{head}.{body}.ä",
    }


@pytest.mark.parametrize("name", sorted(hostile(Issuer(START))))
def test_a_hostile_token_is_refused(name: str) -> None:
    issuer = Issuer(START)
    keys = parse_keys(_set(issuer.key))
    verify_token(issuer.token(), keys, EXPECTED, START)
    with pytest.raises(TokenRefused):
        verify_token(hostile(issuer)[name], keys, EXPECTED, START)


async def test_and_opens_nothing_in_the_same_words_whatever_it_is(box: PeopleBox, issuer: Issuer) -> None:
    tokens = await linked(box, issuer)
    await tokens.by_token(issuer.token())
    for token in hostile(issuer).values():
        with pytest.raises(Unauthenticated, match="this token opens nothing"):
            await tokens.by_token(token)


def test_clocks_may_differ_by_a_minute(issuer: Issuer) -> None:
    keys, at = parse_keys(_set(rsa_key("one"))), int(START.timestamp())
    verify_token(issuer.token(exp=at - 59), keys, EXPECTED, START)
    verify_token(issuer.token(iat=at + 60, nbf=at + 60), keys, EXPECTED, START)
    with pytest.raises(TokenRefused, match="clocks"):
        verify_token(issuer.token(iat=at + 62), keys, EXPECTED, START)


def test_elliptic_curves_do_too() -> None:
    issuer = Issuer(START, ec_key("curve"))
    assert verify_token(issuer.token(), parse_keys(_set(ec_key("curve"))), EXPECTED, START)["sub"] == "0815"


def test_a_token_without_the_name_of_its_key_needs_a_set_of_one() -> None:
    issuer = Issuer(START)
    token = issuer.token({"kid": None})
    with pytest.raises(TokenRefused):
        verify_token(token, parse_keys(_set(rsa_key("one"), rsa_key("two"))), EXPECTED, START)


async def test_an_issuer_that_changes_its_keys_is_followed(box: PeopleBox, issuer: Issuer) -> None:
    tokens = await linked(box, issuer)
    await tokens.by_token(issuer.token())
    issuer.key = rsa_key("two")
    issuer.listed = [issuer.key]
    with pytest.raises(Unauthenticated):  # asked a moment ago
        await tokens.by_token(issuer.token())
    box.clock.pass_time(minutes=1)
    issuer.now = box.clock()
    await tokens.by_token(issuer.token())
    assert issuer.asked == 2


async def test_nobody_makes_the_box_ask_all_the_time(box: PeopleBox, issuer: Issuer) -> None:
    tokens = await linked(box, issuer)
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await tokens.by_token(Issuer(START, rsa_key("evil")).token({"kid": f"made up {number}"}))
    assert issuer.asked == 1


async def test_a_withdrawn_key_counts_for_an_hour_at_most(box: PeopleBox, issuer: Issuer) -> None:
    tokens = await linked(box, issuer)
    await tokens.by_token(issuer.token())
    issuer.listed = [rsa_key("two")]
    box.clock.pass_time(hours=1)
    issuer.now = box.clock()
    with pytest.raises(Unauthenticated):
        await tokens.by_token(issuer.token())


async def test_an_issuer_that_is_away_is_said_to_be(box: PeopleBox, issuer: Issuer) -> None:
    issuer.away = True
    with pytest.raises(DirectoryFails):
        await (await linked(box, issuer)).by_token(issuer.token())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [{"kty": "oct", "k": "AAAA"}]}',
        b'{"keys": [{"kty": "RSA"}]}',
        b'{"keys": [1, null, []]}',
        b'{"keys": [' + b"{}," * 100 + b"{}]}",
        b"[" * 100_000,
    ],
)
def test_a_set_without_a_key_that_signs_is_none(text: bytes) -> None:
    with pytest.raises(TokenRefused):
        parse_keys(text)


def test_weak_keys_private_keys_and_keys_for_encryption_do_not_count() -> None:
    good = rsa_key("one").as_dict(private=False)
    weak = good | {"kid": "weak", "n": part(b"\xff" * 255)}
    private = rsa_key("two").as_dict(private=True)
    found = parse_keys(json.dumps({"keys": [good, weak, private, good | {"kid": "enc", "use": "enc"}]}).encode())
    assert [key.kid for key in found.keys] == ["one"]


@given(st.text(max_size=300))
def test_any_text_is_a_token_or_refused(text: str) -> None:
    for check in (issuer_of, lambda one: verify_token(one, parse_keys(_set(rsa_key("one"))), EXPECTED, START)):
        try:
            check(text)
        except TokenRefused:
            continue


def test_issuers_are_read_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(
        '[[issuer]]\nissuer = "https://a.example"\naudience = "deedbox"\nkeys = "https://a.example/jwks"\n'
        'scopes = ["read"]\n[[issuer]]\nissuer = "urn:b"\naudience = "deedbox"\nkeys = "b.json"\naccount = "Ada"\n'
    )
    first, second = load_issuers(path)
    assert (first.keys, first.scopes, first.account) == ("https://a.example/jwks", ("read",), None)
    assert (second.keys, second.scopes, second.account) == (tmp_path / "b.json", ("full",), "Ada")


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "other = 1",
        "issuer = 1",
        "[[issuer]]",
        '[[issuer]]\nissuer = "a"\naudience = "b"\nkeys = "http://a.example"',
        '[[issuer]]\nissuer = "a"\naudience = "b"\nkeys = "k"\nscopes = "read"',
        '[[issuer]]\nissuer = "a"\naudience = "b"\nkeys = "k"\nrole = "administrator"',
        '[[issuer]]\nissuer = "a"\naudience = ""\nkeys = "k"',
        '[[issuer]]\nissuer = "a"\naudience = "b"\nkeys = "k"\n' * 2,
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(text)
    with pytest.raises(IssuersFileError):
        load_issuers(path)


async def test_keys_can_come_from_a_file(box: PeopleBox, issuer: Issuer, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(_set(rsa_key("one")))
    issuer.away = True
    given = OutsideIssuer(ISSUER, AUDIENCE, path, account="Ada")
    identities = OutsideIdentities(box.db, box.trail, clock=box.clock)
    tokens = OutsideTokens(box.db, box.permissions, identities, KeySets(issuer, clock=box.clock), [given])
    assert (await tokens.by_token(issuer.token())).account == box.owner.id


async def test_an_identity_is_linked_once_and_unlinked_by_its_owner(box: PeopleBox) -> None:
    identities = OutsideIdentities(box.db, box.trail, clock=box.clock)
    made = await identities.link(box.owner_principal, box.owner.id, ISSUER, "0815")
    with pytest.raises(Exception, match="already"):
        await identities.link(box.owner_principal, box.owner.id, ISSUER, "0815")
    bob = await box.accounts.create("Bob", "paralegal", "correct horse battery")
    with pytest.raises(NotFound):
        await identities.unlink(box.owner_principal, bob.id, made.id)
    await identities.unlink(box.owner_principal, box.owner.id, made.id)
    assert await identities.account_of(ISSUER, "0815") is None
    assert box.trail.told == ["identity linked", "identity unlinked"]


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.example/x", True),
        ("http://127.0.0.1:9/x", True),
        ("http://[::1]/x", True),
        ("http://a.example", False),
        ("https://user@a.example", False),
        ("https://a.example/#x", False),
        ("https://", False),
        ("https://a.example:99999", False),
        ("file:///etc/passwd", False),
        (None, False),
    ],
)
def test_secrets_go_by_https_or_stay_on_this_machine(url: object, safe: bool) -> None:
    assert is_safe(url) is safe


def _set(*keys: Any) -> bytes:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()
