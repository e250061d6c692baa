"""One's own API keys over HTTP, and, for administrators, everybody's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from deedbox_server.database import Database
from deedbox_server.errors import SecondFactorNeeded
from deedbox_server.people.key_rights import Wanted, presets
from deedbox_server.people.key_rows import ApiKey
from deedbox_server.people.key_service import ApiKeys
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.web.operations import operation
from deedbox_server.web.versions import etag, expected_version
from deedbox_sync import timestamp

_MAX_PAGE: Final = 500
_ONCE: Final = {"Cache-Control": "no-store"}  # of an answer with a secret in it

Limit = Annotated[int, msgspec.Meta(ge=1, le=_MAX_PAGE)]


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the key is for, and what it is confined to. `scopes` are names of scopes or presets (`GET /api/v1/key-scopes`); what
    is left out is as the maker has it, but never `account:security`. `rate` is calls a second, `burst` how many at once."""

    name: str
    expires: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    scopes: list[str] | None = None
    cases: list[UUID] | None = None
    networks: list[str] | None = None
    rate: int | None = None
    burst: int | None = None
    signed_only: bool | None = None


class KeyName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the key is called from now on."""

    name: str


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how long the old secret goes on opening; 0 is not at all."""

    overlap_seconds: int = 0


class KeyOwner(msgspec.Struct, frozen=True):
    """The account that the key acts for."""

    id: UUID
    name: str


class KeyAnswer(msgspec.Struct, frozen=True):
    """A key without its secret. Null `scopes` or `cases` are all that the account has; no `networks`: from anywhere. `last_used`
    is the hour; until `former_until` the secret before the last rotation opens too."""

    id: UUID
    handle: str
    name: str
    account: KeyOwner
    created: str
    expires: str | None
    last_used: str | None
    former_until: str | None
    scopes: list[str] | None
    cases: list[UUID] | None
    networks: list[str]
    rate: int | None
    burst: int | None
    signed_only: bool
    version: int


class MadeKey(KeyAnswer, frozen=True, kw_only=True):
    """A key with its text, which is nowhere else."""

    key: str


class KeyList(msgspec.Struct, frozen=True):
    """Keys that are not revoked, oldest first."""

    items: list[KeyAnswer]
    next: str | None


class Scopes(msgspec.Struct, frozen=True):
    """What a key can be given, and the sets of it that have a name."""

    scopes: list[str]
    presets: dict[str, list[str]]


class KeyController(Controller):
    path = "/api/v1"

    @get("/key-scopes", opt=operation("account.self"))
    async def scopes(
        self,
        principal: NamedDependency[Principal],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> Scopes:
        """The scopes and presets that a key can be given."""
        await permissions.permit(database, principal, "account.self")
        known = permissions.scopes
        return Scopes(sorted(known), {name: sorted(scopes) for name, scopes in presets(known).items()})

    @get("/keys", opt=operation("account.self"))
    async def keys(
        self,
        principal: NamedDependency[Principal],
        api_keys: NamedDependency[ApiKeys],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> KeyList:
        """One's own keys, expired ones too; an account has at most a hundred."""
        account = await _own(principal, permissions, database, "account.self")
        return KeyList([_answer(key) for key in await api_keys.of(account)], None)

    @post("/keys", status_code=201, opt=operation("account.security"))
    async def make(
        self,
        data: JSONBody[NewKey],
        principal: NamedDependency[Principal],
        api_keys: NamedDependency[ApiKeys],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> Response[MadeKey]:
        """Another key of one's own account; its text is in this answer and nowhere else."""
        await _own(principal, permissions, database, "account.security")
        wanted = Wanted(
            None if data.scopes is None else tuple(data.scopes),
            None if data.cases is None else frozenset(data.cases),
            None if data.networks is None else tuple(data.networks),
            data.rate,
            data.burst,
            data.signed_only,
            data.expires,
        )
        made, text = await api_keys.make(principal, data.name, wanted)
        return Response(_made(made, text.text), headers={**_ONCE, "ETag": etag(made.version)})

    @get("/keys/{key:uuid}", opt=operation("account.self"))
    async def key(
        self,
        key: FromPath[UUID],
        principal: NamedDependency[Principal],
        api_keys: NamedDependency[ApiKeys],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> Response[KeyAnswer]:
        """One of one's own keys."""
        account = await _own(principal, permissions, database, "account.self")
        found = await api_keys.one(account, key)
        return Response(_answer(found), headers={"ETag": etag(found.version)})

    @patch("/keys/{key:uuid}", opt=operation("account.security"))
    async def rename(
        self,
        key: FromPath[UUID],
        data: JSONBody[KeyName],
        request: Request[Any, Any, Any],
        principal: NamedDependency[Principal],
        api_keys: NamedDependency[ApiKeys],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> Response[KeyAnswer]:
        """Another name for it; `If-Match` says which version was read."""
        account = await _own(principal, permissions, database, "account.security")
        renamed = await api_keys.rename(principal, account, key, data.name, expected_version(request))
        return Response(_answer(renamed), headers={"ETag": etag(renamed.version)})

    @post("/keys/{key:uuid}/rotate", status_code=200, opt=operation("account.security"))
    async def rotate(
        self,
        key: FromPath[UUID],
        data: JSONBody[Rotation],
        principal: NamedDependency[Principal],
        api_keys: NamedDependency[ApiKeys],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> Response[MadeKey]:
        """The same key with a new secret, which is in this answer and nowhere else."""
        account = await _own(principal, permissions, database, "account.security")
        # Bounded here too, so that no number of seconds is too large for a time span.
        overlap = timedelta(seconds=max(-1, min(data.overlap_seconds, 10**9)))
        made, text = await api_keys.rotate(principal, account, key, overlap)
        return Response(_made(made, text.text), headers={**_ONCE, "ETag": etag(made.version)})

    @delete("/keys/{key:uuid}", status_code=204, opt=operation("account.security"))
    async def revoke(
        self,
        key: FromPath[UUID],
        principal: NamedDependency[Principal],
        api_keys: NamedDependency[ApiKeys],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> None:
        """For good: from the next call on it opens nothing."""
        account = await _own(principal, permissions, database, "account.security")
        await api_keys.revoke(account, key, by=principal)

    @get("/firm/keys", opt=operation("key.manage"))
    async def everybodys(
        self,
        principal: NamedDependency[Principal],
        api_keys: NamedDependency[ApiKeys],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
        cursor: FromQuery[str | None] = None,
        limit: FromQuery[Limit] = 100,
    ) -> KeyList:
        """Everybody's keys, for administrators."""
        await permissions.permit(database, principal, "key.manage")
        found, following = await api_keys.everybodys(cursor, limit)
        return KeyList([_answer(key) for key in found], following)

    @delete("/firm/keys/{key:uuid}", status_code=204, opt=operation("key.manage"))
    async def revoke_anybodys(
        self,
        key: FromPath[UUID],
        principal: NamedDependency[Principal],
        api_keys: NamedDependency[ApiKeys],
        permissions: NamedDependency[Permissions],
        database: NamedDependency[Database],
    ) -> None:
        """Revokes a key, whosever it is; for administrators."""
        await permissions.permit(database, principal, "key.manage")
        await api_keys.revoke_anybodys(principal, key)


async def _own(principal: Principal, permissions: Permissions, database: Database, asked: str) -> UUID:
    await permissions.permit(database, principal, asked)
    if asked == "account.security" and principal.session is not None and not principal.strong:
        # A key needs no second factor: who has only half a sign-in must not make one of it.
        raise SecondFactorNeeded("show your second factor again, then repeat this")
    assert principal.account is not None, "the rule lets accounts only"
    return principal.account


def _answer(key: ApiKey) -> KeyAnswer:
    return KeyAnswer(**_members(key))


def _made(key: ApiKey, text: str) -> MadeKey:
    return MadeKey(**_members(key), key=text)


def _members(key: ApiKey) -> dict[str, Any]:
    rights = key.rights
    return {
        "id": key.id,
        "handle": key.handle,
        "name": key.name,
        "account": KeyOwner(key.account, key.account_name),
        "created": timestamp.encode(key.created),
        "expires": _time(key.expires),
        "last_used": _time(key.last_used),
        "former_until": _time(key.former_until),
        "scopes": None if rights.scopes is None else sorted(rights.scopes),
        "cases": None if rights.cases is None else sorted(rights.cases),
        "networks": list(rights.networks),
        "rate": None if rights.pace is None else rights.pace[0],
        "burst": None if rights.pace is None else rights.pace[1],
        "signed_only": rights.signed_only,
        "version": key.version,
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else timestamp.encode(time)
