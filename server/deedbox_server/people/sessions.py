"""Sessions of people: who signed in, from where, with one factor or two, and for how long.

A session whose second factor is still to be shown (or set up) is half a session: its principal has one scope and nothing else.
Whenever a session may do more than before, its token is another one, so that a token known earlier opens nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from deedbox_server.database import Database, Row
from deedbox_server.errors import Denied, NotFound, Unauthenticated
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.principal import Principal
from deedbox_server.people.recorder import Recorder
from deedbox_server.people.secret_text import SESSION, make_secret, parse_secret
from deedbox_sync import uuid7
from deedbox_sync.canonical_json import Json

STRONG_FOR: Final = timedelta(minutes=15)  # after the second factor was shown
HALF_FOR: Final = timedelta(minutes=30)  # time enough to install an authenticator app
MAX_SESSIONS: Final = 50  # of one account; the least used one ends
MAX_AGENT: Final = 200  # characters of what a browser calls itself
_NOTE_EVERY: Final = timedelta(minutes=1)  # how exactly the last use is known: a write for each request would cost more
_HALF_SCOPES: Final = frozenset({"account:security"})

SecondFactor = Literal["required", "optional"]


@dataclass(frozen=True)
class SessionRules:
    """How long a session lasts without a request, and at all; whether people need a second factor."""

    idle: timedelta = timedelta(hours=1)
    longest: timedelta = timedelta(hours=12)
    second_factor: SecondFactor = "required"


@dataclass(frozen=True)
class Session:
    """A session as its owner sees it. `whole`: both factors were shown, or the firm asks for one only."""

    id: UUID
    via: str
    whole: bool
    shown: datetime | None
    address: str | None
    agent: str
    created: datetime
    used: datetime
    expires: datetime

    @property
    def handle(self) -> str:
        return handle_of(self.id)


@dataclass(frozen=True)
class Started:
    """The token can be had only now."""

    token: str
    session: Session


class Sessions:
    """Used from one event loop. Ended means refused at the next request: every request is looked up."""

    def __init__(
        self, db: Database, recorder: Recorder, *, clock: Clock = system_clock, rules: SessionRules | None = None
    ) -> None:
        self._db = db
        self._recorder = recorder
        self._clock = clock
        self.rules = rules or SessionRules()

    async def start(self, account: UUID, via: str, strong: bool, address: str | None, agent: str) -> Started:
        """A new session of an account. `via` says how it was recognised (`password`, `passkey`, `oidc:…`); `strong`: a second
        factor was part of that. NotFound for an account that may not act."""
        now, token = self._clock(), make_secret(SESSION)
        async with self._db.transaction():
            row = await self._db.fetch_one("SELECT name, role, disabled FROM account WHERE id = {}", account)
            if row is None or row["disabled"]:
                raise NotFound
            waived = not strong and self.rules.second_factor == "optional" and not await self.has_factor(account)
            whole = strong or waived
            expires = now + (self.rules.longest if whole else HALF_FOR)
            made = Session(
                uuid7.new(), via, whole, now if strong else None, address, _one_line(agent), now, now, expires
            )
            await self._make_room(account, now)
            await self._db.insert_many(
                "people_session",
                (
                    "id",
                    "digest",
                    "account",
                    "via",
                    "second",
                    "waived",
                    "shown",
                    "address",
                    "agent",
                    "created",
                    "used",
                    "expires",
                ),
                [
                    (
                        made.id,
                        token.digest,
                        account,
                        via,
                        strong,
                        waived,
                        made.shown,
                        address,
                        made.agent,
                        now,
                        now,
                        expires,
                    )
                ],
            )
            principal = Principal(
                "account", account, None, row["name"], f"session:{made.handle}", row["role"], address=address
            )
            detail = {"what": "signed in" if whole else "first factor shown", "via": via}
            await self._recorder.changed(principal, "account.security", object=made.id, detail=detail)
        return Started(token.text, made)

    async def by_token(self, text: str, address: str | None) -> Principal:
        """The account whose session this is. Unauthenticated says the same of every token that opens nothing: never made,
        rotated, ended, expired, of a disabled account."""
        token, now = parse_secret(SESSION, text), self._clock()
        row = None
        if token is not None:
            row = await self._db.fetch_one(
                "SELECT people_session.id, people_session.account, people_session.second, people_session.waived,"
                " people_session.shown, people_session.used, people_session.expires,"
                " account.name, account.role, account.disabled, account.duties"
                " FROM people_session JOIN account ON account.id = people_session.account"
                " WHERE people_session.digest = {}",
                token.digest,
            )
        if row is None or row["disabled"] or not self._is_alive(row, now):
            raise Unauthenticated("this session has ended: sign in again")
        if now - row["used"] >= _NOTE_EVERY:
            await self._db.execute(
                "UPDATE people_session SET used = {}, address = {} WHERE id = {} AND used < {}",
                now,
                address,
                row["id"],
                now,
            )
        whole = self._is_whole(row)
        shown: datetime | None = row["shown"]
        return Principal(
            "account",
            row["account"],
            None,
            row["name"],
            f"session:{handle_of(row['id'])}",
            row["role"],
            scopes=None if whole else _HALF_SCOPES,
            session=row["id"],
            strong=whole and shown is not None and now < shown + STRONG_FOR,
            address=address,
            duties=frozenset(json.loads(row["duties"] or "[]")),
        )

    async def shown(self, session: UUID) -> Started:
        """The second factor was shown in this session: from now on it is whole, and strong for a while, under a new token; the
        old one opens nothing. In the caller's transaction, if there is one. NotFound if the session has ended."""
        now, token = self._clock(), make_secret(SESSION)
        rows = await self._db.fetch(
            "UPDATE people_session SET digest = {}, second = {}, shown = {}, used = {},"
            " expires = CASE WHEN second THEN expires ELSE {} END WHERE id = {} AND expires > {} RETURNING *",
            token.digest,
            True,
            now,
            now,
            now + self.rules.longest,
            session,
            now,
        )
        if not rows:
            raise NotFound
        return Started(token.text, self._session(rows[0]))

    async def renamed(self, session: UUID) -> Started:
        """The same session under a new token; the old one opens nothing. NotFound if the session has ended."""
        token = make_secret(SESSION)
        rows = await self._db.fetch(
            "UPDATE people_session SET digest = {} WHERE id = {} AND expires > {} RETURNING *",
            token.digest,
            session,
            self._clock(),
        )
        if not rows:
            raise NotFound
        return Started(token.text, self._session(rows[0]))

    async def get(self, session: UUID) -> Session:
        """NotFound if it has ended."""
        row = await self._db.fetch_one("SELECT * FROM people_session WHERE id = {}", session)
        if row is None or not self._is_alive(row, self._clock()):
            raise NotFound
        return self._session(row)

    async def of(self, account: UUID) -> list[Session]:
        """The account's sessions that go on, the last used one first."""
        rows = await self._db.fetch(
            "SELECT * FROM people_session WHERE account = {} ORDER BY used DESC, id DESC", account
        )
        now = self._clock()
        return [self._session(row) for row in rows if self._is_alive(row, now)]

    async def end(self, principal: Principal, session: UUID) -> None:
        """NotFound unless it is one of the principal's own that goes on."""
        async with self._db.transaction():
            ended = await self._db.fetch(
                "DELETE FROM people_session WHERE id = {} AND account = {} RETURNING id", session, principal.account
            )
            if not ended:
                raise NotFound
            detail = {"what": "signed out" if session == principal.session else "session ended"}
            await self._recorder.changed(principal, "account.security", object=session, detail=detail)

    async def end_all(self, principal: Principal, account: UUID, *, but: UUID | None = None) -> int:
        """Every session of an account, `but` one. How many they were. In the caller's transaction, if there is one."""
        async with self._db.transaction():
            ended = await self._db.fetch(
                "DELETE FROM people_session WHERE account = {} AND id <> {} RETURNING id",
                account,
                but or UUID(int=0),
            )
            if ended:
                detail: dict[str, Json] = {"what": "sessions ended", "count": len(ended)}
                operation = "account.security" if account == principal.account else "account.manage"
                await self._recorder.changed(principal, operation, object=account, detail=detail)
        return len(ended)

    async def has_factor(self, account: UUID) -> bool:
        """Whether the account has a second factor that it could show; recovery codes alone are none."""
        rows = await self._db.fetch(
            "SELECT id FROM totp_secret WHERE account = {} AND confirmed IS NOT NULL"
            " UNION ALL SELECT id FROM passkey WHERE account = {} LIMIT 1",
            account,
            account,
        )
        return bool(rows)

    async def _make_room(self, account: UUID, now: datetime) -> None:
        await self._db.execute("DELETE FROM people_session WHERE expires <= {}", now)
        await self._db.execute(
            "DELETE FROM people_session WHERE id IN (SELECT id FROM people_session WHERE account = {}"
            " ORDER BY used DESC, id DESC LIMIT {} OFFSET {})",
            account,
            MAX_SESSIONS,
            MAX_SESSIONS - 1,
        )

    def _is_alive(self, row: Row, now: datetime) -> bool:
        return bool(now < row["expires"] and now < row["used"] + self.rules.idle)

    def _is_whole(self, row: Row) -> bool:
        return bool(row["second"] or (row["waived"] and self.rules.second_factor == "optional"))

    def _session(self, row: Row) -> Session:
        return Session(
            row["id"],
            row["via"],
            self._is_whole(row),
            row["shown"],
            row["address"],
            row["agent"],
            row["created"],
            row["used"],
            row["expires"],
        )


def is_half(principal: Principal) -> bool:
    """Whether this is a session that has still to show, or set up, its second factor."""
    return principal.session is not None and principal.scopes is not None


def person(principal: Principal) -> tuple[UUID, UUID]:
    """The account and the session of somebody who has signed in. Denied for a program's key, and for a device."""
    if principal.kind != "account" or principal.account is None or principal.session is None:
        raise Denied("only somebody who has signed in does this, not an API key")
    return principal.account, principal.session


def handle_of(session: UUID) -> str:
    """What may be shown of a session, as in `session:HANDLE`: the random end of its id."""
    return session.hex[-12:]


def _one_line(agent: str) -> str:
    return "".join(char if char.isprintable() else " " for char in agent)[:MAX_AGENT].strip()
