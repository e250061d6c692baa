"""Secrets that the box hands out once and then knows only by digest: session tokens, links of invitations, known browsers."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import dataclass
from typing import Final

SECRET_BYTES: Final = 32  # 43 characters; as many bits as its digest, so that no slow hash is needed

SESSION: Final = "dbs"
INVITATION: Final = "dbi"
BROWSER: Final = "dbb"

_FORM: Final = re.compile(r"(db[sib])_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, repr=False)
class SecretText:
    """`KIND_SECRET`, of 256 random bits. Found again by digest: a row that is there was not found by trying prefixes, so that
    the time a look-up takes tells nothing. Its repr keeps the secret."""

    text: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of the whole text, so that one kind never stands in for another."""
        return hashlib.sha256(self.text.encode("ascii")).digest()

    def __repr__(self) -> str:
        return f"SecretText({self.text[:4]}…)"


def make_secret(kind: str) -> SecretText:
    secret = base64.urlsafe_b64encode(os.urandom(SECRET_BYTES)).decode("ascii").rstrip("=")
    return SecretText(f"{kind}_{secret}")


def parse_secret(kind: str, text: str) -> SecretText | None:
    """The secret, or None for text that cannot be one of this kind."""
    found = _FORM.fullmatch(text)
    return SecretText(text) if found is not None and found[1] == kind else None
