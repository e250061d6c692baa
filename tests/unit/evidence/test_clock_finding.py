"""A desk's clock that disagrees with the box's is told in the custody record, in the entry, and so in the receipt."""

from datetime import UTC, datetime, timedelta

import pytest

from deedbox_sync import custody, entry, receipt
from deedbox_sync.beacon import QUICKNET, Beacon, round_at
from deedbox_sync.canonical_json import Json
from deedbox_sync.entry import LogEntry
from deedbox_sync.statement import Captured
from kit.open_box import Office

pytestmark = pytest.mark.anyio

TWO_YEARS = timedelta(days=731)


def captured(off: timedelta = timedelta(0), *, knows: bool = False, beacon: Beacon | None = None) -> Captured:
    """A statement's time by a clock that is so much off, of which the desk knows or does not."""
    time = datetime.now(UTC) + off
    offset = off // timedelta(milliseconds=1) if knows else None
    return Captured(time, None, 0, 0, box_offset_ms=offset, box_seen=time if knows else None, beacon=beacon)


async def received(office: Office, clock: Captured) -> tuple[Json, LogEntry]:
    """What is said of the clock in custody, and the receipt's entry."""
    item = office.desk.item("a.txt", b"content", captured=clock)
    await office.box.intake.batch(office.desk.sender(office.owner.id), [item], wait=0)
    await office.settle()
    (exhibit,) = await office.box.exhibits.page(office.principal, case=office.case.id)
    (row,) = await office.box.custody.records([exhibit.id])
    (result,) = await office.box.intake.receipts(office.desk.sender(office.owner.id), [exhibit.statement], 0)
    assert result.receipt is not None
    return custody.parse(row["record"]).detail["clock"], entry.parse(receipt.parse(result.receipt.encode()).entry)


@pytest.mark.parametrize(
    ("said", "finding", "told"),
    [
        (captured, "unknown", {}),
        (lambda: captured(knows=True), "agrees", {}),
        (lambda: captured(TWO_YEARS), "ahead", {"clock": "ahead"}),
        (lambda: captured(TWO_YEARS, knows=True), "ahead", {"clock": "ahead"}),
        (lambda: captured(-TWO_YEARS), "behind", {"clock": "behind"}),  # the device was not even paired then
    ],
    ids=["never seen the box", "agrees", "ahead", "knows to be ahead", "behind"],
)
async def test_the_finding_is_in_custody_and_a_contradiction_in_the_receipt(
    desk_and_box: Office, said: object, finding: str, told: dict[str, Json]
) -> None:
    clock, logged = await received(desk_and_box, said())  # type: ignore[operator]  # made when the test runs
    assert isinstance(clock, dict)
    assert clock["finding"] == finding
    assert logged.kind == "exhibit.received"
    assert logged.data == told


async def test_a_statement_older_than_the_beacon_in_it_is_by_a_clock_that_is_behind(desk_and_box: Office) -> None:
    await desk_and_box.box.database.execute("UPDATE device SET created = {}", datetime(2020, 1, 1, tzinfo=UTC))
    desk_and_box.desk.paired = datetime(2020, 1, 1, tzinfo=UTC)
    newest = Beacon(QUICKNET.hash, round_at(QUICKNET, datetime.now(UTC)), bytes(48))
    clock, logged = await received(desk_and_box, captured(-timedelta(days=200), beacon=newest))
    assert isinstance(clock, dict)
    assert clock["finding"] == "behind"
    assert isinstance(clock["offset_ms"], int)
    assert clock["offset_ms"] / 86_400_000 == pytest.approx(-200, abs=0.01)
    assert logged.data == {"clock": "behind"}
