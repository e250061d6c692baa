"""Versions of what can change, as entity tags: who changes says which version was read (RFC 9110 8.8.3, 13.1.1)."""

from __future__ import annotations

import re
from typing import Any, Final

from litestar import Request

from deedbox_server.errors import PreconditionFailed, PreconditionRequired

_TAG: Final = re.compile(r'"v([1-9][0-9]{0,17})"')


def etag(version: int) -> str:
    """The strong entity tag of a row's version."""
    return f'"v{version}"'


def expected_version(request: Request[Any, Any, Any]) -> int:
    """The version that `If-Match` names. PreconditionRequired without one; PreconditionFailed for a tag that is no version of
    ours. `*` is not taken: who changes has read."""
    given = request.headers.getall("if-match", [])
    if not given:
        raise PreconditionRequired("send the ETag that you read as If-Match")
    found = _TAG.fullmatch(given[0].strip()) if len(given) == 1 else None
    if found is None:
        raise PreconditionFailed("If-Match is no version of this: read it again")
    return int(found[1])
