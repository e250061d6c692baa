"""Many small blobs in one file: one fsync, each with a key of its own."""

import hashlib
import os
import random

import pytest

from deedbox_server.vault.errors import BlobDamaged, MissingKey
from deedbox_sync.tink_stream import HEADER, SEGMENT
from vault_box import CASE, VaultBox

CHANCE = random.Random(5)
CONTENTS = [CHANCE.randbytes(size) for size in (0, 1, 20_480, SEGMENT, 100, 5 * SEGMENT + 3, 0, 70_000)]


async def test_each_is_read_alone_and_in_order(box: VaultBox) -> None:
    pack = await box.vault.write_pack(CASE, CONTENTS)
    await box.insert_pack(pack)
    assert [(blob.size, blob.sha256) for blob in pack.blobs] == [
        (len(content), hashlib.sha256(content).digest()) for content in CONTENTS
    ]
    for blob, content in reversed(list(zip(pack.blobs, CONTENTS, strict=True))):
        assert await box.read(blob.blob) == content
        assert await box.vault.verify_blob(blob.blob) == (blob.sha256, len(content))
    assert len(box.files("packs")) == 1
    assert box.files("blobs") == []


async def test_it_is_one_file_synced_once(box: VaultBox, monkeypatch: pytest.MonkeyPatch) -> None:
    await box.keys.case_key(CASE)
    await box.insert_pack(await box.vault.write_pack(CASE, [b"so that the folder may be there"]))
    synced = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: (synced.append(descriptor), real(descriptor))[1])
    await box.vault.write_pack(CASE, [CHANCE.randbytes(2048) for _ in range(500)])
    assert len(synced) == 1


async def test_until_its_keys_are_committed_nobody_can_read_it(box: VaultBox) -> None:
    pack = await box.vault.write_pack(CASE, [b"deed"])
    await box.insert(pack.blobs)
    with pytest.raises(MissingKey):
        await box.vault.open(pack.blobs[0].blob)
    await box.keys.commit(pack.keys)
    assert await box.read(pack.blobs[0].blob) == b"deed"


async def test_nothing_makes_no_file(box: VaultBox) -> None:
    pack = await box.vault.write_pack(CASE, [])
    assert pack.blobs == ()
    assert box.files("packs") == []


async def test_a_flipped_bit_harms_its_own_blob_and_no_other(box: VaultBox) -> None:
    pack = await box.vault.write_pack(CASE, CONTENTS)
    await box.insert_pack(pack)
    (path,) = box.files("packs")
    whole = path.read_bytes()
    for damaged in pack.blobs:
        part = damaged.parts[0]
        data = bytearray(whole)
        data[part.file_offset + part.cipher_length - 1] ^= 1
        path.write_bytes(data)
        for blob in pack.blobs:
            if blob is damaged:
                segment = (part.cipher_length - 1) // SEGMENT
                with pytest.raises(BlobDamaged, match=f"blob {blob.blob} part 0 segment {segment}"):
                    await box.vault.verify_blob(blob.blob)
            else:
                await box.vault.verify_blob(blob.blob)


async def test_each_part_has_a_header_key_and_salt_of_its_own(box: VaultBox) -> None:
    pack = await box.vault.write_pack(CASE, [b"the same"] * 50)
    (path,) = box.files("packs")
    data = path.read_bytes()
    headers = {data[blob.parts[0].file_offset :][:HEADER] for blob in pack.blobs}
    assert len(headers) == len({key.key for key in pack.keys.part_keys}) == len({b.blob for b in pack.blobs}) == 50
