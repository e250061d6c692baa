"""A person's second factor: setting it up, showing it, taking it away.

Passkey, authenticator app, or a recovery code in need. Once there is a factor, changing any asks for one shown of late, so that
whoever has the password alone, or finds a browser open, gets no factor of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import Conflict, Denied, NotFound, SecondFactorNeeded
from deedbox_server.people.accounts import Accounts
from deedbox_server.people.known_browsers import KnownBrowsers
from deedbox_server.people.lockout import Budget, Lockout, from_anywhere, from_browser
from deedbox_server.people.passkeys import Credential, Passkey, PasskeyCloned, Passkeys, Shown
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.people.recovery_codes import RecoveryCodes
from deedbox_server.people.relying_party import RelyingParty
from deedbox_server.people.sessions import Sessions, Started, is_half, person
from deedbox_server.people.totp import Totp, TotpSetup

OPERATION: Final = "account.security"
_KIND: Final = "second factor"


class WrongCode(Denied):
    slug, title = "wrong-code", "The code is wrong, or was used before"


@dataclass(frozen=True)
class Factors:
    """What a person has set up. `required`: the firm asks everybody for a second factor."""

    totp: datetime | None
    passkeys: tuple[Passkey, ...]
    recovery_left: int
    required: bool

    @property
    def any(self) -> bool:
        return self.totp is not None or bool(self.passkeys)

    @property
    def methods(self) -> tuple[str, ...]:
        """How it can be shown, the best way first."""
        found = ["passkey"] if self.passkeys else []
        found += ["totp"] if self.totp is not None else []
        return tuple(found + (["recovery"] if found and self.recovery_left else []))


class SecondFactors:
    """Only in a session: an API key, or a device, never touches them."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        sessions: Sessions,
        passkeys: Passkeys,
        totp: Totp,
        recovery: RecoveryCodes,
        lockout: Lockout,
        browsers: KnownBrowsers,
        recorder: Recorder,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._sessions = sessions
        self._passkeys = passkeys
        self._totp = totp
        self._recovery = recovery
        self._lockout = lockout
        self._browsers = browsers
        self._recorder = recorder

    async def of(self, account: UUID) -> Factors:
        return Factors(
            await self._totp.since(account),
            tuple(await self._passkeys.of(account)),
            await self._recovery.left(account),
            self._sessions.rules.second_factor == "required",
        )

    async def show_code(self, principal: Principal, method: str, code: str, browser: str | None) -> Started:
        """By an app's code (`totp`) or a `recovery` code: the session goes on under a new token, strong for a while. WrongCode
        otherwise; TooMany after some."""
        account, session = person(principal)
        budget = await self._budget(account, browser)
        await self._lockout.take(budget)
        async with self._db.transaction():
            right = await (self._totp if method == "totp" else self._recovery).show(account, code)
            if right:
                await self._lockout.forgive(budget)
                return await self._shown(principal, session, method)
        raise WrongCode

    async def ask_passkey(self, principal: Principal, party: RelyingParty) -> tuple[UUID, dict[str, Any]]:
        """A ceremony and what the browser needs for it."""
        account, session = person(principal)
        return await self._passkeys.ask(account, session, party)

    async def show_passkey(
        self, principal: Principal, ceremony: UUID, credential: Credential, party: RelyingParty
    ) -> Started:
        """As `show_code`, by a passkey. Nobody guesses one, so that nothing is counted."""
        account, session = person(principal)
        await self.passkey_shown(account, session, ceremony, credential, party)
        async with self._db.transaction():
            return await self._shown(principal, session, "passkey")

    async def passkey_shown(
        self,
        account: UUID | None,
        session: UUID | None,
        ceremony: UUID,
        credential: Credential,
        party: RelyingParty,
    ) -> Shown:
        """Whose passkey it was. That one was copied is recorded, and it opens nothing."""
        try:
            return await self._passkeys.show(account, session, ceremony, credential, party)
        except PasskeyCloned as error:
            passkey = UUID(str(error.extra["passkey"]))
            row = await self._db.fetch_one("SELECT account FROM passkey WHERE id = {}", passkey)
            if row is not None:
                owner = await self._accounts.any_by_id(row["account"])
                about = Principal("account", owner.id, None, owner.name, "passkey", owner.role)
                async with self._db.transaction():
                    detail = {"what": "passkey refused: its counter went backwards"}
                    await self._recorder.changed(about, OPERATION, object=passkey, detail=detail)
            raise

    async def begin_totp(self, principal: Principal) -> TotpSetup:
        """A new secret for an app. It counts once the app has shown a code of it."""
        account, _ = await self._may_change(principal)
        return await self._totp.begin(account, await self._label(account))

    async def confirm_totp(self, principal: Principal, code: str) -> Started | None:
        """WrongCode if it is not of the new secret. A new token where the session could not do everything before."""
        account, session = await self._may_change(principal)
        budget = from_anywhere("setting up", account)
        await self._lockout.take(budget)
        async with self._db.transaction():
            first = not await self._sessions.has_factor(account)
            if await self._totp.confirm(account, code):
                await self._lockout.forgive(budget)
                return await self._added(principal, session, first, "authenticator app set up", None)
        raise WrongCode

    async def remove_totp(self, principal: Principal) -> None:
        """Conflict if it is the last factor, where one is required; NotFound if there is none."""
        account, _ = await self._may_change(principal)
        async with self._db.transaction():
            if not await self._totp.remove(account):
                raise NotFound("no authenticator app is set up")
            await self._after_removal(account)
            await self._note(principal, "authenticator app removed")

    async def offer_passkey(self, principal: Principal, party: RelyingParty) -> tuple[UUID, dict[str, Any]]:
        account, session = await self._may_change(principal)
        return await self._passkeys.offer_new(account, session, await self._label(account), principal.name, party)

    async def add_passkey(
        self, principal: Principal, ceremony: UUID, name: str, credential: Credential, party: RelyingParty
    ) -> tuple[Passkey, Started | None]:
        """And a new token where the session could not do everything before."""
        account, session = await self._may_change(principal)
        async with self._db.transaction():
            first = not await self._sessions.has_factor(account)
            made = await self._passkeys.add(account, session, ceremony, name, credential, party)
            return made, await self._added(principal, session, first, "passkey added", made.id)

    async def rename_passkey(self, principal: Principal, passkey: UUID, name: str) -> Passkey:
        account, _ = await self._may_change(principal)
        async with self._db.transaction():
            renamed = await self._passkeys.rename(account, passkey, name)
            await self._note(principal, "passkey renamed", passkey)
        return renamed

    async def remove_passkey(self, principal: Principal, passkey: UUID) -> None:
        """Conflict if it is the last factor, where one is required."""
        account, _ = await self._may_change(principal)
        async with self._db.transaction():
            await self._passkeys.remove(account, passkey)
            await self._after_removal(account)
            await self._note(principal, "passkey removed", passkey)

    async def renew_recovery(self, principal: Principal) -> list[str]:
        """Ten codes, shown now only; those before are void. Conflict without a factor that they could stand in for."""
        account, _ = await self._may_change(principal)
        async with self._db.transaction():
            if not await self._sessions.has_factor(account):
                raise Conflict("set up a passkey or an authenticator app first: recovery codes stand in for one")
            codes = await self._recovery.renew(account)
            await self._note(principal, "recovery codes renewed")
        return codes

    async def reset(self, account: UUID) -> None:
        """No factor, no code, no known browser. In the caller's transaction; it ends the sessions and tells of it."""
        await self._totp.remove(account)
        await self._passkeys.remove_all(account)
        await self._recovery.remove(account)
        await self._browsers.forget(account)

    async def _may_change(self, principal: Principal) -> tuple[UUID, UUID]:
        account, session = person(principal)
        if not principal.strong and await self._sessions.has_factor(account):
            raise SecondFactorNeeded("show your second factor again, then repeat this")
        return account, session

    async def _added(
        self, principal: Principal, session: UUID, first: bool, what: str, object: UUID | None
    ) -> Started | None:
        await self._note(principal, what, object)
        if not first:
            return None
        # Sessions begun with the password alone were as good as any until now.
        assert principal.account is not None
        await self._sessions.end_all(principal, principal.account, but=session)
        return await self._sessions.shown(session)

    async def _after_removal(self, account: UUID) -> None:
        if await self._sessions.has_factor(account):
            return
        if self._sessions.rules.second_factor == "required":
            raise Conflict("this is your last second factor: set up another one first")
        await self._recovery.remove(account)

    async def _shown(self, principal: Principal, session: UUID, method: str) -> Started:
        what = "signed in" if is_half(principal) else "second factor shown again"
        await self._recorder.changed(principal, OPERATION, object=session, detail={"what": what, "by": method})
        return await self._sessions.shown(session)

    async def _budget(self, account: UUID, browser: str | None) -> Budget:
        known = await self._browsers.knows(browser, account)
        return from_anywhere(_KIND, account) if known is None else from_browser(_KIND, str(account), known)

    async def _label(self, account: UUID) -> str:
        found = await self._accounts.by_id(account)
        return found.sign_in or found.name

    async def _note(self, principal: Principal, what: str, object: UUID | None = None) -> None:
        await self._recorder.changed(principal, OPERATION, object=object, detail={"what": what})
