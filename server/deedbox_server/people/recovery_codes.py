"""Codes on paper, for the day the phone is gone: ten, each good once, shown once; new ones end the old ones."""

from __future__ import annotations

import hashlib
import os
import re
from typing import Final
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.people.clock import Clock, system_clock

HOW_MANY: Final = 10
_CHARACTERS: Final = 16  # of 5 bits: 80 bits, more than anybody guesses, so that a plain digest is enough
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no i, l, o, u
_READ_AS: Final = str.maketrans("ilo", "110")
_FORM: Final = re.compile(rf"[{_ALPHABET}]{{{_CHARACTERS}}}")


class RecoveryCodes:
    def __init__(self, db: Database, clock: Clock = system_clock) -> None:
        self._db = db
        self._clock = clock

    async def renew(self, account: UUID) -> list[str]:
        """Ten new codes; they can be had only now, and those before open nothing any more."""
        codes, now = [_new_code() for _ in range(HOW_MANY)], self._clock()
        async with self._db.transaction():
            await self.remove(account)
            rows = [(_digest(account, _read(code)), account, now) for code in codes]
            await self._db.insert_many("recovery_code", ("digest", "account", "created"), rows)
        return codes

    async def show(self, account: UUID, code: str) -> bool:
        """Whether it was one of the account's: then it is none any more, durably. Spaces, hyphens and case do not matter."""
        used = await self._db.fetch(
            "DELETE FROM recovery_code WHERE digest = {} AND account = {} RETURNING account",
            _digest(account, _read(code)),
            account,
        )
        return bool(used)

    async def left(self, account: UUID) -> int:
        rows = await self._db.fetch("SELECT digest FROM recovery_code WHERE account = {}", account)
        return len(rows)

    async def remove(self, account: UUID) -> None:
        await self._db.execute("DELETE FROM recovery_code WHERE account = {}", account)


def _new_code() -> str:
    """`xxxx-xxxx-xxxx-xxxx`. A byte's last five bits are as random as the byte."""
    text = "".join(_ALPHABET[byte & 31] for byte in os.urandom(_CHARACTERS))
    return "-".join(text[at : at + 4] for at in range(0, _CHARACTERS, 4))


def _read(code: str) -> str:
    """As it was meant; what cannot be a code is a text that none of ours is."""
    text = re.sub(r"[\s-]", "", code[:100]).lower().translate(_READ_AS)
    return text if _FORM.fullmatch(text) else ""


def _digest(account: UUID, code: str) -> bytes:
    """Over the account too: two people's codes never meet."""
    return hashlib.sha256(b"deedbox/recovery-code\0" + account.bytes + code.encode("ascii")).digest()
