"""File names as the world has them: every script that Unicode knows, the longest, and those that are not text at all."""

import sys
import unicodedata
from typing import Final

LONGEST: Final = 255  # bytes of a name on every common file system of Linux

# What programs trip over: order marks, things that look empty, names that other systems reserve, names like options.
AWKWARD: Final = (
    "-rf",
    "--help",
    " leading and trailing ",
    "trailing dot.",
    "..hidden",
    "...",
    "con",
    "AUX.txt",
    "NUL.tar.gz",
    "quotes ' \" ` $(date) ; & | < > * ? ! # % \\ ~",
    "line\nbreak",
    "carriage\rreturn",
    "tab\there",
    "bell\a\x1b[31mred\x1b[0m",
    "100%25 %s {} {0} %(name)s",
    "'; DROP TABLE exhibit; --",
    "..%2f..%2fetc%2fpasswd",
    "C:\\Users\\Public\\file.txt",
    "a:b",
    "é composed",
    "é decomposed",
    "ﬁ ligature",
    "\u202egpj.exe",  # reads backwards
    "zero\u200bwidth\u200djoiner\ufeff",
    "\u3000ideographic space",
    "👩🏽‍⚖️ 🏳️‍🌈 📁",
    "\U0010ffff last",
    "\ufdd0 not a character",
    "Straße ẞ İstanbul ı",
    "file.PDF.exe",
    "x" * LONGEST,
    "法" * (LONGEST // 3),
    "🗄" * (LONGEST // 4),
)

# Linux names are bytes: what an old disk, an archive or a camera left.
NOT_UNICODE: Final = (
    b"caf\xe9 latin-1.txt",
    b"\xcf\xf0\xe8\xe2\xe5\xf2 windows-1251.doc",
    b"\x83e\x83X\x83g shift-jis.txt",
    b"cut off \xe6\xb3",
    b"\xed\xa0\x80 a lone surrogate",
    b"\xc0\xaf overlong",
    b"\xff\xfe",
    b"\x80" * LONGEST,
)


def of_every_script() -> list[str]:
    """A word of each script, named as Unicode names its letters."""
    letters: dict[str, list[str]] = {}
    for point in range(sys.maxunicode + 1):
        letter = chr(point)
        if unicodedata.category(letter).startswith("L"):
            script = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
            if script and len(found := letters.setdefault(script, [])) < 8:
                found.append(letter)
    return [f"{''.join(found)} {script.lower()}.txt" for script, found in sorted(letters.items())]


def every_kind() -> list[bytes]:
    """All of the above as bytes."""
    return [name.encode() for name in (*of_every_script(), *AWKWARD)] + list(NOT_UNICODE)
