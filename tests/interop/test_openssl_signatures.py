"""What a stranger can check with the openssl command alone: the statement's signature, a checkpoint's, a cosignature's.

Ed25519 only: the openssl of Debian 12 (3.0) does not know ML-DSA; a published vector checks that (conformance).
"""

import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deedbox_sync import dsse, note, statement
from deedbox_sync.dsse import PAYLOAD_TYPE
from deedbox_sync.note import Checkpoint
from sync_samples import KEY, capture_statement

PAYLOAD = statement.encode_payload(capture_statement())


def openssl_verifies(folder: Path, message: bytes, signature: bytes) -> bool:
    key, text, value = folder / "key.pem", folder / "message", folder / "signature"
    key.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    text.write_bytes(message)
    value.write_bytes(signature)
    command: list[str | Path] = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        key,
        "-rawin",
        "-in",
        text,
        "-sigfile",
        value,
    ]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def envelope() -> dsse.Envelope:
    return dsse.parse(dsse.encode(dsse.sign(PAYLOAD, KEY)))


def test_openssl_verifies_a_statement_over_its_pre_authentication_encoding(
    tmp_path: Path, envelope: dsse.Envelope
) -> None:
    kind = PAYLOAD_TYPE.encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(envelope.payload), envelope.payload)
    assert openssl_verifies(tmp_path, signed, envelope.signature)


def test_openssl_refuses_one_changed_letter(tmp_path: Path, envelope: dsse.Envelope) -> None:
    changed = envelope.payload.replace(b"Anna", b"Anne")
    assert not openssl_verifies(tmp_path, dsse.pae(PAYLOAD_TYPE, changed), envelope.signature)


def test_openssl_verifies_a_checkpoint_over_its_body(tmp_path: Path) -> None:
    body = note.encode_checkpoint(Checkpoint("deedbox/" + "0" * 32 + "/0", 5, bytes(32)))
    signed = note.parse_note(note.assemble_note(body, [note.sign(body, "deedbox/" + "0" * 32 + "/0", KEY)]))
    assert openssl_verifies(tmp_path, body.encode(), signed.signatures[0].value)
    assert not openssl_verifies(tmp_path, body.replace("\n5\n", "\n6\n").encode(), signed.signatures[0].value)


def test_openssl_verifies_a_cosignature_over_its_time_and_the_body(tmp_path: Path) -> None:
    body = note.encode_checkpoint(Checkpoint("deedbox/" + "0" * 32 + "/0", 5, bytes(32)))
    line = note.cosign(body, "deedbox-witness/" + "0" * 32, KEY, 1_773_489_600)
    value = note.parse_note(note.assemble_note(body, [line])).signatures[0].value
    assert value[:8] == (1_773_489_600).to_bytes(8)
    signed = f"cosignature/v1\ntime 1773489600\n{body}"
    assert openssl_verifies(tmp_path, signed.encode(), value[8:])
    assert not openssl_verifies(tmp_path, signed.replace("600\n", "601\n").encode(), value[8:])


def test_openssl_gives_the_same_digests(tmp_path: Path) -> None:
    (tmp_path / "payload").write_bytes(PAYLOAD)
    command: list[str | Path] = ["openssl", "dgst", "-sha256", "-r", tmp_path / "payload"]
    printed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    assert printed.split(" ")[0] == statement.digest(PAYLOAD).hex() == sha256(PAYLOAD).hexdigest()
