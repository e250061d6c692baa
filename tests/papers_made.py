"""An office whose case has exhibits of every awkward kind, and the papers made there."""

from __future__ import annotations

import asyncio
import io
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pypdfium2
import typst
from PIL import Image

from deedbox_server.evidence.exhibits import Exhibit
from deedbox_server.papers.service import Wanted
from deedbox_server.papers.store import Paper
from deedbox_sync.statement import ReadException, Source
from kit.open_box import Office, office

FIELDS = {
    "court": "United States District Court for the Northern District of Illinois, Eastern Division",
    "action": "Anna Ödegård v. Müller & Söhne GmbH",
    "docket": "1:26-cv-01234",
    "declarant": "Dana Kowalski",
    "employer": "Kowalski & Reyes LLP",
    "title": "Litigation Paralegal",
    "qualification": "I have run the firm’s evidence system since 2024",
    "executed_on": "2026-11-20",
    "executed_at": "Chicago, Illinois",
    "activity": "the plaintiff’s accounts department",
    "made_by": "by the clerk on duty, on the day of each delivery",
    "kept": "in the department’s files",
    "practice": "each delivery is entered before it is paid",
    "familiar": "I work with it daily",
    "tested": "on November 19, 2026, with the result in the validation report",
    "working_order": "it ran as usual",
    "source_device": "Lenovo T14, serial number PF-3X",
    "acquired": "by me in Oak Park on November 18, 2026, at 10:00 Central Time",
    "protection": "a read-only mount",
    "settings": "as it comes",
    "hash_checked": "on November 20, 2026, with sha256sum over the exhibit disk",
    "party": "Plaintiff",
    "to": "Müller & Söhne GmbH, through R. Roe, 1 Main Street, Chicago",
    "rules": "902(11), (13) and (14)",
    "proceeding": "the trial set for March 8, 2027",
    "inspect_at": "200 W Monroe, Chicago",
    "inspect_when": "weekdays from 9 to 5",
    "contact": "Dana Kowalski, 312-555-0100",
    "signer": "Maria Reyes",
    "signed_on": "2026-11-20",
    "served_on": "2026-11-20",
    "served_by": "the court’s electronic filing system",
    "agreed": "test exhibits stay in this case",
}
NAME_IN_MANY_SCRIPTS = "証拠 – دليل – Übergrößenträger.txt"


def delivery_note(pages: int = 2) -> bytes:
    source = b'#set page(paper: "us-letter")\n= Delivery note\n' + b"#lorem(80)\n#pagebreak()\n" * (pages - 1) + b"End."
    made = typst.compile(source, format="pdf")
    assert isinstance(made, bytes)
    return made


def photograph() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (800, 600), (180, 200, 220)).save(out, "JPEG")
    return out.getvalue()


def text_of(pdf: bytes) -> str:
    """All words, in order, white space as single blanks, without the places where a line may break."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        words = [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()
    return " ".join(" ".join(words).replace("\u200b", "").replace("\ufffe", "").split())


def command(*arguments: str, data: bytes | None = None) -> str:
    found = subprocess.run(arguments, input=data, capture_output=True, check=False)
    return (found.stdout + found.stderr).decode("utf-8", "replace")


@dataclass
class Desk:
    """Who asks for papers, and what there is to ask about."""

    office: Office
    exhibits: list[Exhibit] = field(default_factory=list)

    async def make(self, kind: str, exhibits: list[Exhibit] | None = None, **more: Any) -> tuple[Paper, bytes]:
        papers = self.office.box.papers
        chosen = None if exhibits is None else [one.id for one in exhibits]
        making = await papers.start(self.office.principal, Wanted(kind, self.office.case.id, chosen, **more))
        assert making.task is not None
        return await papers.pdf(self.office.principal, (await making.task).id)


def fields_of(office: Office, kind: str) -> dict[str, str]:
    """A value for each field of this kind that has one above."""
    found = next(one for one in office.box.papers.kinds(office.principal) if one.name == kind)
    return {one.name: FIELDS[one.name] for one in found.fields if one.name in FIELDS}


@asynccontextmanager
async def papers_desk(
    folder: Path, url: str | None = None, *, sequencing: bool = True, **settings: Any
) -> AsyncIterator[Desk]:
    """Without `sequencing` nothing new reaches the log."""
    async with office(folder, url, **settings) as made:
        box, desk = made.box, made.desk
        items = [
            desk.item("Delivery note.pdf", delivery_note()),
            desk.item(
                "door.jpg",
                photograph(),
                source=Source("USB stick", "SanDisk Ultra", "4C53-0001", "pat"),
                purpose="Preservation",
                place="Oak Park, Illinois",
            ),
            desk.item("empty.dat", b""),
            desk.item(
                NAME_IN_MANY_SCRIPTS, b"x", exceptions=(ReadException("live-change", "it grew while it was read"),)
            ),
            desk.item("n" * 240 + ".bin", b"a long name"),
        ]
        await box.intake.batch(desk.sender(made.owner.id), items, wait=0)
        await box.deskless.introduce()
        metadata = {"case": str(made.case.id).encode(), "filename": b"forwarded.eml"}
        await box.deskless.take(made.principal, metadata, _once(b"From: a@example.com\n\nsent, not captured\n"))
        await made.settle()
        sequencer = made.run_sequencer() if sequencing else asyncio.create_task(asyncio.sleep(0))
        try:
            yield Desk(made, await box.exhibits.page(made.principal))
        finally:
            sequencer.cancel()
            with suppress(BaseException):
                await sequencer


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
