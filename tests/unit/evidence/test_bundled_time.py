"""Outside time from end to end: a box asks a drand network, authorities and a witness, and a stranger with nothing but the bundle
and pinned keys finds each exhibit between two times that nobody in the firm could choose."""

import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from deedbox_server.evidence import bundled_time
from deedbox_server.evidence.exhibit_brackets import exhibit_brackets, received_indexes
from deedbox_sync import timestamp
from deedbox_sync.beacon import chain_members
from deedbox_sync.statement import Captured
from deedbox_verify.command import main
from kit.drand_network import DrandNetwork
from kit.http_person import Person
from kit.listening import people_app
from kit.open_box import Office, office
from kit.tsa_server import TsaServer
from kit.witness_server import WitnessServer, witness_server

pytestmark = pytest.mark.anyio


@dataclass
class Outside:
    """An office and all who stand outside of it."""

    office: Office
    folder: Path
    network: DrandNetwork
    authorities: tuple[TsaServer, TsaServer]
    witness: WitnessServer

    async def beacon(self) -> None:
        """One more beacon entry, whenever the last one was."""
        await self.office.box.database.execute("UPDATE time_beacon SET created = {}", datetime(2020, 1, 1, tzinfo=UTC))
        await self.office.box.beacons.step()
        await self.office.settle()

    async def stamp(self) -> None:
        states = await self.office.box.stamps.stamp_now()
        assert [state.fault for state in states] == [None, None]
        await self.office.settle()

    async def cosign(self) -> None:
        await self.office.box.witnesses.step()
        await self.office.settle()

    async def take(self, *names: str, **changes: object) -> None:
        """Exhibits come in."""
        desk = self.office.desk
        items = [desk.item(name, name.encode(), **changes) for name in names]
        await self.office.box.intake.batch(desk.sender(self.office.owner.id), items, wait=0)
        await self.office.settle()

    async def bundle(self) -> Path:
        sequencer = self.office.run_sequencer()
        try:
            prepared = await self.office.box.bundling.prepare(self.office.principal, self.office.case.id, None, "trial")
        finally:
            sequencer.cancel()
        path = self.folder / prepared.file_name
        path.write_bytes(b"".join([piece async for piece in prepared.stream()]))
        return path

    def trust(self, **changes: object) -> list[str]:
        """All that a stranger may pin, in a file."""
        pinned = {
            "logs": [self.office.box.notary.vkey],
            "witnesses": [self.witness.vkey],
            "tsa_roots": [authority.tsa.root for authority in self.authorities],
            "beacons": [dict(chain_members(self.network.chain))],
        }
        path = self.folder / "trust.json"
        path.write_text(json.dumps({**pinned, **changes}))
        return ["--trust", str(path)]


@pytest.fixture
async def outside(office_url: str | None, tmp_path: Path) -> AsyncIterator[Outside]:
    with ExitStack() as stack:
        network = stack.enter_context(DrandNetwork())
        one = stack.enter_context(TsaServer(tmp_path / "one", "First authority", intermediate=True, days=400))
        two = stack.enter_context(TsaServer(tmp_path / "two", "Second authority"))
        settings = {
            "outside": True,
            "beacon_urls": (network.endpoint("lying").url, network.endpoint().url),
            "beacon_chain": network.setting,
            "stamp_urls": (one.url, two.url),
            "stamp_roots": (str(one.tsa.root_file), str(two.tsa.root_file)),
        }
        async with office(tmp_path, office_url, **settings) as made:
            witness = stack.enter_context(witness_server("witness.example", made.box.notary.vkey))
            await made.box.witnesses.add(witness.vkey, witness.url)
            yield Outside(made, tmp_path, network, (one, two), witness)


def verdict(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


async def test_a_stranger_finds_every_exhibit_between_two_outside_times(
    outside: Outside, capsys: pytest.CaptureFixture[str]
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=4)  # a round is published every three seconds
    await outside.beacon()
    await outside.take("a.txt", "b.txt")
    await outside.stamp()
    await outside.beacon()
    await outside.take("c.txt")
    await outside.cosign()
    bundle = await outside.bundle()
    status = main([str(bundle), *outside.trust(), "--require", "intact,anchored,attributed", "--json"])
    told = verdict(capsys)
    assert (status, told["findings"]) == (0, [])
    assert told["anchored"]["answer"] == "before"
    now = timestamp.encode(datetime.now(UTC) + timedelta(seconds=1))
    for exhibit in told["exhibits"]:
        found = exhibit["anchored"]
        assert timestamp.encode(before) <= found["after"] <= found["before"] <= now
        assert "drand" in found["after_by"]
    assert [exhibit["anchored"]["by"] for exhibit in told["exhibits"]][:2] != [None, None]
    assert {stamp["authority"] for stamp in told["stamps"]} == {"First authority", "Second authority"}
    assert all(stamp["unrevoked"] for stamp in told["stamps"] if stamp["authority"] == "Second authority")


@pytest.mark.parametrize("pinned", ["witnesses", "tsa_roots"])
async def test_each_kind_of_outsider_is_enough_by_itself(
    outside: Outside, capsys: pytest.CaptureFixture[str], pinned: str
) -> None:
    await outside.take("a.txt")
    await outside.stamp()
    await outside.cosign()
    bundle = await outside.bundle()
    others: dict[str, object] = {"witnesses": [], "tsa_roots": []}
    others.pop(pinned)
    assert main([str(bundle), *outside.trust(**others), "--require", "intact,anchored", "--json"]) == 0
    assert verdict(capsys)["anchored"]["answer"] == "before"


async def test_what_came_after_the_last_outside_time_is_not_anchored(
    outside: Outside, capsys: pytest.CaptureFixture[str]
) -> None:
    await outside.take("a.txt")
    await outside.stamp()
    await outside.take("b.txt")
    bundle = await outside.bundle()
    assert main([str(bundle), *outside.trust(), "--json", "--require", "anchored"]) == 1
    told = verdict(capsys)
    assert told["findings"] == []
    assert [exhibit["anchored"]["answer"] for exhibit in told["exhibits"]] == ["before", "none"]


async def test_a_stamp_whose_certificate_ends_first_is_renewed_by_a_later_one_that_lasts(
    outside: Outside, capsys: pytest.CaptureFixture[str]
) -> None:
    await outside.take("a.txt")
    await outside.stamp()
    await outside.stamp()
    bundle = await outside.bundle()
    assert main([str(bundle), *outside.trust(), "--require", "intact,anchored", "--json"]) == 0
    stamps = verdict(capsys)["stamps"]
    assert len(stamps) == 4
    renewed = [(stamp["authority"], stamp["renewed"]["by"]) for stamp in stamps if stamp["renewed"]]
    assert renewed == [("First authority", "Second authority")]


async def test_a_desk_whose_clock_is_two_years_off_still_gets_the_right_bracket(
    outside: Outside, capsys: pytest.CaptureFixture[str]
) -> None:
    """The desk's own time is in the statement as it was; the bracket does not care."""
    began = datetime.now(UTC) - timedelta(seconds=4)
    two_years = timedelta(days=730)
    await outside.beacon()
    await outside.take("behind.txt", captured=Captured(datetime.now(UTC) - two_years, "Europe/Berlin", 3600, 1))
    await outside.take("ahead.txt", captured=Captured(datetime.now(UTC) + two_years, "Europe/Berlin", 3600, 2))
    await outside.stamp()
    ended = datetime.now(UTC) + timedelta(seconds=2)
    bundle = await outside.bundle()
    assert main([str(bundle), *outside.trust(), "--require", "intact,anchored,attributed", "--json"]) == 0
    told = verdict(capsys)
    assert abs(timestamp.parse(told["exhibits"][0]["captured"]) - datetime.now(UTC)) > timedelta(days=700)
    for exhibit in told["exhibits"]:
        found = exhibit["anchored"]
        assert timestamp.encode(began) <= found["after"] <= found["before"] <= timestamp.encode(ended)


async def test_the_box_tells_the_bracket_with_the_exhibit_and_when_it_checks_itself(outside: Outside) -> None:
    box = outside.office.box
    await outside.beacon()
    await outside.take("a.txt")
    _, key = await box.api_keys.create(outside.office.owner.id, "tests")
    transport = httpx.ASGITransport(people_app(box))
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        owner = Person(client, key.text)
        (item,) = (await owner.get("/api/v1/evidence/")).json()["items"]
        exhibit = f"/api/v1/evidence/{item['id']}"
        bracket = (await owner.get(exhibit)).json()["bracket"]
        assert bracket["not_before_by"].startswith("drand chain")
        assert (bracket["not_after"], bracket["not_after_by"]) == (None, None)
        assert (await owner.post(f"{exhibit}/verify")).json()["anchored"]["answer"] is False
        told = await owner.post("/api/v1/time/stamp")
        assert [stamp["fault"] for stamp in told.json()["stamps"]] == [None, None]
        await outside.office.settle()
        bracket = (await owner.get(exhibit)).json()["bracket"]
        assert bracket["not_after_by"] in ("First authority", "Second authority")
        anchored = (await owner.post(f"{exhibit}/verify")).json()["anchored"]
        assert anchored["answer"] is True
        assert anchored["bracket"] == bracket
        stands = (await owner.get("/api/v1/time/")).json()
        assert stands["beacon"]["round"] <= outside.network.latest()
        assert [stamp["authority"] for stamp in stands["stamps"]] == ["First authority", "Second authority"]
        assert [witness["name"] for witness in stands["witnesses"]] == ["witness.example"]
        account = await box.accounts.create("Max Member", "paralegal", "a long enough passphrase")
        _, other = await box.api_keys.create(account.id, "tests")
        member = Person(client, other.text)
        assert (await member.get("/api/v1/time/")).status_code == 403
        assert (await member.post("/api/v1/time/stamp")).status_code == 403


async def test_brackets_lie_between_the_nearest_beacon_and_the_earliest_outsider(outside: Outside) -> None:
    box = outside.office.box
    await outside.take("before.txt")
    await outside.beacon()
    await outside.take("between.txt")
    await outside.stamp()
    await outside.cosign()
    await outside.take("after.txt")
    exhibits = await box.exhibits.page(outside.office.principal)
    brackets = await exhibit_brackets(box.database, box.brackets, [exhibit.id for exhibit in exhibits])
    before, between, after = (brackets[exhibit.id] for exhibit in exhibits)
    assert (before.not_before, after.not_after) == (None, None)
    assert between.not_before == after.not_before
    assert before.not_after == between.not_after
    assert between.not_before is not None
    assert between.not_after is not None
    assert between.not_before <= between.not_after  # both tell whole seconds
    assert between.not_after_by in ("First authority", "Second authority")
    (states,) = [[state.newest for state in await box.stamps.states()]]
    assert between.not_after == min(state.time for state in states if state is not None)
    indexes = await received_indexes(box.database, [exhibit.id for exhibit in exhibits])
    assert (await box.brackets.of([indexes[exhibits[1].id]], upto=indexes[exhibits[1].id]))[
        indexes[exhibits[1].id]
    ].not_after is None


async def test_a_run_that_would_be_too_long_is_left_out_and_the_bundle_says_no_more_than_it_proves(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundled_time, "MAX_RUN", 4)
    await outside.beacon()
    await outside.take("near.txt")
    await outside.take("1.txt", "2.txt", "3.txt", "far.txt")
    sequencer = outside.office.run_sequencer()
    prepared = await outside.office.box.bundling.prepare(
        outside.office.principal, outside.office.case.id, None, "trial"
    )
    sequencer.cancel()
    (run,) = prepared.source.runs
    assert len(run.entries) <= 4
    known = [one.bracket.not_before is not None for one in prepared.source.exhibits if one.bracket is not None]
    assert known == [True, True, True, False, False]
