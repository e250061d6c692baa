"""`Idempotency-Key` on JSON POSTs: who asks the same again is given the same answer (draft-ietf-httpapi-idempotency-key-header).

Of one principal, or of one of its API keys; kept for 24 hours. The same key with another request is refused (422); while the
first is under way 409 with `Retry-After`. Only what was done is kept (2xx): a refused call changed nothing and may be asked anew.
An answer that says `Cache-Control: no-store` carries a secret and is never kept, nor is a long one: the repeat is told that
it was done. Between the act and its answer a box can die; then a repeat is told that nobody knows (409), and does nothing.
`/api/v2` is not of this: a signed call cannot be sent twice, and minting has a key of its own, in the transaction of the act.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, Conflict, DeedboxError, TooMany
from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.principal import Principal

HEADER: Final = "idempotency-key"
KEPT_FOR: Final = timedelta(hours=24)
MAX_BODY: Final = 1 << 20  # of a kept answer; longer ones are lists and files, which can be asked for again
MAX_KEPT: Final = 10_000  # of one asker in 24 hours, so that no program fills the database with its own answers
REPEATED: Final = "deedbox-repeated"  # says of an answer that it is that of the earlier call
_RETRY_SECONDS: Final = 1
_SWEPT_EVERY: Final = timedelta(minutes=5)
_KEY: Final = re.compile(r"[!-~]{1,255}")
_KEPT_HEADERS: Final = frozenset({"content-type", "etag", "last-modified", "link", "location"})
_CLAIM: Final = "deedbox_claim"

AnyRequest = Request[Any, Any, Any]


class KeyReused(DeedboxError):
    slug, status, title = "key-reused", 422, "This idempotency key was used for something else"


class StillRunning(Conflict):
    slug, title = "still-running", "The first call under this key is under way"


class OutcomeUnknown(Conflict):
    """The box stopped between the act and its answer."""

    slug, title = "outcome-unknown", "Whether the first call under this key was carried out is not known"


class AnswerNotKept(Conflict):
    slug, title = "answer-not-kept", "The first call under this key was carried out, and its answer was not kept"


@dataclass(frozen=True)
class Claim:
    """The right to carry out what is asked under a key, once."""

    id: bytes


class KeptAnswer(Exception):
    """This was carried out before: its answer stands here, instead of a second time."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


class Repeats:
    """The kept answers of a box. One for each listener of its process."""

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        self._db = database
        self._clock = clock
        self._run = os.urandom(16)
        self._under_way: set[bytes] = set()
        self._swept = None if clock is None else clock() - _SWEPT_EVERY

    async def claim(self, principal: Principal, key: str, request: bytes) -> Claim:
        """Durable before it returns. KeptAnswer where it was done, else the error that says how it stands."""
        asker = _asker(principal)
        id_ = hashlib.sha256(f"deedbox/v1/repeat/{asker}/{key}".encode()).digest()
        await self._sweep()
        now = self._clock()
        async with self._db.transaction():
            await self._db.execute("DELETE FROM kept_answer WHERE id = {} AND begun <= {}", id_, now - KEPT_FOR)
            made = await self._db.fetch(
                "INSERT INTO kept_answer (id, asker, request, run, begun) VALUES ({}, {}, {}, {}, {}) "
                "ON CONFLICT (id) DO NOTHING RETURNING id",
                *(id_, asker, request, self._run, now),
            )
            if made:
                await self._refuse_flood(asker)
        if not made:
            await self._tell(id_, request)
        self._under_way.add(id_)
        return Claim(id_)

    async def keep(self, claim: Claim, status: int, headers: Mapping[str, str], body: bytes | None) -> None:
        """The answer, or without a body that there was one. Durable before it returns."""
        await self._db.execute(
            "UPDATE kept_answer SET status = {}, headers = {}, body = {} WHERE id = {}",
            *(status, json.dumps(dict(headers)), body, claim.id),
        )

    async def free(self, claim: Claim) -> None:
        """Nothing was done: the same may be asked again."""
        await self._db.execute("DELETE FROM kept_answer WHERE id = {} AND status IS NULL", claim.id)

    def ended(self, claim: Claim) -> None:
        """The call is no longer under way, however it ended."""
        self._under_way.discard(claim.id)

    async def _tell(self, id_: bytes, request: bytes) -> None:
        row = await self._db.fetch_one("SELECT request, run, status, headers, body FROM kept_answer WHERE id = {}", id_)
        if row is None:  # the first was refused this very moment
            raise StillRunning("ask again", retry_after=_RETRY_SECONDS)
        if row["request"] != request:
            raise KeyReused("take a new key for another request")
        if row["status"] is None:
            if row["run"] == self._run and id_ in self._under_way:
                raise StillRunning("wait, then ask again", retry_after=_RETRY_SECONDS)
            raise OutcomeUnknown("look whether it was done before you ask again, under a new key")
        if row["body"] is None:
            raise AnswerNotKept("look for what it made instead of asking again")
        raise KeptAnswer(row["status"], json.loads(row["headers"]), row["body"])

    async def _refuse_flood(self, asker: str) -> None:
        row = await self._db.fetch_one("SELECT COUNT(*) AS kept FROM kept_answer WHERE asker = {}", asker)
        if row is not None and row["kept"] > MAX_KEPT:
            raise TooMany(f"at most {MAX_KEPT} idempotency keys are kept for a day", retry_after=3600)

    async def _sweep(self) -> None:
        now = self._clock()
        if self._swept is None or now - self._swept >= _SWEPT_EVERY:
            self._swept = now
            await self._db.execute("DELETE FROM kept_answer WHERE begun <= {}", now - KEPT_FOR)


async def provide_once(
    request: AnyRequest, identified: NamedDependency[Principal], repeats: NamedDependency[Repeats]
) -> Principal:
    """Who asks, as `principal` of every handler; where a key is given, only if this is the first time."""
    keys = request.headers.getall(HEADER, [])
    if not keys or request.method != "POST" or not _is_json(request):
        return identified
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise BadRequest("a call has one Idempotency-Key, of 1 to 255 printable ASCII characters")
    claim = await repeats.claim(identified, keys[0], await _fingerprint(request))
    request.scope["state"][_CLAIM] = claim
    return identified


def replay(_request: AnyRequest, kept: Exception) -> Response[bytes]:
    """The kept answer again."""
    assert isinstance(kept, KeptAnswer)
    return Response(kept.body, status_code=kept.status, headers={**kept.headers, REPEATED: "true"})


def keeping(repeats: Repeats) -> Any:
    """Middleware: what a claimed call was answered is kept before its last byte is sent."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP or scope["method"] != "POST":
                await app(scope, receive, send)
                return
            answer = _Answer(repeats, scope, send)
            try:
                await app(scope, receive, answer.send)
            finally:
                answer.end()

        return serve

    return wrap


class _Answer:
    """An answer on its way out."""

    def __init__(self, repeats: Repeats, scope: Scope, send: Send) -> None:
        self._repeats = repeats
        self._scope = scope
        self._send = send
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body: bytearray | None = bytearray()

    async def send(self, message: Message) -> None:
        claim = self._claim
        if claim is not None:
            if message["type"] == "http.response.start":
                self._status = message["status"]
                found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in message["headers"]}
                self._headers = {name: value for name, value in found.items() if name in _KEPT_HEADERS}
                if "no-store" in found.get("cache-control", ""):
                    self._body = None
            elif message["type"] == "http.response.body":
                self._take(message.get("body", b""))
                if not message.get("more_body", False):
                    await self._settle(claim)
        await self._send(message)

    def end(self) -> None:
        if self._claim is not None:
            self._repeats.ended(self._claim)

    @property
    def _claim(self) -> Claim | None:
        return cast("Claim | None", self._scope["state"].get(_CLAIM))

    def _take(self, piece: bytes) -> None:
        if self._body is not None:
            self._body += piece
            if len(self._body) > MAX_BODY:
                self._body = None

    async def _settle(self, claim: Claim) -> None:
        if self._status < 300:
            body = None if self._body is None else bytes(self._body)
            await self._repeats.keep(claim, self._status, self._headers, body)
        elif self._status != 500:  # a fault of ours may have come after the act
            await self._repeats.free(claim)


def _asker(principal: Principal) -> str:
    """Keys of different reach do not share answers; a person who signs in again has those of before."""
    return (
        f"{principal.actor_id}/{principal.via if principal.scopes is not None or principal.cases is not None else ''}"
    )


def _is_json(request: AnyRequest) -> bool:
    kind = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    return kind in {"", "application/json"}


async def _fingerprint(request: AnyRequest) -> bytes:
    digest = hashlib.sha256()
    for part in (request.url.path.encode(), request.scope["query_string"], await request.body()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()
