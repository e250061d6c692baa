"""A bundle as one ZIP (PKWARE APPNOTE 6.3), read in place and more strictly than unpacking tools do.

Taken is what a bundle's ZIP is: stored files under one top folder, one after another from byte 0, then the central
directory, then the end, no comments, no encryption. Whatever else a ZIP may hold (gaps, overlaps, compressed members,
links, names that leave the folder) is refused, so that no other tool can see other files in it than this one does, and
nothing can expand.
"""

from __future__ import annotations

import os
import stat
import struct
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from deedbox_sync.bundle.bag import path_problem
from deedbox_sync.bundle.layout import MAX_FILES
from deedbox_verify.errors import UncheckableError
from deedbox_verify.reader import Source

_END = struct.Struct("<4sHHHHIIH")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR64 = struct.Struct("<4sIQI")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_DESCRIPTOR = 1 << 3
_UTF8 = 1 << 11
_DESCRIPTOR_LENGTHS = (12, 16, 20, 24)  # with or without signature, 32-bit or 64-bit sizes (APPNOTE 4.3.9)
_UNIX = 3  # "version made by": the upper attribute bits are a Unix mode
_ZIP64_EXTRA = 1
_MAX_NAME = 1024
_MAX_DIRECTORY = MAX_FILES * 512  # bytes: 46 of header, a path of up to 200, extra fields


@dataclass(frozen=True)
class _Member:
    name: str
    flags: int
    size: int
    offset: int


class ZipBundle:
    """Refuses anything but a plain stored ZIP of one bag. It stays open for its files to be read; `close` it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            self._length = os.fstat(self._file.fileno()).st_size
            start, members = _directory(self._file, self._length)
            self._folder, self._places = _places(self._file, start, members)
        except BaseException:
            self._file.close()
            raise
        self._sizes = {name: size for name, (_, size) in self._places.items()}

    def close(self) -> None:
        self._file.close()

    @property
    def folder(self) -> str:
        return self._folder

    @property
    def sizes(self) -> Mapping[str, int]:
        return self._sizes

    @contextmanager
    def open(self, path: str) -> Iterator[Source]:
        start, size = self._places[path]
        yield _Slice(self._file, start, size)


class _Slice:
    """The bytes start … start + size of a file; several may be read in turn."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self._at, self._left = file, start, size

    def read(self, size: int, /) -> bytes:
        self._file.seek(self._at)
        chunk = self._file.read(min(size, self._left))
        self._at += len(chunk)
        self._left -= len(chunk)
        return chunk


def _take(file: BinaryIO, offset: int, length: int, what: str) -> bytes:
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise UncheckableError(f"the ZIP ends inside {what}")
    return data


def _directory(file: BinaryIO, length: int) -> tuple[int, list[_Member]]:
    """Where the central directory starts, and its members."""
    if length < _END.size:
        raise UncheckableError("the file is too short to be a ZIP")
    end_at = length - _END.size
    end = _END.unpack(_take(file, end_at, _END.size, "its end"))
    if end[0] != b"PK\5\6" or end[7]:
        raise UncheckableError("the file is no ZIP of a bundle: it does not end like one, or is cut short")
    limit, values = _end64(file, end_at, end[1:7])
    disk, first_disk, here, count, size, start = values
    if disk or first_disk or here != count:
        raise UncheckableError("the ZIP is one of several volumes")
    if start + size != limit:
        raise UncheckableError("the ZIP's directory is not where its end says")
    if size > _MAX_DIRECTORY or count > 2 * MAX_FILES:
        raise UncheckableError(f"the ZIP has more than {MAX_FILES} files")
    return start, _members(_take(file, start, size, "its directory"), count)


def _end64(file: BinaryIO, end_at: int, values: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Where the directory must end, and the end record's values, from its 64-bit form where there is one.

    A value that the short form can hold must be the same in both: tools differ in which they believe.
    """
    locator_at = end_at - _LOCATOR64.size
    if locator_at < 0:
        return end_at, values
    locator = _LOCATOR64.unpack(_take(file, locator_at, _LOCATOR64.size, "its end"))
    if locator[0] != b"PK\6\7":
        return end_at, values
    end64_at = locator_at - _END64.size
    if end64_at < 0 or locator[1:] != (0, end64_at, 1):
        raise UncheckableError("the ZIP's 64-bit end record is not where it belongs")
    wide = _END64.unpack(_take(file, end64_at, _END64.size, "its end"))
    if wide[0] != b"PK\6\6" or wide[1] != _END64.size - 12:
        raise UncheckableError("the ZIP's 64-bit end record is damaged")
    full = (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    if any(short not in (most, long) for short, most, long in zip(values, full, wide[4:], strict=True)):
        raise UncheckableError("the ZIP's two end records do not agree")
    return end64_at, wide[4:]


def _members(directory: bytes, count: int) -> list[_Member]:
    members: list[_Member] = []
    at = 0
    for _ in range(count):
        if at + _CENTRAL.size > len(directory):
            raise UncheckableError("the ZIP's directory is cut short")
        fields = _CENTRAL.unpack_from(directory, at)
        signature, made_by, _, flags, method, _, _, _, packed, size, name_length, extra_length, comment = fields[:13]
        attributes, offset = fields[15:]
        at += _CENTRAL.size
        raw, extra = directory[at : at + name_length], directory[at + name_length : at + name_length + extra_length]
        at += name_length + extra_length
        if signature != b"PK\1\2" or at > len(directory) or comment or name_length > _MAX_NAME:
            raise UncheckableError("the ZIP's directory is damaged")
        name = _decode(raw, flags)
        if flags & ~(_DESCRIPTOR | _UTF8) or method != 0:
            raise UncheckableError(f"{name} is compressed or encrypted inside the ZIP: unpack it and check the folder")
        packed, size, offset = _wide(extra, packed, size, offset)
        if packed != size:
            raise UncheckableError(f"{name} has two sizes in the ZIP")
        kind = stat.S_IFMT(attributes >> 16) if made_by >> 8 == _UNIX else 0
        if kind not in (0, stat.S_IFDIR if name.endswith("/") else stat.S_IFREG):
            raise UncheckableError(f"{name} is a link or a special file; a bundle has none")
        members.append(_Member(name, flags, size, offset))
    if at != len(directory):
        raise UncheckableError("the ZIP's directory has more than its end says")
    return members


def _decode(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError as problem:
        raise UncheckableError("the ZIP has file names that are not UTF-8: unpack it and check the folder") from problem


def _wide(extra: bytes, packed: int, size: int, offset: int) -> tuple[int, int, int]:
    """The 64-bit values of what stands as 0xFFFFFFFF (APPNOTE 4.5.3), in the order size, packed size, offset."""
    at, wide = 0, b""
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, at)
        if tag == _ZIP64_EXTRA:
            wide = extra[at + 4 : at + 4 + length]
        at += 4 + length
    values = [size, packed, offset]
    for place, value in enumerate(values):
        if value == 0xFFFFFFFF:
            if len(wide) < 8:
                raise UncheckableError("the ZIP's directory lacks a 64-bit size")
            values[place] = int.from_bytes(wide[:8], "little")
            wide = wide[8:]
    size, packed, offset = values
    return packed, size, offset


def _places(file: BinaryIO, end: int, members: list[_Member]) -> tuple[str, dict[str, tuple[int, int]]]:
    """The top folder and, for each path below it, where its bytes are. Members must fill the ZIP from 0 to `end`."""
    if not members:
        raise UncheckableError("the ZIP is empty")
    top = ""
    places: dict[str, tuple[int, int]] = {}
    ordered = sorted(members, key=lambda member: member.offset)
    ends = [member.offset for member in ordered[1:]] + [end]
    at = 0
    for member, following in zip(ordered, ends, strict=True):
        if member.offset != at:
            raise UncheckableError("the ZIP hides bytes between its files, or files overlap")
        start = _data_start(file, member)
        gap = following - (start + member.size)
        if gap != 0 and not (member.flags & _DESCRIPTOR and gap in _DESCRIPTOR_LENGTHS):
            raise UncheckableError(f"the ZIP hides bytes after {member.name}, or files overlap")
        at = following
        name = unicodedata.normalize("NFC", member.name)
        problem = path_problem(name.removesuffix("/"))
        if problem:
            raise UncheckableError(f"the ZIP has a name that is refused ({problem}): {name}")
        folder, _, path = name.partition("/")
        top = top or folder
        if folder != top or (not path and not member.name.endswith("/")):
            raise UncheckableError("the ZIP has more than one top folder")
        if name.endswith("/"):
            if member.size:
                raise UncheckableError(f"the ZIP has a folder with bytes in it: {name}")
            continue
        if path in places:
            raise UncheckableError(f"{path} is twice in the ZIP")
        places[path] = (start, member.size)
    if at != end or len(places) > MAX_FILES:
        raise UncheckableError("the ZIP hides bytes, or has too many files")
    return top, places


def _data_start(file: BinaryIO, member: _Member) -> int:
    """Where the member's bytes start, by its local header, which must name the same file."""
    header = _LOCAL.unpack(_take(file, member.offset, _LOCAL.size, member.name))
    signature, _, flags, method = header[:4]
    size, name_length, extra_length = header[8], header[9], header[10]
    raw = _take(file, member.offset + _LOCAL.size, name_length, member.name)
    if signature != b"PK\3\4" or method != 0 or flags != member.flags or _decode(raw, flags) != member.name:
        raise UncheckableError(f"the ZIP's two headers of {member.name} do not agree")
    if not flags & _DESCRIPTOR and size not in (member.size, 0xFFFFFFFF):
        raise UncheckableError(f"the ZIP's two headers of {member.name} do not agree on its size")
    return member.offset + _LOCAL.size + int(name_length) + int(extra_length)
