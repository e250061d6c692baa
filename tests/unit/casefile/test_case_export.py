"""A whole case as one SQLite file: readable by anybody's SQLite, searchable, and nothing of any other case in it."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import sqlite_utils

from deedbox_server.cases import Case
from deedbox_server.documents.derived import By, PageText, encode_text
from deedbox_server.errors import Denied, NotFound
from deedbox_server.evidence.derive import DerivedDraft
from deedbox_server.people.principal import Principal
from deedbox_sync import uuid7
from kit.http_person import Person
from kit.listening import people_app
from kit.open_box import Office

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


async def furnish(office: Office, case: Case, word: str) -> None:
    """An exhibit with two pages of text, a party, an event and a note; `word` is in each."""
    box = office.box
    sender = replace(office.desk.sender(office.owner.id), cases=frozenset({case.id}))
    await box.intake.batch(sender, [office.desk.item(f"{word}.pdf", word.encode(), case=case.id)], wait=0)
    await office.settle()
    exhibit = (await box.exhibits.page(office.principal, case=case.id))[-1]
    pages = (
        PageText(1, f"The fence is {word}, says Zoë.", By.DIGITAL),
        PageText(2, "Nothing else.", By.RECOGNISED, 71),
    )
    await box.deriver.add_derived(exhibit.id, [DerivedDraft("text", "application/json", encode_text(pages), "tests 1")])
    maker = office.principal.actor_id
    await box.database.insert_many(
        "case_party",
        ("id", "case_id", "kind", "name", "organisation", "aliases", "contacts", "version", "created"),
        [(uuid7.new(), case.id, "defendant", f"{word} GmbH", True, "[]", "[]", 1, NOON)],
    )
    await box.database.insert_many(
        "case_event",
        ("id", "case_id", "kind", "title", "starts", "zone", "certainty", "shared", "version", "created", "made_by"),
        [(uuid7.new(), case.id, "hearing", f"Hearing about {word}", NOON, "UTC", "day", False, 1, NOON, maker)],
    )
    await box.database.insert_many(
        "case_artifact",
        (
            "id",
            "case_id",
            "kind",
            "title",
            "body",
            "exhibit",
            "content",
            "record",
            "shared",
            "version",
            "created",
            "made_by",
        ),
        [
            (
                uuid7.new(),
                case.id,
                "note",
                "Note",
                f"Ask about {word}.",
                None,
                bytes(32),
                uuid7.new(),
                False,
                1,
                NOON,
                maker,
            ),
            (uuid7.new(), case.id, "evidence", "Plan", None, exhibit.id, bytes(32), uuid7.new(), False, 1, NOON, maker),
        ],
    )


@contextmanager
def opened(data: bytes, folder: Path) -> Iterator[sqlite3.Connection]:
    path = folder / "case.sqlite"
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as file:
        yield file


async def test_the_file_is_the_case_and_no_other(desk_and_box: Office, tmp_path: Path) -> None:
    box, case = desk_and_box.box, desk_and_box.case
    other = await box.cases.open(desk_and_box.principal, "2026-0002", "Wisteria against all")
    await furnish(desk_and_box, case, "periwinkle")
    await furnish(desk_and_box, other, "wisteria")
    made = await box.case_files.export(desk_and_box.principal, case.id)
    data = b"".join([piece async for piece in made.stream()])
    assert (len(data), hashlib.sha256(data).digest()) == (made.size, made.sha256)
    assert made.name == f"case-{case.number}.sqlite"
    assert b"isteria" not in data
    assert str(other.id).encode() not in data
    with opened(data, tmp_path) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        assert file.execute("SELECT number, title FROM cases").fetchall() == [(case.number, case.title)]
        [(number, name, digest, entry)] = file.execute("SELECT number, name, sha256, receipt_log_entry FROM exhibits")
        assert (number, name, digest) == (1, "periwinkle.pdf", hashlib.sha256(b"periwinkle").hexdigest())
        assert entry is not None
        assert file.execute("SELECT kind FROM custody_list").fetchall() == [("received",), ("derived",), ("exported",)]
        assert file.execute("SELECT page, how, confidence FROM pages").fetchall() == [
            (1, "digital", None),
            (2, "recognised", 71),
        ]
        assert file.execute("SELECT exhibit_number, page FROM text_list WHERE text LIKE 'The%'").fetchall() == [(1, 1)]
        [(words, title)] = file.execute("SELECT time_in_words, title FROM events")
        assert (words, title) == ("4 May 2026", "Hearing about periwinkle")
        makers = file.execute("SELECT people.name FROM artifacts JOIN people ON people.id = artifacts.made_by")
        assert makers.fetchall() == [("Olivia Owner",)] * 2
        kinds = {kind for (kind,) in file.execute("SELECT kind FROM timeline")}
        assert {"received", "captured", "hearing", "party-added", "exported", "note-made"} <= kinds
        readme = " ".join(text for (text,) in file.execute("SELECT text FROM readme ORDER BY position"))
        assert "Olivia Owner" in readme
        assert str(made.id) in readme
        [(exports,)] = file.execute("SELECT count(*) FROM custody WHERE detail LIKE ?", (f"%{made.id}%",))
        assert exports == 1


async def test_its_texts_are_searched_as_sqlite_tools_search(desk_and_box: Office, tmp_path: Path) -> None:
    await furnish(desk_and_box, desk_and_box.case, "periwinkle")
    made = await desk_and_box.box.case_files.export(desk_and_box.principal, desk_and_box.case.id)
    data = b"".join([piece async for piece in made.stream()])
    with opened(data, tmp_path) as file:
        tables = sqlite_utils.Database(file)
        assert {"pages", "parties", "events", "artifacts"} == {
            name for name in tables.table_names() if not name.endswith("_fts") and tables[name].detect_fts()
        }
        assert [row["page"] for row in tables["pages"].search("zoe AND Periwinkle")] == [1]
        assert [row["title"] for row in tables["events"].search("hearing")] == ["Hearing about periwinkle"]
        assert [row["name"] for row in tables["parties"].search("peri*")] == ["periwinkle GmbH"]
        assert [row["title"] for row in tables["artifacts"].search("ask")] == ["Note"]


async def test_the_export_is_in_the_custody_of_each_exhibit_and_in_the_trail(desk_and_box: Office) -> None:
    box = desk_and_box.box
    await furnish(desk_and_box, desk_and_box.case, "periwinkle")
    made = await box.case_files.export(desk_and_box.principal, desk_and_box.case.id)
    made.close()
    (exhibit,) = await box.exhibits.page(desk_and_box.principal)
    assert [row["kind"] for row in await box.custody.records([exhibit.id])] == ["received", "derived", "exported"]
    rows = await box.database.fetch("SELECT object, record FROM audit_record WHERE operation = 'case.export'")
    assert [row["object"] for row in rows] == [made.id]
    assert made.sha256.hex().encode() in rows[0]["record"]


async def test_damaged_text_hides_no_other_and_is_told(desk_and_box: Office, tmp_path: Path) -> None:
    box = desk_and_box.box
    await furnish(desk_and_box, desk_and_box.case, "periwinkle")
    await box.database.execute("UPDATE blob SET size = size + 1 WHERE id IN (SELECT blob FROM derived)")
    made = await box.case_files.export(desk_and_box.principal, desk_and_box.case.id)
    data = b"".join([piece async for piece in made.stream()])
    with opened(data, tmp_path) as file:
        assert file.execute("SELECT count(*) FROM pages").fetchone() == (0,)
        [(told,)] = file.execute("SELECT text FROM readme WHERE heading = 'What could not be read'")
        assert told.endswith(": 1.")


async def test_who_may_not_export_gets_nothing_and_leaves_nothing(desk_and_box: Office) -> None:
    box, case = desk_and_box.box, desk_and_box.case
    await furnish(desk_and_box, case, "periwinkle")
    paralegal = await box.accounts.create("Pat Paralegal", "paralegal", "a long enough passphrase")
    member = Principal("account", paralegal.id, None, paralegal.name, "test", paralegal.role)
    with pytest.raises(NotFound):
        await box.case_files.export(member, case.id)
    await box.database.insert_many(
        "case_member", ("case_id", "account", "role"), [(case.id, paralegal.id, "paralegal")]
    )
    with pytest.raises(Denied):
        await box.case_files.export(member, case.id)
    with pytest.raises(Denied):  # a key that may export bundles, and read no case
        await box.case_files.export(replace(desk_and_box.principal, scopes=frozenset({"evidence:export"})), case.id)
    (exhibit,) = await box.exhibits.page(desk_and_box.principal)
    assert [row["kind"] for row in await box.custody.records([exhibit.id])] == ["received", "derived"]


async def test_it_comes_over_http_with_its_digest(desk_and_box: Office, tmp_path: Path) -> None:
    box, case = desk_and_box.box, desk_and_box.case
    await furnish(desk_and_box, case, "periwinkle")
    _, key = await box.api_keys.create(desk_and_box.owner.id, "tests")
    transport = httpx.ASGITransport(people_app(box))
    async with httpx.AsyncClient(transport=transport, base_url="https://box.test") as client:
        answer = await Person(client, key.text).get(f"/api/v1/cases/{case.id}/export")
    assert answer.headers["content-type"] == "application/vnd.sqlite3"
    assert answer.headers["content-disposition"] == f'attachment; filename="case-{case.number}.sqlite"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    with opened(answer.content, tmp_path) as file:
        assert file.execute("SELECT count(*) FROM exhibits").fetchone() == (1,)
