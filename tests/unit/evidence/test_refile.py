"""An exhibit of the wrong case goes to the right one: keys, number, custody, log, index, walls; and nothing else changes."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from deedbox_server.audit import Report, Sources, audit
from deedbox_server.errors import Conflict, Denied, NotFound, OnHold
from deedbox_server.evidence.derive import DerivedDraft
from deedbox_server.evidence.exhibits import Exhibit
from deedbox_server.evidence.moving import Move
from deedbox_server.people import Principal
from deedbox_sync import custody, possession, receipt, uuid7
from deedbox_sync.transfer import PossessionProof, State
from deedbox_verify.command import main
from kit.field_desk import digest_of
from kit.open_box import Office

pytestmark = pytest.mark.anyio

LETTER = b"Dear Mr. Doe, this belongs to another matter."


async def right_case(office: Office, number: str = "2026-0002") -> UUID:
    return (await office.box.cases.open(office.principal, number, "Doe v. Roe")).id


async def received(office: Office, *names: str, content: bytes = LETTER) -> list[Exhibit]:
    items = [office.desk.item(name, content + name.encode()) for name in names]
    await office.box.intake.batch(office.desk.sender(office.owner.id), items, wait=0)
    held = {one.name: one for one in await office.box.exhibits.page(office.principal, case=office.case.id)}
    return [held[name] for name in names]


async def refiled(office: Office, exhibit: UUID, case: UUID, **how: bool) -> Exhibit:
    done = await office.box.refiling.refile(office.principal, exhibit, case, "wrong matter", **how)
    return done.exhibits[0]


async def content(office: Office, exhibit: UUID) -> bytes:
    _, reader = await office.box.exhibits.open(office.principal, exhibit, "viewed")
    try:
        return b"".join([piece async for piece in reader.read(0, reader.size)])
    finally:
        reader.close()


async def key_cases(office: Office, exhibit: UUID) -> set[UUID]:
    """The cases whose keys wrap this exhibit and what was derived from it."""
    rows = await office.box.database.fetch(
        "SELECT blob FROM exhibit WHERE id = {} UNION SELECT blob FROM derived WHERE exhibit = {}", exhibit, exhibit
    )
    keys = await office.box.keys.part_keys([row["blob"] for row in rows])
    wrapping = {key.case_key for parts in keys.values() for key in parts.values()}
    return {(await office.box.keys.find_case_key(key)).case_id for key in wrapping}


async def somebody(office: Office, name: str, role: str, *cases: UUID) -> Principal:
    account = await office.box.accounts.create(name, role, "correct horse battery staple")
    await office.box.database.insert_many(
        "case_member", ("case_id", "account", "role"), [(case, account.id, role) for case in cases]
    )
    return Principal("account", account.id, None, name, "tests", role)


async def faultless(office: Office) -> None:
    await office.settle()
    report, box = Report(), office.box
    await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
    assert report.findings == []


async def test_it_has_the_next_number_there_and_its_old_one_stays_taken(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    first, second = await received(desk_and_box, "a.txt", "b.txt")
    moved = await refiled(desk_and_box, second.id, target)
    assert (moved.case, moved.number, moved.id) == (target, 1, second.id)
    (third,) = await received(desk_and_box, "c.txt")
    assert (first.number, second.number, third.number) == (1, 2, 3)
    assert await content(desk_and_box, second.id) == LETTER + b"b.txt"


async def test_its_keys_and_those_of_what_was_derived_are_wrapped_by_the_new_cases_key(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    (exhibit,) = await received(desk_and_box, "a.txt")
    box = desk_and_box.box
    (derived,) = await box.deriver.add_derived(exhibit.id, [DerivedDraft("text", "text/plain", b"read", "tests 1")])
    assert await key_cases(desk_and_box, exhibit.id) == {desk_and_box.case.id}
    await refiled(desk_and_box, exhibit.id, target)
    assert await key_cases(desk_and_box, exhibit.id) == {target}
    _, reader = await box.exhibits.open_derived(desk_and_box.principal, exhibit.id, derived, "viewed")
    assert b"".join([piece async for piece in reader.read(0, reader.size)]) == b"read"
    reader.close()
    assert await box.keys.moving() == {}


async def test_custody_tells_of_both_cases_and_the_audit_finds_nothing_wrong(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    (exhibit,) = await received(desk_and_box, "a.txt")
    await content(desk_and_box, exhibit.id)
    await refiled(desk_and_box, exhibit.id, target)
    await content(desk_and_box, exhibit.id)
    records = [custody.parse(row["record"]) for row in await desk_and_box.box.custody.records([exhibit.id])]
    assert [record.kind for record in records] == ["received", "viewed", "refiled", "viewed"]
    assert records[2].detail == {
        "from": str(desk_and_box.case.id),
        "from_number": 1,
        "reason": "wrong matter",
        "to": str(target),
        "to_number": 1,
    }
    await faultless(desk_and_box)


async def test_the_old_case_has_an_entry_of_its_own_that_does_not_say_where_to(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    (exhibit,) = await received(desk_and_box, "a.txt")
    await refiled(desk_and_box, exhibit.id, target)
    rows = await desk_and_box.box.database.fetch(
        "SELECT case_id, object, record FROM audit_record WHERE operation = {}", "evidence.refile"
    )
    assert [(row["case_id"], row["object"]) for row in rows] == [(desk_and_box.case.id, exhibit.id)]
    assert str(target) not in bytes(rows[0]["record"]).decode()


async def test_the_same_call_again_changes_nothing(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    (exhibit,) = await received(desk_and_box, "a.txt")
    await refiled(desk_and_box, exhibit.id, target)
    again = await desk_and_box.box.refiling.refile(desk_and_box.principal, exhibit.id, target, "wrong matter")
    assert (again.moved, again.exhibits[0].number) == (False, 1)
    assert len(await desk_and_box.box.custody.records([exhibit.id])) == 2


async def test_refiled_back_it_has_its_old_number_again(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    exhibit, _ = await received(desk_and_box, "a.txt", "b.txt")
    for _ in range(2):  # there and back as often as one likes
        assert (await refiled(desk_and_box, exhibit.id, target)).number == 1
        assert (await refiled(desk_and_box, exhibit.id, desk_and_box.case.id)).number == 1
    assert await key_cases(desk_and_box, exhibit.id) == {desk_and_box.case.id}
    assert await content(desk_and_box, exhibit.id) == LETTER + b"a.txt"
    assert await desk_and_box.box.refiling.left(desk_and_box.principal, desk_and_box.case.id) == []
    assert [one.number for one in await desk_and_box.box.refiling.left(desk_and_box.principal, target)] == [1]
    await faultless(desk_and_box)


async def test_only_who_sees_the_new_case_is_told_where_it_went(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    (exhibit,) = await received(desk_and_box, "a.txt")
    insider = await somebody(desk_and_box, "Ina", "paralegal", desk_and_box.case.id)
    both = await somebody(desk_and_box, "Bo", "paralegal", desk_and_box.case.id, target)
    await refiled(desk_and_box, exhibit.id, target)
    refiling = desk_and_box.box.refiling
    (left,) = await refiling.left(insider, desk_and_box.case.id)
    assert (left.number, left.exhibit, left.now_in, left.now_number) == (1, None, None, None)
    (left,) = await refiling.left(both, desk_and_box.case.id)
    assert (left.number, left.exhibit, left.now_in, left.now_number) == (1, exhibit.id, target, 1)
    with pytest.raises(NotFound):
        await desk_and_box.box.exhibits.get(insider, exhibit.id)


async def test_it_needs_the_right_in_both_cases(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    (exhibit,) = await received(desk_and_box, "a.txt")
    refiling = desk_and_box.box.refiling
    here = await somebody(desk_and_box, "Ann", "attorney", desk_and_box.case.id)
    there = await somebody(desk_and_box, "Tom", "attorney", target)
    clerk = await somebody(desk_and_box, "Pam", "paralegal", desk_and_box.case.id, target)
    for principal, refusal in ((here, NotFound), (there, NotFound), (clerk, Denied)):
        with pytest.raises(refusal):
            await refiling.refile(principal, exhibit.id, target, None)
    both = await somebody(desk_and_box, "Bea", "attorney", desk_and_box.case.id, target)
    assert (await refiling.refile(both, exhibit.id, target, None)).moved


async def test_what_supersedes_it_comes_along_if_asked_and_is_not_named_across_cases(desk_and_box: Office) -> None:
    target, desk = await right_case(desk_and_box), desk_and_box.desk
    box = desk_and_box.box
    first = desk.item("a.txt", b"one")
    second = desk.item("a.txt", b"two", supersedes=digest_of(first.envelope))
    third = desk.item("a.txt", b"three", supersedes=digest_of(second.envelope))
    await box.intake.batch(desk.sender(desk_and_box.owner.id), [first, second, third], wait=0)
    one, two, three = await box.exhibits.page(desk_and_box.principal)
    assert (two.supersedes, three.supersedes) == (one.id, two.id)
    await refiled(desk_and_box, two.id, target, with_newer=True)
    page = {item.id: item for item in await box.exhibits.page(desk_and_box.principal)}
    assert [page[item.id].case for item in (one, two, three)] == [desk_and_box.case.id, target, target]
    assert (page[two.id].supersedes, page[three.id].supersedes) == (None, two.id)
    await refiled(desk_and_box, two.id, desk_and_box.case.id, with_newer=True)
    assert (await box.exhibits.get(desk_and_box.principal, two.id)).supersedes == one.id
    await faultless(desk_and_box)


async def test_a_view_of_the_same_quarter_hour_is_told_in_the_new_case_too(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    (exhibit,) = await received(desk_and_box, "a.txt")
    for case in (target, desk_and_box.case.id):
        await content(desk_and_box, exhibit.id)
        await refiled(desk_and_box, exhibit.id, case)
    kinds = [row["kind"] for row in await desk_and_box.box.custody.records([exhibit.id])]
    assert kinds == ["received", "viewed", "refiled", "viewed", "refiled"]


async def test_receipts_and_statement_stay_as_they_are(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    item = desk_and_box.desk.item("a.txt", LETTER)
    box, sender = desk_and_box.box, desk_and_box.desk.sender(desk_and_box.owner.id)
    await box.intake.batch(sender, [item], wait=0)
    (exhibit,) = await box.exhibits.page(desk_and_box.principal)
    await refiled(desk_and_box, exhibit.id, target)
    await desk_and_box.settle()
    (answer,) = await box.intake.receipts(sender, [digest_of(item.envelope)], 0)
    assert answer.state is State.RECEIPTED
    parsed = receipt.parse((await box.receipts.of(desk_and_box.principal, exhibit.id)).encode())
    receipt.verify_receipt(parsed, box.notary.vkey, statement=exhibit.statement, content=exhibit.content)
    row = await box.database.fetch_one("SELECT envelope FROM statement WHERE digest = {}", exhibit.statement)
    assert row is not None
    assert row["envelope"] == item.envelope


async def test_bytes_that_another_exhibit_has_too_are_copied_and_each_reads_its_own(desk_and_box: Office) -> None:
    target, desk = await right_case(desk_and_box), desk_and_box.desk
    box, sender = desk_and_box.box, desk.sender(desk_and_box.owner.id)
    await box.intake.batch(sender, [desk.item("a.txt", LETTER)], wait=0)
    again = desk.capture("copy of a.txt", LETTER)
    await box.intake.offers(sender, [again])
    (asked,) = await box.intake.offers(sender, [again])
    assert asked.nonce is not None
    mac = possession.mac(asked.nonce, digest_of(again))
    mac.update(LETTER)
    await box.intake.prove(sender, [PossessionProof(digest_of(again), mac.digest())])
    one, other = await box.exhibits.page(desk_and_box.principal)
    assert one.blob == other.blob
    moved = await refiled(desk_and_box, other.id, target)
    assert moved.blob != one.blob
    assert await key_cases(desk_and_box, one.id) == {desk_and_box.case.id}
    assert await key_cases(desk_and_box, other.id) == {target}
    assert await content(desk_and_box, one.id) == await content(desk_and_box, other.id) == LETTER
    await faultless(desk_and_box)


async def test_a_hold_on_the_case_keeps_it_there(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    (exhibit,) = await received(desk_and_box, "a.txt")
    await _hold(desk_and_box, "case", desk_and_box.case.id)
    with pytest.raises(OnHold):
        await refiled(desk_and_box, exhibit.id, target)
    assert (await desk_and_box.box.exhibits.get(desk_and_box.principal, exhibit.id)).case == desk_and_box.case.id
    assert await key_cases(desk_and_box, exhibit.id) == {desk_and_box.case.id}
    await faultless(desk_and_box)


async def test_a_hold_on_the_exhibit_goes_with_it(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    (exhibit,) = await received(desk_and_box, "a.txt")
    await _hold(desk_and_box, "exhibit", exhibit.id)
    await refiled(desk_and_box, exhibit.id, target)
    (row,) = await desk_and_box.box.database.fetch("SELECT case_id FROM legal_hold WHERE lifted IS NULL")
    assert row["case_id"] == target


async def _hold(office: Office, kind: str, subject: UUID) -> None:
    now = datetime.now(UTC)
    await office.box.database.insert_many(
        "legal_hold",
        ("id", "kind", "subject", "case_id", "reason", "placed", "placed_by", "placed_by_name", "version"),
        [(uuid7.new(), kind, subject, office.case.id, "litigation", now, "box", "box", 1)],
    )


async def test_a_case_that_is_not_open_takes_nothing(desk_and_box: Office) -> None:
    target = await right_case(desk_and_box)
    (exhibit,) = await received(desk_and_box, "a.txt")
    await desk_and_box.box.database.execute("UPDATE legal_case SET state = 'closed' WHERE id = {}", target)
    with pytest.raises(Conflict, match="not open"):
        await refiled(desk_and_box, exhibit.id, target)


@dataclass
class Stumbling:
    """A follower that fails at one step, as a crash there would."""

    step: str
    seen: list[str] = field(default_factory=list)

    async def before(self, move: Move) -> None:
        self._at("before")

    async def within(self, move: Move) -> None:
        self._at("within")

    async def after(self, move: Move) -> None:
        self._at("after")

    def _at(self, step: str) -> None:
        self.seen.append(step)
        if step == self.step:
            raise RuntimeError(step)


@pytest.mark.parametrize("step", ["before", "within", "after"])
async def test_whatever_fails_on_the_way_the_same_call_again_ends_well(desk_and_box: Office, step: str) -> None:
    target = await right_case(desk_and_box)
    (exhibit,) = await received(desk_and_box, "a.txt")
    stumbling = Stumbling(step)
    desk_and_box.box.refiling.followers.append(stumbling)
    with pytest.raises(RuntimeError):
        await refiled(desk_and_box, exhibit.id, target)
    stumbling.step = ""
    assert (await refiled(desk_and_box, exhibit.id, target)).case == target
    assert await key_cases(desk_and_box, exhibit.id) == {target}
    assert stumbling.seen[-1] == "after"
    kinds = [row["kind"] for row in await desk_and_box.box.custody.records([exhibit.id])]
    assert kinds == ["received", "refiled"]
    await faultless(desk_and_box)


async def test_of_two_who_refile_it_at_once_to_different_cases_the_second_moves_it_on(desk_and_box: Office) -> None:
    one, other = await right_case(desk_and_box), await right_case(desk_and_box, "2026-0003")
    (exhibit,) = await received(desk_and_box, "a.txt")
    await asyncio.gather(*(refiled(desk_and_box, exhibit.id, case) for case in (one, other)))
    records = [custody.parse(row["record"]) for row in await desk_and_box.box.custody.records([exhibit.id])]
    assert [record.kind for record in records] == ["received", "refiled", "refiled"]
    assert records[2].detail["from"] == records[1].detail["to"]
    await faultless(desk_and_box)


async def test_what_was_derived_meanwhile_is_kept_under_the_case_where_the_exhibit_then_is(
    desk_and_box: Office,
) -> None:
    target = await right_case(desk_and_box)
    (exhibit,) = await received(desk_and_box, "a.txt")
    drafts = [[DerivedDraft(form, "text/plain", form.encode(), "tests 1")] for form in ("text", "words", "facts")]
    await asyncio.gather(
        *(desk_and_box.box.deriver.add_derived(exhibit.id, draft) for draft in drafts),
        _until_moved(desk_and_box, exhibit.id, target),
    )
    assert await key_cases(desk_and_box, exhibit.id) == {target}
    await faultless(desk_and_box)


async def _until_moved(office: Office, exhibit: UUID, target: UUID) -> None:
    while True:
        try:
            await refiled(office, exhibit, target)
        except Conflict:  # something was derived between its look and its transaction
            continue
        return


async def test_the_bundle_of_the_new_case_convinces_a_stranger(
    desk_and_box: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, box = await right_case(desk_and_box), desk_and_box.box
    exhibit, _ = await received(desk_and_box, "a.txt", "b.txt")
    await box.deriver.add_derived(exhibit.id, [DerivedDraft("text", "application/json", b"{}", "tests 1")])
    await content(desk_and_box, exhibit.id)
    await refiled(desk_and_box, exhibit.id, target)
    await desk_and_box.settle()
    for case in (target, desk_and_box.case.id):
        path = await _bundle(desk_and_box, case, tmp_path)
        trust = tmp_path / "trust.json"
        trust.write_text(json.dumps({"logs": [box.notary.vkey], "witnesses": [], "tsa_roots": [], "devices": {}}))
        assert main([str(path), "--trust", str(trust), "--require", "intact,attributed", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["case"]["id"] == str(case)


async def _bundle(office: Office, case: UUID, folder: Path) -> Path:
    sequencer = office.run_sequencer()
    try:
        prepared = await office.box.bundling.prepare(office.principal, case, None, "hearing")
    finally:
        sequencer.cancel()
    path = folder / prepared.file_name
    with path.open("wb") as file:
        async for piece in prepared.stream():
            file.write(piece)
    return path
