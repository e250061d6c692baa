"""What a sender without a desk says of its file (formats/upload.md): tus `Upload-Metadata`, and what we read from it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from deedbox_sync.binary_text import encode_base64, parse_base64
from deedbox_sync.errors import FormatError
from deedbox_sync.file_facts import readable_name

MAX_METADATA: Final = 8_192  # characters of the header: names and labels, and well below what a header line may have
MAX_LABELS: Final = 50
MAX_LABEL: Final = 200  # characters; all labels together must leave room in a statement's envelope

_WHERE: Final = "Upload-Metadata"
_NAME: Final = re.compile(r"[!-+\--~]+")  # printable ASCII without space and comma (tus 1.0, Upload-Metadata)
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")  # RFC 6838 4.2
_NO_TYPE: Final = "application/octet-stream"  # says nothing
_MAX_NAME_BYTES: Final = 765  # as in a statement
_MAX_ENDING: Final = 32  # of a cut name, a longer ending is none
_UNNAMED: Final = b"unnamed"


@dataclass(frozen=True)
class UploadFacts:
    """What an upload is to become. `name` are raw bytes, clean, of at most what a statement holds."""

    case: UUID
    name: bytes
    media_type: str | None
    labels: tuple[str, ...]


def parse_metadata(header: str) -> dict[str, bytes]:
    """The pairs of the header, in order. FormatError: too long, a name twice, no base64."""
    if len(header) > MAX_METADATA:
        raise FormatError(_WHERE, f"has {len(header)} characters, at most {MAX_METADATA} are allowed")
    found: dict[str, bytes] = {}
    if not header.strip(" "):
        return found
    for pair in header.split(","):
        name, _, value = pair.strip(" ").partition(" ")
        if not _NAME.fullmatch(name):
            raise FormatError(_WHERE, "has a name that is not printable ASCII")
        if name in found:
            raise FormatError(_WHERE, f"has {name} twice")
        found[name] = parse_base64(value, where=f"{_WHERE}.{name}")
    return found


def encode_metadata(pairs: Mapping[str, bytes]) -> str:
    """A header that `parse_metadata` reads."""
    return ",".join(f"{name} {encode_base64(value)}" if value else name for name, value in pairs.items())


def read_facts(pairs: Mapping[str, bytes]) -> UploadFacts:
    """What we look at; other names are the sender's own. FormatError names what is missing or no value of its kind."""
    if "case" not in pairs:
        raise FormatError("upload.case", "is missing")
    return UploadFacts(
        case=_case(pairs["case"]),
        name=clean_name(pairs.get("filename", b"")),
        media_type=_media_type(pairs.get("filetype", b"")),
        labels=_labels(pairs.get("labels", b"")),
    )


def clean_name(raw: bytes) -> bytes:
    """The last segment that names something, without NUL, cut to what a statement holds before its ending."""
    segments = raw.replace(b"\0", b"").split(b"/")
    name = next((segment for segment in reversed(segments) if segment not in (b"", b".", b"..")), _UNNAMED)
    if _fits(name):
        return name
    stem, dot, suffix = name.rpartition(b".")
    ending = dot + suffix if stem and len(suffix) <= _MAX_ENDING else b""
    text = _is_utf8(name)
    kept = name[: _MAX_NAME_BYTES - len(ending)]
    while not _fits(kept + ending) or (text and not _is_utf8(kept + ending)):
        kept = kept[:-1]
    return kept + ending


def _fits(name: bytes) -> bool:
    return len(readable_name(name).encode()) <= _MAX_NAME_BYTES


def _is_utf8(name: bytes) -> bool:
    return readable_name(name).encode() == name


def _case(value: bytes) -> UUID:
    text = value.decode("latin-1").lower()
    try:
        case = UUID(text)
    except ValueError:
        case = None
    if case is None or str(case) != text:
        raise FormatError("upload.case", "is not a UUID")
    return case


def _media_type(value: bytes) -> str | None:
    """Without parameters; None where nothing is said."""
    text = value.decode("latin-1").partition(";")[0].strip().lower()
    if text in ("", _NO_TYPE):
        return None
    if not _MEDIA_TYPE.fullmatch(text):
        raise FormatError("upload.filetype", "is not a media type")
    return text


def _labels(value: bytes) -> tuple[str, ...]:
    try:
        lines = value.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise FormatError("upload.labels", "is not UTF-8") from None
    labels = tuple(dict.fromkeys(label for line in lines if (label := line.strip())))
    if len(labels) > MAX_LABELS:
        raise FormatError("upload.labels", f"are {len(labels)}, at most {MAX_LABELS} are allowed")
    if any(len(label) > MAX_LABEL or not label.isprintable() for label in labels):
        raise FormatError("upload.labels", f"are printable lines of at most {MAX_LABEL} characters")
    return labels
