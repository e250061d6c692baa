"""API keys: each acts for one account within that account's rights, and within its own."""

from __future__ import annotations

import hmac
import os
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from deedbox_server import cursor
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict, Denied, NotFound, PreconditionFailed, Unauthenticated
from deedbox_server.people.api_key import HANDLE_BYTES, SECRET_BYTES, KeyText, make_key_text, parse_key_text
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.key_rights import KeyRights, Wanted, grant, stronger
from deedbox_server.people.key_rows import RIGHTS_COLUMNS, SELECT, VIA, ApiKey, HeldKey, read_held, read_key, written
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import SYSTEM, Principal
from deedbox_server.people.recorder import Recorder
from deedbox_sync import uuid7
from deedbox_sync.message_signature import message_key

MAX_NAME: Final = 100  # characters: what a list can show
MAX_KEYS: Final = 100  # of one account: more is a program gone wrong
MAX_OVERLAP: Final = timedelta(days=30)  # that the secret before a rotation may go on opening
_OWN: Final = "account.security"
_EVERYBODYS: Final = "key.manage"


class KeyOutOfPlace(Denied):
    """Its holder has the secret, and is where the key is not for use: `principal` is whom it would have acted for."""

    def __init__(self, principal: Principal) -> None:
        super().__init__("this API key is not for use from this address")
        self.principal = principal


class ApiKeys:
    """Used from one event loop. Nothing here asks for permission: callers do, before they call."""

    def __init__(
        self, db: Database, permissions: Permissions, recorder: Recorder, *, clock: Clock = system_clock
    ) -> None:
        self._db = db
        self._permissions = permissions
        self._recorder = recorder
        self._clock = clock

    async def create(
        self,
        account: UUID,
        name: str,
        expires: datetime | None = None,
        *,
        rights: KeyRights | None = None,
        by: Principal = SYSTEM,
    ) -> tuple[ApiKey, KeyText]:
        """A new key, whose text can be had only now: with these rights or, without any, with all of its account's."""
        now, rights = self._clock(), rights or KeyRights(expires=expires)
        if rights.expires is not None and rights.expires <= now:
            raise BadRequest("a key cannot expire in the past")
        text, key, name = make_key_text(os.urandom(HANDLE_BYTES + SECRET_BYTES)), uuid7.new(), _checked_name(name)
        async with self._db.transaction():
            # Counted in the transaction that writes, or two at once would both be the last.
            if len(await self.of(account)) >= MAX_KEYS:
                raise Conflict(f"an account has at most {MAX_KEYS} keys: revoke some first")
            await self._db.insert_many(
                "api_key",
                ("id", "handle", "account", "name", "digest", "created", "message_key", "version", *RIGHTS_COLUMNS),
                [(key, text.handle, account, name, text.digest, now, message_key(text.text), 1, *written(rights))],
            )
            await self._record(by, _OWN, key, text.handle, "made")
            row = await self._db.fetch_one(f"{SELECT} WHERE api_key.id = {{}}", key)
        if row is None:
            raise NotFound("there is no such account")
        return read_key(row), text

    async def make(self, by: Principal, name: str, wanted: Wanted) -> tuple[ApiKey, KeyText]:
        """A new key of the caller's own account. Denied where it would be stronger than the key that asks for it."""
        assert by.account is not None, "the box itself has no keys"
        rights = grant(wanted, await self._rights_of(by), self._permissions.scopes)
        return await self.create(by.account, name, rights=rights, by=by)

    async def of(self, account: UUID) -> list[ApiKey]:
        """The account's keys that are not revoked, oldest first; expired ones too."""
        rows = await self._db.fetch(
            f"{SELECT} WHERE api_key.account = {{}} AND api_key.revoked IS NULL ORDER BY api_key.created, api_key.id",
            account,
        )
        return [read_key(row) for row in rows]

    async def everybodys(self, after: str | None = None, limit: int = 100) -> tuple[list[ApiKey], str | None]:
        """A page of all keys that are not revoked, by age, and where the next one begins."""
        condition, args = "api_key.revoked IS NULL", []
        if after is not None:
            (last,) = cursor.decode(after, str)
            condition, args = f"{condition} AND api_key.id > {{}}", [_id(str(last))]
        rows = await self._db.fetch(f"{SELECT} WHERE {condition} ORDER BY api_key.id LIMIT {{}}", *args, limit + 1)
        keys = [read_key(row) for row in rows[:limit]]
        return keys, cursor.encode(str(keys[-1].id)) if len(rows) > limit else None

    async def one(self, account: UUID, key: UUID) -> ApiKey:
        """NotFound unless it is this account's and still open."""
        row = await self._db.fetch_one(
            f"{SELECT} WHERE api_key.id = {{}} AND api_key.account = {{}} AND api_key.revoked IS NULL", key, account
        )
        if row is None:
            raise NotFound
        return read_key(row)

    async def rename(self, by: Principal, account: UUID, key: UUID, name: str, expected: int) -> ApiKey:
        async with self._db.transaction():
            held = await self.one(account, key)
            changed = await self._db.fetch(
                "UPDATE api_key SET name = {}, version = {} WHERE id = {} AND COALESCE(version, 1) = {} RETURNING id",
                _checked_name(name),
                expected + 1,
                key,
                expected,
            )
            if not changed:
                raise PreconditionFailed
            await self._record(by, _OWN, key, held.handle, "renamed")
            return await self.one(account, key)

    async def rotate(
        self, by: Principal, account: UUID, key: UUID, overlap: timedelta = timedelta()
    ) -> tuple[ApiKey, KeyText]:
        """The same key with a new secret, whose text can be had only now. The old one goes on opening for `overlap`; the one
        before that opens nothing any more."""
        if not timedelta() <= overlap <= MAX_OVERLAP:
            raise BadRequest(f"an old secret goes on opening for at most {MAX_OVERLAP.days} days")
        own = await self._rights_of(by)
        async with self._db.transaction():
            held = await self.one(account, key)
            if (what := stronger(held.rights, own, self._permissions.scopes)) is not None:
                raise Denied(f"a key learns no secret of one that may more than itself: this one has other {what}")
            text = make_key_text(bytes.fromhex(held.handle) + os.urandom(SECRET_BYTES))
            kept = "digest, former_message_key = message_key" if overlap else "NULL, former_message_key = NULL"
            await self._db.execute(
                f"UPDATE api_key SET former_digest = {kept}, former_until = {{}}, digest = {{}}, message_key = {{}},"
                " version = COALESCE(version, 1) + 1 WHERE id = {}",
                self._clock() + overlap if overlap else None,
                text.digest,
                message_key(text.text),
                key,
            )
            await self._record(by, _OWN, key, held.handle, "rotated")
            return await self.one(account, key), text

    async def revoke(self, account: UUID, key: UUID, *, by: Principal = SYSTEM) -> None:
        """From the next request on the key opens nothing. NotFound unless it is this account's and still open."""
        async with self._db.transaction():
            held = await self.one(account, key)
            await self._db.execute("UPDATE api_key SET revoked = {} WHERE id = {}", self._clock(), key)
            await self._record(by, _OWN if by.account == account else _EVERYBODYS, key, held.handle, "revoked")

    async def revoke_anybodys(self, by: Principal, key: UUID) -> None:
        """The same, whosever it is."""
        row = await self._db.fetch_one("SELECT account FROM api_key WHERE id = {}", key)
        if row is None:
            raise NotFound
        await self.revoke(row["account"], key, by=by)

    async def by_text(self, text: str, address: str | None = None) -> Principal:
        """The account that a key acts for, as the key lets it. Unauthenticated says the same of every key that opens nothing;
        KeyOutOfPlace is for who has the secret, elsewhere."""
        key, now = parse_key_text(text), self._clock()
        held = None if key is None else await self._held("handle", key.handle)
        # Compared even when there is nothing to compare with, so that a handle cannot be tried out by the clock.
        expected = [bytes(32)] if held is None else held.digests(now)
        given = bytes(32) if key is None else key.digest
        right = any(hmac.compare_digest(one, given) for one in expected)
        if held is None or not right or not held.is_open(now) or held.key.rights.signed_only:
            raise Unauthenticated("this API key opens nothing")
        return await self.used(held, address)

    async def by_id(self, key: UUID) -> HeldKey | None:
        """For what it signed; whether it did, the caller finds out."""
        return await self._held("id", key)

    async def used(self, held: HeldKey, address: str | None) -> Principal:
        """Whom an open key acts for, once its holder is proven; its use is noted, to the hour."""
        if not held.is_allowed_from(address):
            raise KeyOutOfPlace(held.principal(address))
        hour = self._clock().replace(minute=0, second=0, microsecond=0)
        if held.key.last_used is None or held.key.last_used < hour:
            await self._db.execute("UPDATE api_key SET last_used = {} WHERE id = {}", hour, held.key.id)
        return held.principal(address)

    async def _held(self, column: str, value: object) -> HeldKey | None:
        row = await self._db.fetch_one(f"{SELECT} WHERE api_key.{column} = {{}}", value)
        return None if row is None else read_held(row)

    async def _rights_of(self, by: Principal) -> KeyRights:
        if not by.via.startswith(VIA):
            return KeyRights(by.scopes, by.cases)
        held = await self._held("handle", by.via.removeprefix(VIA))
        if held is None:
            raise Unauthenticated("this API key opens nothing")
        return held.key.rights

    async def _record(self, by: Principal, operation: str, key: UUID, handle: str, change: str) -> None:
        await self._recorder.changed(by, operation, object=key, detail={"what": f"key {change}", "key": handle})


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadRequest("the cursor is not one of this list: begin again without it") from None


def _checked_name(name: str) -> str:
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        raise BadRequest(f"a name is one printable line of at most {MAX_NAME} characters")
    return name
