"""What is done to bytes as they pass from a sender to the vault: counted, and held against the sender's own checksum."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import ClassVar, Final

from deedbox_server.errors import DeedboxError, TooLarge

ALGORITHMS: Final = ("sha256", "sha1")  # sha1 is what tus asks every server for (1.0, Checksum); it proves no evidence


class ChecksumMismatch(DeedboxError):
    """Of one request's bytes, which were dropped."""

    slug: ClassVar[str] = "checksum-mismatch"
    status: ClassVar[int] = 460  # tus 1.0, Checksum
    title: ClassVar[str] = "The bytes are not those of the checksum"


@dataclass(frozen=True)
class Checksum:
    """One of ALGORITHMS, and the digest that the bytes must have."""

    algorithm: str
    digest: bytes


async def at_most(pieces: AsyncIterator[bytes], room: int) -> AsyncGenerator[bytes, None]:
    """The pieces, until there are more than `room` bytes: TooLarge, before the piece that is too much."""
    async for piece in pieces:
        room -= len(piece)
        if room < 0:
            raise TooLarge("More bytes came than were announced.")
        yield piece


async def checked(pieces: AsyncIterator[bytes], checksum: Checksum) -> AsyncGenerator[bytes, None]:
    """The pieces, and ChecksumMismatch at their end unless they have this digest."""
    hashed = hashlib.new(checksum.algorithm, usedforsecurity=False)
    async for piece in pieces:
        hashed.update(piece)
        yield piece
    if not hmac.compare_digest(hashed.digest(), checksum.digest):
        raise ChecksumMismatch
