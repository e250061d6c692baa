"""Looking for words where none may be: in every file below some folders, in every form that a program writes words in."""

import base64
import json
import os
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

_BLOCK: Final = 4 << 20
_LOOK_EVERY: Final = 0.01  # seconds; a temporary file lives for a moment only
_SHORTEST: Final = 8  # bytes of a needle: random bytes hold one of so many by chance once in ten million terabytes


@dataclass(frozen=True)
class Sighting:
    """A needle in a file. `form` says how it was written there."""

    path: Path
    needle: str
    form: str


class Needles:
    """What must not be found. Text in each encoding that programs use; raw bytes as they are, and in hex and base64."""

    def __init__(self, *, words: Iterable[str] = (), raw: Iterable[tuple[str, bytes]] = ()) -> None:
        self._forms: dict[bytes, tuple[str, str]] = {}
        for word in words:
            for variant in dict.fromkeys((word, word.lower(), word.upper())):
                for form, data in _written(variant):
                    self._add(data, word, form)
        for name, data in raw:
            for form, written in _encoded(data, "bytes"):
                self._add(written, name, form)
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile(b"|".join(re.escape(form) for form in longest_first))
        self._overlap = len(longest_first[0])

    def in_file(self, path: Path) -> list[Sighting]:
        """Nothing for a file that is gone meanwhile."""
        found: dict[bytes, Sighting] = {}
        try:
            with path.open("rb") as file:
                held = b""
                while block := file.read(_BLOCK):
                    held += block
                    for match in self._pattern.finditer(held):
                        found[match[0]] = Sighting(path, *self._forms[match[0]])
                    held = held[-self._overlap :]
        except OSError:
            pass
        return list(found.values())

    def in_names(self, path: Path) -> list[Sighting]:
        return [Sighting(path, *self._forms[match[0]]) for match in self._pattern.finditer(bytes(path))]

    def below(self, *folders: Path) -> list[Sighting]:
        """In every file's bytes and name. At least one file must have been there: an empty folder proves nothing."""
        paths = [path for folder in folders for path in _files(folder)]
        assert paths, f"nothing to look into below {folders}"
        return [sighting for path in paths for sighting in (*self.in_file(path), *self.in_names(path))]

    def _add(self, data: bytes, needle: str, form: str) -> None:
        assert len(data) >= _SHORTEST, f"{needle} is too short to be looked for"
        self._forms.setdefault(data, (needle, form))


class Lookout(threading.Thread):
    """Looks all the time, so that what is written and removed again is seen too."""

    def __init__(self, needles: Needles, *folders: Path) -> None:
        super().__init__(name="lookout", daemon=True)
        self.seen: set[Sighting] = set()
        self.files: set[Path] = set()
        self._needles = needles
        self._folders = folders
        self._ending = threading.Event()
        self.start()

    def run(self) -> None:
        known: dict[Path, tuple[int, int]] = {}
        while not self._ending.wait(_LOOK_EVERY):
            for path in (path for folder in self._folders for path in _files(folder)):
                try:
                    facts = path.stat()
                except OSError:
                    continue
                shape = facts.st_mtime_ns, facts.st_size
                if known.get(path) != shape:
                    known[path] = shape
                    self.files.add(path)
                    self.seen.update(self._needles.in_file(path))

    def end(self) -> set[Sighting]:
        self._ending.set()
        self.join()
        return self.seen


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _written(word: str) -> Iterator[tuple[str, bytes]]:
    yield from _encoded(word.encode(), "UTF-8")
    for encoding in ("utf-16-le", "utf-16-be"):
        yield from _encoded(word.encode(encoding), encoding.upper())
    for form, text in (
        ("JSON", json.dumps(word)[1:-1]),
        ("Python's escapes", ascii(word)[1:-1]),
        ("URL", quote(word)),
        ("URL with spaces", quote(word, safe=" ")),
    ):
        if text != word:
            yield form, text.encode()


def _encoded(data: bytes, form: str) -> Iterator[tuple[str, bytes]]:
    yield form, data
    yield f"hex of {form}", data.hex().encode()
    yield f"upper-case hex of {form}", data.hex().upper().encode()
    for before in range(3):  # wherever in the encoded text it begins
        text = base64.b64encode(bytes(before) + data)
        # What depends on the bytes before and after is left out.
        middle = text[(0, 2, 3)[before] : (len(data) + before) // 3 * 4]
        yield f"base64 of {form}", middle
        if middle != (urlsafe := middle.translate(bytes.maketrans(b"+/", b"-_"))):
            yield f"URL-safe base64 of {form}", urlsafe
