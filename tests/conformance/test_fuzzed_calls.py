"""Every call of the people's listener, with what its description lets in and what it does not, by each role: no fault, and no
answer that the OpenAPI document does not tell of.

Bounded and always the same; DEEDBOX_FUZZ_EXAMPLES asks for more of each call. What is found here is mended where it is, not here.
"""

import asyncio
import os
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import hypothesis
import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from deedbox_server.app.description import description
from deedbox_server.app.listeners import people_app
from kit.http_person import CONTENT
from kit.open_box import Office
from kit.open_box import office as open_office

EXAMPLES = int(os.environ.get("DEEDBOX_FUZZ_EXAMPLES", "1"))  # of each call, of what is right and of what is wrong
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
STAFF = ("administrator", "attorney", "paralegal", "investigator", "auditor")
ROLES = (*STAFF, "outsider", "nobody")
ALLOWED = {501, 503, 507}  # of 500 and more
ENDLESS = {"GET /api/v1/events/stream": "it ends when the listener leaves; tests of its own listen to it"}

DOCUMENT = description("people")
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = {
    one.label: one for one in (found.ok() for found in SCHEMA.get_all_operations()) if one.label not in ENDLESS
}


@dataclass
class Served:
    """A box that is served on this machine, in a thread of its own, and somebody of each role."""

    folder: Path
    url: str = ""
    known: dict[str, list[str]] = field(default_factory=dict)
    accounts: dict[str, UUID] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    office: Office | None = None
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    ready: threading.Event = field(default_factory=threading.Event)
    http: requests.Session = field(default_factory=requests.Session)
    server: uvicorn.Server | None = None
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)

    def run(self) -> None:
        try:
            self.loop.run_until_complete(self._serve())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
        finally:
            self.loop.close()

    async def _serve(self) -> None:
        async with open_office(self.folder, stranger_calls_per_minute=1_000_000) as office:
            self.office = office
            await self._people(office)
            config = uvicorn.Config(people_app(office.box), port=0, log_config=None, ws="none")
            self.server = uvicorn.Server(config)
            serving = asyncio.create_task(self.server.serve())
            while not self.server.started:
                await asyncio.sleep(0.01)
            self.url = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"
            sequencing = office.run_sequencer()
            self.ready.set()
            await serving
            sequencing.cancel()

    async def _people(self, office: Office) -> None:
        """One of each role on the case, with evidence in it."""
        box, case = office.box, office.case.id
        await box.intake.batch(office.desk.sender(office.owner.id), [office.desk.item("plan.pdf", CONTENT)], wait=0)
        await office.settle()
        (exhibit,) = await box.exhibits.page(office.principal)
        self.accounts["administrator"] = office.owner.id
        for role in ROLES[1:-1]:
            made = await box.accounts.create(f"{role.title()} of the firm", role, "correct horse battery staple")
            self.accounts[role] = made.id
            await box.membership.grant(
                office.principal, case, made.id, "mediator" if role == "outsider" else role, None
            )
        people = [str(account) for account in self.accounts.values()]
        self.known = {"case": [str(case)], "exhibit": [str(exhibit.id)], "account": people}
        for role in self.accounts:
            await self._sign_in(role)

    async def _sign_in(self, role: str) -> None:
        assert self.office is not None
        box, account = self.office.box, self.accounts[role]
        await box.database.execute("UPDATE account SET disabled = {} WHERE id = {}", False, account)
        started = await box.sessions.start(account, "password", True, "127.0.0.1", "fuzzing")
        self.tokens[role] = started.token

    def send(self, case: Case, role: str) -> requests.Response:
        """The case by somebody of this role, who signs in anew where an earlier call ended the session."""
        answer = self._send(case, role)
        if answer.status_code == 401 and role in self.accounts:
            asyncio.run_coroutine_threadsafe(self._sign_in(role), self.loop).result()
            answer = self._send(case, role)
        return answer

    def _send(self, case: Case, role: str) -> requests.Response:
        given = case.as_transport_kwargs(base_url=self.url)
        headers = dict(given.pop("headers") or {})
        headers = {name: value for name, value in headers.items() if name.lower() not in ("authorization", "cookie")}
        if role in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        given.pop("cookies", None)
        return self.http.request(**given, headers=headers, timeout=60)

    def stop(self) -> None:
        assert self.server is not None
        self.server.should_exit = True


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("fuzzed"))
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    assert made.ready.wait(120)
    yield made
    made.stop()
    thread.join(60)
    made.http.close()


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_no_fault_and_no_undocumented_answer(served: Served, label: str) -> None:
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        try:
            _ask_each_role(served, OPERATIONS[label], mode)
        except hypothesis.errors.Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, "what is right can be made of every description"


def _ask_each_role(served: Served, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> None:
    """What is right is asked of things that are there. Where roles do not matter, few are enough."""
    told = DOCUMENT["paths"][operation.path][operation.method]
    if "x-deedbox-open" in told:
        roles: tuple[str, ...] = ("nobody",)
    elif "501" in told["responses"]:
        roles = ("investigator", "nobody")
    else:
        roles = ROLES if mode is GenerationMode.POSITIVE else ("administrator",)

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        if mode is GenerationMode.POSITIVE:
            for name in served.known.keys() & (case.path_parameters or {}).keys():
                case.path_parameters[name] = served.known[name][0]
        for role in roles:
            answer = served.send(case, role)
            served.answered[role, answer.status_code // 100] += 1
            assert answer.status_code < 500 or answer.status_code in ALLOWED, (role, answer.text)
            case.validate_response(answer, checks=CHECKS)

    ask()


def test_each_role_was_let_in_and_refused(served: Served) -> None:
    """Or what was asked said nothing: who is turned away at the door cannot find a fault behind it."""
    if not served.answered:
        pytest.skip("counts what the other tests of this file asked")
    for role in ROLES:
        assert served.answered[role, 2] > 0, role
        assert served.answered[role, 4] > 0, role
    assert served.answered["administrator", 2] > served.answered["outsider", 2]


@schemathesis.serializer("application/offset+octet-stream")
def _bytes(_context: schemathesis.SerializationContext, value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def test_what_is_left_out_is_there() -> None:
    assert ENDLESS.keys() <= {f"{method.upper()} {path}" for path, told in DOCUMENT["paths"].items() for method in told}
