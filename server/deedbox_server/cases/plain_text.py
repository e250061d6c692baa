"""Text that people write about a case: trimmed, in one normal form, without characters that no text has."""

from __future__ import annotations

import unicodedata
from typing import Final

from deedbox_server.errors import BadRequest

MAX_LINE: Final = 500  # characters of a title, a name, a court
MAX_NUMBER: Final = 100  # of a matter or docket number
MAX_TEXT: Final = 20_000  # of a note or a detail: ten pages
MAX_REASON: Final = 2_000

_BREAKS: Final = "\n\t"
_CONTROL: Final = frozenset({"Cc", "Cs", "Co", "Cn"})


def line(text: str, what: str, limit: int = MAX_LINE) -> str:
    """One line that says something; BadRequest names the member, never its value."""
    text = optional_line(text, what, limit) or ""
    if not text:
        raise BadRequest(f"{what} must not be empty.")
    return text


def optional_line(text: str | None, what: str, limit: int = MAX_LINE) -> str | None:
    """As `line`; nothing, or blanks alone, is None."""
    if text is None:
        return None
    return " ".join(_checked(text, what, limit).split()) or None


def optional_text(text: str | None, what: str, limit: int = MAX_TEXT) -> str | None:
    """Text that may have several lines."""
    if text is None:
        return None
    return _checked(text.replace("\r\n", "\n"), what, limit).strip() or None


def text(given: str, what: str, limit: int = MAX_TEXT) -> str:
    """As `optional_text`, and it must say something."""
    found = optional_text(given, what, limit)
    if found is None:
        raise BadRequest(f"{what} must not be empty.")
    return found


def _checked(given: str, what: str, limit: int) -> str:
    if len(given) > limit:
        raise BadRequest(f"{what} has at most {limit} characters.")
    if any(unicodedata.category(one) in _CONTROL and one not in _BREAKS for one in given):
        raise BadRequest(f"{what} has characters that no text has: take out control characters.")
    return unicodedata.normalize("NFC", given)
