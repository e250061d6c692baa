"""Signing in: the password, or a passkey alone; and what stands between a guesser and a password."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import Conflict, Denied, TooMany, Unauthenticated
from deedbox_server.people.accounts import Account, Accounts, folded
from deedbox_server.people.known_browsers import KnownBrowsers
from deedbox_server.people.lockout import Lockout, from_anywhere, from_browser, from_network
from deedbox_server.people.passkeys import Credential, Passkeys
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.people.relying_party import RelyingParty
from deedbox_server.people.second_factors import SecondFactors
from deedbox_server.people.sessions import Sessions, Started, person

_WAITING_AT_ONCE: Final = 4  # guesses of one address that wait for a core: a flood holds up its sender, not everybody
_MAX_NAME: Final = 200  # characters of a name that is looked up


@dataclass(frozen=True)
class Caller:
    """Where a sign-in comes from: the address, what the browser calls itself, and its token if it has been here before."""

    address: str | None
    agent: str
    browser: str | None = None


class SigningIn:
    """Nothing here says whether a name exists: not the answer, not its time, not how soon a wait begins."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        sessions: Sessions,
        factors: SecondFactors,
        passkeys: Passkeys,
        lockout: Lockout,
        browsers: KnownBrowsers,
        recorder: Recorder,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._sessions = sessions
        self._factors = factors
        self._passkeys = passkeys
        self._lockout = lockout
        self._browsers = browsers
        self._recorder = recorder
        self._waiting: Counter[str] = Counter()

    async def by_password(self, name: str, password: str, caller: Caller) -> tuple[Account, Started]:
        """The first step: half a session, or a whole one where the firm asks for no second factor and none is set up.
        Unauthenticated if name or password is wrong; TooMany after some failures."""
        whom = folded(name[:_MAX_NAME])
        known = await self._browsers.knows(caller.browser, await self._accounts.known_as(name[:_MAX_NAME]))
        with self._in_line(caller.address):
            budget = (
                from_network("password", whom, caller.address)
                if known is None
                else from_browser("password", whom, known)
            )
            await self._lockout.take(budget)
            account = await self._accounts.by_password(name[:_MAX_NAME], password)
            await self._lockout.forgive(budget)
        return account, await self._sessions.start(account.id, "password", False, caller.address, caller.agent)

    async def ask_passkey(self, party: RelyingParty) -> tuple[UUID, dict[str, Any]]:
        """A ceremony for whoever has a passkey of this box: it says who they are."""
        return await self._passkeys.ask(None, None, party)

    async def by_passkey(
        self, ceremony: UUID, credential: Credential, party: RelyingParty, caller: Caller
    ) -> tuple[Account, Started]:
        """Both factors at once: the authenticator, and what it asked of its owner. PasskeyRefused if it does not hold."""
        shown = await self._factors.passkey_shown(None, None, ceremony, credential, party)
        account = await self._accounts.any_by_id(shown.account)
        if account.disabled:
            raise Unauthenticated("this passkey opens nothing here")
        return account, await self._sessions.start(account.id, "passkey", True, caller.address, caller.agent)

    async def change_password(self, principal: Principal, old: str, new: str) -> Started:
        """Needs the old one, guessed no more often than at the door. Every other session ends; this one goes on under a
        new token."""
        who, session = person(principal)
        account = await self._accounts.by_id(who)
        budget = from_anywhere("old password", account.id)
        await self._lockout.take(budget)
        if not await self._accounts.has_password(account.id, old):
            raise Denied("the old password is wrong")
        await self._lockout.forgive(budget)
        if old == new:
            raise Conflict("this is the password that you have")
        phc = await self._accounts.hashed(new, account.name, account.sign_in or "")
        async with self._db.transaction():
            await self._accounts.set_password(account.id, phc)
            await self._sessions.end_all(principal, account.id, but=session)
            detail = {"what": "password changed"}
            await self._recorder.changed(principal, "account.security", object=account.id, detail=detail)
            return await self._sessions.renamed(session)

    @contextmanager
    def _in_line(self, address: str | None) -> Iterator[None]:
        place = address or ""
        if self._waiting[place] >= _WAITING_AT_ONCE:
            raise TooMany("one at a time: wait a second, then try again", 1)
        self._waiting[place] += 1
        try:
            yield
        finally:
            self._waiting[place] -= 1
            if not self._waiting[place]:
                del self._waiting[place]
