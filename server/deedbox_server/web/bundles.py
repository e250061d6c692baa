"""Bundles over HTTP: asked for, proven in the log, then streamed as one ZIP (EV-8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.response import Stream

from deedbox_server.evidence.bundling import Bundling
from deedbox_server.people.principal import Principal
from deedbox_server.web.operations import operation
from deedbox_server.web.typed_body import typed


@dataclass(frozen=True)
class Wanted:
    """Exhibits of one case; without a list all of them. `purpose` goes into custody and on the paper."""

    case: UUID
    exhibits: list[UUID] | None = None
    purpose: str | None = None


class BundleController(Controller):
    path = "/api/v1/bundles"

    @post("/", status_code=200, opt=operation("evidence.export"))
    async def export(
        self, data: JSONBody[dict[str, Any]], bundling: NamedDependency[Bundling], principal: NamedDependency[Principal]
    ) -> Stream:
        """A bundle that a stranger can check: exhibits of one case, their custody and proofs, as one ZIP."""
        wanted = typed(data, Wanted)
        prepared = await bundling.prepare(principal, wanted.case, wanted.exhibits, wanted.purpose)
        headers = {
            "cache-control": "private, no-store",
            "content-disposition": f'attachment; filename="{prepared.file_name}"',
            "content-length": str(prepared.length),
        }
        return Stream(prepared.stream(), media_type="application/zip", headers=headers)
