"""Looks whether the box is back, and brings it what was minted meanwhile (`formats/identifier.md`, reconcile).

Sending twice does no harm: the box knows what it has. So a record goes only when the box has said so, and whatever goes wrong
in between is tried again by the same step.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

import httpx
import msgspec

from deedbox_disk.errors import DiskError
from deedbox_fallback.box_access import BoxAccess
from deedbox_fallback.outgoing import OutgoingError, fetch
from deedbox_fallback.store import Store
from deedbox_fallback.worker import Worker
from deedbox_sync import message_signature
from deedbox_sync.identifier import MintRecord, record_members

WATCH_SECONDS: Final = 10.0  # between two looks (formats/identifier.md)
REFUSED_AGAIN: Final = 600  # seconds: a refusal ends when an administrator registers the key, not by itself

_HEALTH_PATH: Final = "/health/ready"
_RECONCILE_PATH: Final = "/api/v2/chittyid/reconcile"
_LOOK_SECONDS: Final = 3.0
_MAX_LOOK: Final = 64 << 10  # bytes; its alarms are sentences
_BATCH: Final = 500  # of at most 1,000: the box proves each, and people wait for it too
_SEND_SECONDS: Final = 60.0
_MAX_RESULTS: Final = 1 << 20  # bytes; some 300 for each record
_MAX_PROBLEM: Final = 500  # characters

log = logging.getLogger("deedbox.fallback")


class Result(msgspec.Struct, frozen=True):
    id: str | None
    state: Literal["reconciled", "known", "refused"]
    problem: str | None = None


class Results(msgspec.Struct, frozen=True):
    results: list[Result]


_RESULTS: Final = msgspec.json.Decoder(Results)


class BoxWatch:
    """`since`: since when the box is, or is not, within reach; None before the first look."""

    def __init__(
        self, client: httpx.AsyncClient, access: BoxAccess, worker: Worker, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._access = access
        self._worker = worker
        self._clock = clock
        self.reachable = False
        self.since: datetime | None = None

    async def run(self) -> None:
        """Look, and send what waits, until cancelled."""
        while True:
            try:
                await self.step()
            except DiskError:
                log.exception("what the box answered could not be kept; it will be asked again")
            await asyncio.sleep(WATCH_SECONDS)

    async def step(self) -> None:
        """Look once; where the box can work, send all that is due."""
        reachable = await self._look()
        if self.since is None or reachable != self.reachable:
            self.since = datetime.fromtimestamp(self._clock(), UTC)
            log.info("the box %s within reach", "is" if reachable else "is not")
        self.reachable = reachable
        while reachable and (records := await self._worker.do(Store.waiting, int(self._clock()), _BATCH)):
            if not await self._reconcile(records):
                return

    async def _look(self) -> bool:
        try:
            url = self._access.url + _HEALTH_PATH
            answer = await fetch(self._client, "GET", url, seconds=_LOOK_SECONDS, limit=_MAX_LOOK)
        except OutgoingError:
            return False
        return answer.status == httpx.codes.OK

    async def _reconcile(self, records: Sequence[MintRecord]) -> bool:
        """Whether the box judged them all, so that it is worth sending more."""
        members = {"issuer_note": None, "records": [record_members(record) for record in records]}
        body = json.dumps(members, separators=(",", ":")).encode()
        headers = message_signature.sign(
            "POST",
            _RECONCILE_PATH,
            "",
            message_signature.body_digest(body),
            self._access.key_id,
            self._access.message_key,
            int(self._clock()),
            message_signature.new_nonce(),
        )
        headers["Content-Type"] = "application/json"
        url = self._access.url + _RECONCILE_PATH
        try:
            answer = await fetch(self._client, "POST", url, body, headers, seconds=_SEND_SECONDS, limit=_MAX_RESULTS)
            if answer.status // 100 != 2:
                log.warning(
                    "the box did not reconcile %d records: %s", len(records), _words(answer.status, answer.content)
                )
                return False
            results = _RESULTS.decode(answer.content).results
        except OutgoingError as problem:
            log.warning("the box did not reconcile %d records: it %s", len(records), problem)
            return False
        except msgspec.MsgspecError:
            log.warning("the box did not reconcile %d records: its answer cannot be read", len(records))
            return False
        sent = {record.id for record in records}
        done = [result.id for result in results if result.id in sent and result.state != "refused"]
        refused = [
            (result.id, (result.problem or "no reason told")[:_MAX_PROBLEM])
            for result in results
            if result.id in sent and result.state == "refused"
        ]
        await self._worker.do(Store.settle, done, refused, int(self._clock()) + REFUSED_AGAIN)
        if done:
            log.info("the box has reconciled %d identifiers", len(done))
        if refused:
            log.warning("the box refused %d identifiers, the first because: %s", len(refused), refused[0][1])
        return len(done) + len(refused) == len(sent)


def _words(status: int, content: bytes) -> str:
    """The status and the kind of problem, which is a word; not the rest of what was said."""
    try:
        kind = msgspec.json.decode(content)["type"]
    except (msgspec.MsgspecError, KeyError, TypeError):
        return f"status {status}"
    return f"status {status}, {kind}"[:_MAX_PROBLEM]
