"""Download links: an address that gives one exhibit, or one document derived from it, to whoever has it, for a while.

Whoever opens one acts as its maker and may no more: it dies with the maker's access, when the exhibit leaves the case, with
its time and its uses. Only the digest of its token is kept. Every opening is in the exhibit's custody (`via` is `link:HANDLE`),
and all links that open nothing are answered alike.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_network
from typing import Final
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound
from deedbox_server.evidence.exhibits import LINK, DerivedDocument, Exhibit, Exhibits
from deedbox_server.people import Permissions, Principal
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.key_rows import SELECT as SELECT_KEY
from deedbox_server.people.key_rows import VIA, read_held
from deedbox_server.people.permissions import is_within
from deedbox_server.people.recorder import Recorder
from deedbox_server.vault import BlobReader
from deedbox_sync import uuid7
from deedbox_sync.canonical_json import Json

OPERATION: Final = "evidence.download"
PREFIX: Final = "dbl_"
LEAST: Final = timedelta(minutes=1)
MOST: Final = timedelta(days=7)  # what must be had for longer is a bundle, or an account
MAX_USES: Final = 1_000
MAX_NOTE: Final = 200  # characters: whom it is for
MAX_OPEN: Final = 1_000  # links of one account that still open: more is a program gone wrong
_TOKEN_BYTES: Final = 32  # nobody guesses 256 bits, and so nobody need be kept from trying but for the load
_HANDLE_BYTES: Final = 8
_MAX_TOKEN: Final = 100  # characters of what is looked up

_SELECT: Final = (
    "SELECT download_link.id, download_link.handle, download_link.exhibit, download_link.derived, download_link.case_id,"
    " download_link.account, account.name AS maker, download_link.made_via, download_link.note, download_link.network,"
    " download_link.uses, download_link.used, download_link.created, download_link.expires, download_link.revoked"
    " FROM download_link JOIN account ON account.id = download_link.account"
)


@dataclass(frozen=True)
class Link:
    """A link as people of its case see it. `uses` are how often it opens in all, `used` how often it has."""

    id: UUID
    handle: str
    exhibit: UUID
    derived: UUID | None
    case_id: UUID
    account: UUID
    maker: str
    made_via: str
    note: str
    network: str | None
    uses: int
    used: int
    created: datetime
    expires: datetime
    revoked: datetime | None


@dataclass(frozen=True)
class LinkOrder:
    """What a link shall be. `network` None is anywhere."""

    lasts: timedelta
    uses: int = 1
    derived: UUID | None = None
    network: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Opened:
    """What a link gave: the exhibit, and the derived document if it is one."""

    exhibit: Exhibit
    derived: DerivedDocument | None
    reader: BlobReader


class Links:
    def __init__(
        self,
        db: Database,
        exhibits: Exhibits,
        permissions: Permissions,
        recorder: Recorder,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._exhibits = exhibits
        self._permissions = permissions
        self._recorder = recorder
        self._clock = clock

    async def make(self, principal: Principal, exhibit: UUID, order: LinkOrder) -> tuple[Link, str]:
        """A new link and its token, which can be had only now. Needs what downloading the exhibit needs."""
        found = await self._exhibits.get(principal, exhibit, OPERATION)
        if principal.account is None or principal.kind != "account":
            raise Denied("only a person's account makes download links")
        network = _checked(order)
        if order.derived is not None and all(
            one.id != order.derived for one in await self._exhibits.derived([exhibit])
        ):
            raise NotFound("There is no such derived document.")
        token = PREFIX + base64.urlsafe_b64encode(os.urandom(_TOKEN_BYTES)).decode().rstrip("=")
        now, link, handle = self._clock(), uuid7.new(), os.urandom(_HANDLE_BYTES).hex()
        async with self._db.transaction():
            await self._refuse_too_many(principal.account, now)
            await self._db.insert_many(
                "download_link",
                (
                    *(
                        "id",
                        "handle",
                        "digest",
                        "exhibit",
                        "derived",
                        "case_id",
                        "account",
                        "made_via",
                        "note",
                        "network",
                    ),
                    *("uses", "used", "created", "expires"),
                ),
                [
                    (
                        *(
                            link,
                            handle,
                            _digest(token),
                            exhibit,
                            order.derived,
                            found.case,
                            principal.account,
                            principal.via,
                        ),
                        *(order.note.strip(), network, order.uses, 0, now, now + order.lasts),
                    )
                ],
            )
            told: dict[str, Json] = {
                "exhibit": str(exhibit),
                "link": handle,
                "seconds": int(order.lasts.total_seconds()),
                "uses": order.uses,
            }
            await self._recorder.changed(principal, OPERATION, case=found.case, object=link, detail=told)
        return await self._one(link), token

    async def of(
        self, principal: Principal, exhibit: UUID, *, after: UUID | None = None, limit: int = 100
    ) -> list[Link]:
        """The exhibit's links, oldest first, after the id `after`, also those that open nothing any more: for whoever may
        download it."""
        found = await self._exhibits.get(principal, exhibit, OPERATION)
        rows = await self._db.fetch(
            f"{_SELECT} WHERE download_link.exhibit = {{}} AND download_link.case_id = {{}} AND download_link.id > {{}}"
            f" ORDER BY download_link.id LIMIT {limit:d}",
            exhibit,
            found.case,
            after or UUID(int=0),
        )
        return [Link(**row) for row in rows]

    async def revoke(self, principal: Principal, exhibit: UUID, link: UUID) -> Link:
        """The link opens nothing any more. Whoever may download the exhibit may end a link to it. Again does nothing."""
        found = await self._exhibits.get(principal, exhibit, OPERATION)
        async with self._db.transaction():
            ended = await self._db.fetch(
                "UPDATE download_link SET revoked = {}, revoked_by = {} WHERE id = {} AND exhibit = {} AND case_id = {}"
                " AND revoked IS NULL RETURNING handle",
                self._clock(),
                principal.actor_id,
                link,
                exhibit,
                found.case,
            )
            for row in ended:
                told = {"exhibit": str(exhibit), "link": row["handle"], "revoked": True}
                await self._recorder.changed(principal, OPERATION, case=found.case, object=link, detail=told)
        one = await self._one(link)
        if (one.exhibit, one.case_id) != (exhibit, found.case):
            raise NotFound
        return one

    async def open(self, token: str, address: str | None) -> Opened:
        """What the link gives, to a caller from this address. It is one use, and durable in custody, when this returns.

        NotFound for a link that was never made, has ended, is spent, is for another network, or whose maker may no longer
        download the exhibit. A use that could not be served, because the log or the disk cannot take its record, is not counted.
        """
        row = None
        if token.startswith(PREFIX) and len(token) <= _MAX_TOKEN:
            row = await self._db.fetch_one(f"{_SELECT} WHERE download_link.digest = {{}}", _digest(token))
        if row is None:
            raise NotFound
        link = Link(**row)
        maker = await self._maker(link)
        if link.network is not None and (address is None or not is_within(address, [ip_network(link.network)])):
            raise NotFound
        if maker is None:
            raise NotFound
        maker = replace(maker, via=f"{LINK}{link.handle}", address=address)
        await self._still(maker, link)
        await self._take_use(link)
        try:
            return await self._read(maker, link)
        except BaseException:
            await self._db.execute("UPDATE download_link SET used = used - 1 WHERE id = {}", link.id)
            raise

    async def _still(self, maker: Principal, link: Link) -> Exhibit:
        """The exhibit, if it is where it was and the maker may download it there."""
        try:
            found = await self._exhibits.get(maker, link.exhibit, OPERATION)
        except Denied:
            raise NotFound from None
        if found.case != link.case_id:
            raise NotFound
        return found

    async def _read(self, maker: Principal, link: Link) -> Opened:
        try:
            if link.derived is None:
                exhibit, reader = await self._exhibits.open(maker, link.exhibit, "downloaded")
                derived = None
            else:
                derived, reader = await self._exhibits.open_derived(maker, link.exhibit, link.derived, "downloaded")
            exhibit = await self._still(maker, link)
        except Denied:
            raise NotFound from None
        return Opened(exhibit, derived, reader)

    async def _maker(self, link: Link) -> Principal | None:
        """Whoever made it, as they may do things now: with the rights of the key by which they made it, if it was one."""
        if link.made_via.startswith(VIA):
            row = await self._db.fetch_one(f"{SELECT_KEY} WHERE api_key.handle = {{}}", link.made_via.removeprefix(VIA))
            held = read_held(row) if row is not None else None
            return held.principal(None) if held is not None and held.is_open(self._clock()) else None
        row = await self._db.fetch_one("SELECT name, role, disabled FROM account WHERE id = {}", link.account)
        if row is None or row["disabled"]:
            return None
        return Principal("account", link.account, None, row["name"], link.made_via, row["role"])

    async def _take_use(self, link: Link) -> None:
        """In one statement, so that of many who come at once no more are let in than there are uses."""
        taken = await self._db.fetch(
            "UPDATE download_link SET used = used + 1 WHERE id = {} AND revoked IS NULL AND used < uses AND expires > {}"
            " RETURNING id",
            link.id,
            self._clock(),
        )
        if not taken:
            raise NotFound

    async def _refuse_too_many(self, account: UUID, now: datetime) -> None:
        row: Row | None = await self._db.fetch_one(
            "SELECT count(*) AS open FROM download_link WHERE account = {} AND revoked IS NULL AND used < uses AND expires > {}",
            account,
            now,
        )
        assert row is not None
        if row["open"] >= MAX_OPEN:
            raise Conflict(f"An account has at most {MAX_OPEN} open links: revoke some first.")

    async def _one(self, link: UUID) -> Link:
        row = await self._db.fetch_one(f"{_SELECT} WHERE download_link.id = {{}}", link)
        if row is None:
            raise NotFound
        return Link(**row)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


def _checked(order: LinkOrder) -> str | None:
    """The network in its one form."""
    if not LEAST <= order.lasts <= MOST:
        raise BadRequest("A link lasts from one minute to seven days.")
    if not 1 <= order.uses <= MAX_USES:
        raise BadRequest(f"A link opens once to {MAX_USES} times.")
    if len(order.note) > MAX_NOTE:
        raise BadRequest(f"A note has at most {MAX_NOTE} characters.")
    if order.network is None:
        return None
    try:
        return str(ip_network(order.network.strip()))
    except ValueError:
        raise BadRequest("A network is an IP address or one with its prefix, as in 192.0.2.0/24.") from None
