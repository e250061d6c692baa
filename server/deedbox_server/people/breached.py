"""Passwords that others know already: a list of SHA-1 digests in the text form of the well-known breach list.

Lines are `40 HEX DIGITS`, then `:COUNT` or nothing, sorted, ended by LF or CRLF. A file of any size: it is searched where it lies
and never read whole. SHA-1 is the list's own, not a protection of anything.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import BinaryIO, Final

from deedbox_server.errors import Unavailable
from deedbox_server.settings import SettingsError

_LINE: Final = re.compile(rb"([0-9A-Fa-f]{40})(?::[0-9]{1,12})?\r?\n?")
_MAX_LINE: Final = 64  # bytes; a longer line is none of this form


class BreachedList:
    """Only the digest of a password is compared; nothing leaves the box."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def open(cls, path: Path) -> BreachedList:
        """SettingsError if it cannot be read or does not begin as such a list."""
        try:
            with path.open("rb") as file:
                first = file.readline(_MAX_LINE)
        except OSError as error:
            raise SettingsError(f"breached_passwords: {path} cannot be read.") from error
        if not _LINE.fullmatch(first):
            raise SettingsError(f"breached_passwords: {path} is no sorted list of SHA-1 digests.")
        return cls(path)

    def holds(self, password: str) -> bool:
        """Reads some forty lines: call it in a thread. Unavailable if the file is gone or spoiled: a rule that cannot be
        checked is not passed."""
        wanted = (
            hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest().upper().encode()
        )
        try:
            with self._path.open("rb") as file:
                return _find(file, wanted)
        except (OSError, ValueError) as error:
            raise Unavailable("the list of breached passwords cannot be read: tell an administrator") from error


def _find(file: BinaryIO, wanted: bytes) -> bool:
    """Binary search by offset. Lines that begin in [low, high) may still be the one."""
    low, high = 0, file.seek(0, 2)
    while low < high:
        middle = (low + high) // 2
        start = _line_start(file, middle)
        if start >= high:
            high = middle
            continue
        line = _LINE.fullmatch(file.readline(_MAX_LINE))
        if line is None:
            raise ValueError("a line is no digest")
        found = line[1].upper()
        if found == wanted:
            return True
        if found < wanted:
            low = file.tell()
        else:
            high = middle
    return False


def _line_start(file: BinaryIO, offset: int) -> int:
    """Where the first line begins that begins at `offset` or after it; the file stands there."""
    file.seek(max(0, offset - 1))
    if offset:
        file.readline(_MAX_LINE)
    return file.tell()
