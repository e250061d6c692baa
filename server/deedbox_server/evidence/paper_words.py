"""Words that every paper shares: times as American courts write them, sizes, digests, and what people typed, made safe to set."""

from __future__ import annotations

from datetime import UTC, datetime

from deedbox_sync.bundle.names import shown

_RUN = 12  # characters without a space after which a line may break in a narrow column


def visible(text: str, limit: int, longest: int = _RUN) -> str:
    """What people typed, made visible, of bounded length, with places where a run longer than `longest` may break."""
    made = shown(text)
    if len(made) > limit:
        made = f"{made[: limit // 2]}…{made[-(limit // 2) :]}"
    broken, run = [], 0
    for char in made:
        run = 0 if char == " " else run + 1
        broken.append(char)
        if run >= longest:
            broken.append("\u200b")
            run = 0
    return "".join(broken)


def grouped(digest: bytes) -> str:
    """Hexadecimal in groups of four."""
    text = digest.hex()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def in_lines(digest: bytes) -> list[str]:
    """Two lines of eight groups."""
    return [grouped(digest[:16]), grouped(digest[16:])]


def byte_count(count: int) -> str:
    return "1 byte" if count == 1 else f"{count:,} bytes"


def moment(time: datetime) -> str:
    """A time in full, in UTC."""
    time = time.astimezone(UTC)
    return f"{time:%B} {time.day}, {time.year}, {time:%H:%M:%S} UTC"


def second(time: datetime) -> str:
    """A time for a column that says UTC at its head."""
    time = time.astimezone(UTC)
    return f"{time:%b} {time.day}, {time.year}, {time:%H:%M:%S}"


def short(time: datetime) -> str:
    time = time.astimezone(UTC)
    return f"{time:%b} {time.day}, {time.year}, {time:%H:%M}"


def utc_offset(seconds: int) -> str:
    """+5, −3:30."""
    hours, rest = divmod(abs(seconds) // 60, 60)
    return f"{'−' if seconds < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
