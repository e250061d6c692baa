"""The ZIP writer where sizes pass 32 bits, without writing as much."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.evidence.export_zip import ZipMember, zip_length, zip_stream
from deedbox_verify.zip_reader import ZipBundle

MADE = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
HUGE = (1 << 32) + 5


def member(name: str, data: bytes) -> ZipMember:
    async def read() -> AsyncIterator[bytes]:
        if data:
            yield data

    return ZipMember(name, len(data), read)


def zeros(name: str, size: int) -> ZipMember:
    async def read() -> AsyncIterator[bytes]:
        block = bytes(1 << 24)
        for at in range(0, size, len(block)):
            yield block[: size - at]

    return ZipMember(name, size, read)


async def write_sparse(path: Path, members: list[ZipMember]) -> None:
    """Writes a ZIP whose long runs of zeros take no room on the disk."""
    with path.open("wb") as file:
        async for piece in zip_stream(members, MADE):
            if len(piece) == 1 << 24 and not any(piece[::4096]):
                file.seek(len(piece), io.SEEK_CUR)
            else:
                file.write(piece)
        file.truncate()


async def test_sizes_and_offsets_past_32_bits_are_read_by_others_and_by_the_verifier(tmp_path: Path) -> None:
    path = tmp_path / "huge.zip"
    members = [member("top/a", b"first"), zeros("top/huge", HUGE), member("top/z", b"last")]
    await write_sparse(path, members)
    assert path.stat().st_size == zip_length(members)
    with zipfile.ZipFile(path) as archive:
        assert [info.file_size for info in archive.infolist()] == [5, HUGE, 4]
        assert archive.read("top/a") == b"first"
        assert archive.read("top/z") == b"last"
        assert archive.getinfo("top/huge").date_time == (2026, 3, 14, 15, 9, 26)
    bundle = ZipBundle(path)
    assert bundle.sizes == {"a": 5, "huge": HUGE, "z": 4}
    with bundle.open("z") as source:
        assert source.read(100) == b"last"
    bundle.close()


async def test_more_files_than_16_bits_count(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    members = [member(f"top/{number}", b"") for number in range(0x10001)]
    path.write_bytes(b"".join([piece async for piece in zip_stream(members, MADE)]))
    assert path.stat().st_size == zip_length(members)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 0x10001
    bundle = ZipBundle(path)
    assert len(bundle.sizes) == 0x10001
    bundle.close()


names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="/\\:%"), min_size=1, max_size=20
)


@given(st.dictionaries(names.filter(lambda name: name not in (".", "..")), st.binary(max_size=300), max_size=5))
async def test_whatever_is_put_in_comes_out(files: dict[str, bytes]) -> None:
    members = [member(f"top/{name}", data) for name, data in files.items()]
    written = b"".join([piece async for piece in zip_stream(members, MADE)])
    assert len(written) == zip_length(members)
    archive = zipfile.ZipFile(io.BytesIO(written))
    assert {info.filename.removeprefix("top/"): archive.read(info) for info in archive.infolist()} == files
