"""What the OpenAPI document says in words: what the API is, how callers show who they are, what each group is about."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Final

from litestar.handlers import HTTPRouteHandler

from deedbox_server.people.permissions import Rule
from deedbox_server.web.operations import OPERATION
from deedbox_server.web.signed import provide_signer

if TYPE_CHECKING:
    from deedbox_server.web.openapi import Call

INTRODUCTION: Final = {
    "people": """
        The calls that people and their programs make to a box, over TLS 1.3.

        **What may not be seen answers exactly as what does not exist.** Each call names the operation that it is
        about, with the roles that may do it and the scope that an API key needs, in `x-deedbox-operation`; in a case
        the role in that case counts.

        **Errors** are problem documents (RFC 9457), also those of unknown routes, wrong methods and faults.

        **Lists** answer `items` and `next`, a cursor or null; a page that was begun is not shifted by what is added.

        **Changes** of what has a version send the ETag that was read as `If-Match`: 428 without, 412 where somebody
        was faster.

        **Repeating**: a JSON POST with an `Idempotency-Key` is carried out once in 24 hours; the same call again is
        answered as the first was, with `Deedbox-Repeated: true`. Another body under the same key is refused (422),
        and while the first is under way 409 says when to come again. An answer with `Cache-Control: no-store` carries
        a secret and is not kept: the repeat is told that it was done (409, `answer-not-kept`). Where a box died
        between the act and its answer it says so (409, `outcome-unknown`): look before asking again under a new key.

        Any media type may be asked for by `Accept`; the box sends the one it has. JSON is sent in gzip to who takes
        it, but for answers with an ETag or a secret.
        """,
    "device": """
        The calls that paired desks make, on the listener that asks for a certificate of the box's own authority and looks it
        up at every request. The messages are those of sync/formats/transfer.md.
        """,
}

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "people": {
        "apiKey": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "dbx_…",
            "description": "An API key of an account, with the scopes it was given.",
        },
        "session": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "dbs_…",
            "description": "The token of a person's session, from signing in.",
        },
        "cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Host-deedbox",
            "description": "The same session in a browser; changes are taken from the box's own pages only.",
        },
        "signature": {
            "type": "http",
            "scheme": "signature",
            "description": "HTTP Message Signatures (RFC 9421) with an API key (sync/formats/message-signature.md). "
            "A signature is taken once, and the body's digest is part of it.",
        },
    },
    "device": {
        "certificate": {
            "type": "mutualTLS",
            "description": "A device's certificate of the box's authority, from pairing.",
        },
    },
}


def security_of(handler: HTTPRouteHandler, rule: Rule | None, listening: str) -> list[dict[str, list[str]]]:
    """Any of these opens the call; none are needed where it is open to all."""
    if OPERATION not in handler.opt or rule is None:
        return []
    if listening == "device":
        return [{"certificate": []}]
    provider = handler.resolve_dependencies().get("recognised")
    if provider is not None and provider.dependency is provide_signer:
        return [{"signature": [rule.scope]}]
    keys: list[dict[str, list[str]]] = [] if rule.strong else [{"apiKey": [rule.scope]}, {"signature": [rule.scope]}]
    return [*keys, {"session": []}, {"cookie": []}]


def tag_of(handler: HTTPRouteHandler) -> str:
    """The module that a handler is in: one for each capability."""
    return handler.fn.__module__.rsplit(".", 1)[-1].replace("_", " ")


def tags(calls: Iterable[Call]) -> list[dict[str, str]]:
    """Each group of calls with the first sentence of its module."""
    modules = {tag_of(call.handler): call.handler.fn.__module__ for call in calls}
    return [{"name": name, "description": _about(module)} for name, module in sorted(modules.items())]


def _about(module: str) -> str:
    told = cleandoc(sys.modules[module].__doc__ or "").split("\n\n", 1)[0]
    return told.replace("\n", " ")
