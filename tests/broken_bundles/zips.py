"""ZIPs written by hand, so that each lie a ZIP can tell can be told alone (PKWARE APPNOTE 6.3)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from deedbox_sync.bundle import layout
from miniature_log import BUNDLE

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_UTF8 = 1 << 11
_NOON, _DAY = 12 << 11, (2026 - 1980) << 9 | 3 << 5 | 14


@dataclass
class Member:
    """A stored file; whatever is not None is told in place of the truth."""

    name: bytes
    data: bytes
    flags: int = _UTF8
    method: int = 0
    mode: int = 0o100644
    comment: bytes = b""
    after: bytes = b""
    local_name: bytes | None = None
    local_size: int | None = None
    listed: bool = True

    def set(self, **changes: object) -> None:
        for name, value in changes.items():
            setattr(self, name, value)


@dataclass
class Zip:
    members: list[Member]
    _comment: bytes = b""
    _miscount: int = field(default=0)

    @classmethod
    def of(cls, files: Mapping[str, bytes], top: str = layout.top_folder(BUNDLE)) -> Zip:
        """Tag files first, then the payload by path, as a box sends it."""
        paths = sorted(files, key=lambda path: (path.startswith("data/"), path))
        return cls([Member(f"{top}/{path}".encode(), files[path]) for path in paths])

    def comment(self, text: bytes) -> None:
        self._comment = text

    def miscount(self, by: int) -> None:
        self._miscount = by

    def repeat(self, place: int) -> None:
        self.members.append(replace(self.members[place]))

    def encode(self) -> bytes:
        out, directory, count = b"", b"", 0
        for one in self.members:
            offset, crc, size = len(out), zlib.crc32(one.data), len(one.data)
            name = one.name if one.local_name is None else one.local_name
            told = size if one.local_size is None else one.local_size
            head = (b"PK\3\4", 20, one.flags, one.method, _NOON, _DAY, crc, told, told, len(name), 0)
            out += _LOCAL.pack(*head) + name + one.data + one.after
            if not one.listed:
                continue
            count += 1
            facts = (b"PK\1\2", 3 << 8 | 20, 20, one.flags, one.method, _NOON, _DAY, crc, size, size)
            lengths = (len(one.name), 0, len(one.comment), 0, 0, one.mode << 16, offset)
            directory += _CENTRAL.pack(*facts, *lengths) + one.name + one.comment
        count += self._miscount
        end = _END.pack(b"PK\5\6", 0, 0, count, count, len(directory), len(out), len(self._comment))
        return out + directory + end + self._comment


def plain_zip(files: Mapping[str, bytes]) -> bytes:
    return Zip.of(files).encode()
