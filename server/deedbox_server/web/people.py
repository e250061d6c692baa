"""Oneself, and the firm's devices over HTTP."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from deedbox_server.database import Database
from deedbox_server.people.devices import Device, Devices
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.web.operations import operation
from deedbox_sync import timestamp


class PeopleController(Controller):
    path = "/api/v1"

    @get("/me", opt=operation("account.self"))
    async def me(
        self,
        principal: NamedDependency[Principal],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> dict[str, object]:
        """Who this key acts for."""
        account = await _own_account(principal, permissions, database)
        return {"account": {"id": str(account), "name": principal.name, "role": principal.role}, "via": principal.via}

    @get("/devices", opt=operation("device.list"))
    async def devices(
        self,
        principal: NamedDependency[Principal],
        devices: NamedDependency[Devices],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> dict[str, object]:
        """The desks that were paired, also those that were revoked."""
        await permissions.permit(database, principal, "device.list")
        return {"items": [_device(device) for device in await devices.all()]}

    @post("/devices/{device:uuid}/revoke", status_code=204, opt=operation("device.revoke"))
    async def revoke_device(
        self,
        device: FromPath[UUID],
        principal: NamedDependency[Principal],
        devices: NamedDependency[Devices],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> None:
        """For good, from the device's next request on."""
        await permissions.permit(database, principal, "device.revoke")
        await devices.revoke(device, principal)


async def _own_account(
    principal: NamedDependency[Principal],
    permissions: NamedDependency[Permissions],
    database: NamedDependency[Database],
) -> UUID:
    await permissions.permit(database, principal, "account.self")
    assert principal.account is not None, "the rule lets accounts only"
    return principal.account


def _device(device: Device) -> dict[str, object]:
    return {
        "account": {"id": str(device.account), "name": device.account_name},
        "cases": None if device.cases is None else sorted(str(case) for case in device.cases),
        "certified_until": timestamp.encode(device.certified_until),
        "created": timestamp.encode(device.created),
        "id": str(device.id),
        "name": device.name,
        "platform": device.platform,
        "revoked": _time(device.revoked),
        "statement_key": device.statement_key.hex(),
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else timestamp.encode(time)
