"""Whatever changes something leaves an entry: which, by operation; and changes of the box as a whole leave theirs."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler

from deedbox_server.app.listeners import device_app, people_app
from deedbox_server.web.operations import OPERATION
from deedbox_sync import audit_record
from deedbox_sync.audit_record import AuditRecord
from kit.open_box import Office

pytestmark = pytest.mark.anyio

AUDIT, CUSTODY, VIEW = "audit.changed", "exhibit.…", "audit.viewed"

# What calls that are no GET leave in the log, by the operation that their route names.
ENTRIES: dict[str, str] = {
    "account.manage": AUDIT,
    "account.security": AUDIT,
    "account.self": AUDIT,
    "artifact.write": AUDIT,
    "audit.read": AUDIT,  # that a report was made
    "case.audit": AUDIT,
    "case.create": AUDIT,
    "case.export": AUDIT,
    "case.grant": AUDIT,
    "case.list": VIEW,
    "case.read": VIEW,
    "case.write": AUDIT,
    "conflict.check": AUDIT,
    "conflict.settle": AUDIT,
    "device.pair": AUDIT,
    "device.revoke": "device.revoked",
    "disposal.approve": AUDIT,
    "disposal.ask": AUDIT,
    "event.write": AUDIT,
    "evidence.download": AUDIT,  # that an address was made for it
    "evidence.export": CUSTODY,
    "evidence.find": VIEW,
    "evidence.read": VIEW,
    "evidence.refile": CUSTODY,
    "evidence.send": CUSTODY,
    "evidence.verify": VIEW,
    "glass.approve": AUDIT,
    "glass.ask": AUDIT,
    "hold.lift": AUDIT,
    "hold.place": AUDIT,
    "identifier.issuers": AUDIT,
    "identifier.mint": "id.minted",
    "identifier.reconcile": "id.reconciled",
    "item.write": AUDIT,
    "key.manage": AUDIT,
    "log.read": "none: a desk shows the checkpoint that it has",
    "paper.make": "paper.made",
    "party.write": AUDIT,
    "person.erase": AUDIT,
    "person.export": AUDIT,
    "retention.manage": AUDIT,
    "search": VIEW,
    "time.stamp": AUDIT,
    "wall.manage": AUDIT,
    "witness.manage": AUDIT,
}


@pytest.fixture
async def admin(desk_and_box: Office) -> AsyncIterator[httpx.AsyncClient]:
    box = desk_and_box.box
    _, key = await box.api_keys.create(desk_and_box.owner.id, "tests")
    transport = httpx.ASGITransport(people_app(box), client=("192.0.2.44", 50_000))
    headers = {"Authorization": f"Bearer {key.text}"}
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test", headers=headers) as client:
        yield client


async def last(office: Office) -> AuditRecord:
    (row,) = await office.box.database.fetch(
        "SELECT record FROM audit_record WHERE outcome = 'changed' ORDER BY id DESC LIMIT 1"
    )
    return audit_record.parse(row["record"])


def calls_that_change(app: Any) -> set[tuple[str, str]]:
    """Operation and address of each call that is no GET."""
    found = set()
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and OPERATION in handler.opt:
                methods = set(handler.http_methods) - {"GET", "HEAD", "OPTIONS"}
                found |= {(handler.opt[OPERATION], f"{method} {route.path}") for method in methods}
    return found


async def test_of_every_call_that_changes_something_it_is_known_what_it_leaves(desk_and_box: Office) -> None:
    found = calls_that_change(people_app(desk_and_box.box)) | calls_that_change(device_app(desk_and_box.box))
    assert {(operation, call) for operation, call in found if operation not in ENTRIES} == set()


async def test_witnesses_are_changed_with_a_record(desk_and_box: Office, admin: httpx.AsyncClient) -> None:
    vkey = desk_and_box.box.witnessing.vkey
    made = await admin.post("/api/v1/witnesses", json={"vkey": vkey, "url": "https://w.test/witness/v1"})
    assert made.status_code == 201, made.text
    told = await last(desk_and_box)
    assert (told.operation, told.detail["what"], str(told.object)) == (
        "witness.manage",
        "witness asked",
        made.json()["id"],
    )
    assert told.address == "192.0.2.44"
    assert (await admin.delete(f"/api/v1/witnesses/{made.json()['id']}")).status_code == 204
    assert (await last(desk_and_box)).detail["what"] == "witness removed"


async def test_what_was_refused_left_no_change(desk_and_box: Office, admin: httpx.AsyncClient) -> None:
    before = await last(desk_and_box)
    assert (await admin.post("/api/v1/witnesses", json={"vkey": "x", "url": "y"})).status_code == 400
    assert (await admin.delete(f"/api/v1/witness/logs/{desk_and_box.case.id}")).status_code == 404
    assert await last(desk_and_box) == before


async def test_who_made_a_pairing_code_is_told(desk_and_box: Office, admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/api/v1/pairing/codes", json={})
    assert answer.status_code == 201, answer.text
    told = await last(desk_and_box)
    assert (told.operation, told.object) == ("device.pair", desk_and_box.owner.id)
    assert answer.json()["code"] not in str(told.detail)


async def test_who_registered_and_revoked_an_issuer_is_told(desk_and_box: Office, admin: httpx.AsyncClient) -> None:
    key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"  # RFC 8032 7.1, test 1
    body = {"key": key, "namespace": f"fallback/{desk_and_box.case.id}", "name": "Spare"}
    answer = await admin.post("/api/v1/identifier-issuers", json=body)
    assert answer.status_code == 201, answer.text
    assert (await last(desk_and_box)).detail["what"] == "registered"
    assert (await admin.delete(f"/api/v1/identifier-issuers/{key}")).status_code == 204
    assert (await last(desk_and_box)).detail["what"] == "revoked"
