"""Time stamps: kept only if a pinned authority saw this very checkpoint; one that fails holds up nobody."""

import re
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.notary.beacons import Beacons
from deedbox_server.notary.outside import Outside
from deedbox_server.notary.stamp_store import StoredStamp, renewals
from deedbox_server.notary.stamping import (
    StampRefused,
    StampRequest,
    load_roots,
    make_request,
    order_certificates,
    take_response,
)
from deedbox_server.notary.stamps import Stamps
from deedbox_server.settings import SettingsError
from deedbox_sync import entry
from deedbox_sync.stamp import StampError, verify_stamp
from kit.drand_network import DrandNetwork
from kit.open_box import Office
from kit.tsa_server import TsaServer
from local_tsa import LocalTsa

pytestmark = pytest.mark.anyio

NewServer = Callable[..., TsaServer]


@dataclass
class Bench:
    """Stamps of an office under a clock of the test's own."""

    office: Office
    outside: Outside
    ahead: timedelta = field(default=timedelta(0))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def stamps(self, *servers: TsaServer, seconds: int = 3600, pinned: bool = True) -> Stamps:
        box = self.office.box
        return Stamps(
            box.database,
            box.notary,
            self.outside,
            urls=[server.url for server in servers],
            roots=lambda: [server.root for server in servers] if pinned else [],
            seconds=seconds,
            clock=self.now,
        )

    async def entries(self) -> list[entry.LogEntry]:
        """The log's `time.stamp` entries."""
        await self.office.settle()
        rows = await self.office.box.database.fetch("SELECT entry FROM log_entry ORDER BY seq")
        return [parsed for parsed in (entry.parse(row["entry"]) for row in rows) if parsed.kind == "time.stamp"]

    async def grow(self) -> None:
        """Something comes in."""
        await self.office.box.notary.publish("refusals", {"unknown": 1})
        await self.office.settle()


@pytest.fixture
async def bench(desk_and_box: Office) -> AsyncIterator[Bench]:
    outside = Outside.open()
    yield Bench(desk_and_box, outside)
    await outside.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NewServer]:
    with ExitStack() as stack:

        def make(name: str = "Local time-stamp authority", **certificates: object) -> TsaServer:
            return stack.enter_context(TsaServer(tmp_path / name, name, **certificates))

        yield make


async def test_a_stamp_is_kept_with_its_note_its_revocation_data_and_its_entry(bench: Bench, server: NewServer) -> None:
    authority = server()
    signed = await bench.office.box.notary.checkpoint()
    stamps = bench.stamps(authority)
    await stamps.step()
    (state,) = await stamps.states()
    assert state.fault is None
    assert state.newest is not None
    token, note = (await stamps.store.responses([state.newest.record]))[state.newest.record]
    crls = await stamps.store.revocation(state.newest.crls)
    assert note == signed
    stamp = verify_stamp(token, signed.encode(), [authority.root], list(crls.values()))
    assert stamp.unrevoked is not None
    assert (stamp.time, stamp.authority, stamp.expires) == (
        state.newest.time,
        "Local time-stamp authority",
        state.newest.expires,
    )
    (told,) = await bench.entries()
    assert told.commitments == {}
    assert told.data == {
        "authority": "Local time-stamp authority",
        "checkpoint": sha256(signed.encode()).hexdigest(),
        "size": int(signed.split("\n")[1]),
        "time": told.data["time"],
        "token": sha256(token).hexdigest(),
    }


async def test_openssl_takes_the_stored_stamp(bench: Bench, server: NewServer, tmp_path: Path) -> None:
    authority = server(intermediate=True)
    stamps = bench.stamps(authority)
    await stamps.step()
    (state,) = await stamps.states()
    assert state.newest is not None
    ((token, note),) = (await stamps.store.responses([state.newest.record])).values()
    (tmp_path / "token.tsr").write_bytes(token)
    (tmp_path / "note").write_bytes(note.encode())
    command = ["openssl", "ts", "-verify", "-data", "note", "-in", "token.tsr", "-CAfile", authority.tsa.root_file]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        ("absent", "could not be reached"),
        ("ill", "status 503"),
        ("garbage", "not a time stamp"),
        ("refusing", "not a time stamp"),
        ("other-bytes", "other bytes"),
        ("other-nonce", "another request"),
        ("other-root", "not by a pinned authority"),
    ],
)
async def test_what_is_no_stamp_over_this_checkpoint_is_not_kept_and_why_is_told(
    bench: Bench, server: NewServer, behaviour: str, says: str
) -> None:
    good, bad = server("good"), server("bad")
    bad.behaviour = behaviour  # type: ignore[assignment]
    stamps = bench.stamps(good, bad)
    await stamps.step()
    kept, failed = await stamps.states()
    assert (kept.fault, failed.newest) == (None, None)
    assert kept.newest is not None
    assert says in (failed.fault or "")
    assert len(await bench.entries()) == 1


async def test_a_slow_authority_does_not_hold_up_the_others(
    bench: Bench, server: NewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deedbox_server.notary.stamps._ASK_SECONDS", 1.0)
    good, slow = server("good"), server("slow")
    slow.behaviour = "slow"
    stamps = bench.stamps(slow, good)
    began = time.monotonic()
    await stamps.step()
    assert time.monotonic() - began < 10
    assert [state.newest is not None for state in await stamps.states()] == [False, True]


async def test_without_a_root_nothing_is_kept(bench: Bench, server: NewServer) -> None:
    stamps = bench.stamps(server(), pinned=False)
    await stamps.step()
    (state,) = await stamps.states()
    assert state.newest is None
    assert state.fault == "no authority is pinned"


async def test_an_authority_whose_certificate_is_revoked_or_over_does_not_count(
    bench: Bench, server: NewServer
) -> None:
    revoked = server("revoked")
    revoked.tsa.revoke()
    over = server("over", began=datetime.now(UTC) - timedelta(days=30), days=20)
    stamps = bench.stamps(revoked, over)
    await stamps.step()
    faults = [state.fault or "" for state in await stamps.states()]
    assert "was revoked" in faults[0]
    assert "not by a pinned authority" in faults[1]
    assert await bench.entries() == []


async def test_a_stamp_without_its_revocation_list_is_worth_more_than_none(bench: Bench, server: NewServer) -> None:
    authority = server()
    authority.crl_missing = True
    stamps = bench.stamps(authority)
    await stamps.step()
    (state,) = await stamps.states()
    assert state.newest is not None
    assert state.newest.crls == ()


async def test_a_revocation_list_of_the_last_hour_is_not_fetched_again(bench: Bench, server: NewServer) -> None:
    authority = server()
    stamps = bench.stamps(authority)
    for minutes in (0, 30, 61):
        bench.ahead = timedelta(minutes=minutes)
        await stamps.stamp_now()
    assert (authority.stamps, authority.lists) == (3, 2)


async def test_the_log_is_stamped_when_it_has_grown_and_not_more_often_than_was_set(
    bench: Bench, server: NewServer
) -> None:
    authority = server()
    for minutes, grows in ((0, False), (10, True), (59, True), (61, False), (200, False), (260, True), (270, False)):
        bench.ahead = timedelta(minutes=minutes)
        if grows:
            await bench.grow()
        await bench.stamps(authority).step()  # each time anew, as after a restart
        await bench.office.settle()
    assert authority.stamps == 3


async def test_its_own_beacons_and_stamps_do_not_make_the_log_ask_for_a_stamp(bench: Bench, server: NewServer) -> None:
    authority, box = server(), bench.office.box
    with DrandNetwork() as network:
        beacons = Beacons(
            box.database, box.notary, bench.outside, chain=network.chain, urls=[network.endpoint().url], seconds=1
        )
        for hours in (0, 2, 4):
            bench.ahead = timedelta(hours=hours)
            await bench.stamps(authority).step()
            await beacons.step()
            await bench.office.settle()
    assert authority.stamps == 1


async def test_a_quiet_log_is_stamped_again_before_the_certificate_ages(bench: Bench, server: NewServer) -> None:
    authority = server(days=200)
    for day in (0, 50, 120, 120.5, 122):
        bench.ahead = timedelta(days=day)
        await bench.stamps(authority).step()
        await bench.office.settle()
    assert authority.stamps == 3  # at first, when 90 days are left, and a day later again


async def test_an_authority_that_fails_is_asked_again_after_a_while(bench: Bench, server: NewServer) -> None:
    authority = server()
    authority.behaviour = "ill"
    stamps = bench.stamps(authority)
    for seconds in (0, 30, 70, 100, 200, 400):
        bench.ahead = timedelta(seconds=seconds)
        await stamps.step()
    assert authority.stamps == 3  # at 0, 70, 200 and not before 200 + 240
    authority.behaviour = "honest"
    bench.ahead = timedelta(seconds=460)
    await stamps.step()
    (state,) = await stamps.states()
    assert state.newest is not None
    assert state.fault is None


async def test_an_authority_whose_clock_is_before_a_beacon_of_the_log_says_something_false(
    bench: Bench, server: NewServer
) -> None:
    box, authority = bench.office.box, server()
    with DrandNetwork() as network:
        bench.ahead = timedelta(hours=1)
        network.clock = bench.now
        beacons = Beacons(
            box.database,
            box.notary,
            bench.outside,
            chain=network.chain,
            urls=[network.endpoint().url],
            seconds=600,
            clock=bench.now,
        )
        await beacons.step()
        await bench.office.settle()
    stamps = bench.stamps(authority)
    await stamps.step()
    (state,) = await stamps.states()
    assert state.newest is None
    assert "before that of a beacon" in (state.fault or "")


async def test_a_day_without_a_stamp_and_a_certificate_near_its_end_are_alarms(bench: Bench, server: NewServer) -> None:
    authority = server(days=40)
    stamps = bench.stamps(authority)
    assert await stamps.alarms() == []
    bench.ahead = timedelta(days=1, minutes=1)
    (sentence,) = await stamps.alarms()
    assert "more than a day" in sentence
    bench.ahead = timedelta(0)
    await stamps.step()
    await bench.office.settle()
    bench.ahead = timedelta(days=9)
    assert await stamps.alarms() == []
    bench.ahead = timedelta(days=11)
    (sentence,) = await stamps.alarms()
    assert "certificates under the newest time stamps end on" in sentence


async def test_a_clock_that_is_off_from_the_authority_is_an_alarm(bench: Bench, server: NewServer) -> None:
    stamps = bench.stamps(server())
    bench.ahead = timedelta(minutes=-10)
    await stamps.step()
    (sentence,) = await stamps.alarms()
    assert re.search("differ by (59[89]|60[01]) seconds", sentence)


async def test_a_box_that_may_not_call_outside_asks_nobody(bench: Bench) -> None:
    stamps = bench.stamps()
    await stamps.step()
    await stamps.run()
    assert await stamps.stamp_now() == []
    assert await stamps.alarms() == []


def test_certificates_come_in_the_order_of_der_whatever_the_authority_likes(tmp_path: Path) -> None:
    """openssl writes the signer's first. Whether that happens to be DER's order is chance: so several authorities."""
    turned = 0
    for number in range(8):
        folder = tmp_path / str(number)
        folder.mkdir()
        tsa = LocalTsa(folder, f"Authority {number}", intermediate=True)
        token = tsa.token(b"note")
        ordered = order_certificates(token)
        assert order_certificates(ordered) == ordered
        turned += ordered != token
        roots = x509.load_pem_x509_certificates(tsa.root.encode())
        assert verify_stamp(ordered, b"note", roots).authority == f"Authority {number}"
    assert turned


def test_a_stamp_older_than_the_newest_ones_authority_is_followed_by_those_that_renewed_it_in_time() -> None:
    """A stamp each year, of authorities whose certificates last four: ten years are bridged in steps of three."""

    def stamp(year: int, lasts: int = 4) -> StoredStamp:
        time = datetime(2026 + year, 1, 1, tzinfo=UTC)
        expires = datetime(2026 + year + lasts, 1, 1, tzinfo=UTC) - timedelta(days=10)
        return StoredStamp(UUID(int=year), "http://tsa.example", "TSA", year, time, time, expires, (), time)

    known = [stamp(year) for year in range(11)]
    assert [one.time.year for one in renewals(known, [known[0]])] == [2029, 2032, 2035]
    assert renewals(known, [known[10]]) == []
    assert renewals(known[:2], [known[0]]) == []
    gap = [known[0], known[1], known[7]]
    assert [one.time.year for one in renewals(gap, [known[0]])] == [2027]
    assert renewals([], []) == []


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, StampRequest, list[x509.Certificate]]:
    """A true response, the request that it is to, and the root to believe."""
    tsa = LocalTsa(tmp_path_factory.mktemp("tsa"), intermediate=True)
    request = make_request(b"note")
    return tsa.reply(request.der), request, x509.load_pem_x509_certificates(tsa.root.encode())


@given(data=st.data())
def test_a_damaged_response_is_taken_with_its_true_time_or_refused(
    answered: tuple[bytes, StampRequest, list[x509.Certificate]], data: st.DataObject
) -> None:
    """What is signed cannot be changed; what is not (a time stamp has some of that) may be damaged without harm."""
    response, request, roots = answered
    place = data.draw(st.integers(0, len(response) - 1))
    damaged = response[:place] + bytes([data.draw(st.integers(0, 255))]) + response[place + 1 :]
    _, true = take_response(response, request, b"note", roots)
    try:
        _, stamp = take_response(damaged, request, b"note", roots)
    except StampRefused:
        return
    assert (stamp.time, stamp.authority) == (true.time, true.authority)


@pytest.mark.parametrize("response", [b"", b"x", b"\x30\x80", bytes(1000), b"\x30\x03\x02\x01\x00"])
def test_an_answer_that_is_no_response_is_refused(response: bytes) -> None:
    with pytest.raises((StampRefused, StampError)):
        verify_stamp(order_certificates(response), b"note", [])


def test_the_systems_store_has_roots_and_named_files_replace_it(tmp_path: Path) -> None:
    tsa = LocalTsa(tmp_path)
    assert [one.subject.rfc4514_string() for one in load_roots([str(tsa.root_file)])] == [
        "CN=Local time-stamp authority root"
    ]
    with pytest.raises(SettingsError, match="no PEM certificate"):
        load_roots([str(tmp_path / "tsa.cnf")])
    with pytest.raises(SettingsError, match="no PEM certificate"):
        load_roots([str(tmp_path / "nowhere.pem")])
    load_roots([])  # whatever this machine has, it is read without complaint
