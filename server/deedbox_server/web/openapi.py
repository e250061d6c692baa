"""The box's calls as an OpenAPI 3.1 document, drawn from the routes themselves, so that it cannot say what they do not do.

What a route takes and gives stands in its own types (msgspec Structs) or, for bodies that are not JSON and for the protocols with
desks, in `openapi_bodies`. Who may call it is read from the table of operations (`x-deedbox-operation`). Errors are those that
its kind of call can have, all as problem documents. The same routes give the same document, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from inspect import cleandoc, unwrap
from typing import Any, Final, Literal, cast

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import Method

from deedbox_server.people.permissions import Rule
from deedbox_server.web.openapi_bodies import BODIES
from deedbox_server.web.openapi_problems import problem_answers, problem_components, statuses_of
from deedbox_server.web.openapi_schemas import Schemas, answer_type, body_type
from deedbox_server.web.openapi_words import INTRODUCTION, SECURITY_SCHEMES, security_of, tag_of, tags
from deedbox_server.web.operations import LATER, OPEN, OPERATION, SAME_AS

Listening = Literal["people", "device"]
Document = dict[str, Any]

CONFIG: Final = OpenAPIConfig(
    title="-",
    version="-",
    path="/-",
    render_plugins=[JsonRenderPlugin()],
    operation_id_creator=lambda _handler, method, place: f"{method} {place}",  # ours are made below
)
_TITLES: Final = {"people": "Deedbox", "device": "Deedbox, for desks"}
_IDEMPOTENCY: Final = {"$ref": "#/components/parameters/IdempotencyKey"}
_IF_MATCH: Final = {"$ref": "#/components/parameters/IfMatch"}
_IF_NONE_MATCH: Final = {"$ref": "#/components/parameters/IfNoneMatch"}


@dataclass(frozen=True)
class Call:
    """One method of one path, and the handler that answers it."""

    method: Method
    path: str
    handler: HTTPRouteHandler
    listening: Listening

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def same_as(self) -> str:
        """The call that this is another address of, or itself."""
        return cast("str", self.handler.opt.get(SAME_AS, self.name))

    @property
    def operation(self) -> str | None:
        return cast("str | None", self.handler.opt.get(OPERATION))

    @property
    def id(self) -> str:
        """From method and path, which are what callers depend on; no two calls share it."""
        place = self.path.removeprefix("/api/v1") if self.path.startswith("/api/") else f"/box{self.path}"
        return re.sub(r"[^a-z0-9]+", "_", f"{self.method}{place}".lower()).strip("_")

    @property
    def asks_for_version(self) -> bool:
        return "expected_version" in unwrap(self.handler.fn).__code__.co_names

    @property
    def gives_version(self) -> bool:
        return self.method == "GET" and "etag" in unwrap(self.handler.fn).__code__.co_names


def calls(app: Litestar, listening: Listening) -> Iterator[Call]:
    """Every call of ours, in the order of paths; not what the framework answers by itself."""
    found = [
        Call(method, route.path_format or "/", handler, listening)
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if isinstance(handler, HTTPRouteHandler)
        and not handler.fn.__module__.startswith("litestar.")
        and handler.resolve_include_in_schema()
        for method in handler.http_methods
    ]
    return iter(sorted(found, key=lambda call: (call.path, call.method)))


def document(app: Litestar, rules: Mapping[str, Rule], listening: Listening) -> Document:
    """The whole document. `app` was made with `CONFIG`."""
    drawn = app.openapi_schema.to_schema()["paths"]
    found = list(calls(app, listening))
    schemas = Schemas(kind for call in found for kind in (answer_type(call.handler), body_type(call.handler)))
    schemas.add(content.kind for bodies in BODIES.values() for content in bodies.contents)
    paths: dict[str, dict[str, Any]] = {}
    for call in found:
        parameters = drawn[call.path].get(call.method.lower(), {}).get("parameters", [])
        parameters = sorted(parameters, key=partial(_place, call.path))
        paths.setdefault(call.path, {})[call.method.lower()] = _operation(call, parameters, schemas, rules)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": _TITLES[listening],
            "version": version("deedbox"),
            "description": cleandoc(INTRODUCTION[listening]),
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": "/"}],
        "tags": tags(found),
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": problem_components(),
            "parameters": _PARAMETERS,
            "securitySchemes": SECURITY_SCHEMES[listening],
        },
    }


_PARAMETERS: Final[Document] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "1 to 255 printable ASCII characters of the caller's choice. The same call again within 24 hours is "
        "answered as the first was, and nothing is done twice.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The ETag that was read. Without it 428; where somebody was faster 412.",
        "schema": {"type": "string"},
        "example": '"v3"',
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": "The ETag of the copy that the caller has: 304 where it is the newest.",
        "schema": {"type": "string"},
        "example": '"v3"',
    },
}


def _operation(call: Call, parameters: list[Document], schemas: Schemas, rules: Mapping[str, Rule]) -> Document:
    told = cleandoc(call.handler.fn.__doc__ or "")
    bodies = BODIES.get(call.same_as)
    body = schemas.json(body_type(call.handler)) if bodies is None or not bodies.taken else None
    content = [] if bodies is None else bodies.taken
    rule = rules.get(call.operation or "")
    made: Document = {
        "operationId": call.id,
        "summary": _first_sentence(told),
        "description": told,
        "tags": [tag_of(call.handler)],
        "security": security_of(call.handler, rule, call.listening),
        "parameters": [*(_parameter(one) for one in parameters), *_headers(call, bool(body or content))],
    }
    if body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": body}}
    elif content:
        made["requestBody"] = {"required": True, "content": schemas.contents(content)}
    made["responses"] = _answers(call, schemas, bool(made.get("requestBody")))
    made |= _who(call, rule)
    return made


def _answers(call: Call, schemas: Schemas, has_body: bool) -> Document:
    bodies = BODIES.get(call.same_as)
    answers: Document = {}
    if LATER in call.handler.opt:
        pass
    elif bodies is not None and bodies.answers:
        for status, given in sorted(bodies.answers.items()):
            answers[str(status)] = _answer(call, status, schemas.contents(given))
    else:
        status = call.handler.status_code
        found = schemas.json(answer_type(call.handler))
        content = {} if found is None else {"application/json": found}
        also = {} if bodies is None else schemas.contents(bodies.also)
        answers[str(status)] = _answer(call, status, content | also)
    if call.gives_version:
        answers["304"] = {"description": "What the caller has is the newest."}
    more = () if bodies is None else bodies.errors
    for status in (*statuses_of(call.handler, has_body=has_body, asks_for_version=call.asks_for_version), *more):
        answers.setdefault(str(status), problem_answers(status))
    return dict(sorted(answers.items()))


def _answer(call: Call, status: int, content: Document) -> Document:
    made: Document = {"description": _DONE.get(status, "Done.")}
    if content and call.method != "HEAD":
        made["content"] = content
    if call.gives_version or call.asks_for_version:
        made["headers"] = {"ETag": {"description": "The version of this.", "schema": {"type": "string"}}}
    return made


_DONE: Final = {
    200: "Done, or found.",
    201: "Made.",
    202: "Under way: ask again at `Location`.",
    204: "Done; there is nothing to say.",
    206: "The range that was asked for.",
    302: "Go on there.",
    304: "What the caller has is the newest.",
    416: "The range lies behind the end.",
}


def _who(call: Call, rule: Rule | None) -> Document:
    if call.operation is None or rule is None:
        return {"x-deedbox-open": call.handler.opt.get(OPEN, "")}
    return {
        "x-deedbox-operation": {
            "name": call.operation,
            "roles": sorted(rule.roles),
            "scope": rule.scope,
            "in_case": rule.in_case,
            "devices": rule.devices,
            "strong": rule.strong,
            "sensitive": rule.sensitive,
        }
    }


def _headers(call: Call, has_body: bool) -> list[Document]:
    found = []
    by_key = (
        LATER not in call.handler.opt
        and call.method == "POST"
        and call.operation is not None
        and call.listening == "people"
    )
    if by_key and not call.path.startswith("/api/v1/uploads"):
        found.append(_IDEMPOTENCY)
    if call.asks_for_version:
        found.append(_IF_MATCH)
    if call.gives_version:
        found.append(_IF_NONE_MATCH)
    return found


def _parameter(drawn: Document) -> Document:
    """A parameter without what says nothing: an empty value is not taken, and a reserved character is escaped."""
    kept = ("name", "in", "required", "description", "schema")
    made = {name: drawn[name] for name in kept if name in drawn}
    if isinstance(schema := made.get("schema"), dict) and "oneOf" in schema:  # a query says nothing by not being there
        choices = [one for one in schema["oneOf"] if one.get("type") != "null"]
        if len(choices) == 1:
            made["schema"] = choices[0]
    return made


def _place(path: str, parameter: Document) -> tuple[bool, int, str]:
    """Those of the path first, as they stand in it; then the others by name."""
    in_path = parameter["in"] == "path"
    return (not in_path, path.find(f"{{{parameter['name']}}}") if in_path else 0, parameter["name"])


def _first_sentence(told: str) -> str:
    """The first sentence of a docstring, for the list of calls."""
    return re.split(r"(?<=[.:;])\s", told.replace("\n", " "), maxsplit=1)[0].rstrip(".:;")


__all__ = ["CONFIG", "Call", "Document", "Listening", "calls", "document"]
