"""Passwords at rest: Argon2id in the PHC string form, parameters of RFC 9106 section 4, second choice."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from deedbox_server.errors import BadRequest

SHORTEST = 12  # characters; there is a second factor beside it (NIST SP 800-63B 3.1.1)
LONGEST = 1024  # bytes; nobody types more, and hashing must not be a way to keep the box busy
_PHC = re.compile(r"\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$")


@dataclass(frozen=True)
class PasswordCost:
    """What one guess costs. The default takes a tenth of a second and 64 MiB."""

    memory_kib: int = 64 << 10
    iterations: int = 3
    lanes: int = 4


def hash_password(password: str, cost: PasswordCost) -> str:
    """Slow on purpose: call it in a thread. BadRequest for a password that is too short or too long."""
    if len(password) < SHORTEST or len(_normal(password)) > LONGEST:
        raise BadRequest(f"a password has at least {SHORTEST} characters and at most {LONGEST} bytes")
    derivation = Argon2id(
        salt=os.urandom(16), length=32, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib
    )
    return derivation.derive_phc_encoded(_normal(password))


def matches(password: str, phc: str) -> bool:
    """Slow on purpose: call it in a thread. Compares in constant time."""
    plain = _normal(password)
    if len(plain) > LONGEST:
        return False
    try:
        Argon2id.verify_phc_encoded(plain, phc)
    except InvalidKey:
        return False
    return True


def needs_rehash(phc: str, cost: PasswordCost) -> bool:
    """Whether this hash was made at another cost than is asked now: then the next right password is hashed anew."""
    found = _PHC.match(phc)
    asked = (cost.memory_kib, cost.iterations, cost.lanes)
    return found is None or tuple(int(part) for part in found.groups()) != asked


def _normal(password: str) -> bytes:
    """One byte string for what looks the same, whatever keyboard typed it (NIST SP 800-63B 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
