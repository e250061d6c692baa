"""What a running box does beside answering: counts of refusals go into the log, the listeners' certificates are renewed."""

import asyncio
import contextlib
import json

import pytest

from deedbox_server.app import serving
from deedbox_server.web.refusals import NO_CERTIFICATE, Refusals
from deedbox_sync import entry
from kit.open_box import Office

pytestmark = pytest.mark.anyio


async def test_refused_handshakes_are_counted_in_the_log_not_one_by_one(
    desk_and_box: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_REFUSALS_EVERY", 0.01)
    refusals = Refusals()
    for _ in range(500):
        refusals.count(NO_CERTIFICATE)
    task = asyncio.create_task(serving._report_refusals(desk_and_box.box, refusals))
    database = desk_and_box.box.database
    async with asyncio.timeout(10):
        while not await database.fetch("SELECT record FROM pending_entry"):
            await asyncio.sleep(0.01)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await desk_and_box.settle()
    rows = await database.fetch("SELECT entry FROM log_entry ORDER BY seq")
    told = [parsed.data for parsed in (entry.parse(row["entry"]) for row in rows) if parsed.kind == "refusals"]
    assert json.loads(json.dumps(told)) == [{NO_CERTIFICATE: 500}]
