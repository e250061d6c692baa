"""An export is one streaming ZIP that the verifier, and every other ZIP reader, takes; wrong bytes never leave whole."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from broken_bundles.story import base, base_files
from bundle_maker import good_bundle
from deedbox_server.evidence.export import ExportBroken, PreparedBundle, prepare_export
from deedbox_server.evidence.export_source import StoredContent
from deedbox_server.evidence.export_zip import ZipSizeError
from deedbox_sync.bundle import layout
from deedbox_sync.errors import FormatError
from deedbox_verify.examine import examine
from deedbox_verify.trust import Trust
from deedbox_verify.zip_reader import ZipBundle
from export_source_maker import bundle_source, stored
from miniature_log import BUNDLE


async def _bytes(prepared: PreparedBundle) -> bytes:
    return b"".join([piece async for piece in prepared.stream()])


async def test_its_length_is_known_before_its_first_byte() -> None:
    prepared = await prepare_export(bundle_source())
    assert len(await _bytes(prepared)) == prepared.length


async def test_the_verifier_finds_nothing_in_it(tmp_path: Path) -> None:
    prepared = await prepare_export(bundle_source())
    path = tmp_path / prepared.file_name
    path.write_bytes(await _bytes(prepared))
    bundle = ZipBundle(path)
    verdict = examine(bundle, Trust())
    bundle.close()
    assert verdict.findings == ()
    assert verdict.intact.yes
    assert verdict.attributed


async def test_it_holds_the_same_files_as_a_bundle_made_from_the_formats_alone() -> None:
    """But for the paper, and what counts or digests the paper."""
    prepared = await prepare_export(bundle_source())
    archive = zipfile.ZipFile(io.BytesIO(await _bytes(prepared)))
    top = layout.top_folder(BUNDLE) + "/"
    files = {name.removeprefix(top): archive.read(name) for name in archive.namelist()}
    expected = good_bundle()
    assert files.keys() == expected.keys()
    differing = {path for path in files if files[path] != expected[path]}
    assert differing == {layout.CUSTODY_PAPER, layout.BAG_INFO, layout.MANIFEST, layout.TAG_MANIFEST}
    assert files[layout.CUSTODY_PAPER].startswith(b"%PDF-1.")


async def test_what_outsiders_say_comes_with_it() -> None:
    """Stamps with their revocation data, cosigned checkpoints, runs; the verifier takes it as a box would send it."""
    tale = base()
    prepared = await prepare_export(bundle_source(tale.story, outside=tale.outside))
    archive = zipfile.ZipFile(io.BytesIO(await _bytes(prepared)))
    top = layout.top_folder(BUNDLE) + "/"
    files = {name.removeprefix(top): archive.read(name) for name in archive.namelist()}
    expected = base_files()
    assert files.keys() == expected.keys()
    differing = {path for path in files if files[path] != expected[path]}
    assert differing == {layout.CUSTODY_PAPER, layout.BAG_INFO, layout.MANIFEST, layout.TAG_MANIFEST}


async def test_a_run_that_ends_in_no_proven_entry_is_refused() -> None:
    tale = base()
    source = bundle_source(tale.story, outside=tale.outside)
    short = replace(source.runs[0], entries=source.runs[0].entries[:2])
    with pytest.raises(FormatError, match="does not end with an entry that is proven"):
        await prepare_export(replace(source, runs=(short, source.runs[1])))


async def test_runs_that_overlap_are_refused() -> None:
    tale = base()
    source = bundle_source(tale.story, outside=tale.outside)
    with pytest.raises(FormatError, match="does not come after"):
        await prepare_export(replace(source, runs=(*source.runs, source.runs[1])))


async def test_it_is_the_same_twice() -> None:
    first, second = await prepare_export(bundle_source()), await prepare_export(bundle_source())
    assert await _bytes(first) == await _bytes(second)


async def test_another_zip_reader_takes_it() -> None:
    archive = zipfile.ZipFile(io.BytesIO(await _bytes(await prepare_export(bundle_source()))))
    assert archive.testzip() is None
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


@pytest.mark.parametrize("spoil", ["flipped", "short", "long"])
async def test_bytes_that_are_not_the_logged_ones_break_the_stream_off(spoil: str) -> None:
    """What came before is no ZIP: it has no directory, and the end of the file itself is held back."""

    def store(data: bytes) -> StoredContent:
        served = {
            "flipped": data[:-1] + bytes([data[-1] ^ 1]) if data else data,
            "short": data[:-1],
            "long": data + b"x",
        }
        return stored(data, served=served[spoil])

    prepared = await prepare_export(bundle_source(store=store))
    sent = b""
    with pytest.raises((ExportBroken, ZipSizeError)):
        async for piece in prepared.stream():
            sent += piece
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(sent))


async def test_a_large_original_passes_through_in_constant_memory() -> None:
    """64 MiB go through; what is held at once stays far below."""
    size, block = 64 << 20, bytes(1 << 20)
    digest = sha256()
    for _ in range(size // len(block)):
        digest.update(block)

    async def read() -> AsyncIterator[bytes]:
        for _ in range(size // len(block)):
            yield bytes(1 << 20)

    large = StoredContent(digest.digest(), size, read)
    source = bundle_source()
    exhibits = (replace(source.exhibits[0], original=large), *source.exhibits[1:])
    prepared = await prepare_export(replace(source, exhibits=exhibits))
    tracemalloc.start()
    try:
        passed = 0
        async for piece in prepared.stream():
            passed += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert passed == prepared.length
    assert peak < 8 << 20


async def test_an_exhibit_without_its_log_entry_is_refused() -> None:
    source = bundle_source()
    with pytest.raises(FormatError, match="comes without the log entry"):
        await prepare_export(replace(source, entries=source.entries[4:]))


async def test_an_exhibit_without_its_device_is_refused() -> None:
    source = bundle_source()
    with pytest.raises(FormatError, match="signed by a device"):
        await prepare_export(replace(source, devices=source.devices[1:]))


async def test_two_exhibits_of_one_number_are_refused() -> None:
    source = bundle_source()
    with pytest.raises(FormatError, match="exhibits"):
        await prepare_export(replace(source, exhibits=(source.exhibits[0], source.exhibits[0])))


async def test_the_order_of_the_source_does_not_matter() -> None:
    tale = base()
    source = bundle_source(tale.story, outside=tale.outside)
    turned = replace(
        source,
        exhibits=source.exhibits[::-1],
        entries=source.entries[::-1],
        devices=source.devices[::-1],
        stamps=source.stamps[::-1],
        runs=source.runs[::-1],
    )
    assert await _bytes(await prepare_export(turned)) == await _bytes(await prepare_export(source))
