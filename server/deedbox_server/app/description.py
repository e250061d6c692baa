"""The box's calls described without a box: the listeners are made of routes only, and never served."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import cast

from deedbox_server.app.parts import Box
from deedbox_server.people.rules import standard_permissions
from deedbox_server.settings import Settings
from deedbox_server.web.openapi import CONFIG, Document, Listening, document


@cache
def described(listening: Listening) -> bytes:
    """The OpenAPI document of one listener, as JSON; the same for the same program."""
    return json.dumps(description(listening), ensure_ascii=False, indent=1).encode() + b"\n"


def description(listening: Listening) -> Document:
    from deedbox_server.app.listeners import device_app, people_app  # noqa: PLC0415 - it serves what is described here

    app = (people_app if listening == "people" else device_app)(cast(Box, _NoBox()), CONFIG)
    return document(app, standard_permissions().rules, listening)


class _NoBox:
    """Stands where a box's services would; nobody asks them anything. Its settings are those of a box that was set nothing."""

    settings = Settings(data=Path())

    def __getattr__(self, name: str) -> _NoBox:
        return _NoBox()
