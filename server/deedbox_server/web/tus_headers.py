"""The headers of tus 1.0, read strictly and written once. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import format_datetime
from typing import Final

from deedbox_server.errors import BadRequest, DeedboxError
from deedbox_server.evidence.deskless import MAX_UPLOAD, Progress
from deedbox_server.evidence.pieces import ALGORITHMS, Checksum
from deedbox_sync.binary_text import parse_base64
from deedbox_sync.errors import FormatError

VERSION: Final = "1.0.0"
CONTENT_TYPE: Final = "application/offset+octet-stream"
ALWAYS: Final = {"tus-resumable": VERSION}
ABOUT: Final = {
    "tus-version": VERSION,
    "tus-extension": "creation,creation-with-upload,checksum,termination,expiration",
    "tus-max-size": str(MAX_UPLOAD),
    "tus-checksum-algorithm": ",".join(ALGORITHMS),
}
_NOT_OFFERED: Final = (
    "upload-defer-length",
    "upload-concat",
)  # ignoring them would make something else than was asked for
_COUNT: Final = re.compile(r"[0-9]{1,18}")  # more digits than any size that is taken has


class TusVersion(DeedboxError):
    """Answered with `Tus-Version`, which names the one there is."""

    slug, status, title = "tus-version", 412, "Tus-Resumable must be 1.0.0"


class UploadType(DeedboxError):
    slug, status, title = "upload-type", 415, f"Bytes of an upload are of type {CONTENT_TYPE}"


def require_version(headers: Mapping[str, str]) -> None:
    if headers.get("tus-resumable") != VERSION:
        raise TusVersion


def require_type(headers: Mapping[str, str]) -> None:
    if headers.get("content-type") != CONTENT_TYPE:
        raise UploadType


def refuse_not_offered(headers: Mapping[str, str]) -> None:
    for name in _NOT_OFFERED:
        if name in headers:
            raise BadRequest(f"{name} is of an extension that this box does not have.")


def count(headers: Mapping[str, str], name: str) -> int:
    """A header that must be there and be a number of bytes."""
    text = headers.get(name)
    if text is None or not _COUNT.fullmatch(text):
        raise BadRequest(f"{name} must be a whole number of bytes.")
    return int(text)


def announced(headers: Mapping[str, str]) -> int | None:
    """How long the body says it is; None where it comes in chunks. The HTTP server holds it to its word."""
    if "transfer-encoding" in headers:
        return None
    text = headers.get("content-length", "0")
    return int(text) if _COUNT.fullmatch(text) else None


def checksum(headers: Mapping[str, str]) -> Checksum | None:
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, encoded = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise BadRequest(f"Upload-Checksum is by one of {', '.join(ALGORITHMS)}.")
    try:
        digest = parse_base64(encoded, where="Upload-Checksum")
    except FormatError as error:
        raise BadRequest(str(error)) from None
    if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise BadRequest(f"Upload-Checksum is no digest of {algorithm}.")
    return Checksum(algorithm, digest)


def told(progress: Progress) -> dict[str, str]:
    """What every answer says of an upload."""
    headers = ALWAYS | {"upload-offset": str(progress.offset)}
    if progress.expires is not None:
        headers["upload-expires"] = format_datetime(progress.expires.astimezone(UTC), usegmt=True)
    if progress.exhibit is not None:
        headers |= exhibit_headers(str(progress.exhibit))
    return headers


def exhibit_headers(exhibit: str) -> dict[str, str]:
    """How an answer names the exhibit that was made, and where its receipt is."""
    return {"deedbox-exhibit": exhibit, "deedbox-receipt": f"/api/v1/evidence/{exhibit}/receipt"}
