"""A whole case as one SQLite file over HTTP."""

from __future__ import annotations

import base64
from typing import Final
from uuid import UUID

from litestar import Controller, route
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from deedbox_server.casefile import CaseFiles
from deedbox_server.people import Principal
from deedbox_server.web.operations import operation

MEDIA_TYPE: Final = "application/vnd.sqlite3"


class CaseFileController(Controller):
    path = "/api/v1/cases/{case:uuid}/export"

    @route("/", http_method=["GET", "POST"], status_code=200, opt=operation("case.export"))
    async def export(
        self, case: FromPath[UUID], case_files: NamedDependency[CaseFiles], principal: NamedDependency[Principal]
    ) -> Stream:
        """Everything in the case but its exhibits' bytes, in tables with a full-text index; asking leaves custody events."""
        made = await case_files.export(principal, case)
        headers = {
            "cache-control": "private, no-store",
            "content-disposition": f'attachment; filename="{made.name}"',
            "content-length": str(made.size),
            "repr-digest": f"sha-256=:{base64.b64encode(made.sha256).decode()}:",  # RFC 9530
            "x-content-type-options": "nosniff",
        }
        return Stream(made.stream(), media_type=MEDIA_TYPE, headers=headers)
