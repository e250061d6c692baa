"""The one-time pairing code `NNN-XXXXX-XXXXX`: a public nameplate and a secret, as people write and read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from deedbox_sync.errors import FormatError

CODE_LIFE: Final = timedelta(minutes=10)  # long enough to walk to the other desk, short enough to forget
CODE_TRIES: Final = 3  # against 50 bits of secret: one chance in 4 x 10^14 for a guesser
NAMEPLATES: Final = 1000  # three digits: read out loud without a slip
RANDOM_BYTES: Final = 7  # carries the 50 bits

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base 32: no I, L, O, U
_SECRET_BITS: Final = 50
_LONGEST_TYPED: Final = 64  # a code with spaces between all its characters, and some to spare
_SEPARATORS: Final = re.compile(r"[\s\-\u2010-\u2015\u2212]+")  # hyphens as word processors and chat programs set them
_NORMAL: Final = re.compile(rf"[0-9]{{3}}[{_ALPHABET}]{{10}}")
_LOOKALIKES: Final = str.maketrans("OIL", "011")


@dataclass(frozen=True)
class Code:
    """A code in its normal form. `secret` never leaves the two ends; `nameplate` says which code is meant."""

    nameplate: str
    secret: str

    @property
    def text(self) -> str:
        return f"{self.nameplate}-{self.secret[:5]}-{self.secret[5:]}"

    @property
    def password(self) -> bytes:
        """What SPAKE2 is run over: the whole code in its normal form, hyphens included."""
        return self.text.encode("ascii")


def new_code(nameplate: int, random: bytes) -> Code:
    """The code of a nameplate and `RANDOM_BYTES` random bytes."""
    if not 0 <= nameplate < NAMEPLATES or len(random) != RANDOM_BYTES:
        raise ValueError("a code takes a nameplate below 1000 and seven random bytes")
    number = int.from_bytes(random) >> (8 * RANDOM_BYTES - _SECRET_BITS)
    letters = [_ALPHABET[number >> shift & 31] for shift in range(_SECRET_BITS - 5, -1, -5)]
    return Code(f"{nameplate:03}", "".join(letters))


def parse_code(text: str) -> Code:
    """The code a person typed: any case, with or without hyphens and spaces, `O` for `0`, `I` or `L` for `1`."""
    if len(text) > _LONGEST_TYPED:
        raise FormatError("pairing code", "is too long")
    plain = _SEPARATORS.sub("", text).upper().translate(_LOOKALIKES)
    if not _NORMAL.fullmatch(plain):
        raise FormatError("pairing code", "is not three digits and ten letters or digits, as in 123-ABCDE-FGH45")
    return Code(plain[:3], plain[3:])
