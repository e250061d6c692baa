"""Parts against Google's tink, AES256_GCM_HKDF_1MB without prefix: each opens what the other seals, byte for byte."""

import io

import pytest
import tink
from tink import secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2

from deedbox_sync import tink_stream
from deedbox_sync.tink_stream import HEADER, SEGMENT, TAG, PartCipher

KEY, AAD = bytes(range(32)), b"blob id, part number, case key id"
FIRST, LATER = SEGMENT - HEADER - TAG, SEGMENT - TAG
LENGTHS = [0, 1, 1000, FIRST - 1, FIRST, FIRST + 1, FIRST + LATER, FIRST + LATER + 1, FIRST + 2 * LATER + 12_345]


@pytest.fixture(scope="module")
def primitive() -> streaming_aead.StreamingAead:
    streaming_aead.register()
    template = streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB
    format_ = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKeyFormat.FromString(template.value)
    assert format_.params.ciphertext_segment_size == SEGMENT
    assert format_.params.derived_key_size == 32
    assert format_.params.hkdf_hash_type == common_pb2.SHA256
    data = tink_pb2.KeyData(
        type_url=template.type_url,
        value=aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(
            version=0, params=format_.params, key_value=KEY
        ).SerializeToString(),
        key_material_type=tink_pb2.KeyData.SYMMETRIC,
    )
    key = tink_pb2.Keyset.Key(key_id=1, status=tink_pb2.ENABLED, output_prefix_type=tink_pb2.RAW, key_data=data)
    keyset = tink_pb2.Keyset(primary_key_id=1, key=[key]).SerializeToString()
    handle = tink.proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


def text_of(length: int) -> bytes:
    return (b"evidence %08d " % length * (length // 18 + 1))[:length]


def seal(text: bytes, header: bytes) -> bytes:
    cipher, out, sealed = PartCipher(KEY, AAD, header), bytearray(SEGMENT), bytearray(header)
    segments, at = tink_stream.segment_count(len(text)), 0
    for index in range(segments):
        piece = memoryview(text)[at : at + tink_stream.plaintext_capacity(index)]
        length = cipher.seal_into(index, index == segments - 1, piece, out)
        sealed += out[:length]
        at += len(piece)
    assert len(sealed) == tink_stream.ciphertext_length(len(text))
    return bytes(sealed)


def unseal(sealed: bytes) -> bytes:
    cipher, out, text = PartCipher(KEY, AAD, sealed[:HEADER]), bytearray(SEGMENT), bytearray()
    segments = tink_stream.segment_count(tink_stream.plaintext_length(len(sealed)))
    for index in range(segments):
        piece = memoryview(sealed)[tink_stream.segment_start(index) : (index + 1) * SEGMENT]
        text += out[: cipher.open_into(index, index == segments - 1, piece, out)]
    return bytes(text)


def tink_seal(primitive: streaming_aead.StreamingAead, text: bytes) -> bytes:
    class Kept(io.BytesIO):
        def close(self) -> None:
            self.kept = self.getvalue()
            super().close()

    sealed = Kept()
    with primitive.new_encrypting_stream(sealed, AAD) as stream:
        stream.write(text)
    return sealed.kept


def tink_open(primitive: streaming_aead.StreamingAead, sealed: bytes, aad: bytes = AAD) -> bytes:
    with primitive.new_decrypting_stream(io.BytesIO(sealed), aad) as stream:
        return bytes(stream.read())


@pytest.mark.parametrize("length", LENGTHS)
def test_tink_opens_what_we_seal(primitive: streaming_aead.StreamingAead, length: int) -> None:
    text = text_of(length)
    assert tink_open(primitive, seal(text, tink_stream.new_header())) == text


@pytest.mark.parametrize("length", LENGTHS)
def test_we_open_what_tink_seals_and_seal_it_byte_for_byte(
    primitive: streaming_aead.StreamingAead, length: int
) -> None:
    text = text_of(length)
    theirs = tink_seal(primitive, text)
    assert unseal(theirs) == text
    assert seal(text, theirs[:HEADER]) == theirs


def test_tink_refuses_other_aad_and_a_cut_end(primitive: streaming_aead.StreamingAead) -> None:
    sealed = seal(text_of(FIRST + LATER), tink_stream.new_header())
    with pytest.raises(tink.TinkError):
        tink_open(primitive, sealed, b"another part")
    with pytest.raises(tink.TinkError):
        tink_open(primitive, sealed[:SEGMENT])
