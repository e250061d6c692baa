"""Which passwords are taken: long ones that nobody else knows. No rules of punctuation (NIST SP 800-63B 3.1.1.2)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from deedbox_server.errors import BadRequest
from deedbox_server.people.breached import BreachedList
from deedbox_server.people.passwords import SHORTEST

COMMON: Final = "common_passwords.txt"  # made by checkout/deedbox_checkout/common_passwords.py
_SHORTEST_NAME: Final = 3  # characters; "Al" is in too many words
_BESIDE_NAME: Final = 8  # characters that must be left when the names are taken out
_VARIETY: Final = 5  # different characters at least: aaaaaaaaaaaa and 121212121212 are long, and guessed


class PasswordRules:
    def __init__(self, breached: BreachedList | None = None) -> None:
        self._breached = breached

    def check(self, password: str, *names: str) -> None:
        """BadRequest says what is wrong with it. `names`: what the account, the box and the firm are called. Reads files: call it
        in a thread."""
        if len(password) < SHORTEST:
            raise BadRequest(f"choose a password of at least {SHORTEST} characters: four words do well")
        folded = password.casefold()
        left = folded
        for name in sorted((name.casefold() for name in names), key=len, reverse=True):
            for part in {name, *name.split()}:
                if len(part) >= _SHORTEST_NAME:
                    left = left.replace(part, "")
        if left != folded and len(left) < _BESIDE_NAME:
            raise BadRequest("choose a password that is not your name")
        if len(set(folded)) < _VARIETY or folded in _common():
            raise BadRequest("this password is among the first that anybody would try: choose another one")
        if self._breached is not None and self._breached.holds(password):
            raise BadRequest("this password is in a list of stolen ones: choose another one")


@cache
def _common() -> frozenset[str]:
    text = files("deedbox_server.people").joinpath(COMMON).read_text("utf-8")
    return frozenset(line for line in text.splitlines() if line)
