"""How people come to have an account, or a new password: by a link that works once, from an administrator.

Of the link's token only a digest is kept. A token that was used, withdrawn, has expired or never was answers the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import BadRequest, Conflict, NotFound
from deedbox_server.people.accounts import MAX_NAME, Account, Accounts, checked_name
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.known_browsers import KnownBrowsers
from deedbox_server.people.membership import FIRM_CASE_ROLES, put_member
from deedbox_server.people.permissions import OUTSIDER, Permissions
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.people.rules import DUTIES, OUTSIDE_ROLES
from deedbox_server.people.secret_text import INVITATION, SecretText, make_secret, parse_secret
from deedbox_server.people.sessions import Sessions
from deedbox_sync import uuid7

INVITED_FOR: Final = timedelta(days=7)
LONGEST_INVITED: Final = timedelta(days=60)
RESET_FOR: Final = timedelta(days=1)
MAX_CASES: Final = 100  # of one invitation
MAX_EMAIL: Final = 254  # RFC 5321 4.5.3.1.3
MAX_TRIES: Final = (
    20  # at a sign-in name that is free and a password that is taken: an invitation is no way to try out names
)
OPERATION: Final = "account.manage"

Kind = Literal["invitation", "reset"]


@dataclass(frozen=True)
class NewInvitation:
    """Who is to come, as what, into which cases as what, and for how long the link works."""

    name: str
    role: str
    email: str | None = None
    duties: frozenset[str] = frozenset()
    cases: tuple[tuple[UUID, str], ...] = ()
    valid_for: timedelta = INVITED_FOR


@dataclass(frozen=True)
class Invitation:
    """`account` is the one that it made, or for a `reset` the one that it is for."""

    id: UUID
    kind: str
    name: str
    role: str
    email: str | None
    duties: frozenset[str]
    cases: tuple[tuple[UUID, str], ...]
    account: UUID | None
    made_by: str
    created: datetime
    expires: datetime
    used: datetime | None
    withdrawn: datetime | None

    def state(self, now: datetime) -> str:
        if self.used is not None:
            return "used"
        if self.withdrawn is not None:
            return "withdrawn"
        return "expired" if self.expires <= now else "open"


class Invitations:
    """Whoever manages accounts invites (`account.manage`); whoever has the link registers."""

    def __init__(
        self,
        db: Database,
        accounts: Accounts,
        sessions: Sessions,
        browsers: KnownBrowsers,
        permissions: Permissions,
        recorder: Recorder,
        clock: Clock = system_clock,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._sessions = sessions
        self._browsers = browsers
        self._permissions = permissions
        self._recorder = recorder
        self._clock = clock

    async def invite(self, principal: Principal, wanted: NewInvitation) -> tuple[Invitation, SecretText]:
        """The link's token can be had only now. BadRequest for a role, duty or case role that there is not; NotFound for a case
        that whoever invites does not see; Conflict if somebody is called so."""
        await self._permissions.permit(self._db, principal, OPERATION)
        name, email = checked_name(wanted.name), checked_email(wanted.email)
        if not self._permissions.has_role(wanted.role, standing=True):
            raise BadRequest("there is no such role")
        check_duties(wanted.role, wanted.duties)
        if not timedelta() < wanted.valid_for <= LONGEST_INVITED:
            raise BadRequest(f"an invitation is valid for at most {LONGEST_INVITED.days} days")
        if len(wanted.cases) > MAX_CASES:
            raise BadRequest(f"an invitation is for at most {MAX_CASES} cases")
        allowed = OUTSIDE_ROLES if wanted.role == OUTSIDER else FIRM_CASE_ROLES
        for case, role in wanted.cases:
            if role not in allowed:
                raise BadRequest(f"in a case this account can be one of: {', '.join(sorted(allowed))}")
            await self._permissions.permit(self._db, principal, "case.grant", case=case)
        if await self._accounts.is_taken(name):
            raise Conflict("somebody here has this name: tell them apart")
        return await self._make(principal, "invitation", wanted, name, email, None)

    async def invite_to_reset(self, principal: Principal, account: UUID) -> tuple[Invitation, SecretText]:
        """A link by which an account gets a new password. Links for it that were made before are void."""
        await self._permissions.permit(self._db, principal, OPERATION)
        found = await self._accounts.by_id(account)
        async with self._db.transaction():
            await self._db.execute(
                "UPDATE invitation SET withdrawn = {} WHERE account = {} AND kind = {} AND used IS NULL AND withdrawn IS NULL",
                self._clock(),
                account,
                "reset",
            )
            wanted = NewInvitation(found.name, found.role, valid_for=RESET_FOR)
            return await self._make(principal, "reset", wanted, found.name, None, account)

    async def page(self, principal: Principal, limit: int, before: UUID | None = None) -> list[Invitation]:
        """The newest first."""
        await self._permissions.permit(self._db, principal, OPERATION)
        rows = await self._db.fetch(
            "SELECT * FROM invitation WHERE id < {} ORDER BY id DESC LIMIT {}", before or UUID(int=2**128 - 1), limit
        )
        return [_invitation(row) for row in rows]

    async def withdraw(self, principal: Principal, invitation: UUID) -> None:
        """Its link opens nothing any more. NotFound unless it is still open."""
        await self._permissions.permit(self._db, principal, OPERATION)
        async with self._db.transaction():
            rows = await self._db.fetch(
                "UPDATE invitation SET withdrawn = {} WHERE id = {} AND used IS NULL AND withdrawn IS NULL RETURNING name",
                self._clock(),
                invitation,
            )
            if not rows:
                raise NotFound
            detail = {"what": "invitation withdrawn", "name": rows[0]["name"]}
            await self._recorder.changed(principal, OPERATION, object=invitation, detail=detail)

    async def look(self, token: str) -> Invitation:
        """What whoever holds the link is told before they answer it. NotFound for a token that opens nothing."""
        return _invitation(await self._open_row(token))

    async def register(self, token: str, sign_in: str, password: str, address: str | None) -> Account:
        """The account that was invited, with the role, the duties and the cases of the invitation and no others. NotFound for a
        token that opens nothing; Conflict for a sign-in name that is taken; BadRequest for a password that the rules refuse."""
        row = await self._tried(token, "invitation")
        checked_sign_in(sign_in)
        phc = await self._accounts.hashed(password, row["name"], sign_in)
        invitation = _invitation(row)
        async with self._db.transaction():
            account = await self._accounts.insert(
                invitation.name,
                invitation.role,
                phc,
                sign_in=sign_in,
                email=invitation.email,
                duties=invitation.duties,
            )
            await self._use(invitation.id, account.id)
            for case, role in invitation.cases:
                if await self._db.fetch("SELECT id FROM legal_case WHERE id = {}", case):
                    await put_member(self._db, case, account.id, role, None)
            about = Principal("account", account.id, None, account.name, "invitation", account.role, address=address)
            detail = {"what": "registered", "invitation": str(invitation.id), "invited_by": invitation.made_by}
            await self._recorder.changed(about, OPERATION, object=account.id, detail=detail)
        return account

    async def reset_password(self, token: str, password: str, address: str | None) -> Account:
        """The account of the link, with a new password; its sessions have ended. NotFound for a token that opens nothing."""
        row = await self._tried(token, "reset")
        account = await self._accounts.by_id(row["account"])
        phc = await self._accounts.hashed(password, account.name, account.sign_in or "")
        async with self._db.transaction():
            await self._use(row["id"], account.id)
            await self._accounts.set_password(account.id, phc)
            await self._browsers.forget(account.id)
            about = Principal("account", account.id, None, account.name, "reset link", account.role, address=address)
            await self._sessions.end_all(about, account.id)
            detail = {"what": "password reset", "link": str(row["id"])}
            await self._recorder.changed(about, OPERATION, object=account.id, detail=detail)
        return account

    async def _make(
        self,
        principal: Principal,
        kind: Kind,
        wanted: NewInvitation,
        name: str,
        email: str | None,
        account: UUID | None,
    ) -> tuple[Invitation, SecretText]:
        now, token = self._clock(), make_secret(INVITATION)
        made = Invitation(
            uuid7.new(), kind, name, wanted.role, email, wanted.duties, wanted.cases, account, principal.name, now,
            now + wanted.valid_for, None, None,
        )  # fmt: skip
        values: dict[str, Any] = {
            "id": made.id,
            "kind": kind,
            "digest": token.digest,
            "name": name,
            "role": made.role,
            "email": email,
            "duties": json.dumps(sorted(made.duties)),
            "cases": json.dumps([[str(case), role] for case, role in made.cases]),
            "account": account,
            "made_by": principal.actor_id,
            "made_by_name": principal.name,
            "created": now,
            "expires": made.expires,
            "tries": 0,
            "used": None,
            "withdrawn": None,
        }
        async with self._db.transaction():
            await self._db.insert_many("invitation", tuple(values), [tuple(values.values())])
            detail = {
                "what": "invited" if kind == "invitation" else "link for a new password made",
                "name": name,
                "role": made.role,
                "cases": [[str(case), role] for case, role in made.cases],
            }
            await self._recorder.changed(principal, OPERATION, object=account or made.id, detail=detail)
        return made, token

    async def _open_row(self, token: str) -> Row:
        secret = parse_secret(INVITATION, token)
        row = None
        if secret is not None:
            row = await self._db.fetch_one(
                "SELECT * FROM invitation WHERE digest = {} AND used IS NULL AND withdrawn IS NULL AND expires > {}"
                " AND tries < {}",
                secret.digest,
                self._clock(),
                MAX_TRIES,
            )
        if row is None:
            raise NotFound("this link opens nothing any more: ask whoever sent it for a new one")
        return row

    async def _tried(self, token: str, kind: Kind) -> Row:
        """Counted before anything slow or telling is done with it."""
        row = await self._open_row(token)
        if row["kind"] != kind:
            raise NotFound("this link opens nothing any more: ask whoever sent it for a new one")
        await self._db.execute("UPDATE invitation SET tries = tries + 1 WHERE id = {}", row["id"])
        return row

    async def _use(self, invitation: UUID, account: UUID) -> None:
        """Once, whoever comes at the same time."""
        now = self._clock()
        used = await self._db.fetch(
            "UPDATE invitation SET used = {}, account = {} WHERE id = {} AND used IS NULL AND withdrawn IS NULL"
            " AND expires > {} RETURNING id",
            now,
            account,
            invitation,
            now,
        )
        if not used:
            raise NotFound("this link opens nothing any more: ask whoever sent it for a new one")


def checked_email(email: str | None) -> str | None:
    """As far as a box that sends no mail cares: one line with an @ in it."""
    if email is None:
        return None
    local, at, domain = email.strip().rpartition("@")
    if not (local and at and domain) or len(email) > MAX_EMAIL or not email.isprintable() or " " in email.strip():
        raise BadRequest("this is no e-mail address")
    return email.strip()


def check_duties(role: str, duties: frozenset[str]) -> None:
    if duties - DUTIES:
        raise BadRequest(f"there is no such duty; there are: {', '.join(sorted(DUTIES))}")
    if duties and role == OUTSIDER:
        raise BadRequest("somebody from outside has no duties for the firm")


def checked_sign_in(sign_in: str) -> str:
    if not 0 < len(sign_in) <= MAX_NAME or not sign_in.isprintable() or sign_in != sign_in.strip():
        raise BadRequest(f"a sign-in name is one printable line of at most {MAX_NAME} characters")
    return sign_in


def _invitation(row: Row) -> Invitation:
    return Invitation(
        row["id"],
        row["kind"],
        row["name"],
        row["role"],
        row["email"],
        frozenset(json.loads(row["duties"])),
        tuple((UUID(case), role) for case, role in json.loads(row["cases"])),
        row["account"],
        row["made_by_name"],
        row["created"],
        row["expires"],
        row["used"],
        row["withdrawn"],
    )
