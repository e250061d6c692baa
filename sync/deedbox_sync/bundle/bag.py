"""The tag files of a BagIt 1.0 bag (RFC 8493), in the one form that a Deedbox bundle uses."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from deedbox_sync.bundle.layout import MAX_FILES, MAX_MANIFEST, MAX_TAG_FILE
from deedbox_sync.errors import FormatError

BAGIT_TEXT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_LINE = re.compile(r"([0-9a-f]{64})  (\S[^\r\n]*)", re.ASCII)
_INFO = re.compile(
    r"Bag-Software-Agent: (?P<agent>[ -~]{1,200})\n"
    r"Bagging-Date: (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})\n"
    r"External-Identifier: urn:uuid:(?P<bundle>[0-9a-f-]{36})\n"
    r"Payload-Oxum: (?P<octets>0|[1-9][0-9]{0,18})\.(?P<files>[1-9][0-9]{0,9})\n",
    re.ASCII,
)


@dataclass(frozen=True)
class BagInfo:
    """bag-info.txt; it names no person and no case. `octets` and `files` count the payload (Payload-Oxum)."""

    agent: str
    made: date
    bundle: UUID
    octets: int
    files: int


def encode_bag_info(info: BagInfo) -> bytes:
    return (
        f"Bag-Software-Agent: {info.agent}\nBagging-Date: {info.made.isoformat()}\n"
        f"External-Identifier: urn:uuid:{info.bundle}\nPayload-Oxum: {info.octets}.{info.files}\n"
    ).encode("ascii")


def parse_bag_info(data: bytes) -> BagInfo:
    """Exactly the four elements that `encode_bag_info` writes, in its order. FormatError otherwise."""
    if len(data) > MAX_TAG_FILE:
        raise FormatError("bag-info.txt", "longer than allowed")
    found = _INFO.fullmatch(data.decode("ascii", "replace"))
    if found is None:
        raise FormatError("bag-info.txt", "not the four elements of a Deedbox bundle")
    try:
        info = BagInfo(
            agent=found["agent"],
            made=date.fromisoformat(found["date"]),
            bundle=UUID(found["bundle"]),
            octets=int(found["octets"]),
            files=int(found["files"]),
        )
    except ValueError as problem:
        raise FormatError("bag-info.txt", str(problem)) from problem
    if encode_bag_info(info) != data:
        raise FormatError("bag-info.txt", "not in the form it is written")
    return info


def encode_manifest(digests: Mapping[str, bytes]) -> bytes:
    """`sha256sum` lines sorted by path. The paths hold nothing that BagIt or sha256sum would escape (`safe_name`)."""
    return b"".join(f"{digests[path].hex()}  {path}\n".encode() for path in sorted(digests))


def parse_manifest(data: bytes, where: str) -> dict[str, bytes]:
    """Path → SHA-256. Lower-case hex, two spaces, one relative path a line, none twice. FormatError otherwise."""
    if len(data) > MAX_MANIFEST:
        raise FormatError(where, "longer than allowed")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise FormatError(where, f"not UTF-8 at byte {problem.start}") from problem
    if not text.endswith("\n"):
        raise FormatError(where, "does not end with a line break")
    lines = text[:-1].split("\n")
    if len(lines) > MAX_FILES:
        raise FormatError(where, f"more than {MAX_FILES} files")
    digests: dict[str, bytes] = {}
    for number, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise FormatError(f"{where} line {number}", "not a digest, two spaces and a path")
        digest, path = found.groups()
        fault = path_problem(path)
        if fault:
            raise FormatError(f"{where} line {number}", fault)
        if path in digests:
            raise FormatError(f"{where} line {number}", f"{path} is listed twice")
        digests[path] = bytes.fromhex(digest)
    return digests


def path_problem(path: str) -> str | None:
    """Why `path` is no relative path inside a bag, in words; None where it is one. What leaves the folder is none."""
    if "\\" in path or ":" in path or "%" in path:
        return "a path has a backslash, colon or percent sign"
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in path):
        return "a path has a control character"
    if unicodedata.normalize("NFC", path) != path:
        return "a path is not in Unicode normal form C"
    if any(part in ("", ".", "..") for part in path.split("/")):
        return "a path is absolute, has an empty part, or leads out of the bundle"
    return None


def payload(paths: Iterable[str]) -> list[str]:
    """The paths below `data/`, sorted."""
    return sorted(path for path in paths if path.startswith("data/"))
