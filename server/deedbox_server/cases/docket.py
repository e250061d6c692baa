"""Docket numbers as courts write them, in one form: one kind of dash, one kind of blank, no `No.` before it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from deedbox_server.cases import plain_text

_DASHES: Final = re.compile(r"[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_AROUND: Final = re.compile(r"\s*([-/:])\s*")
_PREFIX: Final = re.compile(
    r"(?:(?:case|docket|civil action|index|aktenzeichen|az)\.?\s*)?(?:no|nos|nr|number|#)?[.:]*\s*", re.IGNORECASE
)


def normalise(text: str | None) -> str | None:
    """`Case No. 1:26 – cv – 00123` is `1:26-cv-00123`. Letters keep their case: courts differ."""
    given = plain_text.optional_line(text, "A docket number", plain_text.MAX_NUMBER)
    if given is None:
        return None
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", given))
    plain = _AROUND.sub(r"\1", " ".join(plain.split()))
    prefix = _PREFIX.match(plain)
    bare = plain[prefix.end() :] if prefix is not None and prefix.end() > 0 else plain
    # `No` may also be how a number itself begins (NO-2026-1): a prefix ends where a digit begins, or a new word.
    separate = prefix is not None and (bare[:1].isdigit() or plain[: prefix.end()].endswith((" ", ".", ":")))
    return bare if bare and separate else plain
