"""A JSON body as a typed value where a member has the name of one of our services.

Litestar takes a fault in such a member (`exhibits`, `papers`) for a fault of the service of that name, and answers 500.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from deedbox_server.errors import BadRequest

Body = TypeVar("Body")


def typed(data: Mapping[str, Any], kind: type[Body]) -> Body:
    """The body as this dataclass; BadRequest says which member is wrong, and never what was in it."""
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"The body is not what this call takes: {error}.") from None
