"""The door before every handler: the operation that its route names is asked for before a body is looked at.

Services ask again, about the object itself. This is so that no handler can forget to, and that who may not do a thing learns
nothing from what the box says of the body.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request
from litestar.di import NamedDependency

from deedbox_server.database import Database
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.web.operations import OPERATION


async def provide_permitted(
    request: Request[Any, Any, Any],
    noted: NamedDependency[Principal],
    permissions: NamedDependency[Permissions],
    database: NamedDependency[Database],
) -> Principal:
    """Who asks, if they may do what the route is about, in the case that its path names, if it does (parameter `case`)."""
    operation = request.route_handler.opt.get(OPERATION)
    if operation is None:  # open to all, and yet it wants to know who
        return noted
    case = request.path_params.get("case")
    if isinstance(case, UUID):
        await permissions.permit(database, noted, operation, case=case)
    else:
        permissions.require(noted, operation)
    return noted
