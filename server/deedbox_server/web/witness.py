"""Witnesses over HTTP (formats/witness.md): the protocol's own call for anybody, both sides' lists for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from deedbox_server.database import Database
from deedbox_server.notary.service import Notary
from deedbox_server.notary.witness_changes import WitnessChanges
from deedbox_server.notary.witnesses import AskedWitness, Witnesses
from deedbox_server.notary.witnessing import LogUnderWatch, Misbehaviour, Witnessing
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.web.operations import open_to_all, operation
from deedbox_sync import timestamp
from deedbox_sync.pace import Pace
from deedbox_sync.witness import MAX_REQUEST, RETRY_SECONDS

READ, MANAGE = "witness.read", "witness.manage"
_ANYONE = open_to_all("the protocol asks for none: the log's own signature on its checkpoint speaks")
AnyRequest = Request[Any, Any, Any]


class NewLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key of the log to watch, as its `/log/key` gives it."""

    vkey: str


class NewWitness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to ask, and where: what stands before `/add-checkpoint`. `ca` is a PEM to trust there instead of the system's."""

    vkey: str
    url: str
    ca: str | None = None


class WitnessController(Controller):
    """For anybody: there is no authentication beyond the log's own signature on its checkpoint."""

    path = "/witness/v1"
    request_max_body_size = MAX_REQUEST

    @post("/add-checkpoint", status_code=200, opt=_ANYONE)
    async def add_checkpoint(
        self, request: AnyRequest, witnessing: NamedDependency[Witnessing], witness_pace: NamedDependency[Pace]
    ) -> Response[str]:
        """The protocol's own call: cosign a checkpoint, if its log has only grown."""
        if not witness_pace.allows(request.client.host if request.client is not None else ""):
            return Response(
                "Too many questions: wait.\n",
                status_code=429,
                media_type="text/plain",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        answer = await witnessing.add_checkpoint(await request.body())
        # As a header, for the framework adds an encoding to any text type, and the protocol's own type has none.
        return Response(answer.text, status_code=answer.status, headers={"content-type": answer.media_type})

    @get("/key", media_type="text/plain", opt=_ANYONE)
    async def key(self, witnessing: NamedDependency[Witnessing]) -> str:
        """The key that this box cosigns with."""
        return witnessing.vkey + "\n"


class WitnessAdminController(Controller):
    """For administrators: whose logs this box watches, and who watches its own."""

    path = "/api/v1"

    @get("/witness/logs", opt=operation("witness.read"))
    async def logs(
        self,
        principal: NamedDependency[Principal],
        witnessing: NamedDependency[Witnessing],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> dict[str, object]:
        """The logs that this box watches, and what was found against them."""
        await permissions.permit(database, principal, READ)
        return {
            "vkey": witnessing.vkey,
            "items": [_log(log) for log in await witnessing.logs()],
            "misbehaviour": [_misbehaviour(found) for found in await witnessing.misbehaviour()],
            "next": None,
        }

    @post("/witness/logs", status_code=201, opt=operation("witness.manage"))
    async def watch(
        self,
        data: JSONBody[NewLog],
        principal: NamedDependency[Principal],
        witness_changes: NamedDependency[WitnessChanges],
    ) -> dict[str, object]:
        """Watch the log of another box from now on."""
        return _log(await witness_changes.watch(principal, data.vkey.strip()))

    @delete("/witness/logs/{log:uuid}", status_code=204, opt=operation("witness.manage"))
    async def unwatch(
        self,
        log: FromPath[UUID],
        principal: NamedDependency[Principal],
        witness_changes: NamedDependency[WitnessChanges],
    ) -> None:
        """Watch a log no more."""
        await witness_changes.unwatch(principal, log)

    @get("/witnesses", opt=operation("witness.read"))
    async def witnesses(
        self,
        principal: NamedDependency[Principal],
        witnesses: NamedDependency[Witnesses],
        notary: NamedDependency[Notary],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> dict[str, object]:
        """`log` is the key that a witness has to be given."""
        await permissions.permit(database, principal, READ)
        items = [_witness(asked) for asked in await witnesses.all()]
        return {"log": notary.vkey, "quorum": witnesses.quorum, "items": items, "next": None}

    @post("/witnesses", status_code=201, opt=operation("witness.manage"))
    async def add(
        self,
        data: JSONBody[NewWitness],
        principal: NamedDependency[Principal],
        witness_changes: NamedDependency[WitnessChanges],
    ) -> dict[str, object]:
        """Ask a witness from now on."""
        return _witness(await witness_changes.ask(principal, data.vkey.strip(), data.url, data.ca))

    @delete("/witnesses/{witness:uuid}", status_code=204, opt=operation("witness.manage"))
    async def remove(
        self,
        witness: FromPath[UUID],
        principal: NamedDependency[Principal],
        witness_changes: NamedDependency[WitnessChanges],
    ) -> None:
        """Ask a witness no more."""
        await witness_changes.ask_no_more(principal, witness)


def _log(log: LogUnderWatch) -> dict[str, object]:
    return {
        "added": timestamp.encode(log.added),
        "cosigned": _time(log.cosigned),
        "id": str(log.id),
        "note": log.note or None,
        "origin": log.origin,
        "size": log.size,
        "vkey": log.vkey,
    }


def _misbehaviour(found: Misbehaviour) -> dict[str, object]:
    return {
        "held": found.held or None,
        "held_size": found.held_size,
        "kind": found.kind,
        "note": found.note,
        "origin": found.origin,
        "seen": timestamp.encode(found.seen),
        "size": found.size,
    }


def _witness(asked: AskedWitness) -> dict[str, object]:
    return {
        "added": timestamp.encode(asked.added),
        "asked": _time(asked.asked),
        "ca": asked.ca,
        "changed": timestamp.encode(asked.changed),
        "id": str(asked.id),
        "name": asked.name,
        "signed": _time(asked.signed),
        "size": asked.size,
        "state": asked.state,
        "status": asked.status,
        "told": asked.told,
        "url": asked.url,
        "vkey": asked.vkey,
        "why": asked.why,
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else timestamp.encode(time)
