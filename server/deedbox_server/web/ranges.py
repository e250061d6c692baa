"""Conditional requests and byte ranges over exhibits (RFC 9110 sections 13 and 14), one range at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_RANGE: Final = re.compile(r"bytes=(\d{0,19})-(\d{0,19})\Z")


@dataclass(frozen=True)
class Slice:
    """Bytes `start … end` (end not included) of `size`, and the status that says so."""

    status: int
    start: int
    end: int
    size: int

    @property
    def length(self) -> int:
        return self.end - self.start

    def headers(self) -> dict[str, str]:
        headers = {"accept-ranges": "bytes", "content-length": str(self.length)}
        if self.status == 206:
            headers["content-range"] = f"bytes {self.start}-{self.end - 1}/{self.size}"
        elif self.status == 416:
            headers["content-range"] = f"bytes */{self.size}"
        return headers


def not_modified(if_none_match: str | None, etag: str) -> bool:
    """Whether the client's copy is this one (weak comparison, lists, `*`)."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags


def slice_for(range_header: str | None, if_range: str | None, etag: str, size: int) -> Slice:
    """What to send. A range that is malformed, of several parts, or of another version is ignored (RFC 9110 14.2)."""
    whole = Slice(200, 0, size, size)
    if range_header is None or if_range not in (None, etag):
        return whole
    match = _RANGE.match(range_header.strip())
    if match is None or match[0] == "bytes=-":
        return whole
    first, last = match[1], match[2]
    if first == "":
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < int(first):
            return whole
    if start >= end:
        return Slice(416, 0, 0, size)
    return Slice(206, start, end, size)
