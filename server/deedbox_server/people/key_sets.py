"""The key sets of other issuers, as fresh as they need to be: an issuer that changes its keys is followed, nobody can make the
box ask all the time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from joserfc.jwk import KeySet

from deedbox_server.people.clock import Clock, system_clock
from deedbox_server.people.fetching import LIMIT, SECONDS, DirectoryFails, Fetcher, Unreachable
from deedbox_server.people.jwt_check import Expected, TokenRefused, UnknownKey, parse_keys, verify_token

KEPT: Final = timedelta(hours=1)  # how long a key that was withdrawn may go on counting
AGAIN: Final = timedelta(minutes=1)  # at least, between two questions because of a key that is not in the set


@dataclass(frozen=True)
class _Kept:
    keys: KeySet
    read: datetime


class KeySets:
    """In memory. `source` is an https address, or the path of a file."""

    def __init__(self, fetcher: Fetcher, *, clock: Clock = system_clock) -> None:
        self._fetcher = fetcher
        self._clock = clock
        self._sets: dict[str | Path, _Kept] = {}
        self._asking = asyncio.Lock()

    async def verify(self, text: str, source: str | Path, expected: Expected) -> Mapping[str, Any]:
        """The claims of a token by one of the issuer's keys (`verify_token`). DirectoryFails where those cannot be had."""
        now = self._clock()
        try:
            return verify_token(text, (await self._keys(source, KEPT)).keys, expected, now)
        except UnknownKey:
            return verify_token(text, (await self._keys(source, AGAIN)).keys, expected, now)

    async def _keys(self, source: str | Path, age: timedelta) -> _Kept:
        async with self._asking:
            now, kept = self._clock(), self._sets.get(source)
            if kept is None or now - kept.read >= age:
                kept = self._sets[source] = _Kept(await self._read(source), now)
            return kept

    async def _read(self, source: str | Path) -> KeySet:
        try:
            if isinstance(source, Path):
                return parse_keys(await asyncio.to_thread(_file, source))
            answer = await self._fetcher.ask("GET", source, seconds=SECONDS, limit=LIMIT)
            if answer.status != 200:
                raise DirectoryFails(f"its keys were answered with status {answer.status}")
            return parse_keys(answer.content)
        except (Unreachable, TokenRefused) as error:
            raise DirectoryFails(f"its keys cannot be had: {error}") from error


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LIMIT)
    except OSError as error:
        raise Unreachable("could not be read") from error
