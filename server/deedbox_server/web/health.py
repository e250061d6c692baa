"""Whether the box lives and can work. Details are for those who are signed in."""

from __future__ import annotations

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from deedbox_server.errors import DeedboxError
from deedbox_server.notary.alarms import Alarms
from deedbox_server.notary.service import READS_REFUSED_AFTER, Notary
from deedbox_server.web.operations import open_to_all


class HealthController(Controller):
    path = "/health"

    @get(["/live", "/live/"], opt=open_to_all("who watches the box needs no account, and details are not told"))
    async def live(self) -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @get(["/ready", "/ready/"], opt=open_to_all("who watches the box needs no account, and details are not told"))
    async def ready(
        self, notary: NamedDependency[Notary], alarms: NamedDependency[Alarms]
    ) -> Response[dict[str, object]]:
        """Whether it can work: the database answers, the log is not suspended or behind. Alarms are told and change nothing."""
        reasons: list[str] = []
        told: list[str] = []
        try:
            head = await notary.head()
            if head.suspended is not None:
                reasons.append("the log is suspended until an administrator has acted")
            told = await alarms.now()
            if await notary.oldest_pending_seconds() > READS_REFUSED_AFTER:
                reasons.append("the log has not moved for a while")
        except DeedboxError as error:
            reasons.append(error.title)
        body: dict[str, object] = {
            "status": "ready" if not reasons else "not ready",
            "reasons": reasons,
            "alarms": told,
        }
        return Response(body, status_code=200 if not reasons else 503)
