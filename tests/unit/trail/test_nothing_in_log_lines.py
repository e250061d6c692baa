"""No secret, no body and no name is in any line that the box logs, whatever is asked of it and whatever goes wrong."""

import asyncio
import contextlib
import http.client
import json
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import uvicorn

from deedbox_server.app.listeners import people_app
from deedbox_server.cases import Cases
from deedbox_server.people.authority import Credential
from deedbox_server.web.refusals import Refusals
from deedbox_server.web.tls import people_config
from kit.open_box import Office

pytestmark = pytest.mark.anyio

MARK = "Quxmarkzq"  # in no word of the program; whatever a caller sends or the box keeps has it


class Lines(logging.Handler):
    """Every line of every logger, as a file would have it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{self.format(record)} {record.args!r}")


@pytest.fixture
def lines() -> Iterator[Lines]:
    root, handler = logging.getLogger(), Lines()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


@dataclass
class Site:
    """The people's listener on loopback, over real TLS and uvicorn, and somebody's key."""

    office: Office
    port: int
    key: str

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> int:
        return await asyncio.to_thread(self._call, method, path, body, headers)

    def _call(self, method: str, path: str, body: object, headers: dict[str, str]) -> int:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        raw = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=120)
        with contextlib.closing(raw):
            data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            raw.request(method, path, data, sent)
            answer = raw.getresponse()
            answer.read()
            return answer.status


@pytest.fixture
async def site(desk_and_box: Office, lines: Lines) -> AsyncIterator[Site]:
    box = desk_and_box.box
    _, key = await box.api_keys.create(desk_and_box.owner.id, f"{MARK} key")
    credential: Credential = await box.authority.listener("people", ["localhost"])
    listening = socket.create_server(("localhost", 0))
    server = uvicorn.Server(people_config(people_app(box), credential, Refusals()))
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    running = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield Site(desk_and_box, listening.getsockname()[1], key.text)
    finally:
        server.should_exit = True
        await running


async def test_no_log_line_has_a_name_a_body_or_a_secret(
    site: Site, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = site.office
    asyncio.get_running_loop().set_debug(True)
    case = f"/api/v1/cases/{office.case.id}"
    assert await site.call("POST", "/api/v1/cases/", {"number": f"{MARK}-1", "title": f"{MARK} v. State"}) < 300
    await site.call("POST", "/api/v1/cases/", {"number": f"{MARK}-1", "title": f"{MARK} again"})
    assert await site.call("POST", f"{case}/parties/", {"kind": "person", "name": f"{MARK} Party"}) < 500
    for path in (
        "/api/v1/cases/",
        f"/api/v1/cases/?q={MARK}",
        f"/api/v1/search/?q={MARK}",
        f"/{MARK}/nowhere",
        f"/api/v1/evidence/{MARK}",
        f"/api/v1/audit/?cursor={MARK}",
        "/api/v1/audit/export",
        "/api/v1/keys",
        "/api/v1/accounts/",
    ):
        await site.call("GET", path, X_Name=MARK)
    await site.call("POST", "/api/v1/cases/", f'{{"number": "{MARK}'.encode())
    await site.call("POST", "/api/v1/auth/login", {"name": MARK, "password": f"{MARK} horse battery"})
    await site.call("POST", "/api/v1/auth/login", {"name": "Olivia Owner", "password": f"{MARK} horse battery"})
    await site.call("GET", "/api/v1/me", Authorization=f"Bearer dbs_{MARK}")
    await site.call("GET", "/api/v1/me", Authorization=f"Basic {MARK}", Cookie=f"__Host-deedbox={MARK}")
    boundary = (
        f"--{MARK}\r\nContent-Disposition: form-data; name=file; filename={MARK}.pdf\r\n\r\n{MARK}\r\n--{MARK}--\r\n"
    )
    await site.call(
        "POST", "/api/v1/evidence/", boundary.encode(), Content_Type=f"multipart/form-data; boundary={MARK}"
    )
    item = office.desk.item(f"{MARK}.pdf", MARK.encode())
    await office.box.intake.batch(office.desk.sender(office.owner.id), [item], wait=0)
    await office.settle()
    await site.call("POST", f"{case}/audit/report")

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"{MARK} in a message of ours")

    monkeypatch.setattr(Cases, "get", fail)
    assert await site.call("GET", case) == 500
    office.box.alarms.register(fail)  # type: ignore[arg-type] # one that fails
    await office.box.alarms.now()
    monkeypatch.setattr(office.box.sequencer, "step", fail)
    sequencing = asyncio.create_task(office.box.sequencer.run())
    async with asyncio.timeout(60):
        while not any("log entries could not be written" in line for line in lines.lines):
            await asyncio.sleep(0.01)
    sequencing.cancel()
    await asyncio.gather(sequencing, return_exceptions=True)
    assert any("incident" in line for line in lines.lines), "the lines are seen at all"
    leaked = [line for line in lines.lines if MARK.lower() in line.lower() or site.key in line]
    assert leaked == []
