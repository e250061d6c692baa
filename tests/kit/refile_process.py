"""A process that refiles exhibits to and fro as fast as it can, and is killed.

`FOLDER URL CASE CASE EXHIBIT…`: the box of an earlier `office` in FOLDER, its Postgres URL or ""; each move that was answered
is a line in FOLDER/promises.
"""

import asyncio
import os
import sys
from pathlib import Path
from uuid import UUID

from deedbox_server.people.principal import Principal
from kit.open_box import reopened


async def refile(folder: Path, url: str | None, cases: tuple[UUID, UUID], exhibits: list[UUID]) -> None:
    promises = os.open(folder / "promises", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    async with reopened(folder, url) as box:
        owner = (await box.database.fetch("SELECT id, name, role FROM account"))[0]
        principal = Principal("account", owner["id"], None, owner["name"], "tests", owner["role"])
        while True:
            for case in cases:
                for exhibit in exhibits:
                    await box.refiling.refile(principal, exhibit, case, None)
                    os.write(promises, f"{exhibit} {case}\n".encode())


if __name__ == "__main__":
    first, second = UUID(sys.argv[3]), UUID(sys.argv[4])
    asyncio.run(refile(Path(sys.argv[1]), sys.argv[2] or None, (first, second), [UUID(one) for one in sys.argv[5:]]))
