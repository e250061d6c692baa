"""Calls to a directory's servers, as this package needs them: short, small, to the address that was set, no redirects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from deedbox_server.errors import Unavailable

SECONDS: Final = 10.0  # a person waits for it
LIMIT: Final = 256 << 10  # bytes; discovery documents and key sets are a few KiB
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class Unreachable(Exception):
    """No usable answer: the message is a few words for people, without the address."""


class DirectoryFails(Unavailable):
    """The firm's directory does not answer, or answers what it should not."""

    slug, title = "directory-fails", "The firm's directory does not answer as it should"


class Answer(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def content(self) -> bytes: ...


class Fetcher(Protocol):
    async def ask(
        self,
        method: str,
        url: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        seconds: float,
        limit: int,
    ) -> Answer:
        """Any answer at all of at most `limit` bytes, all of it within `seconds`; else Unreachable."""


async def fetch_object(
    fetcher: Fetcher,
    method: str,
    url: str,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer. DirectoryFails for any other answer, or none."""
    try:
        answer = await fetcher.ask(method, url, content, headers, seconds=SECONDS, limit=LIMIT)
    except Unreachable as error:
        raise DirectoryFails(f"it {error}") from error
    try:
        found = json.loads(answer.content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DirectoryFails("it answered something that is no JSON object")
    return answer.status, found


def is_safe(url: object) -> bool:
    """Whether secrets may go there: https, or this machine itself."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
