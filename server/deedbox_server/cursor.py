"""Cursors of lists: where a page ended, as the sort key of its last row, so that rows which come or go meanwhile shift nothing.

A cursor is opaque to callers and no secret: it holds only what its receiver has seen. It is checked like any other input.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final

from deedbox_server.errors import BadRequest

MAX_LENGTH: Final = 2048  # characters; a sort key is a number, a title or a time, and an id

_REFUSAL: Final = "the cursor is not one of this list: begin again without it"


def encode(*key: str | int) -> str:
    """The cursor after the row with this sort key; the last part must make it unique."""
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(text: str, *kinds: type[str] | type[int]) -> tuple[str | int, ...]:
    """The sort key of a cursor that has parts of these kinds. BadRequest for what is none."""
    if len(text) > MAX_LENGTH:
        raise BadRequest(_REFUSAL)
    try:
        key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        raise BadRequest(_REFUSAL) from None
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
        raise BadRequest(_REFUSAL)
    return tuple(key)
