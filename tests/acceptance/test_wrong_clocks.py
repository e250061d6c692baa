"""A laptop whose clock is two years off: everything says so, from the statement to a stranger's report, and the bracket is right.

Real processes: a box with a drand network and a time-stamp authority outside of it, and desks under libfaketime. Only the wall
clock is faked: a dead battery takes the date and leaves the ticking.
"""

import json
import shutil
import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from deedbox_checkout.local_box import LocalBox, LocalFailure
from deedbox_checkout.local_desk import LocalDesk
from deedbox_desktop.engine.journal import facts
from deedbox_sync import entry, message_signature, receipt, timestamp
from deedbox_sync.beacon import chain_members
from deedbox_verify.command import main as verify
from kit.drand_network import DrandNetwork
from kit.journal_copy import copied_journal, desk_keys, held_receipts
from kit.tsa_server import TsaServer
from kit.waiting import until

LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime")
LIBRARY = next((path for folder in LIBRARIES if (path := Path(folder) / "libfaketimeMT.so.1").exists()), None)
WAYS = {"ahead": timedelta(days=731), "behind": timedelta(days=-731)}
ALLOWED = timedelta(seconds=5)  # rounds come every three seconds, stamps in whole ones

pytestmark = pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed (Debian: faketime)")


def two_years(way: str) -> dict[str, str]:
    """The environment of a process whose clock is off."""
    days = WAYS[way] // timedelta(days=1)
    return {"LD_PRELOAD": str(LIBRARY), "FAKETIME": f"{days:+d}d", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@dataclass
class Firm:
    """A box and those outside of it, with one case."""

    folder: Path
    box: LocalBox
    case: str
    network: DrandNetwork
    authority: TsaServer

    def desk(self, name: str) -> LocalDesk:
        return LocalDesk(self.folder / name, self.folder / f"{name}-watched", self.folder / f"{name}-secrets")

    def await_beacon(self) -> None:
        def told() -> Any:
            return self.box.ask("/api/v1/time/")["beacon"]

        until(told, "the box has heard a beacon", seconds=90)

    def trust(self) -> Path:
        """All that a stranger pins."""
        with self.box.request("/log/key") as answer:
            key = answer.read().decode().strip()
        pinned = {
            "logs": [key],
            "witnesses": [],
            "tsa_roots": [self.authority.tsa.root],
            "beacons": [dict(chain_members(self.network.chain))],
        }
        path = self.folder / "trust.json"
        path.write_text(json.dumps(pinned))
        return path

    def bundle(self, exhibit: str) -> Path:
        path = self.folder / f"{exhibit}.zip"
        body = {"case": self.case, "exhibits": [exhibit], "purpose": "trial"}
        with self.box.request("/api/v1/bundles/", body) as answer, path.open("wb") as file:
            shutil.copyfileobj(answer, file)
        return path


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    folder = tmp_path_factory.mktemp("firm")
    with ExitStack() as stack:
        network = stack.enter_context(DrandNetwork())
        authority = stack.enter_context(TsaServer(folder / "authority", "Example authority"))
        environment = {
            "DEEDBOX_BOX_BEACON_URLS": network.endpoint().url,
            "DEEDBOX_BOX_BEACON_CHAIN": network.setting,
            "DEEDBOX_BOX_STAMP_URLS": authority.url,
            "DEEDBOX_BOX_STAMP_ROOTS": str(authority.tsa.root_file),
        }
        box = LocalBox(folder / "box", folder / "box-secrets", outside=True, environment=environment)
        box.create()
        box.start()
        stack.callback(box.kill)
        case = box.ask("/api/v1/cases", {"number": "2026-0001", "title": "Ödegård v. Müller"})["id"]
        yield Firm(folder, box, case, network, authority)


@dataclass
class Captured:
    """What one desk with a wrong clock brought in, and when that really was."""

    way: str
    desk: LocalDesk
    certificate: str
    status: dict[str, Any]
    exhibit: dict[str, Any]
    began: datetime
    ended: datetime


@pytest.fixture(scope="module", params=list(WAYS))
def captured(firm: Firm, request: pytest.FixtureRequest) -> Captured:
    """A desk that was paired in order, then lost its clock, then captured one file."""
    way: str = request.param
    firm.await_beacon()
    desk = firm.desk(way)
    desk.pair(firm.box, name=f"laptop {way}")
    desk.watch(firm.case, quiet=0.0)
    given = certificate(desk)
    desk.environment = two_years(way)
    began = datetime.now(UTC)
    (desk.watched / f"{way}.txt").write_bytes(f"two years {way}".encode())
    assert desk.run_once(patience=60) == 0, desk.status()
    firm.box.ask("/api/v1/time/stamp", method="POST")
    items = firm.box.ask("/api/v1/evidence/")["items"]
    [found] = [item for item in items if item["name"] == f"{way}.txt"]
    exhibit = firm.box.ask(f"/api/v1/evidence/{found['id']}")
    return Captured(way, desk, given, desk.status(), exhibit, began, datetime.now(UTC))


def certificate(desk: LocalDesk) -> str:
    with copied_journal(desk, desk_keys(desk)) as journal:
        box = facts.box(journal)
    assert box is not None
    return box.certificate


def words(way: str) -> str:
    return "2 years ahead of" if way == "ahead" else "2 years behind"


def test_the_desk_tells_its_person(captured: Captured) -> None:
    sentence = f"This computer's clock is {words(captured.way)} the box's. Statements say so; set the clock."
    assert captured.status["troubles"] == {"clock": sentence}
    assert captured.status["counts"] == {"receipted": 1}


def test_the_statement_is_flagged_and_carries_the_newest_beacon(firm: Firm, captured: Captured) -> None:
    _, told = judged(firm, captured)
    [exhibit] = told["exhibits"]
    off = timestamp.parse(exhibit["captured"]) - captured.began
    assert abs(off - WAYS[captured.way]) < timedelta(minutes=2)
    assert captured.began - timedelta(minutes=2) < timestamp.parse(exhibit["captured_after"]) < captured.ended


def test_the_receipt_is_flagged(captured: Captured) -> None:
    with copied_journal(captured.desk, desk_keys(captured.desk)) as journal:
        [held] = held_receipts(journal).values()
    assert entry.parse(receipt.parse(held.receipt).entry).data == {"clock": captured.way}


def test_the_custody_record_is_flagged(firm: Firm, captured: Captured) -> None:
    first = firm.box.ask(f"/api/v1/evidence/{captured.exhibit['id']}/custody")["events"][0]
    assert first["detail"]["clock"]["finding"] == captured.way
    assert abs(timedelta(milliseconds=first["detail"]["clock"]["offset_ms"]) - WAYS[captured.way]) < ALLOWED
    assert captured.exhibit["clock"]["words"] == f"The desk’s clock was {words(captured.way)} the box’s."


def test_a_strangers_report_is_flagged_and_its_bracket_is_right(firm: Firm, captured: Captured) -> None:
    status, told = judged(firm, captured)
    assert status == 0, told["findings"]
    [exhibit] = told["exhibits"]
    anchored = exhibit["anchored"]
    assert captured.began - timedelta(minutes=10) < timestamp.parse(anchored["after"])
    assert timestamp.parse(anchored["before"]) < captured.ended + ALLOWED
    assert exhibit["clock"] == {"ahead": "late", "behind": "early"}[captured.way]


def test_its_certificate_is_not_renewed_again_and_again(captured: Captured) -> None:
    """By its own clock the certificate has ended, or has not begun; by the box's there is nothing to renew."""
    assert certificate(captured.desk) == captured.certificate


def test_its_identifier_resolves_at_the_box(firm: Firm, captured: Captured) -> None:
    [file] = captured.status["files"]
    assert file["canonical"] is not None  # the desk ran until the box had told it
    told = signed(firm.box, f"/api/v2/chittyid/verify/{file['identifier']}")
    assert (told["known"], told["canonical"], told["issuer"]["kind"]) == (True, file["canonical"], "device")
    assert told["record"]["content"] == file["content"]
    assert told["record"]["beacon"] is not None
    assert file["identifier"] in signed(firm.box, f"/api/v2/chittyid/verify/{file['canonical']}")["aliases"]


@pytest.mark.parametrize("way", WAYS)
def test_a_desk_that_cannot_be_paired_for_its_clock_is_told_so(firm: Firm, way: str) -> None:
    desk = firm.desk(f"stranger-{way}")
    desk.environment = two_years(way)
    with pytest.raises(LocalFailure, match="Set the clock, and pair again"):
        desk.pair(firm.box)


def test_what_alarms_the_box_is_shown_on_the_desk(firm: Firm) -> None:
    desk = firm.desk("alarmed")
    desk.pair(firm.box, name="alarmed")
    right = firm.network.clock
    firm.network.clock = lambda: right() + timedelta(days=1)

    def alarms() -> list[str]:
        desk.run_once(patience=60)
        told: list[str] = desk.status()["alarms"]
        return told

    try:
        found = until(alarms, "the alarm has come to the desk", seconds=120, every=2, tell=desk.status)
    finally:
        firm.network.clock = right
    assert any("The box's clock is at least" in alarm for alarm in found)


def judged(firm: Firm, captured: Captured) -> tuple[int, dict[str, Any]]:
    """What the verifier says of a bundle with this exhibit: exit status, and its words as JSON."""
    bundle, report = firm.bundle(captured.exhibit["id"]), firm.folder / "report.json"
    with report.open("w") as file, redirect_stdout(file):
        status = verify(
            [str(bundle), "--trust", str(firm.trust()), "--require", "intact,anchored,attributed", "--json"]
        )
    return status, json.loads(report.read_text())


def signed(box: LocalBox, path: str) -> Any:
    """A call under /api/v2 by a key made for it."""
    made = box.ask("/api/v1/keys", {"name": "signed calls"})
    key, digest = message_signature.message_key(made["key"]), message_signature.body_digest(b"")
    created, nonce = int(datetime.now(UTC).timestamp()), message_signature.new_nonce()
    headers = message_signature.sign("GET", path, "", digest, UUID(made["id"]), key, created, nonce)
    context = ssl.create_default_context(cafile=str(box.ca_file))
    request = urllib.request.Request(box.url + path, headers=headers)  # https, to our own box
    with urllib.request.urlopen(request, context=context, timeout=60) as answer:  # the same
        return json.load(answer)
