"""Every operation that the five source documents name (documents_operations.txt) is called on a real box, at its own path.

What a later version will do answers 501 and says which capability is meant, to who is signed in only; all else does what it says.
server/API.md maps each of them.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import httpx
import pyotp
import pytest

import deedbox_server
from deedbox_fallback.web import Service, fallback_app
from deedbox_server.app.listeners import people_app
from deedbox_server.people.invitations import NewInvitation
from deedbox_server.web.not_yet import CAPABILITIES
from kit.http_person import CONTENT
from kit.open_box import Office
from kit.open_box import office as open_office
from kit.signed_caller import SignedCaller, signed_caller

pytestmark = pytest.mark.anyio

NAMED = Path(__file__).with_name("documents_operations.txt").read_text().split("\n")[:-1]
FALLBACK = {"GET /api/v2/fallback/status", "POST /api/v2/fallback/request"}  # of a program of its own: deedbox-fallback
PASSWORD = "correct horse battery staple"


def bare(operation: str) -> str:
    """A path without the names of its places, since they are ours to choose, and without a slash at its end."""
    method, path = operation.split(" ")
    return f"{method} {re.sub(r'{[^}]*}', '{}', path).rstrip('/') or '/'}"


LATER = {bare(call): capability for capability, calls in CAPABILITIES.items() for call in calls}
NOW = [name for name in NAMED if bare(name) not in LATER and name not in FALLBACK]


@dataclass
class Desk:
    """The owner with a key, over HTTP, in an office with an exhibit."""

    office: Office
    client: httpx.AsyncClient
    key: str
    exhibit: str
    signed: SignedCaller

    @property
    def case(self) -> str:
        return str(self.office.case.id)

    async def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        return await self.client.request(method, path, headers={"Authorization": f"Bearer {self.key}"}, **given)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_office(tmp_path) as office:
        box = office.box
        await box.intake.batch(office.desk.sender(office.owner.id), [office.desk.item("plan.pdf", CONTENT)], wait=0)
        await office.settle()
        (found,) = await box.exhibits.page(office.principal)
        _, key = await box.api_keys.create(office.owner.id, "tests")
        transport = httpx.ASGITransport(people_app(box))
        async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
            yield Desk(office, client, key.text, str(found.id), await signed_caller(office, client))


def test_the_list_names_nothing_twice_and_each_is_now_or_later() -> None:
    assert len(NAMED) == len(set(NAMED)) == 110
    assert LATER.keys() <= {bare(name) for name in NAMED}, "nothing is promised that no document names"
    assert len(LATER) == sum(len(calls) for calls in CAPABILITIES.values())
    assert len(NOW) + len(LATER) + len(FALLBACK) == len(NAMED)


def test_the_map_of_calls_has_a_line_for_each() -> None:
    text = (Path(deedbox_server.__file__).parents[1] / "API.md").read_text()
    missing = [name for name in NAMED if f"`{name}`" not in text]
    assert missing == []


def test_the_fallback_service_answers_its_two() -> None:
    app = fallback_app(cast(Service, None))
    found = {f"{method} {route.path}" for route in app.routes for method in getattr(route, "methods", ())}
    assert found >= FALLBACK


async def test_what_comes_later_says_so_to_who_is_signed_in(desk: Desk) -> None:
    for name in NAMED:
        if (capability := LATER.get(bare(name))) is None:
            continue
        method, path = name.split(" ")
        place = re.sub(r"{document_id}|{case_id}", desk.case, path)
        place = re.sub(r"{[^}]*}", "x", place)
        answer = await desk.ask(method, place, json={} if method in ("POST", "PUT") else None)
        assert answer.status_code == 501, (name, answer.text)
        told = answer.json()
        assert (told["type"], told["capability"]) == ("urn:deedbox:problem:not-yet", capability)
        assert (await desk.client.request(method, place)).status_code == 401, name


async def test_every_operation_of_now_is_answered(desk: Desk) -> None:
    asked = Asked(desk)
    for name in NOW:
        answer = await asked.all[name]()
        assert answer.status_code in (200, 201, 204), (name, answer.status_code, answer.text)
    assert asked.all.keys() == set(NOW)


class Asked:
    """How each operation is asked for, with the documents' own words where they state them."""

    def __init__(self, desk: Desk) -> None:
        case, exhibit, ask = desk.case, desk.exhibit, desk.ask
        evidence = f"/api/v1/evidence/{exhibit}"
        form = {"files": {"file": ("note.txt", b"seen at the gate", "text/plain")}, "data": {"case": case}}
        event = {"kind": "meeting", "title": "At the gate", "starts": "2026-03-01T12:00:00Z"}
        account = str(desk.office.owner.id)
        self.desk = desk
        self.login: dict[str, str] | None = None
        self.all = {
            "GET /": lambda: ask("GET", "/"),
            "GET /health/": lambda: ask("GET", "/health/"),
            "GET /health/live/": lambda: ask("GET", "/health/live/"),
            "GET /health/ready/": lambda: ask("GET", "/health/ready/"),
            "GET /metrics/": lambda: ask("GET", "/metrics/"),
            "GET /api/cases": lambda: ask("GET", "/api/cases"),
            "GET /api/cases/{case_id}": lambda: ask("GET", f"/api/cases/{case}"),
            "GET /api/v1/cases/{case_id}": lambda: ask("GET", f"/api/v1/cases/{case}"),
            "POST /api/cases": lambda: ask(
                "POST",
                "/api/cases",
                json={
                    "client_name": "Ada Client",
                    "client_email": "ada@client.example",
                    "client_phone": "+1 312 555 0100",
                },
            ),
            "POST /api/cases/search": lambda: ask("POST", "/api/cases/search", json={"query": "Muller"}),
            "POST /api/v1/cases/create": lambda: ask("POST", "/api/v1/cases/create", json={"title": "A v. B"}),
            "POST /api/v1/cases/{case_id}/artifacts": self.add_artifact,
            "GET /api/v1/cases/{case_id}/artifacts/{artifact_id}": self.look_at_artifact,
            "POST /api/v1/cases/{case_id}/parties/add": lambda: ask(
                "POST", f"/api/v1/cases/{case}/parties/add", json={"kind": "client", "name": "Ada Client"}
            ),
            "POST /api/v1/cases/{case_id}/events/add": lambda: ask(
                "POST", f"/api/v1/cases/{case}/events/add", json=event
            ),
            "POST /api/v1/timeline/add-event": lambda: ask(
                "POST", "/api/v1/timeline/add-event", json={**event, "case_id": case}
            ),
            "GET /api/v1/cases/{case_id}/timeline": lambda: ask("GET", f"/api/v1/cases/{case}/timeline"),
            "GET /api/v1/evidence/{evidence_id}": lambda: ask("GET", evidence),
            "GET /api/v1/evidence/{evidence_id}/chain-of-custody": lambda: ask("GET", f"{evidence}/chain-of-custody"),
            "POST /api/v1/evidence/{evidence_id}/verify": lambda: ask("POST", f"{evidence}/verify"),
            "POST /api/v1/evidence/{evidence_id}/hash-verify": lambda: ask(
                "POST", f"{evidence}/hash-verify", json={"digest": sha256(CONTENT).hexdigest()}
            ),
            "POST /api/v1/evidence/upload": lambda: ask("POST", "/api/v1/evidence/upload", **form),
            "POST /evidence": lambda: ask("POST", "/evidence", **form),
            "POST /documents/": lambda: ask("POST", "/documents/", **form),
            "GET /documents/": lambda: ask("GET", "/documents/"),
            "GET /documents/{document_id}": lambda: ask("GET", f"/documents/{exhibit}"),
            "GET /api/v1/documents/{doc_id}/metadata": lambda: ask("GET", f"/api/v1/documents/{exhibit}/metadata"),
            "GET /api/v1/auth/permissions/{case_id}": lambda: ask("GET", f"/api/v1/auth/permissions/{case}"),
            "POST /api/v1/auth/grant-access": lambda: ask(
                "POST",
                "/api/v1/auth/grant-access",
                json={"case_id": case, "account_id": account, "role": "attorney"},
            ),
            "POST /api/v1/auth/register": lambda: self.register("/api/v1/auth/register", "first"),
            "POST /api/register": lambda: self.register("/api/register", "second"),
            "POST /api/v1/auth/login": self.log_in,
            "POST /api/v1/auth/verify-2fa": self.verify_second_factor,
            "POST /api/v2/chittyid/mint": self.mint,
            "GET /api/v2/chittyid/verify/{id}": self.verify_identifier,
            "POST /api/v2/chittyid/reconcile": self.reconcile,
        }

    async def add_artifact(self) -> httpx.Response:
        body = {"kind": "note", "title": "Telephone note", "body": "Said to be at the gate."}
        return await self.desk.ask("POST", f"/api/v1/cases/{self.desk.case}/artifacts", json=body)

    async def look_at_artifact(self) -> httpx.Response:
        made = (await self.add_artifact()).json()
        return await self.desk.ask("GET", f"/api/v1/cases/{self.desk.case}/artifacts/{made['id']}")

    async def register(self, path: str, name: str) -> httpx.Response:
        box = self.desk.office.box
        wanted = NewInvitation(name.title(), "paralegal")
        _, token = await box.invitations.invite(replace(self.desk.office.principal, strong=True), wanted)
        body = {"token": token.text, "sign_in": f"{name}@firm.example", "password": PASSWORD, "keep": "token"}
        return await self.desk.client.post(path, json=body)

    async def log_in(self) -> httpx.Response:
        if self.login is None:
            await self.register("/api/register", "third")
            self.login = {"name": "third@firm.example", "password": PASSWORD, "keep": "token"}
        return await self.desk.client.post("/api/v1/auth/login", json=self.login)

    async def verify_second_factor(self) -> httpx.Response:
        """By a recovery code, in a session that began with a password."""
        begun = (await self.log_in()).json()["token"]
        ask, factors = self.desk.client.post, "/api/v1/auth/factors"
        bearer = {"Authorization": f"Bearer {begun}"}
        secret = (await ask(f"{factors}/totp", headers=bearer)).json()["secret"]
        confirmed = await ask(f"{factors}/totp/confirm", json={"code": pyotp.TOTP(secret).now()}, headers=bearer)
        whole = {"Authorization": f"Bearer {confirmed.json()['token']}"}
        codes = (await ask(f"{factors}/recovery", headers=whole)).json()["codes"]
        again = (await ask("/api/v1/auth/login", json=self.login)).json()["token"]
        proof = {"method": "recovery", "code": codes[0]}
        return await ask("/api/v1/auth/verify-2fa", json=proof, headers={"Authorization": f"Bearer {again}"})

    async def mint(self) -> httpx.Response:
        item = {"content": sha256(CONTENT).hexdigest()}
        answer: httpx.Response = await self.desk.signed.post("/api/v2/chittyid/mint", {"items": [item]})
        return answer

    async def verify_identifier(self) -> httpx.Response:
        (record,) = (await self.mint()).json()["records"]
        answer: httpx.Response = await self.desk.signed.get(f"/api/v2/chittyid/verify/{record['id']}")
        return answer

    async def reconcile(self) -> httpx.Response:
        (record,) = (await self.mint()).json()["records"]
        body = {"records": [record], "issuer_note": None}
        answer: httpx.Response = await self.desk.signed.post("/api/v2/chittyid/reconcile", body)
        return answer
