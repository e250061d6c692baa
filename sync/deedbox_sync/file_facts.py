"""What the desk saw of a file beside its bytes (`formats/statement.md`, `file`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from deedbox_sync.binary_text import encode_base64, parse_base64
from deedbox_sync.canonical_json import Fields, Json, decimal

_MODE = re.compile(r"[0-7]{4}")
# The longest name of any common file system is 255 bytes or UTF-16 units, at most three bytes each in UTF-8.
_MAX_NAME_BYTES = 765


@dataclass(frozen=True)
class FileFacts:
    """`path` are the folders below the watched folder, outermost first; `modified_ns` and `created_ns` count from 1970
    and are None where they could not be seen (bytes that came without their file, systems that keep no birth time).

    Where a name is not UTF-8, `name_bytes` and `path_bytes` hold all of them raw and `name`, `path` what
    `readable_name` makes of them; otherwise both are None. `attributes` are extended attributes, `streams` the names
    of alternate data streams.
    """

    name: str
    path: tuple[str, ...]
    size: int
    modified_ns: int | None
    created_ns: int | None = None
    mode: int | None = None
    streams: tuple[str, ...] = ()
    attributes: Mapping[str, bytes] = field(default_factory=dict)
    name_bytes: bytes | None = None
    path_bytes: tuple[bytes, ...] | None = None


def readable_name(raw: bytes) -> str:
    """A raw name with U+FFFD for each part that is not UTF-8 (Unicode 3.9, maximal subparts)."""
    return raw.decode("utf-8", "replace")


def file_members(file: FileFacts) -> dict[str, Json]:
    members: dict[str, Json] = {
        "name": file.name,
        "path": list(file.path),
        "size": file.size,
        "modified_ns": None if file.modified_ns is None else decimal(file.modified_ns),
        "created_ns": None if file.created_ns is None else decimal(file.created_ns),
        "mode": None if file.mode is None else f"{file.mode:04o}",
        "streams": list(file.streams),
        "attributes": {name: encode_base64(value) for name, value in file.attributes.items()},
    }
    if file.name_bytes is not None:
        members["name_bytes"] = encode_base64(file.name_bytes)
    if file.path_bytes is not None:
        members["path_bytes"] = [encode_base64(segment) for segment in file.path_bytes]
    return members


def read_file_facts(fields: Fields) -> FileFacts:
    attributes = fields.members("attributes")
    file = FileFacts(
        name=fields.text("name"),
        path=fields.texts("path"),
        size=fields.integer("size"),
        modified_ns=fields.optional_decimal("modified_ns"),
        created_ns=fields.optional_decimal("created_ns"),
        mode=_read_mode(fields),
        streams=fields.texts("streams"),
        attributes={name: _read_attribute(fields, name, value) for name, value in attributes.items()},
        name_bytes=fields.base64("name_bytes") if fields.has("name_bytes") else None,
        path_bytes=_read_path_bytes(fields) if fields.has("path_bytes") else None,
    )
    fields.done()
    for segment in (file.name, *file.path):
        if segment in ("", ".", "..") or "/" in segment or "\0" in segment:
            raise fields.fault("path", "or name has a segment that names no file or folder")
        if len(segment.encode()) > _MAX_NAME_BYTES:
            raise fields.fault("path", f"or name has a segment of more than {_MAX_NAME_BYTES} bytes")
    _check_raw_names(fields, file)
    return file


def _read_mode(fields: Fields) -> int | None:
    text = fields.optional_text("mode")
    if text is None:
        return None
    if not _MODE.fullmatch(text):
        raise fields.fault("mode", "is not four octal digits")
    return int(text, 8)


def _read_attribute(fields: Fields, name: str, value: Json) -> bytes:
    if not isinstance(value, str):
        raise fields.fault("attributes", f"{name[:40]!a} is not a string")
    return parse_base64(value, where=f"{fields.where}.attributes")


def _read_path_bytes(fields: Fields) -> tuple[bytes, ...]:
    where = f"{fields.where}.path_bytes"
    return tuple(parse_base64(segment, where=where) for segment in fields.texts("path_bytes"))


def _check_raw_names(fields: Fields, file: FileFacts) -> None:
    if file.name_bytes is None and file.path_bytes is None:
        return
    if file.name_bytes is None or file.path_bytes is None:
        raise fields.fault("name_bytes", "and path_bytes stand together or not at all")
    raw = (file.name_bytes, *file.path_bytes)
    if tuple(readable_name(segment) for segment in raw) != (file.name, *file.path):
        raise fields.fault("name_bytes", "and path_bytes do not read as name and path")
    if all(readable_name(segment).encode() == segment for segment in raw):
        raise fields.fault("name_bytes", "and path_bytes are UTF-8 throughout, so name and path say it all")
