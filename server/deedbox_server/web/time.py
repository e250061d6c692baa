"""Outside time over HTTP: how it stands, and a time stamp now (formats/time.md). For administrators and auditors."""

from __future__ import annotations

from litestar import Controller, get, post
from litestar.di import NamedDependency

from deedbox_server.database import Database
from deedbox_server.errors import Conflict
from deedbox_server.notary.alarms import Alarms
from deedbox_server.notary.beacons import Beacons
from deedbox_server.notary.stamps import Stamps, StampState
from deedbox_server.notary.witnesses import AskedWitness, Witnesses
from deedbox_server.people import Permissions, Principal
from deedbox_server.trail import Trail
from deedbox_server.web.operations import operation
from deedbox_sync import timestamp
from deedbox_sync.bundle.bracket import Bracket


class TimeController(Controller):
    path = "/api/v1/time"

    @get("/", opt=operation("time.read"))
    async def look(
        self,
        alarms: NamedDependency[Alarms],
        beacons: NamedDependency[Beacons],
        stamps: NamedDependency[Stamps],
        witnesses: NamedDependency[Witnesses],
        permissions: NamedDependency[Permissions],
        principal: NamedDependency[Principal],
        database: NamedDependency[Database],
    ) -> dict[str, object]:
        """How outside time stands: beacon, stamps, witnesses, alarms."""
        await permissions.permit(database, principal, "time.read")
        return {
            "alarms": await alarms.now(),
            "beacon": _beacon(beacons),
            "beacon_absent": beacons.absent,
            "stamps": [_stamp(state) for state in await stamps.states()],
            "witness_quorum": witnesses.quorum,
            "witnesses": [_witness(asked) for asked in await witnesses.all()],
        }

    @post("/stamp", status_code=200, opt=operation("time.stamp"))
    async def stamp(
        self,
        stamps: NamedDependency[Stamps],
        permissions: NamedDependency[Permissions],
        principal: NamedDependency[Principal],
        database: NamedDependency[Database],
        trail: NamedDependency[Trail],
    ) -> dict[str, object]:
        """Each authority is asked for the newest checkpoint; which of them gave a stamp, the answer says."""
        await permissions.permit(database, principal, "time.stamp")
        if not stamps.urls:
            raise Conflict("This box asks no authority: its settings `outside` or `stamp_urls` say so.")
        async with database.transaction():  # before they are asked: whatever comes of it, somebody wanted it now
            await trail.changed(principal, "time.stamp", detail={"authorities": len(stamps.urls)})
        return {"stamps": [_stamp(state) for state in await stamps.stamp_now()]}


def bracket_members(bracket: Bracket) -> dict[str, object]:
    """A bracket as the evidence calls tell it."""
    return {
        "not_before": timestamp.encode(bracket.not_before) if bracket.not_before else None,
        "not_before_by": bracket.not_before_by,
        "not_after": timestamp.encode(bracket.not_after) if bracket.not_after else None,
        "not_after_by": bracket.not_after_by,
    }


def _beacon(beacons: Beacons) -> dict[str, object] | None:
    beacon = beacons.latest
    if beacon is None:
        return None
    return {
        "chain": beacon.chain.hex(),
        "published": timestamp.encode(beacons.published(beacon)),
        "round": beacon.round,
    }


def _stamp(state: StampState) -> dict[str, object]:
    newest = state.newest
    return {
        "authority": newest.authority if newest else None,
        "expires": timestamp.encode(newest.expires) if newest else None,
        "fault": state.fault,
        "host": state.host,
        "size": newest.size if newest else None,
        "time": timestamp.encode(newest.time) if newest else None,
    }


def _witness(asked: AskedWitness) -> dict[str, object]:
    return {
        "name": asked.name,
        "signed": timestamp.encode(asked.signed) if asked.signed else None,
        "size": asked.size,
        "state": asked.state,
        "why": asked.why or None,
    }
