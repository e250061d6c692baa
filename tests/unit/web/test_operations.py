"""Each route says what it is about: one operation of the table, or that anybody may call it. One that says nothing fails here."""

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from deedbox_server.app.listeners import device_app, people_app
from deedbox_server.people.rules import standard_permissions
from deedbox_server.web.identity import open_routes
from deedbox_server.web.operations import OPEN, OPERATION
from kit.open_box import Office

pytestmark = pytest.mark.anyio

LISTENERS = pytest.mark.parametrize("listener", [people_app, device_app], ids=["people", "device"])


def handlers(app: Litestar) -> Iterator[tuple[str, HTTPRouteHandler]]:
    """Every route of ours; what the framework answers OPTIONS with is its own."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and not handler.fn.__module__.startswith("litestar."):
                for method in sorted(handler.http_methods):
                    yield f"{method} {route.path}", handler


@LISTENERS
async def test_each_route_names_an_operation_of_the_table_or_is_open_to_all(
    desk_and_box: Office, listener: type[Litestar]
) -> None:
    rules = standard_permissions().rules
    for name, handler in handlers(listener(desk_and_box.box)):
        about, why = handler.opt.get(OPERATION), handler.opt.get(OPEN)
        assert (about is None) != (why is None), f"{name} says opt=operation(…) or opt=open_to_all(…), one of them"
        assert why is None or why.strip(), f"{name} says why it is open to all"
        assert about is None or about in rules, f"{name} is about {about}, which is in no rule"


@LISTENERS
async def test_open_to_all_are_those_that_ask_for_no_principal(desk_and_box: Office, listener: type[Litestar]) -> None:
    app = listener(desk_and_box.box)
    said = {name for name, handler in handlers(app) if OPEN in handler.opt and not name.startswith("OPTIONS ")}
    assert said == open_routes(app)
