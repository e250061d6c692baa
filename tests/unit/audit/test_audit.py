"""The audit finds nothing in an honest box, and names the place of whatever was changed behind its back."""

import os
from pathlib import Path
from uuid import UUID

import pytest

from deedbox_disk.sealed_sqlite import connect
from deedbox_server.audit import Report, Sources, audit, audit_pages
from deedbox_server.evidence.derive import DerivedDraft
from deedbox_server.vault.key_rows import Salts
from deedbox_server.vault.keyring import Keyring
from deedbox_server.vault.salts import pack_salts, parse_salts
from deedbox_server.vault.unlock import KeyFile
from kit.field_desk import digest_of
from kit.open_box import Office

pytestmark = pytest.mark.anyio


async def filled(office: Office) -> None:
    """Some exhibits, one of them superseded, one read, one with a derived document."""
    desk, box = office.desk, office.box
    sender = desk.sender(office.owner.id)
    first = desk.item("a.txt", b"first")
    items = [
        first,
        desk.item("b.bin", os.urandom(300_000 // 2)),
        desk.item("a.txt", b"again", supersedes=digest_of(first.envelope)),
    ]
    for item in items:
        await box.intake.batch(sender, [item], wait=0)
    exhibits = await box.exhibits.page(office.principal)
    _, reader = await box.exhibits.open(office.principal, exhibits[0].id, "viewed")
    reader.close()
    await box.deriver.add_derived(exhibits[1].id, [DerivedDraft("text", "application/json", b"{}", "tests 1")])
    await office.settle()


async def audited(office: Office, tmp_path: Path) -> Report:
    settings = office.box.settings
    keyring = Keyring.open(settings.keys_folder, KeyFile(tmp_path / "key"))
    sealed = {settings.keys_folder / "keys.db": keyring.named("key-store")}
    if settings.database_url is None:
        sealed[settings.database_file] = keyring.named("database")
    box = office.box
    report = Report()
    audit_pages(sealed, report)
    await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    return report


async def test_an_honest_box_audits_clean(desk_and_box: Office, tmp_path: Path) -> None:
    await filled(desk_and_box)
    report = await audited(desk_and_box, tmp_path)
    assert report.findings == []
    assert report.counts["exhibits"] == 3
    assert report.counts["custody records"] == 6
    assert report.counts["blobs"] == 4


TAMPERINGS = {
    "an entry is changed": ("UPDATE log_entry SET entry = {flip} WHERE seq = 4", "log entry 4"),
    "an entry is taken out": ("DELETE FROM log_entry WHERE seq = 3", "log"),
    "two entries change places": (
        "UPDATE log_entry SET seq = CASE seq WHEN 3 THEN -4 WHEN 4 THEN -3 END WHERE seq IN (3, 4)",
        "log",
    ),
    "the log is cut short": ("UPDATE log_head SET size = 4 WHERE id = 1", "log"),
    "a tile is changed": ("UPDATE log_tile SET hashes = {flip} WHERE level = 0", "tile 0 of level 0"),
    "a checkpoint is forged": (
        "UPDATE log_checkpoint SET note = replace(note, 'deedbox', 'deadbox') WHERE size > 4",
        "checkpoint",
    ),
    "a custody record is changed": ("UPDATE custody_event SET record = {flip} WHERE number = 1", "custody 1"),
    "a custody record is taken out": ("DELETE FROM custody_event WHERE number = 2", "tells of a record"),
    "a statement is changed": ("UPDATE statement SET envelope = {flip} WHERE sequence = 2", "statement 2"),
    "a statement is taken out": ("DELETE FROM statement WHERE sequence = 2", "has no statement"),
    "an exhibit is taken out": ("DELETE FROM exhibit WHERE number = 2", "its exhibit is missing"),
    "an exhibit's digest is changed": ("UPDATE exhibit SET content = {flip} WHERE number = 2", "exhibit"),
    "an exhibit moves to another case": ("UPDATE exhibit SET case_id = id WHERE number = 1", "(case)"),
    "a device is given another key": ("UPDATE device SET statement_key = {flip}", "statement 1"),
    "a pairing record is changed": ("UPDATE trust_record SET record = {flip}", "trust record"),
    "a device's journal is shortened": ("UPDATE device SET next_sequence = 3", "is not where its statements end"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_whatever_is_changed_in_the_database_is_found_and_named(
    what: str, desk_and_box: Office, tmp_path: Path
) -> None:
    await filled(desk_and_box)
    sql, named = TAMPERINGS[what]
    await tamper(desk_and_box, sql)
    report = await audited(desk_and_box, tmp_path)
    assert not report.clean
    assert any(named in f"{finding.where}: {finding.what}" for finding in report.findings), report.findings


async def tamper(office: Office, sql: str) -> None:
    """Run SQL as whoever has the key could; `column = {flip}` flips one bit in the middle of that column's bytes."""
    database = office.box.database
    async with database.transaction():
        if "{flip}" not in sql:
            await database.execute(sql)
            if "CASE seq" in sql:
                await database.execute("UPDATE log_entry SET seq = -seq WHERE seq < 0")
            return
        table, column = sql.split()[1], sql.split("SET ")[1].split(" ", maxsplit=1)[0]
        where = f"WHERE {sql.split('WHERE ')[1]}" if "WHERE" in sql else ""
        for row in await database.fetch(f"SELECT DISTINCT {column} AS old FROM {table} {where}"):
            old = bytes(row["old"])
            middle = len(old) // 2
            new = old[:middle] + bytes([old[middle] ^ 1]) + old[middle + 1 :]
            await database.execute(f"UPDATE {table} SET {column} = {{}} WHERE {column} = {{}}", new, old)


async def test_a_flipped_bit_in_any_stored_file_is_found_and_the_exhibit_named(
    desk_and_box: Office, tmp_path: Path
) -> None:
    await filled(desk_and_box)
    for path in sorted((desk_and_box.box.settings.data / "packs").rglob("*")):
        if path.is_file():
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
    report = await audited(desk_and_box, tmp_path)
    assert len([finding for finding in report.findings if finding.where.startswith("exhibit")]) == 4


async def test_a_lost_opening_is_a_fault(desk_and_box: Office, tmp_path: Path) -> None:
    await filled(desk_and_box)
    settings = desk_and_box.box.settings
    keyring = Keyring.open(settings.keys_folder, KeyFile(tmp_path / "key"))
    connection = connect(settings.keys_folder / "keys.db", keyring.named("key-store"))
    for record, packed in list(connection.execute("SELECT record, salts FROM salt")):
        salts = parse_salts(UUID(bytes=record), packed)
        salts.pop("content", None)
        row = (pack_salts(Salts(UUID(bytes=record), salts)), record)
        connection.execute("UPDATE salt SET salts = ? WHERE record = ?", row)
    connection.close()
    report = await audited(desk_and_box, tmp_path)
    assert any("has no opening for content" in finding.what for finding in report.findings)
