"""A box that carries out an approved disposal and kills itself at a named point: `python disposal_process.py DATA URL POINT`.

A point is `before:METHOD` or `after:METHOD` of what carries out a disposal; the URL is `-` for SQLite.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from deedbox_server.app.parts import Box
from deedbox_server.people.principal import Principal
from kit.open_box import reopened

#: What a disposal does beside its transactions, in this order.
POINTS = (
    "before:erase_keys",
    "after:erase_keys",
    "before:remove_files",
    "after:remove_files",
    "after:forget_salts",
    "after:forget",
    "after:purge",
    "after:append",
)


def _deadly(method: Callable[..., Awaitable[Any]], when: str) -> Callable[..., Awaitable[Any]]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        await method(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    return call


def arm(box: Box, point: str) -> None:
    """Have the process die there."""
    when, name = point.split(":")
    owners: dict[str, Any] = {
        "erase_keys": box.vault,
        "remove_files": box.vault,
        "forget_salts": box.keys,
        "forget": box.index,
        "purge": box.keys,
        "append": box.erasures_list,
    }
    setattr(owners[name], name, _deadly(getattr(owners[name], name), when))


async def main(data: Path, url: str | None, point: str) -> None:
    async with reopened(data, url) as box:
        [asked] = await box.database.fetch("SELECT id, version FROM disposal WHERE state = 'asked'")
        [row] = await box.database.fetch("SELECT id, name, role FROM account WHERE name = 'Carla Colleague'")
        principal = Principal("account", row["id"], None, row["name"], "session:test", row["role"], strong=True)
        arm(box, point)
        await box.disposals.approve(principal, asked["id"], expected=asked["version"])


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), None if sys.argv[2] == "-" else sys.argv[2], sys.argv[3]))
