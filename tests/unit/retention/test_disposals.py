"""Disposal: by two people, of what was asked and nothing else; what goes, what stays, what is refused."""

import pytest

from deedbox_server.cases.artifact import NewArtifact
from deedbox_server.cases.party import NewParty
from deedbox_server.errors import Conflict, Denied, NotFound, OnHold, PreconditionFailed, SecondFactorNeeded
from deedbox_server.retention import tombstone
from deedbox_sync import custody, uuid7
from deedbox_sync.transfer import State
from kit.open_box import Office
from kit.retention_office import SECRET, be_due, colleague, disposed, faults, received, strong

pytestmark = pytest.mark.anyio


async def test_a_disposed_exhibit_is_gone_and_its_tombstone_and_custody_stay(desk_and_box: Office) -> None:
    box, other = desk_and_box.box, await colleague(desk_and_box)
    first, second = await received(desk_and_box, b"one", b"two")
    done = await disposed(desk_and_box, other, [first])
    assert done.state == "done"
    assert [one.id for one in await box.exhibits.page(desk_and_box.principal)] == [second]
    with pytest.raises(NotFound):
        await box.exhibits.get(desk_and_box.principal, first)
    [row] = await box.database.fetch("SELECT * FROM tombstone")
    stone = tombstone.parse(row["record"])
    assert (stone.what, stone.object, stone.number, stone.rule) == ("exhibit", first, 1, "ISBA 1.15")
    assert (stone.asked.name, stone.approved.name) == ("Olivia Owner", "Carla Colleague")
    records = await box.custody.records([first])
    assert [one["kind"] for one in records] == ["received", "derived", "disposed"]
    last = custody.parse(records[-1]["record"])
    assert last.detail["tombstone"] == tombstone.digest(row["record"]).hex()
    assert await faults(desk_and_box) == []


async def test_nothing_of_its_bytes_can_be_read_again(desk_and_box: Office) -> None:
    box, other = desk_and_box.box, await colleague(desk_and_box)
    [exhibit] = await received(desk_and_box, b"one")
    blobs = [row["id"] for row in await box.database.fetch("SELECT id FROM blob")]
    assert len(await box.keys.part_keys(blobs)) == 2
    await disposed(desk_and_box, other, [exhibit])
    assert await box.keys.part_keys(blobs) == {}
    assert await box.database.fetch("SELECT id FROM blob") == []
    for folder in ("blobs", "packs"):
        assert [path for path in (box.settings.data / folder).rglob("*") if path.is_file()] == []
    assert (await box.search.find(desk_and_box.principal, SECRET)).count.pages == 0
    assert exhibit not in await box.index.exhibits()
    for table in ("derived", "view_mark", "exhibit_digest", "exhibit_date", "job", "disposal_blob"):
        assert await box.database.fetch(f"SELECT id FROM {table}") == [], table


async def test_bytes_that_another_exhibit_has_too_stay_with_it(desk_and_box: Office) -> None:
    box, other = desk_and_box.box, await colleague(desk_and_box)
    first, second = await received(desk_and_box, b"one", b"two")
    shared = (await box.exhibits.get(desk_and_box.principal, second)).blob
    row = await box.database.fetch_one("SELECT content, size FROM exhibit WHERE id = {}", second)
    assert row is not None
    await box.database.execute("UPDATE exhibit SET blob = {} WHERE id = {}", shared, first)
    await disposed(desk_and_box, other, [first])
    assert (await box.vault.verify_blob(shared)).sha256 == row["content"]


async def test_its_number_is_not_given_again(desk_and_box: Office) -> None:
    box, other = desk_and_box.box, await colleague(desk_and_box)
    *_, last = await received(desk_and_box, b"one", b"two")
    await disposed(desk_and_box, other, [last])
    await received(desk_and_box, b"three")
    assert [one.number for one in await box.exhibits.page(desk_and_box.principal)] == [1, 3]


async def test_the_desk_still_gets_its_receipt_and_its_journal_goes_on(desk_and_box: Office) -> None:
    box, other, desk = desk_and_box.box, await colleague(desk_and_box), desk_and_box.desk
    item = desk.item("a.txt", b"a")
    sender = desk.sender(desk_and_box.owner.id)
    [before] = await box.intake.batch(sender, [item], wait=0)
    [exhibit] = [one.id for one in await box.exhibits.page(desk_and_box.principal)]
    await desk_and_box.settle()
    await disposed(desk_and_box, other, [exhibit])
    [again] = await box.intake.batch(sender, [item], wait=0)
    assert again.state is State.RECEIPTED and again.statement == before.statement
    assert await box.exhibits.page(desk_and_box.principal) == []
    await received(desk_and_box, b"next")
    assert await faults(desk_and_box) == []


async def test_who_asked_cannot_approve_where_another_could(desk_and_box: Office) -> None:
    [exhibit] = await received(desk_and_box, b"one")
    await colleague(desk_and_box)
    disposals = desk_and_box.box.disposals
    asked = await disposals.ask(strong(desk_and_box), desk_and_box.case.id, [exhibit], "old")
    with pytest.raises(Denied, match="somebody else"):
        await disposals.approve(strong(desk_and_box), asked.id, expected=asked.version)
    assert (await disposals.get(desk_and_box.principal, asked.id)).state == "asked"


async def test_one_who_is_alone_waits_and_confirms(desk_and_box: Office) -> None:
    [exhibit] = await received(desk_and_box, b"one")
    disposals, alone = desk_and_box.box.disposals, strong(desk_and_box)
    asked = await disposals.ask(alone, desk_and_box.case.id, [exhibit], "old")
    waiting = await disposals.approve(alone, asked.id, expected=asked.version)
    assert waiting.state == "waiting" and waiting.not_before is not None
    assert (waiting.not_before - waiting.asked.time).days == 7
    with pytest.raises(Conflict, match="confirm it from"):
        await disposals.approve(alone, asked.id, expected=waiting.version)
    await be_due(desk_and_box.box.database, "disposal", asked.id)
    done = await disposals.approve(alone, asked.id, expected=waiting.version)
    assert done.state == "done"


async def test_one_who_waited_alone_and_is_not_alone_any_more_needs_the_other(desk_and_box: Office) -> None:
    [exhibit] = await received(desk_and_box, b"one")
    disposals, first = desk_and_box.box.disposals, strong(desk_and_box)
    asked = await disposals.ask(first, desk_and_box.case.id, [exhibit], "old")
    waiting = await disposals.approve(first, asked.id, expected=asked.version)
    await be_due(desk_and_box.box.database, "disposal", asked.id)
    other = await colleague(desk_and_box)
    with pytest.raises(Denied, match="somebody else"):
        await disposals.approve(first, asked.id, expected=waiting.version)
    assert (await disposals.approve(other, asked.id, expected=waiting.version)).state == "done"


async def test_what_has_changed_since_it_was_asked_is_asked_anew(desk_and_box: Office) -> None:
    await received(desk_and_box, b"one")
    other, disposals = await colleague(desk_and_box), desk_and_box.box.disposals
    asked = await disposals.ask(strong(desk_and_box), desk_and_box.case.id, None, "old")
    await received(desk_and_box, b"two")
    with pytest.raises(Conflict, match="has changed since"):
        await disposals.approve(other, asked.id, expected=asked.version)
    withdrawn = await disposals.withdraw(other, asked.id, expected=asked.version)
    assert withdrawn.state == "withdrawn"
    with pytest.raises(Conflict, match="decided"):
        await disposals.approve(other, asked.id, expected=withdrawn.version)


async def test_an_approval_names_the_version_and_needs_the_second_factor(desk_and_box: Office) -> None:
    [exhibit] = await received(desk_and_box, b"one")
    other, disposals = await colleague(desk_and_box), desk_and_box.box.disposals
    asked = await disposals.ask(strong(desk_and_box), desk_and_box.case.id, [exhibit], "old")
    with pytest.raises(SecondFactorNeeded):
        await disposals.approve(desk_and_box.principal, asked.id, expected=asked.version)
    with pytest.raises(PreconditionFailed):
        await disposals.approve(other, asked.id, expected=asked.version + 1)
    assert len(await desk_and_box.box.exhibits.page(desk_and_box.principal)) == 1


@pytest.mark.parametrize("kind", ["case", "exhibit"])
async def test_a_hold_that_comes_between_asking_and_approving_stops_it(desk_and_box: Office, kind: str) -> None:
    [exhibit] = await received(desk_and_box, b"one")
    box, case, other = desk_and_box.box, desk_and_box.case.id, await colleague(desk_and_box)
    asked = await box.disposals.ask(strong(desk_and_box), case, [exhibit], "old")
    hold = await box.holds.place(desk_and_box.principal, case, kind, case if kind == "case" else exhibit, "litigation")
    with pytest.raises(OnHold):
        await box.disposals.approve(other, asked.id, expected=asked.version)
    with pytest.raises(OnHold):
        await box.disposals.ask(strong(desk_and_box), case, [exhibit], "old")
    await box.holds.lift(other, hold.id, "settled", expected=hold.version)
    assert (await box.disposals.approve(other, asked.id, expected=asked.version)).state == "done"


async def test_an_exhibits_hold_holds_its_whole_case(desk_and_box: Office) -> None:
    _, held = await received(desk_and_box, b"one", b"two")
    box, case = desk_and_box.box, desk_and_box.case.id
    await box.holds.place(desk_and_box.principal, case, "exhibit", held, "subpoena")
    with pytest.raises(Conflict):
        await box.disposals.ask(strong(desk_and_box), case, None, "old")


async def test_a_whole_case_leaves_its_number_and_tombstones(desk_and_box: Office) -> None:
    box, case, other = desk_and_box.box, desk_and_box.case.id, await colleague(desk_and_box)
    await received(desk_and_box, b"one", b"two")
    done = await disposed(desk_and_box, other, None)
    assert done.state == "done" and done.whole
    [row] = await box.database.fetch("SELECT number, title, state FROM legal_case WHERE id = {}", case)
    assert row == {"number": "2026-0001", "title": "", "state": "disposed"}
    stones = await box.database.fetch("SELECT what FROM tombstone ORDER BY what")
    assert [one["what"] for one in stones] == ["case", "exhibit", "exhibit"]
    assert await faults(desk_and_box) == []
    with pytest.raises(Conflict, match="disposed"):
        await box.disposals.ask(strong(desk_and_box), case, None, "again")
    with pytest.raises(NotFound):
        await box.holds.place(other, case, "case", case, "too late")


async def test_the_list_beside_the_backups_names_what_went(desk_and_box: Office) -> None:
    other = await colleague(desk_and_box)
    [exhibit] = await received(desk_and_box, b"one")
    done = await disposed(desk_and_box, other, [exhibit])
    [line] = await desk_and_box.box.erasures_list.read()
    assert (line.request, line.what, line.objects) == (done.id, "exhibit", (exhibit,))
    assert str(exhibit).encode() not in desk_and_box.box.settings.erasures_file.read_bytes()


async def test_what_the_case_says_of_an_exhibit_goes_with_it_and_the_rest_stays(desk_and_box: Office) -> None:
    box, case, other = desk_and_box.box, desk_and_box.case.id, await colleague(desk_and_box)
    [exhibit] = await received(desk_and_box, b"one")
    owner = desk_and_box.principal
    await box.case_artifacts.add(owner, case, NewArtifact("evidence", "the grimblewick letter", exhibit=exhibit))
    note = await box.case_artifacts.add(owner, case, NewArtifact("note", "a note", body="of something else"))
    await desk_and_box.settle()
    await disposed(desk_and_box, other, [exhibit])
    assert [row["id"] for row in await box.database.fetch("SELECT id FROM case_artifact")] == [note.id]
    [stone] = await box.database.fetch("SELECT record FROM tombstone")
    assert tombstone.parse(stone["record"]).erased.count == 1
    assert await faults(desk_and_box) == []


async def test_a_case_with_work_in_it_leaves_nothing_that_names_anybody(desk_and_box: Office) -> None:
    box, case, other = desk_and_box.box, desk_and_box.case.id, await colleague(desk_and_box)
    owner = desk_and_box.principal
    await received(desk_and_box, b"one")
    await box.case_artifacts.add(owner, case, NewArtifact("note", "a note", body="of Grimblewick"))
    await box.case_parties.add(owner, case, NewParty("witness", "Moritz Grimblewick"))
    await desk_and_box.settle()
    asked = await box.disposals.ask(strong(desk_and_box), case, None, "old")
    assert dict(asked.covers.counts) == {"artifacts": 1, "events": 0, "parties": 1}
    await box.disposals.approve(other, asked.id, expected=1)
    await desk_and_box.settle()
    tables = ("case_party", "party_name", "case_posting", "case_word", "case_artifact", "case_record", "case_member")
    for table in tables:
        assert await box.database.fetch(f"SELECT 1 AS one FROM {table}") == [], table
    trail = await box.database.fetch("SELECT operation FROM audit_record WHERE case_id = {} ORDER BY id", case)
    assert [row["operation"] for row in trail] == ["disposal.ask", "disposal.approve"]
    assert await faults(desk_and_box) == []


async def test_a_case_whose_things_are_still_here_is_not_disposed_of(desk_and_box: Office) -> None:
    db, case = desk_and_box.box.database, desk_and_box.case
    await db.insert_many(
        "item",
        (
            *("id", "case_id", "number", "kind", "description", "made", "serial", "condition", "seals", "place"),
            *("holder", "state", "version", "created", "updated", "made_by"),
        ),
        [
            (
                uuid7.new(),
                case.id,
                1,
                "hammer",
                "",
                "",
                "",
                "",
                "[]",
                "",
                "{}",
                "held",
                1,
                case.created,
                case.created,
                "box",
            )
        ],
    )
    with pytest.raises(Conflict, match="things of it are still here"):
        await desk_and_box.box.disposals.ask(strong(desk_and_box), case.id, None, "old")
