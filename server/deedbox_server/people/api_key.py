"""API keys as text: `dbx_<handle>_<secret>`. The handle may be shown; of the secret only a digest is kept."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

HANDLE_BYTES: Final = 6
SECRET_BYTES: Final = 32  # 43 characters; as many bits as its digest, so that no slow hash is needed

_FORM: Final = re.compile(r"dbx_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class KeyText:
    """A key as its holder has it. Its repr keeps the secret."""

    handle: str
    secret: str

    @property
    def text(self) -> str:
        return f"dbx_{self.handle}_{self.secret}"

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.secret.encode("ascii")).digest()

    def __repr__(self) -> str:
        return f"KeyText({self.handle!r})"


def make_key_text(random: bytes) -> KeyText:
    """The key of `HANDLE_BYTES + SECRET_BYTES` random bytes."""
    if len(random) != HANDLE_BYTES + SECRET_BYTES:
        raise ValueError(f"a key takes {HANDLE_BYTES + SECRET_BYTES} random bytes")
    secret = base64.urlsafe_b64encode(random[HANDLE_BYTES:]).decode("ascii").rstrip("=")
    return KeyText(random[:HANDLE_BYTES].hex(), secret)


def parse_key_text(text: str) -> KeyText | None:
    """The key, or None for text that cannot be one."""
    found = _FORM.fullmatch(text)
    return None if found is None else KeyText(found[1], found[2])
