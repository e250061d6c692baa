"""What papers say of time: the desk's clock where it disagreed, outsiders' words where there are any, and nothing more."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deedbox_sync.statement import Captured
from kit.tsa_server import TsaServer
from papers_made import Desk, papers_desk, text_of

pytestmark = pytest.mark.anyio

KINDS = ("certificate-902-13", "certificate-902-14", "certificate-illinois", "custody-full")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_clock_two_years_off_is_said_in_the_paper_and_to_counsel(papers: Desk, kind: str) -> None:
    office = papers.office
    ahead = Captured(datetime.now(UTC) + timedelta(days=731), "America/Chicago", -21_600, time.monotonic_ns())
    item = office.desk.item("late.txt", b"late", captured=ahead)
    await office.box.intake.batch(office.desk.sender(office.owner.id), [item], wait=0)
    exhibit = (await office.box.exhibits.page(office.principal))[-1]
    paper, pdf = await papers.make(kind, [exhibit])
    assert "disagreed with the system’s clock: 2 years ahead" in text_of(pdf)
    notes = text_of(await office.box.papers.notes(office.principal, paper.id))
    assert "The capture time in the statement is not to be relied on by itself" in notes


@pytest.mark.parametrize("kind", KINDS)
async def test_an_outside_time_stamp_over_the_log_is_named(tmp_path: Path, kind: str) -> None:
    with TsaServer(tmp_path / "tsa", "Example Time Authority") as server:
        roots = (str(server.tsa.root_file),)
        async with papers_desk(
            tmp_path / "box", outside=True, beacon_urls=(), stamp_urls=(server.url,), stamp_roots=roots
        ) as desk:
            await desk.office.box.stamps.stamp_now()
            _, pdf = await desk.make(kind, [desk.exhibits[0]])
            paper, later = await desk.make("custody-short", [desk.exhibits[0]])
            notes = text_of(await desk.office.box.papers.notes(desk.office.principal, paper.id))
    text = text_of(pdf)
    assert "Example Time Authority" in text and "Not after" in text
    assert "No one outside the firm had confirmed" not in text and "Outside time" not in text
    assert "Not after" in text_of(later) and "no outside anchor" not in notes


async def test_without_an_outsider_no_paper_claims_one(papers: Desk) -> None:
    for kind in KINDS:
        _, pdf = await papers.make(kind, [papers.exhibits[0]])
        assert "Not after" not in text_of(pdf)


async def test_a_long_paper_is_set_in_a_process_of_its_own(papers: Desk) -> None:
    office = papers.office
    more = [office.desk.item(f"file {number}.txt", str(number).encode()) for number in range(40)]
    await office.box.intake.batch(office.desk.sender(office.owner.id), more, wait=0)
    paper, pdf = await papers.make("certificate-902-14")
    assert paper.pages > 46 and f"page {paper.pages} of {paper.pages}" in text_of(pdf)
