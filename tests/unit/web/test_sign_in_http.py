"""Signing in over HTTP: cookies, bearer tokens, other sites' pages, and what a request cannot say of itself."""

from __future__ import annotations

from base64 import b32decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from deedbox_server.app.listeners import people_app
from deedbox_server.people.invitations import NewInvitation
from deedbox_server.people.principal import SYSTEM
from deedbox_server.people.totp import SECONDS, code_at
from kit.authenticator import Authenticator
from kit.open_box import Office, office
from people_box import PASSWORD

BASE = "https://box.test"
COOKIE, BROWSER = "__Host-deedbox", "__Host-deedbox-browser"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


_networks = count(1)


@dataclass
class Site:
    """One office for all; each test has a person, and each browser a network, of its own."""

    office: Office
    app: Any
    number: int = 0

    @property
    def title(self) -> str:
        return f"Greta Guest {self.number}"

    @property
    def name(self) -> str:
        return f"greta{self.number}"

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A browser (or a program) of its own."""
        network = next(_networks)
        transport = httpx.ASGITransport(self.app, client=(f"10.{network // 256}.{network % 256}.7", 1))
        return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)

    def browser(self) -> httpx.AsyncClient:
        return self.client(**OWN_PAGE, **{"User-Agent": "Firefox"})

    async def invited(self) -> str:
        return (await self.office.box.invitations.invite(SYSTEM, NewInvitation(self.title, "paralegal")))[1].text


@pytest.fixture(scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with office(tmp_path_factory.mktemp("office"), people_names=("box.test",)) as made:
        yield Site(made, people_app(made.box))


@pytest.fixture
def site(opened: Site) -> Site:
    opened.number += 1
    return opened


async def register(site: Site, browser: httpx.AsyncClient, **more: str) -> httpx.Response:
    body = {"token": await site.invited(), "sign_in": site.name, "password": PASSWORD} | more
    return await browser.post("/api/v1/auth/register", json=body)


async def with_passkey(browser: httpx.AsyncClient) -> Authenticator:
    """In a session that may set one up."""
    authenticator = Authenticator(origin=BASE, rp="box.test")
    offered = (await browser.post("/api/v1/auth/factors/passkeys/options")).json()
    made = authenticator.create(offered["options"])
    body = {"ceremony": offered["ceremony"], "name": "Key", "credential": made}
    added = await browser.post("/api/v1/auth/factors/passkeys", json=body)
    assert added.status_code == 201, added.text
    assert added.json()["session"]["state"] == "signed-in"
    return authenticator


async def state(client: httpx.AsyncClient, **headers: str) -> int:
    return (await client.get("/api/v1/me", headers=headers)).status_code


async def login(client: httpx.AsyncClient, name: str) -> httpx.Response:
    return await client.post("/api/v1/auth/login", json={"name": name, "password": PASSWORD})


async def test_from_an_invitation_to_a_whole_session_in_a_browser(site: Site) -> None:
    async with site.browser() as browser:
        token = await site.invited()
        seen = (await browser.post("/api/v1/auth/invitation", json={"token": token})).json()
        assert (seen["name"], seen["role"], seen["kind"]) == (site.title, "paralegal", "invitation")
        body = {"token": token, "sign_in": site.name, "password": PASSWORD}
        registered = await browser.post("/api/v1/auth/register", json=body)
        assert (registered.status_code, registered.json()["state"]) == (201, "set-up")
        assert registered.json()["token"] is None
        assert await state(browser) == 403  # half a session
        made = (await browser.post("/api/v1/auth/factors/totp")).json()
        assert made["uri"].startswith(f"otpauth://totp/Deedbox:{site.name}?secret=")
        assert made["qr"].startswith("<svg")
        code = code_at(b32decode(made["secret"]), int(datetime.now(UTC).timestamp()) // SECONDS)
        confirmed = await browser.post("/api/v1/auth/factors/totp/confirm", json={"code": code})
        assert (confirmed.status_code, confirmed.json()["state"]) == (200, "signed-in")
        assert await state(browser) == 200
        codes = (await browser.post("/api/v1/auth/factors/recovery")).json()["codes"]
        assert len(codes) == 10

    async with site.browser() as later:
        assert (await login(later, site.name)).json()["state"] == "second-factor"
        proof = {"method": "recovery", "code": codes[0]}
        shown = await later.post("/api/v1/auth/verify-2fa", json=proof)
        assert (shown.json()["state"], shown.json()["methods"]) == ("signed-in", ["totp", "recovery"])
        assert (await later.post("/api/v1/auth/verify-2fa", json=proof)).status_code == 403


async def test_a_passkey_alone_signs_in(site: Site) -> None:
    async with site.browser() as browser:
        await register(site, browser)
        authenticator = await with_passkey(browser)
    async with site.browser() as browser:
        asked = (await browser.post("/api/v1/auth/passkey/options")).json()
        body = {"ceremony": asked["ceremony"], "credential": authenticator.get(asked["options"])}
        assert (await browser.post("/api/v1/auth/passkey", json=body)).json()["state"] == "signed-in"
        assert await state(browser) == 200
        asked = (await browser.post("/api/v1/auth/step-up/options")).json()
        answer = authenticator.get(asked["options"])
        body = {"method": "passkey", "ceremony": asked["ceremony"], "credential": answer}
        assert (await browser.post("/api/v1/auth/step-up", json=body)).status_code == 200


async def test_the_cookie_is_for_this_host_over_tls_and_for_no_script(site: Site) -> None:
    async with site.browser() as browser:
        answer = await register(site, browser)
        (cookie,) = answer.headers.get_list("set-cookie")
        name, *rest = cookie.split("; ")
        assert name.startswith(f"{COOKIE}=dbs_")
        assert {one.lower() for one in rest} == {"path=/", "secure", "httponly", "samesite=strict"}
        assert answer.headers["cache-control"] == "no-store"
        await with_passkey(browser)
        assert browser.cookies[BROWSER].startswith("dbb_")


async def test_a_program_takes_its_token_from_the_answer_and_no_cookie_is_set(site: Site) -> None:
    async with site.client() as program:
        answer = await register(site, program, keep="token")
        token = answer.json()["token"]
        assert token.startswith("dbs_")
        assert "set-cookie" not in answer.headers
        bearer = {"Authorization": f"Bearer {token}"}
        assert await state(program, **bearer) == 403
        assert (await program.get("/api/v1/auth/session", headers=bearer)).json()["state"] == "set-up"


async def test_half_a_session_may_do_nothing_but_become_whole(site: Site) -> None:
    """Every route of the people's listener that asks who calls, but the ones that say `before_second_factor`."""
    async with site.browser() as browser:
        await register(site, browser)
        for path in ("me", "cases", "accounts", "auth/sessions", "keys", "devices", "evidence/", "auth/invitations"):
            answer = await browser.get(f"/api/v1/{path}")
            assert answer.status_code == 403, path
            assert answer.json()["type"] == "urn:deedbox:problem:second-factor-needed", path
        key = await browser.post("/api/v1/keys", json={"name": "mine"})
        assert key.status_code == 403  # else a key would be the way round the second factor
        assert (await browser.post("/api/v1/auth/password", json={"old": PASSWORD, "new": "x" * 20})).status_code == 403


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": BASE},
    {"Sec-Fetch-Site": ""},
    {"Origin": "https://evil.example"},
    {"Origin": "https://box.test.evil.example"},
    {"Origin": "http://box.test"},
    {"Origin": "https://box.test:8443"},
    {"Origin": "null"},
    {},
]


@pytest.fixture
async def whole(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which somebody is signed in, without headers of its own."""
    async with site.browser() as browser:
        await register(site, browser)
        await with_passkey(browser)
        del browser.headers["sec-fetch-site"]
        yield browser


async def test_another_sites_page_changes_nothing_with_the_cookie(site: Site, whole: httpx.AsyncClient) -> None:
    for headers in FOREIGN:
        for method, path in (("POST", "factors/recovery"), ("DELETE", "session"), ("DELETE", "sessions")):
            answer = await whole.request(method, f"/api/v1/auth/{path}", headers=headers)
            assert answer.status_code == 403, headers
    for headers in (OWN_PAGE, {"Origin": BASE}):
        assert (await whole.post("/api/v1/auth/factors/recovery", headers=headers)).status_code == 201, headers


async def test_nor_reads_with_it(whole: httpx.AsyncClient) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
        assert await state(whole, **{"Sec-Fetch-Site": site}) == status


async def test_a_bearer_token_is_never_sent_by_a_browser_of_itself_and_needs_no_such_proof(site: Site) -> None:
    async with site.client() as program:
        token = (await register(site, program, keep="token")).json()["token"]
        bearer = {"Authorization": f"Bearer {token}", "Sec-Fetch-Site": "cross-site"}
        assert (await program.delete("/api/v1/auth/session", headers=bearer)).status_code == 204


async def test_another_sites_page_signs_nobody_in(site: Site) -> None:
    """Login CSRF: else a victim would work in the attacker's account."""
    async with site.browser() as browser:
        await register(site, browser)
    foreign = [headers for headers in FOREIGN if headers and headers != {"Sec-Fetch-Site": "none"}]
    for headers in foreign:
        async with site.client(**headers) as browser:
            for path, body in (
                ("login", {"name": site.name, "password": PASSWORD}),
                ("register", {"token": "x", "sign_in": "x", "password": "x"}),
                ("passkey/options", None),
                ("reset-password", {"token": "x", "password": "x"}),
            ):
                answer = await browser.post(f"/api/v1/auth/{path}", json=body)
                assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None), (headers, path)


async def test_a_form_of_another_site_cannot_speak_json(site: Site) -> None:
    async with site.client() as browser:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            content = b'{"name": "greta", "password": "x", "keep": "cookie"}'
            answer = await browser.post("/api/v1/auth/login", content=content, headers={"Content-Type": kind})
            assert 400 <= answer.status_code < 500
            assert answer.status_code != 401


async def test_a_planted_cookie_is_not_the_one_that_opens(site: Site) -> None:
    """Session fixation: whoever signs in gets a token that nobody has seen, and the planted session ends."""
    async with site.browser() as attacker:
        await register(site, attacker)
        authenticator = await with_passkey(attacker)
        planted = attacker.cookies[COOKIE]
    async with site.browser() as victim:
        victim.cookies.set(COOKIE, planted)
        answer = await login(victim, site.name)
        token = answer.headers.get_list("set-cookie")[0].split("=", 1)[1].split(";")[0]
        assert token != planted
        victim.cookies = httpx.Cookies({COOKIE: token})
        asked = (await victim.post("/api/v1/auth/step-up/options")).json()
        body = {"method": "passkey", "ceremony": asked["ceremony"], "credential": authenticator.get(asked["options"])}
        shown = await victim.post("/api/v1/auth/verify-2fa", json=body)
        whole = shown.headers.get_list("set-cookie")[0].split("=", 1)[1].split(";")[0]
    async with site.client(**OWN_PAGE) as attacker:
        for text, status in ((planted, 401), (token, 401), (whole, 200)):
            assert await state(attacker, Cookie=f"{COOKIE}={text}") == status


async def test_a_token_after_signing_out_opens_nothing(site: Site, whole: httpx.AsyncClient) -> None:
    token = whole.cookies[COOKIE]
    out = await whole.delete("/api/v1/auth/session", headers=OWN_PAGE)
    assert out.status_code == 204
    assert "max-age=0" in out.headers["set-cookie"].lower()
    async with site.client(**OWN_PAGE) as thief:
        assert await state(thief, Cookie=f"{COOKIE}={token}") == 401
        assert await state(thief, Authorization=f"Bearer {token}") == 401


async def test_sessions_are_listed_and_ended_one_and_all(site: Site, whole: httpx.AsyncClient) -> None:
    whole.headers.update(OWN_PAGE)
    account = (await whole.get("/api/v1/auth/session")).json()["account"]["id"]
    others = [
        await site.office.box.sessions.start(UUID(account), "passkey", True, "192.0.2.9", "Phone") for _ in range(3)
    ]
    items = (await whole.get("/api/v1/auth/sessions")).json()["items"]
    assert [one["current"] for one in items].count(True) == 1
    assert {(one["agent"], one["address"]) for one in items if not one["current"]} == {("Phone", "192.0.2.9")}
    one = others[0]
    assert (await whole.delete(f"/api/v1/auth/sessions/{one.session.id}")).status_code == 204
    assert (await whole.delete(f"/api/v1/auth/sessions/{one.session.id}")).status_code == 404
    async with site.client() as phone:
        assert await state(phone, Authorization=f"Bearer {one.token}") == 401
        assert await state(phone, Authorization=f"Bearer {others[1].token}") == 200
        assert (await whole.delete("/api/v1/auth/sessions?others=true")).status_code == 204
        assert await state(phone, Authorization=f"Bearer {others[1].token}") == 401
        assert await state(whole) == 200
        assert (await whole.delete("/api/v1/auth/sessions")).status_code == 204
        assert await state(whole) == 401


async def test_a_token_in_the_address_is_none(site: Site, whole: httpx.AsyncClient) -> None:
    token = whole.cookies[COOKIE]
    async with site.client(**OWN_PAGE) as thief:
        for name in ("token", "access_token", COOKIE, "session"):
            assert (await thief.get("/api/v1/me", params={name: token})).status_code in (400, 401)
            assert await state(thief, Cookie=f"{name.replace('__Host-', '')}={token}") == 401


async def test_an_account_is_what_its_invitation_says_whatever_the_body_says(site: Site) -> None:
    async with site.browser() as browser:
        for extra in ({"role": "administrator"}, {"cases": []}, {"duties": ["conflicts-officer"]}, {"id": "x"}):
            token = await site.invited()
            body = {"token": token, "sign_in": site.name, "password": PASSWORD} | extra
            assert (await browser.post("/api/v1/auth/register", json=body)).status_code == 400
            assert await site.office.box.invitations.look(token)  # and the link is still good


async def test_a_refused_sign_in_says_nothing_but_that(site: Site) -> None:
    async with site.browser() as browser:
        await register(site, browser)
        answers = []
        for name in (site.name, "nobody"):
            body = {"name": name, "password": "not the password"}
            answer = await browser.post("/api/v1/auth/login", json=body)
            answers.append((answer.status_code, answer.content, sorted(answer.headers)))
        assert answers[0] == answers[1]
        assert answers[0][0] == 401


async def test_a_wait_is_told_with_retry_after(site: Site) -> None:
    async with site.browser() as browser:
        for _ in range(5):
            await login(browser, "nobody")
        answer = await login(browser, "nobody")
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 30


async def test_an_api_key_touches_no_factor_session_or_password(site: Site) -> None:
    _, key = await site.office.box.api_keys.create(site.office.owner.id, "tests")
    async with site.client(Authorization=f"Bearer {key.text}") as program:
        for method, path, body in (
            ("GET", "session", None),
            ("GET", "sessions", None),
            ("GET", "factors", None),
            ("POST", "factors/totp", None),
            ("POST", "factors/passkeys/options", None),
            ("POST", "factors/recovery", None),
            ("POST", "step-up", {"method": "totp", "code": "000000"}),
            ("POST", "password", {"old": "x", "new": "y"}),
        ):
            answer = await program.request(method, f"/api/v1/auth/{path}", json=body)
            assert answer.status_code == 403, path


async def test_an_administrator_invites_and_looks_after_accounts(site: Site) -> None:
    owner = await site.office.box.sessions.start(site.office.owner.id, "passkey", True, None, "tests")
    async with site.client(Authorization=f"Bearer {owner.token}") as admin:
        body = {
            "name": site.title,
            "role": "paralegal",
            "cases": [{"case": str(site.office.case.id), "role": "auditor"}],
        }
        made = (await admin.post("/api/v1/auth/invitations", json=body)).json()
        assert made["link"] == f"{BASE}/account#invitation={made['token']}"
        assert made["invitation"]["state"] == "open"
        async with site.browser() as browser:
            body = {"token": made["token"], "sign_in": site.name, "password": PASSWORD}
            assert (await browser.post("/api/v1/auth/register", json=body)).status_code == 201
            page = (await admin.get("/api/v1/auth/invitations", params={"limit": 1})).json()
            assert [one["state"] for one in page["items"]] == ["used"]
            first = (await admin.get("/api/v1/accounts", params={"limit": 1})).json()
            rest = (await admin.get("/api/v1/accounts", params={"cursor": first["next"]})).json()
            (greta,) = [one for one in rest["items"] if one["name"] == site.title]
            path = f"/api/v1/accounts/{greta['id']}"
            looked = await admin.get(path)
            assert looked.headers["etag"] == '"v1"'
            assert (await admin.patch(path, json={"role": "attorney"})).status_code == 428
            changed = await admin.patch(path, json={"role": "attorney"}, headers={"If-Match": '"v1"'})
            assert (changed.json()["role"], changed.headers["etag"]) == ("attorney", '"v2"')
            stale = await admin.patch(path, json={"role": "auditor"}, headers={"If-Match": '"v1"'})
            assert stale.status_code == 412
            assert (await browser.get("/api/v1/auth/session")).json()["account"]["role"] == "attorney"
            assert (await admin.post(f"{path}/disable")).json()["disabled"] is True
            assert (await browser.get("/api/v1/auth/session")).status_code == 401
            assert (await admin.post(f"{path}/enable")).json()["disabled"] is False
            assert (await admin.post(f"{path}/reset-factors")).status_code == 204
            reset = (await admin.post(f"{path}/reset-password")).json()
            assert reset["link"].startswith(f"{BASE}/account#reset=dbi_")
            body = {"token": reset["token"], "password": "a quite new password"}
            assert (await browser.post("/api/v1/auth/reset-password", json=body)).status_code == 204
            assert (await login(browser, site.name)).status_code == 401
        owner_path = f"/api/v1/accounts/{site.office.owner.id}"
        assert (await admin.post(f"{owner_path}/disable")).status_code == 409


async def test_what_i_may_do_in_a_case_is_told_and_of_another_nothing(site: Site) -> None:
    owner = await site.office.box.sessions.start(site.office.owner.id, "passkey", True, None, "tests")
    path = f"/api/v1/auth/permissions/{site.office.case.id}"
    async with site.client(Authorization=f"Bearer {owner.token}") as admin:
        told = (await admin.get(path)).json()
        assert told["roles"] == ["administrator"]
        by_name = {one["operation"]: one for one in told["operations"]}
        assert by_name["hold.lift"]["strong"] is True
        assert "account.manage" not in by_name
    async with site.browser() as browser:
        await register(site, browser)
        await with_passkey(browser)
        assert (await browser.get(path)).status_code == 404


async def test_a_list_of_breached_passwords_is_asked(tmp_path: Path) -> None:
    from hashlib import sha1

    listed = tmp_path / "breached.txt"
    listed.write_text(f"{sha1(PASSWORD.encode()).hexdigest().upper()}:3\n")
    async with office(tmp_path, people_names=("box.test",), breached_passwords=listed) as made:
        site = Site(made, people_app(made.box))
        async with site.browser() as browser:
            refused = await register(site, browser)
            assert refused.status_code == 400
            assert "stolen" in refused.json()["detail"]


async def test_the_page_lets_nothing_run_but_its_own_files(site: Site) -> None:
    async with site.client() as browser:
        page = await browser.get("/account")
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert page.headers["content-type"].startswith("text/html")
        assert "<script>" not in page.text
        assert (await browser.get("/account/account.js")).headers["content-type"].startswith("text/javascript")
        for name in ("account.html", "none.js", "..%2faccount_page.py", "%2e%2e%2fauth.py"):
            assert (await browser.get(f"/account/{name}")).status_code in (400, 404), name
