"""After a crash: what nothing refers to goes, what something refers to stays."""

from deedbox_server.database import Database
from deedbox_sync import uuid7
from vault_box import CASE, VaultBox

SAVED = b"saved " * 300_000


async def everything(box: VaultBox) -> tuple[list[str], list[str], list[str]]:
    return tuple([path.name for path in box.files(folder)] for folder in ("blobs", "packs", "uploads"))  # type: ignore[return-value]


async def test_stored_blobs_and_open_uploads_stay(box: VaultBox) -> None:
    stored = await box.store(SAVED)
    pack = await box.vault.write_pack(CASE, [b"one", b"two"])
    await box.insert_pack(pack)
    writer = await box.begin()
    await writer.write(SAVED)
    await writer.durable()
    await writer.abandon()
    before = await everything(box)

    after = await box.die()
    swept = await after.vault.sweep({writer.blob})
    assert (swept.files, swept.keyed_blobs) == (0, 0)
    assert await everything(after) == before
    assert await after.read(stored.blob) == SAVED
    assert await after.read(pack.blobs[1].blob) == b"two"
    assert (await after.begin(writer.blob)).offset == len(SAVED)
    await after.close()


async def test_what_never_got_its_rows_goes_with_its_keys(box: VaultBox) -> None:
    for end in ("durable", "finish"):
        writer = await box.begin()
        await writer.write(SAVED)
        await getattr(writer, end)()
        await writer.abandon()
    pack = await box.vault.write_pack(CASE, [b"one"])
    await box.keys.commit(pack.keys)
    await box.vault.write_pack(CASE, [b"without keys"])
    (box.folder / "uploads" / f"{writer.blob.hex}.tail.part").write_bytes(b"half a record")

    after = await box.die()
    swept = await after.vault.sweep(())
    assert (swept.files, swept.keyed_blobs) == (2 + 2 + 2, 3)
    assert await everything(after) == ([], [], [])
    assert await after.keys.blobs_after(uuid7.uuid7(0, bytes(10)), 10) == []
    await after.close()


async def test_the_tail_record_of_a_stored_blob_goes_and_its_bytes_stay(box: VaultBox) -> None:
    writer = await box.begin()
    await writer.write(SAVED)
    await writer.durable()
    stored = await writer.finish()
    (tail,) = box.files("uploads")
    record = tail.read_bytes()
    await box.insert([stored])
    after = await box.die()
    tail.write_bytes(record)  # the crash came between the commit and its removal
    assert (await after.vault.sweep(())).files == 1
    assert after.files("uploads") == []
    assert await after.read(stored.blob) == SAVED
    await after.close()


async def test_a_part_begun_after_the_last_durable_point_goes_when_the_blob_is_stored_without_it(box: VaultBox) -> None:
    writer = await box.begin()
    await writer.write(SAVED)
    await writer.durable()
    stored = await writer.finish()
    stray = box.folder / stored.parts[0].file.replace(".0000", ".0001")
    stray.write_bytes(b"of a life that was cut short")
    await box.insert([stored])
    await box.vault.sweep(())
    assert not stray.exists()
    assert await box.read(stored.blob) == SAVED


async def test_files_that_are_not_ours_are_left_alone(box: VaultBox) -> None:
    strange = [box.folder / place for place in ("blobs/README", "packs/x.pack", "uploads/lost+found")]
    for path in strange:
        path.write_bytes(b"?")
    await box.vault.sweep(())
    assert all(path.exists() for path in strange)


async def test_a_thousand_blobs_are_asked_about_in_groups(box: VaultBox) -> None:
    for _ in range(3):
        await box.insert_pack(await box.vault.write_pack(CASE, [b"x"] * 400))
    await box.keys.commit((await box.vault.write_pack(CASE, [b"y"] * 700)).keys)
    swept = await box.vault.sweep(())
    assert (swept.files, swept.keyed_blobs) == (1, 700)


async def test_over_either_database(database: Database, tmp_path) -> None:  # type: ignore[no-untyped-def]
    box = await VaultBox.make(tmp_path, database)
    stored = await box.store(SAVED)
    await box.insert_pack(await box.vault.write_pack(CASE, [b"one"]))
    await box.vault.write_pack(CASE, [b"lost"])
    assert (await box.vault.sweep(())).files == 1
    assert await box.vault.verify_blob(stored.blob) == (stored.sha256, len(SAVED))
    await box.close()
