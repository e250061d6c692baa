"""Bearer tokens of outside issuers, checked by the issuers' own keys (AC-1)."""

from __future__ import annotations

import json
import logging
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import Unauthenticated
from deedbox_server.people.fetching import Fetcher, is_safe
from deedbox_server.people.jwt_check import Expected, TokenRefused, issuer_of
from deedbox_server.people.key_rights import expand
from deedbox_server.people.key_sets import KeySets
from deedbox_server.people.outside_identities import OutsideIdentities
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.settings import SettingsError

LONGEST: Final = timedelta(hours=24)  # of a bearer token's life: it cannot be called back
_MAX_FILE: Final = 64 << 10  # bytes
_MEMBERS: Final = {"issuer", "audience", "keys", "account", "scopes"}

log = logging.getLogger("deedbox.people")


class IssuersFileError(SettingsError):
    """The message is a sentence for the administrator."""


@dataclass(frozen=True)
class OutsideIssuer:
    """An issuer whose tokens open this box. `keys`: the https address of its key set, or a file. `account`: the name of the one
    account that all its tokens stand for; without it each subject is linked to an account. `scopes`: as for an API key."""

    issuer: str
    audience: str
    keys: str | Path
    account: str | None = None
    scopes: tuple[str, ...] = ("full",)


def load_issuers(path: Path) -> tuple[OutsideIssuer, ...]:
    """The issuers of a TOML file with one `[[issuer]]` for each. IssuersFileError says what is wrong with it."""
    try:
        with path.open("rb") as file:
            found = tomllib.loads(file.read(_MAX_FILE).decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise IssuersFileError(f"{path} cannot be read: {error}.") from error
    listed = found.pop("issuer", [])
    if found or not isinstance(listed, list):
        raise IssuersFileError(f"{path} has [[issuer]] tables and nothing else.")
    issuers = tuple(_issuer(member, path) for member in listed)
    if len({issuer.issuer for issuer in issuers}) != len(issuers):
        raise IssuersFileError(f"{path} names an issuer twice.")
    return issuers


class OutsideTokens:
    """Used from one event loop."""

    def __init__(
        self,
        db: Database,
        permissions: Permissions,
        identities: OutsideIdentities,
        key_sets: KeySets,
        issuers: Sequence[OutsideIssuer] = (),
    ) -> None:
        self._db = db
        self._identities = identities
        self._key_sets = key_sets
        self._issuers = {issuer.issuer: issuer for issuer in issuers}
        self._scopes = {issuer.issuer: expand(issuer.scopes, permissions.scopes) for issuer in issuers}

    async def by_token(self, text: str, address: str | None = None) -> Principal:
        """The account that the token's subject stands for, within the scopes that its issuer was given. Unauthenticated says the
        same of every token that opens nothing; why, the log says, without the token."""
        try:
            issuer = self._issuers.get(issuer_of(text))
            if issuer is None:
                raise TokenRefused("the token is of no issuer of this box")
            claims = await self._key_sets.verify(text, issuer.keys, Expected(issuer.issuer, issuer.audience))
            if "nonce" in claims:
                raise TokenRefused("this is an identity token: it is for signing in, not for calls")
            if claims["exp"] - claims["iat"] > LONGEST.total_seconds():
                raise TokenRefused(f"a token holds for at most {LONGEST.total_seconds() / 3600:.0f} hours")
            return await self._principal(issuer, claims["sub"], address)
        except TokenRefused as error:
            log.warning("a bearer token was refused: %s", error)
            raise Unauthenticated("this token opens nothing") from None

    async def _principal(self, issuer: OutsideIssuer, subject: str, address: str | None) -> Principal:
        condition: str
        value: UUID | str | None
        if issuer.account is not None:
            condition, value = "name", issuer.account
        else:
            condition, value = "id", await self._identities.account_of(issuer.issuer, subject)
        row = value and await self._db.fetch_one(f"SELECT * FROM account WHERE {condition} = {{}}", value)
        if not row or row["disabled"]:
            raise TokenRefused("the token's subject stands for no account that may act")
        return Principal(
            "account",
            row["id"],
            None,
            row["name"],
            f"token:{issuer.issuer}",
            row["role"],
            scopes=self._scopes[issuer.issuer],
            address=address,
            duties=frozenset(json.loads(row["duties"] or "[]")),
        )


def outside_tokens(
    db: Database,
    permissions: Permissions,
    identities: OutsideIdentities,
    fetcher: Fetcher,
    path: Path | None,
) -> OutsideTokens:
    """Of the issuers in the file, if there is one."""
    issuers = () if path is None else load_issuers(path)
    return OutsideTokens(db, permissions, identities, KeySets(fetcher), issuers)


def _issuer(member: Mapping[str, Any], path: Path) -> OutsideIssuer:
    if not isinstance(member, dict) or member.keys() - _MEMBERS:
        raise IssuersFileError(f"{path}: an issuer has {', '.join(sorted(_MEMBERS))}.")
    issuer, audience, keys, account = (member.get(name) for name in ("issuer", "audience", "keys", "account"))
    if not all(isinstance(one, str) and one for one in (issuer, audience, keys)) or not isinstance(account, str | None):
        raise IssuersFileError(f"{path}: an issuer has an issuer, an audience and keys, each a text.")
    assert isinstance(keys, str)
    source: str | Path = keys if "://" in keys else path.parent / keys
    if isinstance(source, str) and not is_safe(source):
        raise IssuersFileError(f"{path}: keys are fetched by https only.")
    scopes = member.get("scopes", ["full"])
    if not isinstance(scopes, list) or not all(isinstance(one, str) for one in scopes):
        raise IssuersFileError(f"{path}: scopes are a list of texts.")
    assert isinstance(issuer, str)
    assert isinstance(audience, str)
    return OutsideIssuer(issuer, audience, source, account, tuple(scopes))
