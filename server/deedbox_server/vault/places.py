"""Which file is whose: the names in the data folder, and back from a name to what it is."""

import re
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

_PART = re.compile(r"([0-9a-f]{32})\.(\d{4,10})")
_PACK = re.compile(r"[0-9a-f]{32}\.pack")
_TAIL = re.compile(r"([0-9a-f]{32})\.tail")


@dataclass(frozen=True)
class Places:
    """`blobs/` and `packs/` have a folder for each value of the id's last byte, which is random in a UUIDv7."""

    data: Path

    @property
    def blobs(self) -> Path:
        return self.data / "blobs"

    @property
    def packs(self) -> Path:
        return self.data / "packs"

    @property
    def uploads(self) -> Path:
        return self.data / "uploads"

    def part(self, blob: UUID, number: int) -> str:
        """A part's own file, from the data folder."""
        return f"blobs/{blob.hex[-2:]}/{blob.hex}.{number:04}"

    def pack(self, pack: UUID) -> str:
        return f"packs/{pack.hex[-2:]}/{pack.hex}.pack"

    def tail(self, blob: UUID) -> Path:
        """The tail record of an unfinished blob."""
        return self.uploads / f"{blob.hex}.tail"


def parse_part_name(name: str) -> tuple[UUID, int] | None:
    """The blob and part of a file in `blobs/`; None for a file that is not ours."""
    match = _PART.fullmatch(name)
    return (UUID(match[1]), int(match[2])) if match else None


def parse_tail_name(name: str) -> UUID | None:
    match = _TAIL.fullmatch(name)
    return UUID(match[1]) if match else None


def is_pack_name(name: str) -> bool:
    return _PACK.fullmatch(name) is not None
