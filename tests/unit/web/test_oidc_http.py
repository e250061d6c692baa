"""Signing in at the firm's directory, against a provider over real HTTP on loopback; and every way it must not work."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from deedbox_server.app.listeners import people_app
from deedbox_server.people.oidc import MAX_ATTEMPTS, Oidc, OidcSettings
from deedbox_server.people.rate_limits import Limits, RateLimits
from deedbox_server.web.identity import SESSION_COOKIE
from deedbox_server.web.oidc import ATTEMPT_COOKIE
from kit.oidc_provider_process import oidc_provider
from kit.open_box import Office, office
from kit.token_issuer import Issuer, rsa_key

pytestmark = pytest.mark.anyio

BASE = "https://box.test"
START, CALLBACK = "/api/v1/auth/oidc/start", "/api/v1/auth/oidc/callback"


PEOPLE: list[tuple[str, dict[str, Any]]] = [
    ("0815", {"name": "Ada Attorney", "groups": ["Lawyers"], "amr": ["pwd", "mfa"]}),
    ("0816", {"name": "Bob Nobody", "email": "olivia@firm.example"}),
]


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with oidc_provider(PEOPLE) as issuer:
        yield issuer


@pytest.fixture
async def firm(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


@dataclass
class Browser:
    """Keeps cookies by hand, as a browser does, and goes to the directory and back."""

    client: httpx.AsyncClient
    cookies: dict[str, str]

    async def get(self, path: str, **headers: str) -> httpx.Response:
        answer = await self.client.get(path, headers={"cookie": self._cookie(), "accept": "text/html"} | headers)
        return self._keep(answer)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        given = {"cookie": self._cookie(), "origin": BASE, "sec-fetch-site": "same-origin"} | headers
        return self._keep(await self.client.post(path, json=body, headers=given))

    async def to_directory(self, path: str = START) -> str:
        answer = await self.get(path)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    async def sign_in(self, sub: str, url: str | None = None) -> str:
        """Signs in at the directory; returns the address on this box that it sends the browser back to."""
        url = url or await self.to_directory()
        async with httpx.AsyncClient() as outside:
            answer = await outside.post(url, data={"sub": sub})
        assert answer.status_code == 302, answer.text
        parts = urlsplit(answer.headers["location"])
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{BASE}{CALLBACK}"
        return f"{parts.path}?{parts.query}"

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _keep(self, answer: httpx.Response) -> httpx.Response:
        for line in answer.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                assert morsel["secure"] and morsel["httponly"] and morsel["path"] == "/"
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return answer


def browser_of(firm: Office, settings: OidcSettings | None, fetcher: Any = None, **parts: Any) -> Browser:
    box = firm.box
    oidc = Oidc(box.database, box.accounts, box.outside_identities, fetcher or box.outside, settings)
    app = people_app(replace(box, oidc=oidc, **parts))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("192.0.2.1", 1)), base_url=BASE)
    return Browser(client, {})


def lawyers(provider: str, **changes: Any) -> OidcSettings:
    given: dict[str, Any] = {
        "client_secret": "s3cret",
        "roles": (("Lawyers", "attorney"),),
        "create": True,
        "second_factor": frozenset({"mfa"}),
    }
    return OidcSettings(provider, "deedbox", **(given | changes))


async def refused(answer: httpx.Response, words: str) -> None:
    assert answer.status_code == 403, answer.text
    assert words in answer.text and "<h1>" in answer.text
    assert "script" not in answer.headers["content-security-policy"].replace("default-src", "")
    assert SESSION_COOKIE not in answer.headers.get("set-cookie", "")


async def test_whoever_the_directory_gives_a_role_gets_an_account_and_a_session(firm: Office, provider: str) -> None:
    browser = browser_of(firm, lawyers(provider))
    url = await browser.to_directory(f"{START}?return_to=/cases/7")
    query = dict(parse_qsl(urlsplit(url).query))
    assert (query["code_challenge_method"], query["response_type"], query["client_id"]) == ("S256", "code", "deedbox")
    assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3
    answer = await browser.get(await browser.sign_in("0815", url))
    assert answer.status_code == 200, answer.text
    assert 'content="0;url=/cases/7"' in answer.text and answer.headers["cache-control"] == "no-store"
    assert ATTEMPT_COOKIE not in browser.cookies
    me = (await browser.get("/api/v1/me")).json()
    assert (me["account"]["name"], me["account"]["role"]) == ("Ada Attorney", "attorney")


async def test_the_second_time_it_is_the_same_account_whatever_it_is_called_by_then(
    firm: Office, provider: str
) -> None:
    browser = browser_of(firm, lawyers(provider))
    await browser.get(await browser.sign_in("0815"))
    first = (await browser.get("/api/v1/me")).json()["account"]["id"]
    other = browser_of(firm, lawyers(provider, create=False, name_claim="no such claim"))
    await other.get(await other.sign_in("0815"))
    assert (await other.get("/api/v1/me")).json()["account"]["id"] == first


async def test_a_second_factor_that_does_not_count_leaves_half_a_session(firm: Office, provider: str) -> None:
    browser = browser_of(firm, lawyers(provider, second_factor=frozenset({"hwk"})))
    assert (await browser.get(await browser.sign_in("0815"))).status_code == 200
    answer = await browser.get("/api/v1/cases")
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:deedbox:problem:second-factor-needed")


async def test_who_is_not_invited_does_not_come_in(firm: Office, provider: str) -> None:
    browser = browser_of(firm, lawyers(provider, create=False))
    await refused(await browser.get(await browser.sign_in("0815")), "sign in with your password and link")


async def test_who_has_no_group_gets_no_account_and_an_address_links_nobody(firm: Office, provider: str) -> None:
    await firm.box.database.execute("UPDATE account SET email = {}", "olivia@firm.example")
    browser = browser_of(firm, lawyers(provider))
    await refused(await browser.get(await browser.sign_in("0816")), "no role in this box")
    assert len(await firm.box.accounts.page(10)) == 1


async def test_a_disabled_account_does_not_come_in(firm: Office, provider: str) -> None:
    await firm.box.outside_identities.link(firm.principal, firm.owner.id, provider, "0815")
    await firm.box.database.execute("UPDATE account SET disabled = {}", True)
    browser = browser_of(firm, lawyers(provider))
    await refused(await browser.get(await browser.sign_in("0815")), "may not sign in")


async def test_one_links_ones_identity_to_ones_account_and_signs_in_with_it(firm: Office, provider: str) -> None:
    started = await firm.box.sessions.start(firm.owner.id, "password", True, "192.0.2.1", "test")
    browser = browser_of(firm, lawyers(provider, create=False))
    browser.cookies[SESSION_COOKIE] = started.token
    begun = await browser.post("/api/v1/auth/oidc/link", {"return_to": "/account"})
    assert begun.status_code == 200, begun.text
    linked = await browser.get(await browser.sign_in("0815", begun.json()["url"]))
    assert linked.status_code == 200 and "Linked" in linked.text
    (identity,) = (await browser.get("/api/v1/auth/identities")).json()["items"]
    assert (identity["issuer"], identity["subject"]) == (provider, "0815")
    other = browser_of(firm, lawyers(provider, create=False))
    await other.get(await other.sign_in("0815"))
    assert (await other.get("/api/v1/me")).json()["account"]["id"] == str(firm.owner.id)


async def test_nobody_links_with_a_key_or_without_having_shown_who_they_are(firm: Office, provider: str) -> None:
    for strong in [False, True]:
        browser = browser_of(firm, lawyers(provider))
        if strong:
            _, key = await firm.box.api_keys.create(firm.owner.id, "all")
            headers = {"authorization": f"Bearer {key.text}"}
        else:
            started = await firm.box.sessions.start(firm.owner.id, "password", False, None, "test")
            headers = {"authorization": f"Bearer {started.token}"}
        answer = await browser.post("/api/v1/auth/oidc/link", {}, **headers)
        assert answer.status_code == 403, answer.text


async def test_a_state_is_used_once_and_a_code_once(firm: Office, provider: str) -> None:
    browser = browser_of(firm, lawyers(provider))
    back = await browser.sign_in("0815")
    kept = dict(browser.cookies)
    assert (await browser.get(back)).status_code == 200
    browser.cookies = kept
    await refused(await browser.get(back), "was not begun here")
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    url = await browser.to_directory()
    state = dict(parse_qsl(urlsplit(url).query))["state"]
    await refused(await browser.get(f"{CALLBACK}?code={code}&state={state}"), "did not take its own code")


async def test_nobody_is_signed_in_as_somebody_elses_attempt(firm: Office, provider: str) -> None:
    """Sign-in by forgery: the attacker's code and state in the victim's browser."""
    attacker, victim = browser_of(firm, lawyers(provider)), browser_of(firm, lawyers(provider))
    back = await attacker.sign_in("0815")
    await refused(await victim.get(back), "was not begun here")
    await victim.to_directory()
    back = await attacker.sign_in("0815")
    await refused(await victim.get(back), "was not begun here")


async def test_an_answer_nobody_asked_for_is_refused(firm: Office, provider: str) -> None:
    for query in [
        "",
        "state=x",
        "code=x",
        "state=x&code=y",
        "error=access_denied",
        "state=%00&code=1",
        "state=" + "x" * 3000,
    ]:
        answer = await browser_of(firm, lawyers(provider)).get(f"{CALLBACK}?{query}")
        assert answer.status_code in (400, 403) and SESSION_COOKIE not in answer.headers.get("set-cookie", "")


async def test_a_person_who_declines_is_told_so_and_an_answer_of_another_issuer_refused(
    firm: Office, provider: str
) -> None:
    for query, words in (
        ("error=access_denied", "declined"),
        ("code=x&iss=https%3A%2F%2Fevil.example", "not of the firm"),
    ):
        browser = browser_of(firm, lawyers(provider))
        state = dict(parse_qsl(urlsplit(await browser.to_directory()).query))["state"]
        await refused(await browser.get(f"{CALLBACK}?state={state}&{query}"), words)


async def test_the_way_back_stays_on_this_box(firm: Office, provider: str) -> None:
    for path in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", '/"><script>', ""]:
        answer = await browser_of(firm, lawyers(provider)).client.get(START, params={"return_to": path})
        assert answer.status_code == 400, answer.text


async def test_an_attempt_takes_ten_minutes_at_most_and_there_are_not_endlessly_many(
    firm: Office, provider: str
) -> None:
    box, browser = firm.box, browser_of(firm, lawyers(provider))
    back = await browser.sign_in("0815")
    await box.database.execute("UPDATE oidc_attempt SET expires = {}", firm.case.created)
    await refused(await browser.get(back), "took too long")
    oidc = Oidc(box.database, box.accounts, box.outside_identities, box.outside, lawyers(provider))
    rows = [
        (bytes([1]) + number.to_bytes(31), bytes(32), "n", "v", "/", None, firm.case.created.replace(year=2999))
        for number in range(MAX_ATTEMPTS)
    ]
    await box.database.insert_many(
        "oidc_attempt", ("state", "browser", "nonce", "verifier", "return_to", "account", "expires"), rows
    )
    await oidc.start(f"{BASE}{CALLBACK}", "/")
    (count,) = await box.database.fetch("SELECT count(*) AS many FROM oidc_attempt")
    assert count["many"] <= MAX_ATTEMPTS


async def test_without_a_directory_there_is_none_and_one_that_is_away_is_said_to_be(firm: Office) -> None:
    assert (await browser_of(firm, None).get(START)).status_code == 404
    away = await browser_of(firm, OidcSettings("http://127.0.0.1:9", "deedbox")).get(START)
    assert away.status_code == 503 and "directory does not answer" in away.text


async def test_programs_get_a_problem_document(firm: Office, provider: str) -> None:
    answer = await browser_of(firm, lawyers(provider)).get(f"{CALLBACK}?state=x&code=y", accept="application/json")
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:deedbox:problem:directory-refused")


async def test_strangers_come_so_often_and_no_more(firm: Office, provider: str) -> None:
    limits = RateLimits(Limits(), clock=lambda: 0.0)
    for _ in range(60):
        limits.take_stranger("192.0.2.1")
    answer = await browser_of(firm, lawyers(provider), rate_limits=limits).get(START)
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1


@dataclass
class Directory:
    """A directory that says whatever a test wants it to."""

    issuer: Issuer
    claims: dict[str, Any]
    header: dict[str, Any]
    discovery: dict[str, Any]
    token: str | None = None

    async def ask(self, method: str, url: str, content: bytes | None = None, *_: Any, **__: Any) -> Any:
        if url.endswith("openid-configuration"):
            return self._told(self.discovery)
        if url.endswith("/keys"):
            return self._told({"keys": [key.as_dict(private=False) for key in self.issuer.listed]})
        return self._told({"id_token": self.token or self.issuer.token(self.header, **self.claims)})

    def _told(self, value: Any) -> Any:
        return _Told(200, json.dumps(value).encode())


@dataclass(frozen=True)
class _Told:
    status: int
    content: bytes


ISSUER = "https://directory.example"
DISCOVERY = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}


def directory(firm: Office, key: RSAKey | None = None, **claims: Any) -> Directory:
    issuer = Issuer(firm.box.accounts._clock(), key or rsa_key("one"))
    issuer.listed = [rsa_key("one")]
    given = {"iss": ISSUER, "aud": "deedbox", "name": "Ada", "groups": ["Lawyers"]} | claims
    return Directory(issuer, given, {"kid": "one"}, dict(DISCOVERY))


async def come_back(firm: Office, told: Directory, *, nonce: bool = True) -> httpx.Response:
    browser = browser_of(firm, lawyers(ISSUER), told)
    query = dict(parse_qsl(urlsplit(await browser.to_directory()).query))
    if nonce:
        told.claims.setdefault("nonce", query["nonce"])
    return await browser.get(f"{CALLBACK}?code=c&state={query['state']}")


async def test_the_directorys_own_word_is_believed(firm: Office) -> None:
    assert (await come_back(firm, directory(firm))).status_code == 200


async def test_what_was_said_to_others_or_at_other_times_is_not(firm: Office) -> None:
    for claims in [
        {"aud": "other"},
        {"aud": ["deedbox", "other"]},
        {"aud": ["deedbox", "other"], "azp": "other"},
        {"azp": "other"},
        {"iss": "https://evil.example"},
        {"nonce": "of another attempt"},
        {"nonce": 7},
        {"exp": 1},
        {"iat": 10**11},
        {"sub": None},
    ]:
        await refused(await come_back(firm, directory(firm, **claims)), "cannot be believed")


async def test_nor_what_others_signed_or_nobody(firm: Office) -> None:
    await refused(await come_back(firm, directory(firm, rsa_key("evil"))), "cannot be believed")
    await refused(await come_back(firm, directory(firm), nonce=False), "cannot be believed")
    told = directory(firm)
    told.token = "eyJhbGciOiJub25lIn0.e30."
    await refused(await come_back(firm, told), "cannot be believed")


async def test_a_directory_that_says_of_itself_what_was_not_set_is_not_asked(
    firm: Office,
) -> None:
    for wrong in [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": None},
    ]:
        told = directory(firm)
        told.discovery |= wrong
        assert (await browser_of(firm, lawyers(ISSUER), told).get(START)).status_code == 503
