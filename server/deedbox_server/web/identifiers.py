"""Identifiers over HTTP: mint, verify, reconcile; and who may mint (formats/identifier.md, Calls)."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest
from deedbox_server.notary.identifier_issuers import Issuer
from deedbox_server.notary.identifier_rows import array
from deedbox_server.notary.identifiers import Identifiers, Resolved, Wanted
from deedbox_server.notary.reconciling import Outcome, Reconciling
from deedbox_server.people.principal import Principal
from deedbox_server.people.rate_limits import RateLimits
from deedbox_server.trail import Trail
from deedbox_server.web.operations import operation
from deedbox_server.web.signed import as_identified, provide_signer
from deedbox_sync import identifier, timestamp
from deedbox_sync.binary_text import parse_base64, parse_hex
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.ecvrf import KEY_LENGTH
from deedbox_sync.identifier import CONTENT_LENGTH, MAX_BATCH, MAX_RECORD

_MAX_BODY: Final = MAX_BATCH * MAX_RECORD + (1 << 16)  # a full batch and the words around it

AnyRequest = Request[Any, Any, Any]


class ChittyIdController(Controller):
    path = "/api/v2/chittyid"
    # A call that is signed cannot be sent twice; minting has an idempotency of its own.
    dependencies = {"recognised": Provide(provide_signer), "principal": Provide(as_identified)}  # noqa: RUF012 - Litestar's
    request_max_body_size = _MAX_BODY

    @post("/mint", status_code=200, opt=operation("identifier.mint"))
    async def mint(
        self,
        request: AnyRequest,
        identifiers: NamedDependency[Identifiers],
        rate_limits: NamedDependency[RateLimits],
        principal: NamedDependency[Principal],
    ) -> Response[bytes]:
        """One or many; answered once they are durable."""
        keys = request.headers.getall("idempotency-key", [])
        if len(keys) > 1:
            raise BadRequest("a call has one idempotency key")
        rate_limits.take_identifiers(principal)
        wanted = _read_wanted(await request.body())
        records = await identifiers.mint(principal, wanted, keys[0] if keys else None)
        return Response(b'{"records":%s}' % array(records), media_type="application/json")

    @get("/verify/{text:str}", opt=operation("identifier.verify"))
    async def verify(
        self,
        text: FromPath[str],
        identifiers: NamedDependency[Identifiers],
        principal: NamedDependency[Principal],
    ) -> dict[str, object]:
        """What the box knows of an identifier: its record, its issuer, what it resolves to."""
        return _resolved(await identifiers.resolve(principal, text))

    @post("/reconcile", status_code=200, opt=operation("identifier.reconcile"))
    async def reconcile(
        self,
        request: AnyRequest,
        reconciling: NamedDependency[Reconciling],
        rate_limits: NamedDependency[RateLimits],
        principal: NamedDependency[Principal],
    ) -> dict[str, object]:
        """Identifiers that were minted by a desk or a fallback service get one of the box's, and resolve to it."""
        rate_limits.take_identifiers(principal)
        return await _reconcile(reconciling, principal, await request.body())


@post("/device/v1/reconcile", status_code=200, request_max_body_size=_MAX_BODY, opt=operation("identifier.reconcile"))
async def device_reconcile(
    request: AnyRequest,
    reconciling: NamedDependency[Reconciling],
    rate_limits: NamedDependency[RateLimits],
    principal: NamedDependency[Principal],
) -> dict[str, object]:
    """The same for a desk, whose certificate says who it is."""
    rate_limits.take_identifiers(principal)
    return await _reconcile(reconciling, principal, await request.body())


class NewIssuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fallback service: its public key in hex, its namespace, and what people call it."""

    key: str
    namespace: str
    name: str


class IssuerController(Controller):
    path = "/api/v1/identifier-issuers"

    @get("/", opt=operation("identifier.issuers"))
    async def issuers(
        self, identifiers: NamedDependency[Identifiers], principal: NamedDependency[Principal]
    ) -> dict[str, object]:
        """Who may mint identifiers: this box, desks, and fallback services, also those that were revoked."""
        return {"items": [_issuer(issuer) for issuer in await identifiers.issuers.all(principal)]}

    @post("/", status_code=201, opt=operation("identifier.issuers"))
    async def register(
        self,
        data: JSONBody[NewIssuer],
        identifiers: NamedDependency[Identifiers],
        principal: NamedDependency[Principal],
        database: NamedDependency[Database],
        trail: NamedDependency[Trail],
    ) -> dict[str, object]:
        """Register a fallback service: from now on the box takes what it minted."""
        key = parse_hex(data.key, length=KEY_LENGTH, where="key")
        async with database.transaction():
            issuer = await identifiers.issuers.register(principal, key, data.namespace, data.name)
            told = {"key": issuer.key.hex(), "name": issuer.name, "namespace": issuer.namespace, "what": "registered"}
            await trail.changed(principal, "identifier.issuers", detail=told)
        return _issuer(issuer)

    @delete("/{key:str}", status_code=204, opt=operation("identifier.issuers"))
    async def revoke(
        self,
        key: FromPath[str],
        identifiers: NamedDependency[Identifiers],
        principal: NamedDependency[Principal],
        database: NamedDependency[Database],
        trail: NamedDependency[Trail],
    ) -> None:
        """For good. What the issuer minted and the box has taken goes on resolving."""
        issuer = parse_hex(key, length=KEY_LENGTH, where="key")
        async with database.transaction():
            await identifiers.issuers.revoke(principal, issuer)
            await trail.changed(principal, "identifier.issuers", detail={"key": issuer.hex(), "what": "revoked"})


async def _reconcile(reconciling: Reconciling, principal: Principal, body: bytes) -> dict[str, object]:
    fields = _object(body)
    records, note = fields.array("records"), fields.optional_text("issuer_note")
    fields.done()
    given = None if note is None else parse_base64(note, where="issuer_note")
    return {"results": [_outcome(outcome) for outcome in await reconciling.reconcile(principal, records, given)]}


def _read_wanted(body: bytes) -> list[Wanted]:
    fields = _object(body)
    items = fields.objects("items")
    fields.done()
    if len(items) > MAX_BATCH:
        raise BadRequest(f"1 to {MAX_BATCH} identifiers are minted at a time")
    wanted = []
    for item in items:
        exhibit = item.optional_uuid("exhibit") if item.has("exhibit") else None
        wanted.append(Wanted(item.hex("content", CONTENT_LENGTH), exhibit))
        item.done()
    return wanted


def _object(body: bytes) -> Fields:
    try:
        value: Json = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(value, dict):
        raise BadRequest("the body is not an object")
    return Fields(value, "body")


def _outcome(outcome: Outcome) -> dict[str, object]:
    return {"canonical": outcome.canonical, "id": outcome.id, "problem": outcome.problem, "state": outcome.state}


def _resolved(found: Resolved) -> dict[str, object]:
    issuer = found.issuer
    return {
        "aliases": list(found.aliases),
        "canonical": found.canonical,
        "exhibit": str(found.exhibit) if found.exhibit else None,
        "id": found.id,
        "issuer": issuer and {"key": issuer.key.hex(), "kind": issuer.kind, "revoked": issuer.revoked is not None},
        "known": found.record is not None,
        "log_index": found.log_index,
        "record": found.record and identifier.record_members(found.record),
    }


def _issuer(issuer: Issuer) -> dict[str, object]:
    return {
        "created": timestamp.encode(issuer.created),
        "key": issuer.key.hex(),
        "kind": issuer.kind,
        "name": issuer.name,
        "namespace": issuer.namespace,
        "revoked": None if issuer.revoked is None else timestamp.encode(issuer.revoked),
    }
