"""Erasing a person: by two, with a certificate that names what was kept and why, while the log still verifies."""

import io
import json
import zipfile
from pathlib import Path
from uuid import UUID

import pytest

from deedbox_server.errors import Conflict, Denied, NotFound, SecondFactorNeeded
from deedbox_server.people.principal import Principal
from deedbox_server.people.rules import ATTORNEY
from deedbox_server.retention.erasures import Erasure
from deedbox_sync import uuid7
from kit.open_box import Office
from kit.retention_office import be_due, colleague, disposed, faults, received, strong

pytestmark = pytest.mark.anyio

NAME = "Moritz Grimblewick"


async def party(office: Office) -> UUID:
    party = uuid7.new()
    db = office.box.database
    await db.insert_many(
        "case_party",
        ("id", "case_id", "kind", "name", "organisation", "aliases", "contacts", "version", "created"),
        [(party, office.case.id, "witness", NAME, False, "[]", '["grimblewick@example.org"]', 1, office.case.created)],
    )
    await db.insert_many(
        "party_name",
        ("id", "case_id", "party", "kind", "name", "folded", "joined", "words"),
        [(uuid7.new(), office.case.id, party, "name", NAME, "grimblewick moritz", "moritzgrimblewick", 2)],
    )
    async with db.transaction():
        await office.box.trail.changed(
            office.principal, "party.write", case=office.case.id, object=party, detail={"name": NAME}
        )
    await office.settle()
    return party


async def erased(
    office: Office, approver: Principal, account: UUID | None = None, parties: tuple[UUID, ...] = ()
) -> Erasure:
    asked = await office.box.erasures.ask(strong(office), account, parties, "asked by letter")
    done = await office.box.erasures.approve(approver, asked.id, expected=asked.version)
    await office.settle()
    return done


async def test_a_party_is_gone_from_case_and_trail_and_the_log_verifies(desk_and_box: Office) -> None:
    box, other, member = desk_and_box.box, await colleague(desk_and_box), await party(desk_and_box)
    [record] = await box.database.fetch("SELECT id FROM audit_record WHERE object = {}", member)
    done = await erased(desk_and_box, other, parties=(member,))
    assert done.state == "done" and done.certificate is not None
    assert (done.certificate.erased.count, done.certificate.kept) == (1, ())
    for table in ("case_party", "party_name"):
        assert await box.database.fetch(f"SELECT id FROM {table}") == [], table
    assert await box.database.fetch("SELECT id FROM audit_record WHERE object = {}", member) == []
    assert await box.keys.salts([record["id"]]) == {}
    assert await faults(desk_and_box) == []


async def test_what_a_hold_is_over_is_kept_and_the_certificate_says_why(desk_and_box: Office) -> None:
    box, case = desk_and_box.box, desk_and_box.case.id
    other, member = await colleague(desk_and_box), await party(desk_and_box)
    await box.holds.place(desk_and_box.principal, case, "case", case, "litigation")
    done = await erased(desk_and_box, other, parties=(member,))
    assert done.certificate is not None
    assert [(one.what, one.object) for one in done.certificate.kept] == [("party", member)]
    assert "legal hold" in done.certificate.kept[0].why
    assert await box.database.fetch("SELECT id FROM case_party WHERE id = {}", member)
    assert await faults(desk_and_box) == []


async def test_an_account_keeps_its_id_and_nothing_that_names_it(desk_and_box: Office) -> None:
    box, other = desk_and_box.box, await colleague(desk_and_box)
    leaver = await colleague(desk_and_box, "Lena Leaver", ATTORNEY)
    assert leaver.account is not None
    [exhibit] = await received(desk_and_box, b"one")
    await box.exhibits.open(leaver, exhibit, "viewed")
    done = await erased(desk_and_box, other, leaver.account)
    [row] = await box.database.fetch("SELECT name, disabled, password_hash FROM account WHERE id = {}", leaver.account)
    assert row == {"name": f"erased {leaver.account}", "disabled": True, "password_hash": ""}
    assert await box.database.fetch("SELECT id FROM case_member WHERE account = {}", leaver.account) == []
    assert done.certificate is not None
    assert ("custody", exhibit) in [(one.what, one.object) for one in done.certificate.kept]
    assert await faults(desk_and_box) == []


async def test_what_they_did_to_an_exhibit_that_is_gone_goes_too(desk_and_box: Office) -> None:
    box, other = desk_and_box.box, await colleague(desk_and_box)
    leaver = await colleague(desk_and_box, "Lena Leaver", ATTORNEY)
    [exhibit] = await received(desk_and_box, b"one")
    await box.exhibits.open(leaver, exhibit, "viewed")
    await disposed(desk_and_box, other, [exhibit])
    await erased(desk_and_box, other, leaver.account)
    kinds = [row["kind"] for row in await box.custody.records([exhibit])]
    assert kinds == ["received", "derived", "disposed"]
    assert await faults(desk_and_box) == []


async def test_a_held_account_is_kept(desk_and_box: Office) -> None:
    box, other = desk_and_box.box, await colleague(desk_and_box)
    leaver = await colleague(desk_and_box, "Lena Leaver", ATTORNEY)
    assert leaver.account is not None
    await box.holds.place_on_account(strong(desk_and_box), leaver.account, "inquiry")
    done = await erased(desk_and_box, other, leaver.account)
    assert done.certificate is not None and {one.what for one in done.certificate.kept} >= {"account", "audit"}
    [row] = await box.database.fetch("SELECT name FROM account WHERE id = {}", leaver.account)
    assert row["name"] == "Lena Leaver"


async def test_it_takes_two_people_neither_of_them_the_person(desk_and_box: Office) -> None:
    erasures, other, member = desk_and_box.box.erasures, await colleague(desk_and_box), await party(desk_and_box)
    with pytest.raises(SecondFactorNeeded):
        await erasures.ask(desk_and_box.principal, None, [member], "letter")
    with pytest.raises(Denied):
        await erasures.ask(strong(desk_and_box), desk_and_box.owner.id, [], "letter")
    asked = await erasures.ask(strong(desk_and_box), None, [member], "letter")
    with pytest.raises(Denied, match="somebody else"):
        await erasures.approve(strong(desk_and_box), asked.id, expected=asked.version)
    of_other = await erasures.ask(strong(desk_and_box), other.account, [], "letter")
    with pytest.raises(Denied, match="your own account"):
        await erasures.approve(other, of_other.id, expected=of_other.version)
    with pytest.raises(NotFound):
        await erasures.ask(strong(desk_and_box), None, [uuid7.new()], "letter")


async def test_who_is_alone_waits_and_the_last_administrator_stays(desk_and_box: Office) -> None:
    erasures, member = desk_and_box.box.erasures, await party(desk_and_box)
    asked = await erasures.ask(strong(desk_and_box), None, [member], "letter")
    waiting = await erasures.approve(strong(desk_and_box), asked.id, expected=1)
    assert waiting.state == "waiting"
    with pytest.raises(Conflict, match="confirm it from"):
        await erasures.approve(strong(desk_and_box), asked.id, expected=waiting.version)
    await be_due(desk_and_box.box.database, "erasure", asked.id)
    done = await erasures.approve(strong(desk_and_box), asked.id, expected=waiting.version)
    assert done.state == "done"


async def test_it_is_complete_when_backups_have_expired_and_desks_confirmed(desk_and_box: Office) -> None:
    box, other = desk_and_box.box, await colleague(desk_and_box)
    leaver = await colleague(desk_and_box, "Lena Leaver", ATTORNEY)
    device = desk_and_box.desk.device
    db = box.database
    await db.execute("UPDATE device SET account = {} WHERE id = {}", leaver.account, device)
    with pytest.raises(Conflict, match="revoke them first"):
        await erased(desk_and_box, other, leaver.account)
    await db.execute("UPDATE device SET revoked = created WHERE id = {}", device)
    [asked, *_] = await box.erasures.page(other)
    done = await box.erasures.approve(other, asked.id, expected=asked.version)
    assert done.unconfirmed == (device,) and not done.complete
    confirmed = await box.erasures.confirm_desk(other, asked.id, device)
    assert confirmed.unconfirmed == () and not confirmed.complete
    await db.execute("UPDATE erasure SET expiry = asked WHERE id = {}", asked.id)
    assert (await box.erasures.get(other, asked.id)).complete


async def test_everything_about_a_person_is_one_zip_within_the_wall(desk_and_box: Office, tmp_path: Path) -> None:
    box, member = desk_and_box.box, await party(desk_and_box)
    [exhibit] = await received(desk_and_box, b"one")
    [found] = await box.person_exporting.find(strong(desk_and_box), "GRIMBLEWICK, Moritz")
    assert (found.id, found.name) == (member, NAME)
    data = await box.person_exporting.export(strong(desk_and_box), desk_and_box.owner.id, [member])
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        told = json.loads(file.read("person.json"))["sections"]
        page = file.read("person.html").decode()
    assert told["account"][0]["name"] == "Olivia Owner"
    assert told["parties"][0]["name"] == NAME
    assert [one["id"] for one in told["exhibits-sent"]] == [str(exhibit)]
    assert any(one["detail"].get("name") == NAME for one in told["trail"])
    assert NAME in page and "argon2" not in json.dumps(told)
    walled = await colleague(desk_and_box, "Wanda Walled")
    await box.database.insert_many(
        "case_wall",
        ("id", "case_id", "account", "reason", "made_by", "created"),
        [(uuid7.new(), desk_and_box.case.id, walled.account, "conflict", "box", desk_and_box.case.created)],
    )
    assert await box.person_exporting.find(walled, NAME) == []
    with pytest.raises(NotFound):
        await box.person_exporting.export(walled, None, [member])
