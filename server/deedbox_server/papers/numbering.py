"""Exhibit numbers by the firm's own scheme: `Ex. {number}`, `PX-{number:03}`, `{party} Ex. {letter}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter

from deedbox_server.errors import BadRequest

MAX_PATTERN = 100  # characters; a sticker has room for thirty or so
_WIDTH = re.compile(r"0?[1-9]?")


class Scheme:
    """A checked pattern. `{number}` (with a width such as `:03`) or `{letter}` must be in it, `{party}` may."""

    def __init__(self, pattern: str, party: str = "") -> None:
        if not 0 < len(pattern) <= MAX_PATTERN or not pattern.isprintable():
            raise BadRequest(f"A numbering pattern is one line of at most {MAX_PATTERN} characters.")
        self._pattern, self._party = pattern, party
        parts = list(_parts(pattern))
        names = [name for _, name, _ in parts if name is not None]
        if sum(name in ("number", "letter") for name in names) != 1 or names.count("party") > 1:
            raise BadRequest("A numbering pattern has {number} or {letter} once, and {party} at most once.")
        for _, name, width in parts:
            if name not in (None, "number", "letter", "party") or not _WIDTH.fullmatch(width):
                raise BadRequest("A numbering pattern knows {number}, {number:03} (a width), {letter} and {party}.")
            if width and name != "number":
                raise BadRequest("Only {number} can have a width.")
        if "party" in names and not party:
            raise BadRequest("This numbering pattern names the party: say which one (party).")

    def mark(self, number: int) -> str:
        """The exhibit number, as it is printed."""
        made = self._pattern.format(number=number, letter=letters(number), party=self._party)
        return " ".join(made.split())


def letters(number: int) -> str:
    """1 is A, 26 is Z, 27 is AA."""
    made = ""
    while number > 0:
        number, digit = divmod(number - 1, 26)
        made = chr(ord("A") + digit) + made
    return made


def _parts(pattern: str) -> Iterator[tuple[str, str | None, str]]:
    try:
        for literal, name, width, conversion in Formatter().parse(pattern):
            if conversion is not None:
                raise ValueError
            yield literal, name, width or ""
    except ValueError:
        raise BadRequest("A brace in the numbering pattern is not closed, or what it holds is not known.") from None
