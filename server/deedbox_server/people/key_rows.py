"""API keys as the database holds them, and whom a key that was shown or that signed acts for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network
from typing import Final
from uuid import UUID

from deedbox_server.database import Row
from deedbox_server.people.key_rights import KeyRights
from deedbox_server.people.permissions import is_within
from deedbox_server.people.principal import Principal

VIA: Final = "api-key:"
COLUMNS: Final = (
    "api_key.id, api_key.handle, api_key.account, api_key.name, api_key.digest, api_key.created, api_key.expires, "
    "api_key.revoked, api_key.message_key, api_key.scopes, api_key.cases, api_key.networks, api_key.rate, api_key.burst, "
    "api_key.signed_only, api_key.last_used, api_key.former_digest, api_key.former_message_key, api_key.former_until, "
    "api_key.version, account.name AS account_name, account.role, account.duties, account.disabled"
)
SELECT: Final = f"SELECT {COLUMNS} FROM api_key JOIN account ON account.id = api_key.account"


@dataclass(frozen=True)
class ApiKey:
    """A key as its owner sees it; the secret was shown once, when it was made. `last_used` is of the hour; until `former_until`
    the secret before the last rotation still opens."""

    id: UUID
    handle: str
    account: UUID
    account_name: str
    name: str
    created: datetime
    rights: KeyRights
    last_used: datetime | None = None
    revoked: datetime | None = None
    former_until: datetime | None = None
    version: int = 1

    @property
    def expires(self) -> datetime | None:
        return self.rights.expires


@dataclass(frozen=True)
class HeldKey:
    """A key with what verifies its holder. Its repr keeps that."""

    key: ApiKey
    role: str
    duties: frozenset[str]
    disabled: bool
    _digests: tuple[bytes, bytes | None] = field(repr=False)
    _message_keys: tuple[bytes | None, bytes | None] = field(repr=False)

    def digests(self, now: datetime) -> Iterator[bytes]:
        """Of the secrets that open it now."""
        yield self._digests[0]
        if self._digests[1] is not None and self._overlaps(now):
            yield self._digests[1]

    def message_keys(self, now: datetime) -> Iterator[bytes]:
        """Those that verify what it signed. None of a key that was made before calls could be signed."""
        if self._message_keys[0] is not None:
            yield self._message_keys[0]
        if self._message_keys[1] is not None and self._overlaps(now):
            yield self._message_keys[1]

    def is_open(self, now: datetime) -> bool:
        expires = self.key.expires
        return self.key.revoked is None and not self.disabled and (expires is None or now < expires)

    def is_allowed_from(self, address: str | None) -> bool:
        """Whether it may be used there. A key for some networks is not for callers whose address nobody knows."""
        networks = self.key.rights.networks
        return not networks or (address is not None and is_within(address, map(ip_network, networks)))

    def principal(self, address: str | None) -> Principal:
        key = self.key
        return Principal(
            "account",
            key.account,
            None,
            key.account_name,
            f"{VIA}{key.handle}",
            self.role,
            cases=key.rights.cases,
            scopes=key.rights.scopes,
            address=address,
            duties=self.duties,
            pace=key.rights.pace,
        )

    def _overlaps(self, now: datetime) -> bool:
        return self.key.former_until is not None and now < self.key.former_until


def read_key(row: Row) -> ApiKey:
    scopes, cases, networks = (None if row[name] is None else json.loads(row[name]) for name in _LISTS)
    rights = KeyRights(
        None if scopes is None else frozenset(scopes),
        None if cases is None else frozenset(map(UUID, cases)),
        tuple(networks or ()),
        None if row["rate"] is None else (row["rate"], row["burst"]),
        bool(row["signed_only"]),
        row["expires"],
    )
    return ApiKey(
        row["id"],
        row["handle"],
        row["account"],
        row["account_name"],
        row["name"],
        row["created"],
        rights,
        row["last_used"],
        row["revoked"],
        row["former_until"],
        row["version"] or 1,
    )


def read_held(row: Row) -> HeldKey:
    return HeldKey(
        read_key(row),
        row["role"],
        frozenset(json.loads(row["duties"])) if row["duties"] else frozenset(),
        row["disabled"],
        (row["digest"], row["former_digest"]),
        (row["message_key"], row["former_message_key"]),
    )


def written(rights: KeyRights) -> tuple[object, ...]:
    """The values of `RIGHTS_COLUMNS`."""
    rate, burst = rights.pace or (None, None)
    return (
        None if rights.scopes is None else json.dumps(sorted(rights.scopes)),
        None if rights.cases is None else json.dumps(sorted(map(str, rights.cases))),
        json.dumps(rights.networks) if rights.networks else None,
        rate,
        burst,
        rights.signed_only,
        rights.expires,
    )


_LISTS: Final = ("scopes", "cases", "networks")
RIGHTS_COLUMNS: Final = ("scopes", "cases", "networks", "rate", "burst", "signed_only", "expires")
