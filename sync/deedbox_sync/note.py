"""Signed notes, checkpoints and witness cosignatures (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature).

Text in, text out. Signatures by keys that the caller does not name are ignored, as the specification asks.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from deedbox_sync.binary_text import encode_base64, parse_base64
from deedbox_sync.ed25519 import parse_public_key
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.merkle import HASH_LENGTH, MAX_SIZE

ED25519 = 0x01
COSIGNATURE_V1 = 0x04
COSIGNATURE_ML_DSA_44 = 0x06
COSIGNATURES = (COSIGNATURE_V1, COSIGNATURE_ML_DSA_44)
# A checkpoint with sixteen signatures (the least a reader must take) is 4 KiB, with ML-DSA-44 ones 80 KiB.
MAX_NOTE = 98_304
MAX_SIGNATURES = 64
MAX_VKEY = 4_096  # an ML-DSA-44 key is 1,752 characters, a name at most 256

# Ours have some fifty characters.
_MAX_NAME = 256
_MAX_COMMITTED_NAME = 255  # bytes: what a cosigned_message says of a name or an origin has one byte of length
_ML_DSA_44_KEY = 1_312

_BARRED = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_BARRED_IN_NAMES = re.compile(r"[\s+]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_ORIGIN = re.compile(r"deedbox/([0-9a-f]{32})/(0|[1-9][0-9]{0,8})")


@dataclass(frozen=True)
class Verifier:
    """A key that may sign notes: its name, what it signs (ED25519 or one of COSIGNATURES), and the raw public key."""

    name: str
    algorithm: int
    public_key: bytes

    @property
    def is_log(self) -> bool:
        """Whether it signs notes as they are; else it is a witness, who cosigns them."""
        return self.algorithm == ED25519

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public_key).digest()[:4]


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of itself at one moment."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True)
class NoteSignature:
    """One signature line, not verified; `value` is what follows the four bytes of key id."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True)
class SignedNote:
    """The text that is signed, its last newline included, and the signature lines."""

    body: str
    signatures: tuple[NoteSignature, ...]


def encode_origin(box: UUID, epoch: int) -> str:
    """The log's identity: which box, and which of its epochs."""
    return f"deedbox/{box.hex}/{epoch}"


def parse_origin(origin: str) -> tuple[UUID, int]:
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        raise FormatError("origin", "is not deedbox/BOX/EPOCH")
    return UUID(found[1]), int(found[2])


def encode_vkey(name: str, algorithm: int, public_key: bytes) -> str:
    """The verifier key as one line of text: name, key id and key (c2sp.org/signed-note, Verifier keys)."""
    verifier = _checked_verifier(name, algorithm, public_key)
    return f"{name}+{verifier.key_id.hex()}+{encode_base64(bytes([algorithm]) + public_key)}"


def parse_vkey(vkey: str) -> Verifier:
    parts = vkey.split("+", 2)
    if len(vkey) > MAX_VKEY or len(parts) != 3:
        raise FormatError("vkey", "is not name+id+key")
    name, key_id, encoded = parts
    key = parse_base64(encoded, where="vkey")
    verifier = _checked_verifier(name, key[0] if key else 0, key[1:])
    if verifier.key_id.hex() != key_id:
        raise FormatError("vkey", "has an id that is not its key's")
    return verifier


def encode_checkpoint(checkpoint: Checkpoint) -> str:
    """The note's body: three lines, no extensions."""
    body = f"{checkpoint.origin}\n{checkpoint.size}\n{encode_base64(checkpoint.root)}\n"
    if parse_checkpoint(body) != checkpoint:
        raise FormatError("checkpoint", "does not read back as what was written")
    return body


def parse_checkpoint(body: str) -> Checkpoint:
    lines = body.split("\n")
    if len(body) > MAX_NOTE or len(lines) != 4 or lines[3] or not lines[0]:
        raise FormatError("checkpoint", "is not three lines: origin, size, root")
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size) or int(size) > MAX_SIZE:
        raise FormatError("checkpoint", "has a size that is not a decimal number below 2^63")
    hashed = parse_base64(root, where="checkpoint root")
    if len(hashed) != HASH_LENGTH:
        raise FormatError("checkpoint root", f"is not {HASH_LENGTH} bytes")
    return Checkpoint(origin, int(size), hashed)


def sign(body: str, name: str, key: Ed25519PrivateKey) -> str:
    """The log's own signature line over a body, newline included."""
    verifier = _checked_verifier(name, ED25519, key.public_key().public_bytes_raw())
    return _signature_line(NoteSignature(name, verifier.key_id, key.sign(body.encode())))


def cosign(body: str, name: str, key: Ed25519PrivateKey | MLDSA44PrivateKey, timestamp: int) -> str:
    """A witness's signature line over a checkpoint body at a POSIX time, newline included."""
    if not 0 < timestamp <= MAX_SIZE:
        raise FormatError("cosignature", "has no such time")
    algorithm = COSIGNATURE_V1 if isinstance(key, Ed25519PrivateKey) else COSIGNATURE_ML_DSA_44
    verifier = _checked_verifier(name, algorithm, key.public_key().public_bytes_raw())
    value = timestamp.to_bytes(8) + key.sign(_cosigned(body, verifier, timestamp))
    return _signature_line(NoteSignature(name, verifier.key_id, value))


def encode_note(note: SignedNote) -> str:
    text = f"{note.body}\n{''.join(map(_signature_line, note.signatures))}"
    if parse_note(text) != note:
        raise FormatError("note", "does not read back as what was written")
    return text


def assemble_note(body: str, lines: Iterable[str]) -> str:
    """A note from its body and the lines that `sign` and `cosign` gave."""
    text = f"{body}\n{''.join(lines)}"
    parse_note(text)
    return text


def parse_note(text: str) -> SignedNote:
    """The parts of a note; nothing of it is to be believed before `verify_note`."""
    if len(text) > MAX_NOTE:
        raise FormatError("note", f"is longer than {MAX_NOTE}")
    if _BARRED.search(text):
        raise FormatError("note", "has a control character or a lone surrogate")
    head, gap, tail = text.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines.pop() or not 1 <= len(lines) <= MAX_SIGNATURES:
        raise FormatError("note", f"is not a text, a blank line, and 1 to {MAX_SIGNATURES} signature lines")
    return SignedNote(head + "\n", tuple(_parse_signature_line(line) for line in lines))


def verify_note(note: SignedNote, vkeys: Sequence[str]) -> dict[str, int | None]:
    """Who of `vkeys` signed: name → None for a plain signature, POSIX time for a cosignature (the earliest of several; None
    where each has time 0, which says nothing of time).

    ProofError when one of these keys' signatures is false, or when none is there.
    """
    known: dict[tuple[str, bytes], Verifier] = {}
    for vkey in vkeys:
        verifier = parse_vkey(vkey)
        if any(name == verifier.name and other.is_log != verifier.is_log for (name, _), other in known.items()):
            raise FormatError("vkeys", "one name is a log's and a witness's")
        known[verifier.name, verifier.key_id] = verifier
    held: dict[str, int | None] = {}
    for signature in note.signatures:
        found = known.get((signature.name, signature.key_id))
        if found is None:
            continue
        times = (_verify_signature(note.body, signature, found), held.get(found.name))
        held[found.name] = min((time for time in times if time), default=None)
    if not held:
        raise ProofError("the note is signed by none of the expected keys")
    return held


def _verify_signature(body: str, signature: NoteSignature, verifier: Verifier) -> int | None:
    time, message, value = None, body.encode(), signature.value
    if not verifier.is_log:
        time, value = int.from_bytes(signature.value[:8]), signature.value[8:]
        if time > MAX_SIZE:
            raise ProofError(f"the cosignature by {verifier.name!a} has an impossible time")
        try:
            message = _cosigned(body, verifier, time)
        except FormatError as error:
            raise ProofError(f"the cosignature by {verifier.name!a} is over no checkpoint: {error}") from error
    try:
        if verifier.algorithm == COSIGNATURE_ML_DSA_44:
            MLDSA44PublicKey.from_public_bytes(verifier.public_key).verify(value, message)
        else:
            parse_public_key(verifier.public_key, where="vkey").verify(value, message)
    except InvalidSignature as error:
        raise ProofError(f"the note's signature by {verifier.name!a} does not hold") from error
    return time


def _cosigned(body: str, witness: Verifier, time: int) -> bytes:
    """What a witness signs: the body under a header, or, for ML-DSA-44, what the checkpoint says (tlog-cosignature)."""
    if witness.algorithm == COSIGNATURE_V1:
        return f"cosignature/v1\ntime {time}\n{body}".encode()
    told = parse_checkpoint(body)
    name, origin = witness.name.encode(), told.origin.encode()
    if len(origin) > _MAX_COMMITTED_NAME:
        raise FormatError("checkpoint", f"has an origin of more than {_MAX_COMMITTED_NAME} bytes")
    tree = (0).to_bytes(8) + told.size.to_bytes(8) + told.root
    return b"subtree/v1\n\0%c%s%s%c%s%s" % (len(name), name, time.to_bytes(8), len(origin), origin, tree)


def _signature_line(signature: NoteSignature) -> str:
    return f"\u2014 {signature.name} {encode_base64(signature.key_id + signature.value)}\n"


def _parse_signature_line(line: str) -> NoteSignature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014" or not _is_name(parts[1]):
        raise FormatError("note", "has a line among its signatures that is none")
    value = parse_base64(parts[2], where="note signature")
    if len(value) <= 4:
        raise FormatError("note signature", "is empty")
    return NoteSignature(parts[1], value[:4], value[4:])


def _checked_verifier(name: str, algorithm: int, public_key: bytes) -> Verifier:
    if not _is_name(name):
        raise FormatError("vkey", "has a name that is empty, too long, or has spaces or plus signs")
    if algorithm == COSIGNATURE_ML_DSA_44:
        if len(name.encode()) > _MAX_COMMITTED_NAME:
            raise FormatError("vkey", f"has a name of more than {_MAX_COMMITTED_NAME} bytes")
        if len(public_key) != _ML_DSA_44_KEY:
            raise FormatError("vkey", f"has a key that is not {_ML_DSA_44_KEY} bytes")
    elif algorithm in (ED25519, COSIGNATURE_V1):
        parse_public_key(public_key, where="vkey")
    else:
        raise FormatError("vkey", "is of an algorithm that is not known here")
    return Verifier(name, algorithm, public_key)


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _MAX_NAME and not _BARRED.search(name) and not _BARRED_IN_NAMES.search(name)
