"""Beacons: a round counts when it verifies and is fresh, whoever told it; what cannot be had is written down as absent."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deedbox_server.notary.beacons import Beacons, chain_of
from deedbox_server.notary.outside import Outside
from deedbox_server.settings import SettingsError
from deedbox_sync import entry
from deedbox_sync.beacon import QUICKNET, round_time, verify_beacon
from deedbox_sync.drand import parse_round
from deedbox_sync.errors import FormatError, ProofError
from kit.drand_network import DrandNetwork
from kit.loopback_http import LoopbackServer, Told
from kit.open_box import Office

pytestmark = pytest.mark.anyio

# What https://api.drand.sh/52db9ba7…/public/1000 answers, and 1001.
ROUND_1000 = {
    "round": 1000,
    "randomness": "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
    "signature": ("b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"),
}


@dataclass
class Bench:
    """Beacons of an office under a clock of the test's own."""

    office: Office
    network: DrandNetwork
    outside: Outside
    ahead: timedelta = field(default=timedelta(0))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def beacons(self, *urls: str, seconds: int = 600) -> Beacons:
        box = self.office.box
        return Beacons(
            box.database,
            box.notary,
            self.outside,
            chain=self.network.chain,
            urls=urls,
            seconds=seconds,
            clock=self.now,
        )

    async def entries(self) -> list[dict[str, object]]:
        """What the log's beacon entries tell."""
        await self.office.settle()
        rows = await self.office.box.database.fetch("SELECT entry FROM log_entry ORDER BY seq")
        parsed = [entry.parse(row["entry"]) for row in rows]
        assert all(not one.commitments for one in parsed if one.kind == "time.beacon")
        return [json.loads(json.dumps(one.data)) for one in parsed if one.kind == "time.beacon"]


@pytest.fixture
def network() -> Iterator[DrandNetwork]:
    with DrandNetwork() as made:
        yield made


@pytest.fixture
async def bench(desk_and_box: Office, network: DrandNetwork) -> AsyncIterator[Bench]:
    outside = Outside.open()
    yield Bench(desk_and_box, network, outside)
    await outside.close()


async def test_a_round_that_verifies_becomes_an_entry_and_the_newest_beacon(
    bench: Bench, network: DrandNetwork
) -> None:
    endpoint = network.endpoint()
    beacons = bench.beacons(endpoint.url)
    await beacons.step()
    assert beacons.latest is not None
    verify_beacon(beacons.latest, network.chain)
    assert endpoint.asked == [f"/{network.chain.hash.hex()}/public/latest"]
    (told,) = await bench.entries()
    assert told == {
        "chain": network.chain.hash.hex(),
        "round": beacons.latest.round,
        "signature": beacons.latest.signature.hex(),
    }


async def test_one_honest_endpoint_among_liars_is_enough(bench: Bench, network: DrandNetwork) -> None:
    others = [network.endpoint(bad) for bad in ("absent", "slow", "lying", "stale", "wrong-round", "garbage", "ill")]
    honest = network.endpoint()
    beacons = bench.beacons(*(one.url for one in others), honest.url)
    began = time.monotonic()
    await beacons.step()
    assert time.monotonic() - began < 2
    assert beacons.latest is not None
    verify_beacon(beacons.latest, network.chain)


@pytest.mark.parametrize(
    ("behaviours", "word"),
    [
        (["absent", "ill"], "unreachable"),
        (["slow"], "unreachable"),
        (["absent", "lying"], "false"),
        (["wrong-round"], "false"),
        (["garbage"], "false"),
        (["lying", "stale"], "stale"),
    ],
)
async def test_what_cannot_be_had_is_written_down_as_absent_with_its_word(
    bench: Bench, network: DrandNetwork, behaviours: list[str], word: str
) -> None:
    beacons = bench.beacons(*(network.endpoint(one).url for one in behaviours))  # type: ignore[arg-type]
    began = time.monotonic()
    await beacons.step()
    assert time.monotonic() - began < 4
    assert beacons.latest is None
    assert await bench.entries() == [{"absent": word, "chain": network.chain.hash.hex()}]


async def test_a_name_that_nobody_knows_is_unreachable_at_once(bench: Bench) -> None:
    beacons = bench.beacons("https://drand.invalid")
    began = time.monotonic()
    await beacons.step()
    assert time.monotonic() - began < 4
    assert beacons.absent == "unreachable"


async def test_an_answer_without_end_is_not_read_to_its_end(bench: Bench) -> None:
    server = LoopbackServer(lambda _: Told(200, "application/json", b" " * (1 << 20)))
    beacons = bench.beacons(server.url)
    await beacons.step()
    server.close()
    assert beacons.absent == "unreachable"


async def test_a_redirect_is_not_followed(bench: Bench, network: DrandNetwork) -> None:
    endpoint = network.endpoint()
    server = LoopbackServer(lambda _: Told(302, f"text/plain\r\nLocation: {endpoint.url}", b""))
    beacons = bench.beacons(server.url)
    await beacons.step()
    server.close()
    assert beacons.latest is None
    assert endpoint.asked == []


async def test_an_entry_is_written_no_more_often_than_was_set(bench: Bench, network: DrandNetwork) -> None:
    url = network.endpoint().url
    for minutes in (0, 0.5, 9, 10.5, 11, 21):
        bench.ahead = timedelta(minutes=minutes)
        network.clock = bench.now
        await bench.beacons(url).step()  # each time anew, as after a restart
    assert len(await bench.entries()) == 3


async def test_a_log_that_grows_fast_gets_its_next_beacon_sooner(
    bench: Bench, network: DrandNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deedbox_server.notary.beacons._CROWDED", 5)
    asked = bench.beacons(network.endpoint().url)
    for number in range(8):
        await bench.office.box.notary.publish("refusals", {"tests": number})
        await bench.office.settle()
        await asked.step()
    assert len(await bench.entries()) == 2


async def test_a_beacon_is_not_the_newest_for_longer_than_ninety_seconds(bench: Bench, network: DrandNetwork) -> None:
    beacons = bench.beacons(network.endpoint().url)
    await beacons.step()
    assert beacons.latest is not None
    bench.ahead = timedelta(seconds=95)
    assert beacons.latest is None


async def test_a_clock_that_is_off_from_the_beacons_is_an_alarm_and_the_round_does_not_count(
    bench: Bench, network: DrandNetwork
) -> None:
    beacons = bench.beacons(network.endpoint().url)
    bench.ahead = timedelta(hours=-3, minutes=-1)
    await beacons.step()
    (sentence,) = await beacons.alarms()
    assert "clock is at least 3 hours behind" in sentence
    bench.ahead = timedelta(hours=5, minutes=1)
    await beacons.step()
    assert any("5 hours old" in sentence for sentence in await beacons.alarms())
    assert beacons.latest is None
    assert (await bench.entries())[0]["absent"] == "stale"


async def test_half_an_hour_without_beacons_is_an_alarm_that_ends_with_the_next_one(
    bench: Bench, network: DrandNetwork
) -> None:
    endpoint = network.endpoint("absent")
    beacons = bench.beacons(endpoint.url)
    await beacons.step()
    assert await beacons.alarms() == []
    bench.ahead = timedelta(minutes=31)
    network.clock = bench.now
    await beacons.step()
    (sentence,) = await beacons.alarms()
    assert "31 minutes" in sentence
    endpoint.behaviour = "honest"
    await beacons.step()
    assert await beacons.alarms() == []


async def test_a_box_that_may_not_call_outside_writes_nothing(bench: Bench) -> None:
    beacons = bench.beacons()
    await beacons.step()
    await beacons.run()
    assert await bench.entries() == []
    assert await beacons.alarms() == []


def test_the_answer_of_the_real_network_is_read_and_verifies() -> None:
    found = parse_round(json.dumps(ROUND_1000).encode(), QUICKNET)
    verify_beacon(found, QUICKNET)
    assert round_time(QUICKNET, found.round).isoformat() == "2023-08-23T15:59:24+00:00"


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"[]",
        b"[" * 4000,
        b'{"round": 1000}',
        json.dumps(ROUND_1000 | {"round": "1000"}).encode(),
        json.dumps(ROUND_1000 | {"round": True}).encode(),
        json.dumps(ROUND_1000 | {"signature": "b4"}).encode(),
        json.dumps(ROUND_1000 | {"signature": ROUND_1000["signature"].upper()}).encode(),  # type: ignore[attr-defined]
        json.dumps(ROUND_1000 | {"more": "x" * 5000}).encode(),
    ],
)
def test_an_answer_that_is_no_round_is_refused(told: bytes) -> None:
    with pytest.raises(FormatError):
        parse_round(told, QUICKNET)


def test_a_round_of_another_number_does_not_verify() -> None:
    with pytest.raises(ProofError):
        verify_beacon(parse_round(json.dumps(ROUND_1000 | {"round": 1001}).encode(), QUICKNET), QUICKNET)


def test_another_chain_is_set_as_json_or_as_a_file(network: DrandNetwork, tmp_path: Path) -> None:
    assert chain_of(None) == QUICKNET
    assert chain_of(network.setting) == network.chain
    (tmp_path / "chain.json").write_text(network.setting)
    assert chain_of(str(tmp_path / "chain.json")) == network.chain


@pytest.mark.parametrize("setting", ["{}", "{", "/nowhere/chain.json", '{"chain": 1}', "[]"])
def test_a_chain_that_is_none_is_refused_in_a_sentence(setting: str) -> None:
    with pytest.raises(SettingsError, match="beacon_chain is no chain of drand"):
        chain_of(setting)
