"""Everything about registering and signing in, made once and joined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from deedbox_server.database import Database
from deedbox_server.people.account_changes import AccountChanges
from deedbox_server.people.accounts import Accounts
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.invitations import Invitations
from deedbox_server.people.known_browsers import KnownBrowsers
from deedbox_server.people.lockout import Lockout
from deedbox_server.people.passkeys import Passkeys
from deedbox_server.people.permissions import Permissions
from deedbox_server.people.recorder import Recorder
from deedbox_server.people.recovery_codes import RecoveryCodes
from deedbox_server.people.relying_party import RelyingParties
from deedbox_server.people.second_factors import SecondFactors
from deedbox_server.people.sessions import SessionRules, Sessions
from deedbox_server.people.signing_in import SigningIn
from deedbox_server.people.totp import Totp


@dataclass(frozen=True)
class FrontDoor:
    """`names`, in `open`: the host names that are the box's own."""

    sessions: Sessions
    second_factors: SecondFactors
    signing_in: SigningIn
    invitations: Invitations
    account_changes: AccountChanges
    known_browsers: KnownBrowsers
    relying_parties: RelyingParties

    @classmethod
    def open(
        cls,
        db: Database,
        accounts: Accounts,
        permissions: Permissions,
        recorder: Recorder,
        *,
        rules: SessionRules,
        box_name: str,
        names: Iterable[str],
        clock: Clock = system_clock,
    ) -> FrontDoor:
        sessions = Sessions(db, recorder, clock=clock, rules=rules)
        browsers, lockout = KnownBrowsers(db, clock), Lockout(db, clock)
        passkeys = Passkeys(db, box_name, clock)
        factors = SecondFactors(
            db,
            accounts,
            sessions,
            passkeys,
            Totp(db, box_name, clock),
            RecoveryCodes(db, clock),
            lockout,
            browsers,
            recorder,
        )
        return cls(
            sessions,
            factors,
            SigningIn(db, accounts, sessions, factors, passkeys, lockout, browsers, recorder),
            Invitations(db, accounts, sessions, browsers, permissions, recorder, clock),
            AccountChanges(db, accounts, sessions, factors, permissions, recorder),
            browsers,
            RelyingParties(names),
        )
