"""What each route is about, said at the route: the operation that `permit` is asked for, or that anyone may call it."""

from __future__ import annotations

from typing import Any, Final

OPERATION: Final = "deedbox_operation"
OPEN: Final = "deedbox_open"
LATER: Final = "deedbox_later"
SAME_AS: Final = "deedbox_same_as"


def operation(name: str) -> dict[str, Any]:
    """`opt` of a handler whose service asks `permit` (or `require`) for this operation."""
    return {OPERATION: name}


def later(capability: str) -> dict[str, Any]:
    """`opt` of a handler that answers 501 until the box has this capability."""
    return {LATER: capability}


def same_as(call: str) -> dict[str, Any]:
    """`opt` of a handler that is another address of a call (`"GET /api/v1/evidence"`)."""
    return {SAME_AS: call}


def open_to_all(why: str) -> dict[str, Any]:
    """`opt` of a handler that asks for no principal, and why that is right."""
    return {OPEN: why}
