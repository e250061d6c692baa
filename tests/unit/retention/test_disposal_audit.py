"""The audit takes nothing for gone that has no tombstone, and no tombstone that the log does not have."""

import os
from uuid import UUID

import pytest

from deedbox_server.retention import tombstone
from deedbox_server.retention.tombstone import Erased
from kit.open_box import Office
from kit.retention_office import colleague, disposed, faults, received

pytestmark = pytest.mark.anyio


async def one_gone_one_here(office: Office) -> None:
    other = await colleague(office)
    first, _ = await received(office, b"one", b"two")
    await disposed(office, other, [first])
    assert await faults(office) == []


async def test_a_missing_key_without_a_tombstone_is_a_fault(desk_and_box: Office) -> None:
    await one_gone_one_here(desk_and_box)
    [exhibit] = await desk_and_box.box.exhibits.page(desk_and_box.principal)
    await desk_and_box.box.keys.forget_parts([exhibit.blob])
    assert any(str(exhibit.id) in fault for fault in await faults(desk_and_box))


async def test_a_missing_opening_without_a_tombstone_is_a_fault(desk_and_box: Office) -> None:
    await one_gone_one_here(desk_and_box)
    box = desk_and_box.box
    [exhibit] = await box.exhibits.page(desk_and_box.principal)
    [record, *_] = await box.custody.records([exhibit.id])
    await box.keys.forget_salts([record["id"]], ["content"])
    assert any("has no opening for content and no tombstone" in fault for fault in await faults(desk_and_box))


async def test_a_missing_exhibit_without_a_tombstone_is_a_fault(desk_and_box: Office) -> None:
    await one_gone_one_here(desk_and_box)
    box = desk_and_box.box
    [exhibit] = await box.exhibits.page(desk_and_box.principal)
    await box.database.execute("DELETE FROM exhibit WHERE id = {}", exhibit.id)
    assert any("the database does not have" in fault for fault in await faults(desk_and_box))


async def test_a_tombstone_that_the_log_does_not_have_is_a_fault(desk_and_box: Office) -> None:
    await one_gone_one_here(desk_and_box)
    box = desk_and_box.box
    [exhibit] = await box.exhibits.page(desk_and_box.principal)
    await box.database.execute("DELETE FROM exhibit WHERE id = {}", exhibit.id)
    [row] = await box.database.fetch("SELECT record FROM tombstone")
    await box.database.execute("UPDATE tombstone SET object = {}", exhibit.id)
    found = await faults(desk_and_box)
    assert any("is not what its record tells of" in fault for fault in found)
    assert tombstone.parse(row["record"]).object != exhibit.id


async def test_a_changed_tombstone_is_a_fault(desk_and_box: Office) -> None:
    await one_gone_one_here(desk_and_box)
    box = desk_and_box.box
    [row] = await box.database.fetch("SELECT id, record FROM tombstone")
    other = row["record"].replace(b"Carla Colleague", b"Nobody At All  ")
    await box.database.execute("UPDATE tombstone SET record = {} WHERE id = {}", other, row["id"])
    assert any("does not end with its tombstone" in fault for fault in await faults(desk_and_box))


async def test_a_missing_tombstone_is_a_fault(desk_and_box: Office) -> None:
    await one_gone_one_here(desk_and_box)
    await desk_and_box.box.database.execute("DELETE FROM tombstone")
    assert await faults(desk_and_box) != []


async def test_an_exhibit_that_came_back_beside_its_tombstone_is_a_fault(desk_and_box: Office) -> None:
    await one_gone_one_here(desk_and_box)
    box = desk_and_box.box
    [stone] = await box.database.fetch("SELECT object FROM tombstone")
    [exhibit] = await box.exhibits.page(desk_and_box.principal)
    await box.database.execute("UPDATE exhibit SET id = {} WHERE id = {}", stone["object"], exhibit.id)
    assert any("has a tombstone and is still there" in fault for fault in await faults(desk_and_box))


async def test_records_that_no_tombstone_accounts_for_are_a_fault(desk_and_box: Office) -> None:
    await one_gone_one_here(desk_and_box)
    box = desk_and_box.box
    [stone] = await box.database.fetch("SELECT id FROM tombstone")
    [row, *_] = await box.database.fetch("SELECT id FROM audit_record ORDER BY id")
    await box.database.insert_many("erased_record", ("record", "tombstone"), [(row["id"], stone["id"])])
    assert any("does not account for" in fault for fault in await faults(desk_and_box))


def test_what_is_erased_is_bound_in_any_order_and_once() -> None:
    assert Erased.of([]).count == 0
    ids = [UUID(bytes=os.urandom(16)) for _ in range(5)]
    assert Erased.of(ids) == Erased.of([*reversed(ids), ids[0]])
    assert Erased.of(ids) != Erased.of(ids[1:])
