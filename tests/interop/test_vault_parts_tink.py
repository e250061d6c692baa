"""The files of a box's vault against Google's tink: a finished part is a Tink ciphertext under the page's AAD."""

import io
import random
from pathlib import Path

import pytest
import tink
from tink import secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, tink_pb2

from deedbox_server.database import Database
from deedbox_server.vault import StoredBlob
from vault_box import CASE, VaultBox

TEXT = random.Random(6).randbytes(6_000_000)


def tink_open(key: bytes, aad: bytes, sealed: bytes) -> bytes:
    streaming_aead.register()
    template = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB
    params = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKeyFormat.FromString(template.value).params
    value = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(version=0, params=params, key_value=key)
    data = tink_pb2.KeyData(
        type_url=template.type_url,
        value=value.SerializeToString(),
        key_material_type=tink_pb2.KeyData.SYMMETRIC,
    )
    one = tink_pb2.Keyset.Key(key_id=1, status=tink_pb2.ENABLED, output_prefix_type=tink_pb2.RAW, key_data=data)
    keyset = tink_pb2.Keyset(primary_key_id=1, key=[one]).SerializeToString()
    primitive = tink.proto_keyset_format.parse(keyset, secret_key_access.TOKEN).primitive(streaming_aead.StreamingAead)
    with primitive.new_decrypting_stream(io.BytesIO(sealed), aad) as stream:
        return bytes(stream.read())


async def open_all(box: VaultBox, stored: StoredBlob) -> bytes:
    """The blob's plaintext from its files and part keys, by formats/blob.md alone: nothing of the vault's reading code."""
    keys = (await box.keys.part_keys([stored.blob]))[stored.blob]
    case_key = await box.keys.case_key(CASE)
    text = b""
    for part in stored.parts:
        aad = stored.blob.bytes + part.number.to_bytes(4, "big") + case_key.id.bytes
        with (box.folder / part.file).open("rb") as file:
            file.seek(part.file_offset)
            text += tink_open(keys[part.number].key, aad, file.read(part.cipher_length))
    return text


@pytest.fixture
async def box(tmp_path: Path, sqlite_database: Database):
    box = await VaultBox.make(tmp_path, sqlite_database)
    yield box
    await box.close()


@pytest.mark.parametrize("length", [0, 1, 1_048_520, 1_048_521, len(TEXT)])
async def test_tink_opens_a_blob_written_at_once(box: VaultBox, length: int) -> None:
    stored = await box.store(TEXT[:length])
    assert await open_all(box, stored) == TEXT[:length]


async def test_tink_opens_every_part_of_a_blob_that_was_taken_up_again(box: VaultBox) -> None:
    writer = await box.begin()
    for start, end in ((0, 2_500_000), (2_500_000, 2_500_001), (2_500_001, len(TEXT))):
        await writer.write(TEXT[start:end])
        await writer.durable()
        await writer.write(b"lost")
        await writer.abandon()
        writer = await box.begin(writer.blob)
    stored = await writer.finish()
    assert len(stored.parts) == 3
    assert await open_all(box, stored) == TEXT


async def test_tink_opens_every_part_of_a_pack(box: VaultBox) -> None:
    contents = [b"", b"deed", TEXT[:1_500_000]]
    pack = await box.vault.write_pack(CASE, contents)
    await box.keys.commit(pack.keys)
    assert [await open_all(box, blob) for blob in pack.blobs] == contents
