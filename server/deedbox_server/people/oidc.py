"""Signing in at the firm's own directory: OpenID Connect Core 1.0, authorization code flow, with PKCE (RFC 7636), `state` and
`nonce`. Who signs in is known by issuer and subject, and by nothing else that the directory says of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import Denied, NotFound
from deedbox_server.people.accounts import MAX_NAME, Accounts
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.fetching import DirectoryFails, Fetcher, fetch_object, is_safe
from deedbox_server.people.jwt_check import Expected, TokenRefused
from deedbox_server.people.key_sets import KeySets
from deedbox_server.people.outside_identities import OutsideIdentities
from deedbox_server.people.principal import SYSTEM, Principal

ATTEMPT_LIFE: Final = timedelta(minutes=10)  # a person signs in at the directory meanwhile
MAX_ATTEMPTS: Final = 1000  # under way at once; the oldest gives way
DISCOVERY_LIFE: Final = timedelta(hours=1)
_MAX_CODE: Final = 4096  # characters
_WELL_KNOWN: Final = "/.well-known/openid-configuration"


class OidcRefused(Denied):
    """The directory's word does not open this box; the detail says what the person can do."""

    slug, title = "directory-refused", "The firm's directory did not sign you in here"


@dataclass(frozen=True)
class OidcSettings:
    """`roles`: group to role, in order of preference, for new accounts. `create`: whether who has no account here gets one; else
    they are invited as everybody and link their identity. `second_factor`: values of `acr` or `amr` that count as a second
    factor shown, `*` for any sign-in at all."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    name_claim: str = "name"
    group_claim: str = "groups"
    roles: tuple[tuple[str, str], ...] = ()
    create: bool = False
    second_factor: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Begun:
    """Where the browser goes, and what it must bring back beside `state`, as a cookie."""

    url: str
    browser: str = field(repr=False)


@dataclass(frozen=True)
class Arrived:
    """Who came back: an account, whether the directory's second factor counts, and where they wanted to go."""

    account: UUID
    strong: bool
    return_to: str
    linked: bool


@dataclass(frozen=True)
class _Discovered:
    authorization: str
    token: str
    keys: str
    posts_secret: bool


class Oidc:
    """Used from one event loop. Without settings every call is NotFound."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        identities: OutsideIdentities,
        fetcher: Fetcher,
        settings: OidcSettings | None,
        *,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._identities = identities
        self._fetcher = fetcher
        self._given = settings
        self._clock = clock
        self._key_sets = KeySets(fetcher, clock=clock)
        self._discovered: tuple[_Discovered, Any] | None = None

    @property
    def is_set(self) -> bool:
        return self._given is not None

    async def start(self, redirect_uri: str, return_to: str, account: UUID | None = None) -> Begun:
        """A new attempt; with `account`, to link the identity to it. DirectoryFails where the directory does not answer."""
        given, found = self._settings(), await self._discover()
        state, browser, nonce, verifier = (_random() for _ in range(4))
        await self._keep(state, browser, nonce, verifier, return_to, account)
        query = {
            "response_type": "code",
            "client_id": given.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(given.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        joined = "&" if "?" in found.authorization else "?"
        return Begun(f"{found.authorization}{joined}{urlencode(query)}", browser)

    async def finish(self, query: Mapping[str, str], browser: str | None, redirect_uri: str) -> Arrived:
        """Ends the attempt that `state` names, whatever comes of it: none is used twice. OidcRefused says what to do."""
        given = self._settings()
        attempt = await self._take(query.get("state", ""), browser)
        if (problem := query.get("error")) is not None:
            raise OidcRefused(
                "the directory says that you declined"
                if problem == "access_denied"
                else "the directory refused: try again"
            )
        if query.get("iss", given.issuer) != given.issuer:  # RFC 9207: another directory's answer
            raise OidcRefused("the answer is not of the firm's directory: begin again")
        code = query.get("code", "")
        if not 0 < len(code) <= _MAX_CODE:
            raise OidcRefused("the directory sent no code: begin again")
        claims = await self._redeem(code, attempt["verifier"], attempt["nonce"], redirect_uri)
        linked: UUID | None = attempt["account"]
        account = await self._account(claims, linked)
        return Arrived(account, self._is_strong(claims), attempt["return_to"], linked is not None)

    def _settings(self) -> OidcSettings:
        if self._given is None:
            raise NotFound("this box has no directory set")
        return self._given

    async def _discover(self) -> _Discovered:
        """OpenID Connect Discovery 1.0: what the issuer says of itself, kept for an hour."""
        given, now = self._settings(), self._clock()
        if self._discovered is not None and now - self._discovered[1] < DISCOVERY_LIFE:
            return self._discovered[0]
        status, found = await fetch_object(self._fetcher, "GET", given.issuer.rstrip("/") + _WELL_KNOWN)
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if status != 200 or found.get("issuer") != given.issuer or not all(is_safe(found.get(name)) for name in names):
            raise DirectoryFails("what it says of itself is not of the issuer that is set")
        ways = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        posts = isinstance(ways, list) and "client_secret_basic" not in ways
        authorization, token, keys = (str(found[name]) for name in names)
        discovered = _Discovered(authorization, token, keys, posts)
        self._discovered = (discovered, now)
        return discovered

    async def _keep(
        self, state: str, browser: str, nonce: str, verifier: str, return_to: str, account: UUID | None
    ) -> None:
        now = self._clock()
        async with self._db.transaction():
            await self._db.execute("DELETE FROM oidc_attempt WHERE expires <= {}", now)
            await self._db.execute(
                "DELETE FROM oidc_attempt WHERE state IN"
                " (SELECT state FROM oidc_attempt ORDER BY expires DESC, state LIMIT {} OFFSET {})",
                MAX_ATTEMPTS,
                MAX_ATTEMPTS - 1,
            )
            await self._db.insert_many(
                "oidc_attempt",
                ("state", "browser", "nonce", "verifier", "return_to", "account", "expires"),
                [(_digest(state), _digest(browser), nonce, verifier, return_to, account, now + ATTEMPT_LIFE)],
            )

    async def _take(self, state: str, browser: str | None) -> Mapping[str, Any]:
        rows = await self._db.fetch("DELETE FROM oidc_attempt WHERE state = {} RETURNING *", _digest(state))
        attempt = rows[0] if rows else None
        # The cookie holds the attempt to the browser it began in: nobody can sign another in as themselves (RFC 6749 10.12).
        if (
            attempt is None
            or browser is None
            or not hmac.compare_digest(attempt["browser"], _digest(browser))
            or attempt["expires"] <= self._clock()
        ):
            raise OidcRefused("this sign-in was not begun here, or took too long: begin again")
        return attempt

    async def _redeem(self, code: str, verifier: str, nonce: str, redirect_uri: str) -> Mapping[str, Any]:
        """The claims of the identity token that the code stands for."""
        given, found = self._settings(), await self._discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if given.client_secret is None:
            form["client_id"] = given.client_id
        elif found.posts_secret:
            form |= {"client_id": given.client_id, "client_secret": given.client_secret}
        else:
            pair = f"{quote(given.client_id, safe='')}:{quote(given.client_secret, safe='')}"  # RFC 6749 2.3.1
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        status, answer = await fetch_object(self._fetcher, "POST", found.token, urlencode(form).encode(), headers)
        token = answer.get("id_token")
        if status != 200 or not isinstance(token, str):
            raise OidcRefused("the directory did not take its own code: begin again")
        try:
            claims = await self._key_sets.verify(token, found.keys, Expected(given.issuer, given.client_id))
            _check_identity(claims, given.client_id, nonce)
        except TokenRefused as error:
            raise OidcRefused(f"the directory's answer cannot be believed: {error}") from error
        return claims

    async def _account(self, claims: Mapping[str, Any], linked: UUID | None) -> UUID:
        given, subject = self._settings(), str(claims["sub"])
        known = await self._identities.account_of(given.issuer, subject)
        if linked is not None:
            if known is None:
                account = await self._accounts.by_id(linked)
                by = Principal("account", linked, None, account.name, f"oidc:{given.issuer}", account.role)
                await self._identities.link(by, linked, given.issuer, subject)
            elif known != linked:
                raise OidcRefused("this identity stands for another account already")
            return linked
        if known is not None:
            return known
        if not given.create:
            raise OidcRefused("no account is linked to you: sign in with your password and link this identity first")
        return await self._create(claims, subject)

    async def _create(self, claims: Mapping[str, Any], subject: str) -> UUID:
        """An account for whoever the directory knows and gives a role. Its password is one that nobody knows."""
        given = self._settings()
        groups = claims.get(given.group_claim)
        mine = {one for one in (groups if isinstance(groups, list) else [groups]) if isinstance(one, str)}
        role = next((role for group, role in given.roles if group in mine), None)
        if role is None:
            raise OidcRefused("the directory gives you no role in this box: ask an administrator")
        name = claims.get(given.name_claim)
        if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_NAME:
            raise OidcRefused("the directory does not say what you are called: ask an administrator")
        async with self._db.transaction():
            made = await self._accounts.create(name.strip(), role, _random())
            await self._identities.link(SYSTEM, made.id, given.issuer, subject)
        return made.id

    def _is_strong(self, claims: Mapping[str, Any]) -> bool:
        counting = self._settings().second_factor
        if "*" in counting:
            return True
        methods = claims.get("amr")
        shown = {claims.get("acr"), *(methods if isinstance(methods, list) else ())}
        return any(isinstance(one, str) and one in counting for one in shown)


def _check_identity(claims: Mapping[str, Any], client_id: str, nonce: str) -> None:
    """OpenID Connect Core 3.1.3.7, what is not in `verify_token`: made for this client, and for this attempt."""
    audience, party = claims.get("aud"), claims.get("azp")
    if (isinstance(audience, list) and len(audience) > 1 and party is None) or party not in (None, client_id):
        raise TokenRefused("it was made for another client")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise TokenRefused("it was made for another sign-in")


def _random() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode("ascii").rstrip("=")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode("ascii").rstrip("=")
