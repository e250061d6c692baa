"""File names that every file system takes, and names as a person may safely see them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

#: Windows limits a whole path to 260 characters unless told otherwise; our folders and a user's own take about half.
MAX_NAME_BYTES = 128
_MAX_EXTENSION_BYTES = 16  # what follows the last dot survives shortening up to this length; longer is no extension

#: Forbidden on Windows, or the separator elsewhere, or special in a BagIt manifest (`%`, RFC 8493 2.1.3).
_FORBIDDEN = frozenset('<>:"/\\|?*%')
#: Invisible, or they turn the reading direction of what follows: a name must not look like another name.
_INVISIBLE = frozenset(
    code
    for first, last in [
        (0x00AD, 0x00AD),  # soft hyphen
        (0x061C, 0x061C),  # Arabic letter mark
        (0x180E, 0x180E),  # Mongolian vowel separator
        (0x200B, 0x200B),  # zero width space; the joiners after it are letters' business in many scripts
        (0x200E, 0x200F),  # direction marks
        (0x2028, 0x202E),  # line and paragraph separator, direction embeddings and overrides
        (0x2060, 0x206F),  # word joiner, invisible operators, direction isolates
        (0xFEFF, 0xFEFF),  # byte order mark
        (0xFFF9, 0xFFFB),  # interlinear annotation
        (0xE0000, 0xE007F),  # tags
    ]
    for code in range(first, last + 1)
)
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"]
)


def _unsafe(char: str) -> bool:
    code = ord(char)
    return code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in _INVISIBLE


def safe_name(name: str) -> str:
    """`name` as a single path segment that Windows, macOS, Linux, ZIP and BagIt all keep as it is.

    The rule is part of bundle v1: NFC; what is forbidden, invisible or a control becomes `_`; a leading dot or space
    and each trailing one becomes `_`; names of Windows devices get a `_` before them; at most 128 bytes, the extension
    kept. Never empty. Two names may become one: whoever puts several into one folder uses `derived_names`.
    """
    text = unicodedata.normalize("NFC", "".join("_" if _unsafe(c) or c in _FORBIDDEN else c for c in name))
    text = _shorten(text, MAX_NAME_BYTES - 1)  # one byte is left for the mark below
    kept = text.rstrip(". ")
    text = kept + "_" * (len(text) - len(kept))
    if text[:1] in (".", " "):
        text = "_" + text[1:]
    if text.split(".")[0].rstrip(" ").casefold() in _RESERVED:
        text = "_" + text
    return text or "_"


def _shorten(text: str, limit: int) -> str:
    if len(text.encode()) <= limit:
        return text
    stem, dot, extension = text.rpartition(".")
    if not stem or len(extension.encode()) > _MAX_EXTENSION_BYTES:
        stem, dot, extension = text, "", ""
    room = limit - len((dot + extension).encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + dot + extension


def derived_names(forms: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """A distinct safe name for each (form, extension), in order: `text.txt`, `text-2.txt`, …

    Distinct also where case does not count.
    """
    names: list[str] = []
    taken: set[str] = set()
    for form, extension in forms:
        count = 1
        name = safe_name(f"{form}.{extension}")
        while name.casefold() in taken:
            count += 1
            name = safe_name(f"{form}-{count}.{extension}")
        taken.add(name.casefold())
        names.append(name)
    return tuple(names)


def shown(text: str) -> str:
    """`text` for a terminal or a paper: controls, line breaks and what is invisible are spelled out as `\\u{…}`.

    A name can then neither move the cursor nor turn the reading direction of the line it stands in.
    """
    return "".join(f"\\u{{{ord(c):x}}}" if _unsafe(c) else c for c in text)
