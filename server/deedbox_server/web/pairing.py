"""Pairing and renewal over HTTP (formats/pairing.md), on the people's listener."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from deedbox_server.database import Database
from deedbox_server.people.authority import is_host, pem_text
from deedbox_server.people.devices import Devices
from deedbox_server.people.pairing import Pairing
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.rate_limits import RateLimits
from deedbox_server.trail import Trail
from deedbox_server.web.identity import address_of
from deedbox_server.web.operations import open_to_all, operation
from deedbox_sync import pairing_messages as messages
from deedbox_sync import timestamp

AnyRequest = Request[Any, Any, Any]


class NewCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom: one's own account unless another is named; `cases` confines the device to these."""

    account: UUID | None = None
    cases: list[UUID] | None = None


class PairingController(Controller):
    path = "/"
    request_max_body_size = messages.MAX_BODY

    @post("/api/v1/pairing/codes", status_code=201, opt=operation("device.pair"))
    async def issue(
        self,
        data: JSONBody[NewCode],
        principal: NamedDependency[Principal],
        pairing: NamedDependency[Pairing],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
        trail: NamedDependency[Trail],
    ) -> Response[dict[str, object]]:
        """A one-time code, shown once."""
        await permissions.permit(database, principal, "device.pair")
        account = data.account or principal.account
        assert account is not None, "who comes by the people's listener has an account"
        async with database.transaction():
            issued = await pairing.issue(principal, account, None if data.cases is None else frozenset(data.cases))
            await trail.changed(principal, "device.pair", object=account, detail={"what": "pairing code issued"})
        body: dict[str, object] = {
            "account": {"id": str(issued.account), "name": issued.account_name},
            "code": issued.code.text,
            "expires": timestamp.encode(issued.expires),
        }
        return Response(body, headers={"Cache-Control": "no-store"})

    @post("/pair/v1/start", status_code=200, opt=open_to_all("who pairs has no account yet: the code says who it is"))
    async def start(
        self, request: AnyRequest, pairing: NamedDependency[Pairing], rate_limits: NamedDependency[RateLimits]
    ) -> Response[bytes]:
        """A desk that has a code begins."""
        rate_limits.take_stranger(address_of(request))
        answer = await pairing.start(messages.parse_start(await request.body()))
        return _json(messages.encode_start_answer(answer))

    @post("/pair/v1/finish", status_code=200, opt=open_to_all("who pairs has no account yet: the code says who it is"))
    async def finish(
        self, request: AnyRequest, pairing: NamedDependency[Pairing], rate_limits: NamedDependency[RateLimits]
    ) -> Response[bytes]:
        """Both have shown that they know the code: the desk is one of the firm's."""
        rate_limits.take_stranger(address_of(request))
        answer = await pairing.finish(messages.parse_finish(await request.body()), _host(request))
        return _json(messages.encode_finish_answer(answer))

    @post(
        "/pair/v1/renew",
        status_code=200,
        opt=open_to_all("the certificate that is to be renewed speaks for the device, in the body"),
    )
    async def renew(
        self, request: AnyRequest, devices: NamedDependency[Devices], rate_limits: NamedDependency[RateLimits]
    ) -> Response[bytes]:
        """The next certificate of a device that is not revoked."""
        rate_limits.take_stranger(address_of(request))
        certificate = await devices.renew(messages.parse_renew(await request.body()))
        return _json(messages.encode_renew_answer(pem_text(certificate)))


def _host(request: AnyRequest) -> str:
    """How the desk addressed the box, or '' where that is no host: a grant repeats it to the desk that said it."""
    try:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""
    return host if is_host(host) else ""


def _json(data: bytes) -> Response[bytes]:
    return Response(data, media_type="application/json", headers={"Cache-Control": "no-store"})
