"""A bundle as one ZIP stream (formats/bundle.md): small files made in memory, evidence passed through, nothing on disk.

`prepare_export` makes everything but the evidence's bytes; `PreparedBundle.stream` gives the ZIP. The bytes are hashed again on
their way out: where they are not those that were logged, the stream breaks off and no readable ZIP comes of it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial

from deedbox_server.evidence.custody_paper import render_custody
from deedbox_server.evidence.export_files import BundleFile, bundle_files, custody_paper, tag_files
from deedbox_server.evidence.export_source import BundleSource, Read, StoredContent
from deedbox_server.evidence.export_zip import ZipMember, zip_length, zip_stream
from deedbox_sync.bundle import layout

_BLOCK = 1 << 18  # from here on hashing is worth a thread


class ExportBroken(Exception):
    """Evidence read for an export is not what was logged. The box should say so loudly: its store is damaged."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is not the file that was logged")
        self.path = path


@dataclass(frozen=True)
class PreparedBundle:
    """A bundle ready to leave: `length` is the exact number of bytes that `stream` gives."""

    file_name: str
    length: int
    source: BundleSource
    members: tuple[ZipMember, ...]

    def stream(self) -> AsyncIterator[bytes]:
        """The ZIP. ExportBroken or the vault's own error ends it before its directory; it may be begun again."""
        return zip_stream(self.members, self.source.made)


async def prepare_export(source: BundleSource) -> PreparedBundle:
    """Makes the index, the proofs, the paper and the manifests, off the event loop. FormatError for a source at odds."""
    files = await asyncio.to_thread(_small_files, source)
    top = layout.top_folder(source.bundle)
    members = tuple(ZipMember(f"{top}/{path}", file.size, _reading(path, file)) for path, file in files.items())
    return PreparedBundle(f"{top}.zip", zip_length(members), source, members)


def _small_files(source: BundleSource) -> Mapping[str, BundleFile]:
    """All files in the order of the ZIP: tag files first, then the payload by path."""
    payload = bundle_files(source)
    payload[layout.CUSTODY_PAPER] = BundleFile.of(render_custody(custody_paper(source)))
    return {**tag_files(source, payload), **dict(sorted(payload.items()))}


def _reading(path: str, file: BundleFile) -> Read:
    if isinstance(file.content, StoredContent):
        return partial(_checked, path, file.content)
    return partial(_whole, file.content)


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data


async def _checked(path: str, content: StoredContent) -> AsyncIterator[bytes]:
    """The stored bytes, the last piece held back until all of them have proven to be the right ones."""
    digest = hashlib.sha256()
    held = b""
    async for piece in content.read():
        if held:
            yield held
        held = bytes(piece)
        if len(held) >= _BLOCK:
            await asyncio.to_thread(digest.update, held)
        else:
            digest.update(held)
    if digest.digest() != content.sha256:
        raise ExportBroken(path)
    if held:
        yield held
