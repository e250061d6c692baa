"""A desk whose clock is off says so, in its statements and to its person, and works on by the box's clock."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from deedbox_desktop.engine.box.client import HttpsBox
from deedbox_desktop.engine.box.https import HttpsPeer
from deedbox_desktop.engine.errors import BoxUnintelligible
from deedbox_desktop.engine.journal import facts
from deedbox_desktop.terminal import status_json, status_lines
from deedbox_sync import hello, timestamp
from deedbox_sync.beacon import QUICKNET, Beacon
from deedbox_sync.statement import Captured, CaptureStatement
from unit.desk.desk_bench import DeskBench
from unit.desk.tls_site import Site, authority, issue

TWO_YEARS = timedelta(days=731)
BEACON = Beacon(QUICKNET.hash, 1000, bytes(range(48)))


def statements(bench: DeskBench) -> list[CaptureStatement]:
    return [known.said for known in bench.box.known.values() if isinstance(known.said, CaptureStatement)]


def told(bench: DeskBench) -> Captured:
    return statements(bench)[-1].captured


@pytest.mark.parametrize(("ahead", "words"), [(TWO_YEARS, "2 years ahead of"), (-TWO_YEARS, "2 years behind")])
@pytest.mark.parametrize("size", [10, 10_000], ids=["small", "large"])
def test_a_clock_that_is_off_is_told_in_the_statement(
    bench: DeskBench, ahead: timedelta, words: str, size: int
) -> None:
    bench.box.ahead = ahead
    (bench.folder / "letter.txt").write_bytes(bytes(size))
    bench.settle()
    [said] = statements(bench)
    assert said.captured.box_offset_ms == pytest.approx(ahead / timedelta(milliseconds=1), abs=2000)
    [exception] = said.exceptions
    assert exception.kind == "clock-disagrees"
    assert exception.detail == f"This computer's clock was {words} the box's when it last saw the box"


def test_a_clock_that_is_a_minute_off_is_no_exception(bench: DeskBench) -> None:
    bench.box.ahead = timedelta(minutes=1)
    (bench.folder / "letter.txt").write_bytes(b"x")
    bench.settle()
    assert statements(bench)[0].exceptions == ()
    assert bench.status().troubles == {}


def test_a_clock_that_is_off_and_the_boxs_alarms_are_shown(bench: DeskBench) -> None:
    bench.box.ahead = TWO_YEARS
    bench.box.alarms = ["The witness “Nord” refuses this log: it has seen another one."]
    bench.settle()
    status = bench.status()
    lines = status_lines(status)
    sentence = "This computer's clock is 2 years ahead of the box's. Statements say so; set the clock."
    assert f"△         {sentence}" in lines
    assert "△         The box says: The witness “Nord” refuses this log: it has seen another one." in lines
    made = status_json(status)
    assert made["troubles"] == {"clock": sentence}
    assert made["alarms"] == ["The witness “Nord” refuses this log: it has seen another one."]
    bench.box.ahead, bench.box.alarms = timedelta(0), []
    with bench.running():
        bench.wait(lambda progress: bench.status().troubles == {})
    assert status_json(bench.status())["alarms"] == []


def test_the_newest_beacon_is_in_each_statement_also_after_a_restart_without_a_box(bench: DeskBench) -> None:
    bench.settle()
    (bench.folder / "first.txt").write_bytes(b"1")
    bench.box.beacon = BEACON
    bench.settle()
    bench.box.reachable = False
    (bench.folder / "second.txt").write_bytes(b"2")
    bench.run_until(lambda progress: progress.captured)
    bench.box.reachable, bench.box.beacon = (
        True,
        None,
    )  # just now the box has none: what it told before is still the newest
    (bench.folder / "third.txt").write_bytes(b"3")
    bench.settle()
    assert [said.captured.beacon for said in statements(bench)][1:] == [BEACON, BEACON]
    bench.box.beacon = newer = replace(BEACON, round=1001)
    bench.settle()
    (bench.folder / "fourth.txt").write_bytes(b"4")
    bench.settle()
    assert told(bench).beacon == newer


def test_a_greeting_of_before_beacons_is_still_read(bench: DeskBench) -> None:
    bench.settle()
    with bench.open_journal() as journal:
        old = journal.read(lambda db: db.execute("SELECT value FROM fact WHERE name = 'greeting'").fetchone()[0])
        shorter = old.replace('"alarms":[],', "").replace('"beacon":null,', "")
        assert len(shorter) < len(old)
        journal.write(lambda db: db.execute("UPDATE fact SET value = ? WHERE name = 'greeting'", (shorter,)))
        greeting = journal.read(facts.greeting)
    assert greeting is not None
    assert (greeting.beacon, greeting.alarms) == (None, ())


def answer_hello(site: Site, bench: DeskBench, box_time: datetime) -> None:
    said = replace(bench.box.hello(), box_time=timestamp.encode(box_time))
    site.answers.append(lambda wire: (wire.request(), wire.send(hello.encode_hello(said)))[0] and None)


def box_that_began(site: Site, there: datetime) -> HttpsPeer:
    """A box whose certificates are of another time, and which goes by that."""
    site.ca_key, site.ca = authority("Box CA", there)
    site.client = issue(site.ca_key, site.ca, site.client_key, ExtendedKeyUsageOID.CLIENT_AUTH, there)
    site.serve(site.ca_key, site.ca, since=there)
    site.context.verify_flags |= ssl.VerifyFlags(0x200000)  # no time: the process has but one clock
    return site.peer()


@pytest.mark.parametrize("off", [TWO_YEARS, -TWO_YEARS], ids=["ended", "not yet begun"])
def test_certificates_that_are_valid_by_the_boxs_clock_are_believed(
    site: Site, bench: DeskBench, off: timedelta
) -> None:
    there = datetime.now(UTC) - off
    peer = box_that_began(site, there)
    answer_hello(site, bench, there)
    assert HttpsBox(peer, site.ca.public_bytes(Encoding.PEM).decode()).hello().box_time == timestamp.encode(there)


@pytest.mark.parametrize("off", [TWO_YEARS, -TWO_YEARS], ids=["ended", "not yet begun"])
def test_certificates_that_are_not_valid_by_the_boxs_own_clock_are_refused(
    site: Site, bench: DeskBench, off: timedelta
) -> None:
    there = datetime.now(UTC) - off
    peer = box_that_began(site, there)
    answer_hello(site, bench, datetime.now(UTC))
    with pytest.raises(BoxUnintelligible, match="By the box's own clock its certificate is not right"):
        HttpsBox(peer, site.ca.public_bytes(Encoding.PEM).decode()).hello()
