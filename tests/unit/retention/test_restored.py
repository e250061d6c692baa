"""What was erased stays erased: a restored copy of the data folder is brought to it again; and it is gone from the raw pages."""

import shutil
from pathlib import Path

import apsw
import pytest

from deedbox_disk import sealed_sqlite
from deedbox_server.audit import Report, Sources, audit
from deedbox_server.people.principal import SYSTEM
from deedbox_server.retention.erasures_list import DamagedList, ErasuresList
from deedbox_server.vault.keyring import Keyring
from deedbox_server.vault.unlock import KeyFile
from kit.open_box import office, reopened
from kit.retention_office import NAME, SECRET, colleague, disposed, received, strong

pytestmark = pytest.mark.anyio


def pages(data: Path) -> bytes:
    """Every page of the databases of a box at rest, decrypted: what somebody with the keys could still find."""
    keyring = Keyring.open(data / "box" / "keys", KeyFile(data / "key"))
    found = b""
    for name, key in (("db/box.db", "database"), ("db/index.db", "index"), ("keys/keys.db", "key-store")):
        connection = sealed_sqlite.connect(data / "box" / name, keyring.named(key))
        try:
            found += b"".join(page for (page,) in _raw(connection))
        finally:
            connection.close()
    return found


def _raw(connection: apsw.Connection) -> list[tuple[bytes]]:
    """The pages, free ones too, as the pager decrypts them."""
    return [(connection.serialize("main"),)]


async def test_neither_words_nor_names_are_left_in_the_raw_pages(tmp_path: Path) -> None:
    async with office(tmp_path) as made:
        other = await colleague(made)
        gone, staying = await received(made, b"one", b"two")
    for word in (NAME, SECRET, str(staying)):
        assert word.encode() in pages(tmp_path), f"{word} is there to begin with"
    async with reopened(tmp_path) as box:
        asked = await box.disposals.ask(strong(made), made.case.id, [gone, staying], "old")
        await box.disposals.approve(other, asked.id, expected=asked.version)
        for side in (tmp_path / "box").rglob("*-wal"):
            assert side.stat().st_size == 0 or side.name == "box.db-wal", (
                side
            )  # the request's own end is written after it
    left = pages(tmp_path)
    assert str(gone).encode() in left  # in its tombstone: these are the pages
    for word in (NAME, NAME.partition(".")[0], SECRET):
        assert word.encode() not in left, word


async def test_a_restored_copy_is_brought_to_it_again(tmp_path: Path) -> None:
    data, copy = tmp_path / "made", tmp_path / "old"
    data.mkdir()
    async with office(data) as made:
        other = await colleague(made)
        going, staying = await received(made, b"one", b"two")
    shutil.copytree(data, copy)
    async with reopened(data) as box:
        asked = await box.disposals.ask(strong(made), made.case.id, [going], "old")
        await box.disposals.approve(other, asked.id, expected=asked.version)
    shutil.copyfile(data / "box" / "erasures.list", copy / "box" / "erasures.list")
    async with reopened(copy) as box:
        assert len(await box.exhibits.page(SYSTEM)) == 2
        [applied] = await box.applying.apply_erasures()
        assert (applied.request, applied.outcome) == (asked.id, "applied")
        assert [one.id for one in await box.exhibits.page(SYSTEM)] == [staying]
        assert {one.outcome for one in await box.applying.apply_erasures()} == {"nothing-there"}
        while await box.sequencer.step():
            pass
        report = Report()
        await audit(Sources(box.database, box.keys, box.vault, box.notary.vkey), report)
        assert report.findings == []


async def test_a_hold_in_the_restored_copy_holds(tmp_path: Path) -> None:
    data, copy = tmp_path / "made", tmp_path / "old"
    data.mkdir()
    async with office(data) as made:
        other = await colleague(made)
        [going] = await received(made, b"one")
        hold = await made.box.holds.place(made.principal, made.case.id, "exhibit", going, "subpoena")
    shutil.copytree(data, copy)
    async with reopened(data) as box:
        await box.holds.lift(other, hold.id, "settled", expected=1)
        asked = await box.disposals.ask(strong(made), made.case.id, [going], "old")
        await box.disposals.approve(other, asked.id, expected=asked.version)
    shutil.copyfile(data / "box" / "erasures.list", copy / "box" / "erasures.list")
    async with reopened(copy) as box:
        [applied] = await box.applying.apply_erasures()
        assert applied.outcome == "on-hold"
        assert [one.id for one in await box.exhibits.page(SYSTEM)] == [going]


async def test_a_list_that_was_changed_is_not_applied(tmp_path: Path) -> None:
    async with office(tmp_path) as made:
        other = await colleague(made)
        [going] = await received(made, b"one")
        await disposed(made, other, [going])
        path = made.box.settings.erasures_file
        line = path.read_bytes()
        path.write_bytes(line + line)  # a line in another's place
        with pytest.raises(DamagedList):
            await made.box.applying.apply_erasures()
        with pytest.raises(DamagedList):
            await ErasuresList(path, bytes(32)).read()
        path.write_bytes(line + line[:40])  # a line that a crash cut in two
        assert len(await made.box.erasures_list.read()) == 1
