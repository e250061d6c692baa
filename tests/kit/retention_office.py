"""People who may hold, ask and approve, and evidence to do it to; the wait of one who is alone, without waiting."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

from deedbox_server.audit import Report, Sources, audit
from deedbox_server.database import Database
from deedbox_server.documents.derived import By, PageText, encode_text
from deedbox_server.evidence.derive import DerivedDraft
from deedbox_server.people.principal import Principal
from deedbox_server.people.rules import ADMINISTRATOR
from deedbox_server.retention.disposals import Disposal
from kit.open_box import Office

SECRET = "quibberling"  # a word that stands nowhere else
NAME = "grimblewick.txt"


def strong(office: Office) -> Principal:
    """The owner, with the second factor shown."""
    return replace(office.principal, strong=True)


async def colleague(office: Office, name: str = "Carla Colleague", role: str = ADMINISTRATOR) -> Principal:
    """Another active account of the firm, on the case where its role needs that, with the second factor shown."""
    account = await office.box.accounts.create(name, role, "correct horse battery staple")
    if role != ADMINISTRATOR:
        await office.box.database.insert_many(
            "case_member", ("case_id", "account", "role"), [(office.case.id, account.id, role)]
        )
    return Principal("account", account.id, None, account.name, "session:test", account.role, strong=True)


async def received(office: Office, *contents: bytes, name: str = NAME) -> list[UUID]:
    """Exhibits with these contents, in their order, each with a recognised text that has SECRET in it, indexed."""
    known = {one.id for one in await office.box.exhibits.page(office.principal)}
    items = [office.desk.item(name, content) for content in contents]
    await office.box.intake.batch(office.desk.sender(office.owner.id), items, wait=0)
    found = [one.id for one in await office.box.exhibits.page(office.principal) if one.id not in known]
    for exhibit in found:
        text = encode_text([PageText(1, f"{SECRET} {exhibit}", By.DIGITAL)])
        await office.box.deriver.add_derived(exhibit, [DerivedDraft("text", "application/json", text, "tests 1")])
        await office.box.reading.index_exhibit(exhibit)
    await office.settle()
    return found


async def disposed(
    office: Office, approver: Principal, exhibits: list[UUID] | None, *, reason: str = "its time is over"
) -> Disposal:
    """Asked for by the owner, approved by the other one, carried out."""
    asked = await office.box.disposals.ask(strong(office), office.case.id, exhibits, reason, "ISBA 1.15")
    done = await office.box.disposals.approve(approver, asked.id, expected=asked.version)
    await office.settle()
    return done


async def faults(office: Office) -> list[str]:
    """What the audit finds."""
    box, report = office.box, Report()
    await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    return [f"{one.where}: {one.what}" for one in report.findings]


async def be_due(db: Database, table: str, request: UUID) -> None:
    """The waiting time of a request is over."""
    row = await db.fetch_one(f"SELECT asked FROM {table} WHERE id = {{}}", request)
    assert row is not None
    await db.execute(f"UPDATE {table} SET not_before = {{}} WHERE id = {{}}", row["asked"], request)


def stored_bytes(data: Path) -> int:
    """Bytes of all ciphertext files of a box."""
    return sum(path.stat().st_size for path in (data / "box").rglob("*") if path.suffix == ".pack" or ".0" in path.name)
