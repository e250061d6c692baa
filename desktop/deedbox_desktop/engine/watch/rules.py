"""Which names are not evidence: what programs leave beside a file while they work on it."""

import re
from collections.abc import Iterable
from fnmatch import translate

# Matched against the lower-case name. Short on purpose: what is ignored by mistake is lost evidence, and `status` shows each one.
ALWAYS = (
    "~$*",  # Microsoft Office, owner files
    ".~lock.*#",  # LibreOffice
    ".ds_store",
    "._*",  # macOS, AppleDouble: attributes of another file
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "*.tmp",
    "*.part",
    "*.partial",
    "*.crdownload",
    ".#*",  # Emacs, locks
    ".*.sw[a-p]",  # Vim
    ".nfs*",  # files removed on NFS while open
    ".fuse_hidden*",
)


class IgnoreRules:
    """The patterns above and a folder's own: shell patterns over a name or, with a slash, over the path in the folder."""

    def __init__(self, own: Iterable[str] = ()) -> None:
        patterns = [pattern.lower() for pattern in own]
        self._always = _compile(ALWAYS)
        self._names = _compile(pattern for pattern in patterns if "/" not in pattern)
        self._paths = _compile(pattern for pattern in patterns if "/" in pattern)

    def reason(self, path: bytes) -> str | None:
        """Why this path is passed over, in words, or None."""
        text = path.decode("utf-8", "replace").replace("\\", "/").lower()
        name = text.rpartition("/")[2]
        if self._always and self._always.match(name):
            return "A helper file that programs leave while they work"
        if (self._names and self._names.match(name)) or (self._paths and self._paths.match(text)):
            return "Matches this folder's own ignore rules"
        return None


def _compile(patterns: Iterable[str]) -> re.Pattern[str] | None:
    found = [translate(pattern) for pattern in patterns]
    return re.compile("|".join(found)) if found else None
