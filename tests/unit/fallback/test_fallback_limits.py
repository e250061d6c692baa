"""How much the service gives: a share for each key, and only so much ahead of the box."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from deedbox_fallback.access import SECRET_BYTES, make_caller
from deedbox_fallback.beacons import Beacons
from deedbox_fallback.box_access import BoxAccess
from deedbox_fallback.box_watch import BoxWatch
from deedbox_fallback.store import Store
from deedbox_fallback.web import Service, fallback_app
from deedbox_fallback.worker import Worker
from deedbox_sync import message_signature
from deedbox_sync.beacon import QUICKNET
from deedbox_sync.pace import Pace

PATH = "/api/v2/fallback/request"

Asked = Callable[..., AbstractAsyncContextManager["Asker"]]


class Asker:
    """Two callers of a service in this process. Nobody looks for a box."""

    def __init__(self, http: httpx.AsyncClient, worker: Worker) -> None:
        self._http = http
        self._worker = worker
        self._callers = [
            make_caller(f"caller {number}", bytes([number]) * SECRET_BYTES, uuid4(), 0) for number in (0, 1)
        ]

    async def introduce(self) -> None:
        for caller, _ in self._callers:
            await self._worker.do(Store.add_caller, caller)

    async def ask(self, count: int, *, caller: int = 0) -> httpx.Response:
        body = json.dumps({"items": [{"content": "00" * 32}] * count}).encode()
        who, text = self._callers[caller]
        key, digest = message_signature.message_key(text), message_signature.body_digest(body)
        now, nonce = int(time.time()), message_signature.new_nonce()
        headers = message_signature.sign("POST", PATH, "", digest, who.id, key, now, nonce)
        return await self._http.post(PATH, content=body, headers=headers)


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    @asynccontextmanager
    async def make(**limits: object) -> AsyncIterator[Asker]:
        worker = Worker(lambda: Store.create(tmp_path / "fallback.db", bytes(32), uuid4()))
        async with httpx.AsyncClient() as nowhere:
            watch = BoxWatch(nowhere, BoxAccess("https://box.invalid", "", uuid4(), bytes(32)), worker)
            service = Service(worker, Beacons(nowhere, QUICKNET, ()), watch, **limits)  # type: ignore[arg-type]
            transport = httpx.ASGITransport(fallback_app(service))
            async with httpx.AsyncClient(transport=transport, base_url="https://fallback.test") as http:
                asker = Asker(http, worker)
                await asker.introduce()
                yield asker
        worker.close()

    return make


async def test_a_key_gets_its_burst_then_so_many_a_second_and_is_told_to_wait(asked: Asked) -> None:
    now = 100.0
    async with asked(pace=Pace(10, 2, lambda: now)) as asker:
        assert (await asker.ask(9)).status_code == 200
        refused = await asker.ask(2)
        assert (refused.status_code, refused.json()["type"]) == (429, "urn:deedbox:problem:too-many-requests")
        assert int(refused.headers["retry-after"]) >= 1
        assert (await asker.ask(1)).status_code == 200
        now += 1
        assert (await asker.ask(3)).status_code == 429
        assert (await asker.ask(2)).status_code == 200


async def test_each_key_has_its_own_share(asked: Asked) -> None:
    async with asked(pace=Pace(10, 2, lambda: 100.0)) as asker:
        assert (await asker.ask(10)).status_code == 200
        assert (await asker.ask(10, caller=1)).status_code == 200
        assert (await asker.ask(1)).status_code == 429


async def test_no_more_is_minted_than_the_box_will_take_in_a_while(asked: Asked) -> None:
    async with asked(most_waiting=5) as asker:
        assert (await asker.ask(4)).status_code == 200
        refused = await asker.ask(2)
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:deedbox:problem:unavailable")
        assert (await asker.ask(1)).status_code == 200
