"""The log for anyone who may reach the box: it tells nothing by itself (formats/log.md, c2sp.org/tlog-tiles)."""

from __future__ import annotations

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from deedbox_server.database import Database
from deedbox_server.errors import NotFound
from deedbox_server.notary.service import Notary
from deedbox_server.notary.witnesses import Witnesses
from deedbox_server.web.operations import open_to_all
from deedbox_sync import entry, merkle
from deedbox_sync.errors import FormatError

_ANYONE = open_to_all("the log tells nothing by itself, and whoever checks it owes the box no account")
_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}


class LogController(Controller):
    path = "/log"

    @get("/checkpoint", media_type="text/plain", opt=_ANYONE)
    async def checkpoint(self, witnesses: NamedDependency[Witnesses]) -> str:
        """The newest one, with the cosignatures that it has so far."""
        return await witnesses.newest()

    @get("/key", media_type="text/plain", opt=_ANYONE)
    async def key(self, notary: NamedDependency[Notary]) -> str:
        """The key that the log is signed with."""
        return notary.vkey + "\n"

    @get("/tile/{path:path}", opt=_ANYONE)
    async def tile(
        self, path: FromPath[str], notary: NamedDependency[Notary], database: NamedDependency[Database]
    ) -> Response[bytes]:
        """A tile of hashes or a bundle of entries under its C2SP path, full or partial."""
        try:
            address = merkle.parse_tile_path(f"tile/{path.strip('/')}")
        except FormatError:
            raise NotFound("This is not a tile's path.") from None
        first = address.index * merkle.TILE_WIDTH
        if address.level == "entries":
            rows = await database.fetch(
                "SELECT entry FROM log_entry WHERE seq >= {} AND seq < {} ORDER BY seq", first, first + address.width
            )
            if len(rows) < address.width:
                raise NotFound("The log is not that long.")
            data = entry.encode_bundle([row["entry"] for row in rows])
        else:
            row = await database.fetch_one(
                "SELECT hashes FROM log_tile WHERE level = {} AND tile_index = {}", address.level, address.index
            )
            length = address.width * merkle.HASH_LENGTH
            if row is None or len(row["hashes"]) < length:
                raise NotFound("The log is not that long.")
            data = bytes(row["hashes"][:length])
        headers = _FOR_EVER if address.width == merkle.TILE_WIDTH else {}
        return Response(data, media_type="application/octet-stream", headers=headers)
