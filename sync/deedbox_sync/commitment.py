"""Salted commitments and their openings (`formats/log.md`, Commitment)."""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from deedbox_sync.errors import FormatError, ProofError

FIELDS = ("case", "content", "person", "record", "statement")
SALT_LENGTH = 32

_PREFIX = {field: b"deedbox/v1/" + field.encode("ascii") + b"\x00" for field in FIELDS}
_VALUE_LENGTH = {"case": 16, "content": 32, "record": 32, "statement": 32}
# A person is `account:UUID`, `device:UUID` or `box`; later kinds of actor are of that order.
_MAX_PERSON = 256


def commit(field: str, salt: bytes, value: bytes) -> bytes:
    """The 32-byte commitment to `value`. Says nothing about it as long as the salt is secret."""
    if len(salt) != SALT_LENGTH:
        raise FormatError("commitment", f"salt is not {SALT_LENGTH} bytes")
    try:
        prefix = _PREFIX[field]
    except KeyError as error:
        raise FormatError("commitment", f"unknown field {field[:40]!a}") from error
    if len(value) != _VALUE_LENGTH.get(field, len(value)) or len(value) > _MAX_PERSON:
        raise FormatError("commitment", f"value of {field} has the wrong length")
    return sha256(prefix + salt + value).digest()


@dataclass(frozen=True)
class Opening:
    """What turns one commitment into a statement of fact: its field, salt and value."""

    field: str
    salt: bytes
    value: bytes


def verify_opening(opening: Opening, commitment: bytes) -> None:
    """ProofError unless the opening hashes to the commitment; FormatError if it is no opening."""
    if not hmac.compare_digest(commit(opening.field, opening.salt, opening.value), commitment):
        raise ProofError(f"the opening of {opening.field} is not what the entry commits to")
