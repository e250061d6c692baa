"""Legal holds: many at once, each until it is lifted, over all that is under them; in code and, behind it, in the database."""

from typing import Any
from uuid import UUID

import pytest

from deedbox_server.database import DatabaseError
from deedbox_server.errors import Conflict, NotFound, OnHold, PreconditionFailed, SecondFactorNeeded
from deedbox_server.people.holds import refuse_if_held
from deedbox_sync import uuid7
from kit.open_box import Office
from kit.retention_office import colleague, faults, received, strong

pytestmark = pytest.mark.anyio


async def party(office: Office, name: str = "Moritz Grimblewick") -> UUID:
    """A party of the office's case."""
    party = uuid7.new()
    await office.box.database.insert_many(
        "case_party",
        ("id", "case_id", "kind", "name", "organisation", "aliases", "contacts", "version", "created"),
        [(party, office.case.id, "witness", name, False, "[]", "[]", 1, office.case.created)],
    )
    return party


async def refused(office: Office, **what: Any) -> bool:
    try:
        async with office.box.database.transaction():
            await refuse_if_held(office.box.database, **what)
    except OnHold:
        return True
    return False


async def test_a_cases_hold_is_over_what_is_in_it(desk_and_box: Office) -> None:
    case, [exhibit] = desk_and_box.case.id, await received(desk_and_box, b"one")
    member = await party(desk_and_box)
    assert not await refused(desk_and_box, case=case, exhibit=exhibit, person=member)
    await desk_and_box.box.holds.place(desk_and_box.principal, case, "case", case, "litigation in Milan")
    assert await refused(desk_and_box, case=case)
    assert await refused(desk_and_box, exhibit=exhibit)
    assert await refused(desk_and_box, person=member)


async def test_a_hold_on_one_thing_is_not_over_another(desk_and_box: Office) -> None:
    case, (first, second) = desk_and_box.case.id, await received(desk_and_box, b"one", b"two")
    await desk_and_box.box.holds.place(desk_and_box.principal, case, "exhibit", first, "subpoena 12")
    assert await refused(desk_and_box, exhibit=first)
    assert not await refused(desk_and_box, exhibit=second)
    assert not await refused(desk_and_box, case=case)


async def test_each_of_many_holds_is_lifted_by_itself(desk_and_box: Office) -> None:
    holds, case, [exhibit] = desk_and_box.box.holds, desk_and_box.case.id, await received(desk_and_box, b"one")
    one = await holds.place(desk_and_box.principal, case, "exhibit", exhibit, "subpoena 12")
    two = await holds.place(desk_and_box.principal, case, "exhibit", exhibit, "subpoena 13")
    lifted = await holds.lift(strong(desk_and_box), one.id, "settled", expected=one.version)
    assert (lifted.lifted_by_name, lifted.lifted_reason, lifted.version) == ("Olivia Owner", "settled", 2)
    assert await refused(desk_and_box, exhibit=exhibit)
    assert [one.id for one in await holds.of_case(desk_and_box.principal, case)] == [two.id]
    assert len(await holds.of_case(desk_and_box.principal, case, standing=False)) == 2
    await holds.lift(strong(desk_and_box), two.id, "settled too", expected=two.version)
    assert not await refused(desk_and_box, exhibit=exhibit)


async def test_lifting_needs_the_second_factor_the_version_and_a_hold_that_stands(desk_and_box: Office) -> None:
    holds, case = desk_and_box.box.holds, desk_and_box.case.id
    hold = await holds.place(desk_and_box.principal, case, "case", case, "litigation")
    with pytest.raises(SecondFactorNeeded):
        await holds.lift(desk_and_box.principal, hold.id, "settled", expected=1)
    with pytest.raises(PreconditionFailed):
        await holds.lift(strong(desk_and_box), hold.id, "settled", expected=2)
    assert await refused(desk_and_box, case=case)
    await holds.lift(strong(desk_and_box), hold.id, "settled", expected=1)
    with pytest.raises(Conflict, match="has been lifted"):
        await holds.lift(strong(desk_and_box), hold.id, "settled", expected=2)


async def test_custody_tells_of_an_exhibits_holds_without_their_reason(desk_and_box: Office) -> None:
    box, case, [exhibit] = desk_and_box.box, desk_and_box.case.id, await received(desk_and_box, b"one")
    hold = await box.holds.place(desk_and_box.principal, case, "exhibit", exhibit, "a secret reason")
    await box.holds.lift(strong(desk_and_box), hold.id, "another", expected=1)
    records = await box.custody.records([exhibit])
    assert [one["kind"] for one in records][-2:] == ["held", "released"]
    assert b"secret" not in b"".join(one["record"] for one in records)
    trail = await box.database.fetch("SELECT operation FROM audit_record WHERE object = {} ORDER BY id", hold.id)
    assert [row["operation"] for row in trail] == ["hold.place", "hold.lift"]
    await desk_and_box.settle()
    assert await faults(desk_and_box) == []


async def test_what_is_not_of_the_case_cannot_be_held_there(desk_and_box: Office) -> None:
    holds, case = desk_and_box.box.holds, desk_and_box.case.id
    for kind in ("case", "exhibit", "party"):
        with pytest.raises(NotFound):
            await holds.place(desk_and_box.principal, case, kind, uuid7.new(), "litigation")


async def test_an_account_is_held_by_an_administrator(desk_and_box: Office) -> None:
    other = await colleague(desk_and_box)
    assert other.account is not None
    holds = desk_and_box.box.holds
    hold = await holds.place_on_account(strong(desk_and_box), other.account, "inquiry")
    assert await refused(desk_and_box, person=other.account)
    await holds.lift_from_account(strong(desk_and_box), other.account, hold.id, "over", expected=1)
    assert not await refused(desk_and_box, person=other.account)


DELETIONS = (
    "DELETE FROM exhibit WHERE id = {}",
    "DELETE FROM derived WHERE exhibit = {}",
    "DELETE FROM custody_event WHERE exhibit = {}",
    "DELETE FROM statement WHERE exhibit = {}",
    "UPDATE statement SET envelope = envelope WHERE exhibit = {}",
    "UPDATE blob SET state = 'erasing' WHERE id = (SELECT blob FROM exhibit WHERE id = {})",
    "UPDATE blob SET state = 'erasing' WHERE id = (SELECT blob FROM derived WHERE exhibit = {})",
    "DELETE FROM blob WHERE id = (SELECT blob FROM exhibit WHERE id = {})",
)


@pytest.mark.parametrize("kind", ["case", "exhibit"])
async def test_the_database_itself_refuses_to_delete_what_is_held(desk_and_box: Office, kind: str) -> None:
    case, [exhibit] = desk_and_box.case.id, await received(desk_and_box, b"one")
    subject = case if kind == "case" else exhibit
    await desk_and_box.box.holds.place(desk_and_box.principal, case, kind, subject, "litigation")
    for statement in DELETIONS:
        with pytest.raises(DatabaseError):
            await desk_and_box.box.database.execute(statement, exhibit)
    await desk_and_box.settle()
    assert await faults(desk_and_box) == []


async def test_the_database_itself_refuses_to_delete_what_is_under_a_cases_hold(desk_and_box: Office) -> None:
    db, case, member = desk_and_box.box.database, desk_and_box.case.id, await party(desk_and_box)
    await desk_and_box.box.holds.place(desk_and_box.principal, case, "case", case, "litigation")
    for statement in (
        "DELETE FROM legal_case WHERE id = {}",
        "UPDATE legal_case SET state = 'disposed' WHERE id = {}",
        "DELETE FROM case_party WHERE case_id = {}",
        "DELETE FROM audit_record WHERE case_id = {}",
    ):
        with pytest.raises(DatabaseError):
            await db.execute(statement, case)
    assert await db.fetch("SELECT id FROM case_party WHERE id = {}", member)


async def test_a_partys_hold_is_over_the_party_and_its_whole_case(desk_and_box: Office) -> None:
    box, case, member, other = (
        *(desk_and_box.box, desk_and_box.case.id, await party(desk_and_box), await party(desk_and_box, "B")),
    )
    await box.holds.place(desk_and_box.principal, case, "party", member, "guardianship")
    assert await refused(desk_and_box, person=member)
    assert not await refused(desk_and_box, person=other)
    with pytest.raises(Conflict):
        await box.disposals.ask(strong(desk_and_box), case, None, "old")
    with pytest.raises(DatabaseError):
        await box.database.execute("DELETE FROM case_party WHERE id = {}", member)
