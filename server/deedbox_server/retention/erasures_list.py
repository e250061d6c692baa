"""The list of what was disposed of and erased, kept where the backups are: a restore applies it again (formats/erasure.md)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deedbox_server.errors import DeedboxError
from deedbox_server.vault.errors import disk_errors
from deedbox_sync import canonical_json, timestamp
from deedbox_sync.canonical_json import Fields
from deedbox_sync.errors import FormatError

_NONCE: Final = 12
_MAX_LINE: Final = 8 << 20  # bytes; 10,000 ids of exhibits and as many of tombstones take a tenth of it
_INFO: Final = b"deedbox/v1/erasures"


class DamagedList(DeedboxError):
    """The list is not what was written, or is another box's. Its lines are not to be guessed: what was erased would come back."""

    slug, title = "damaged-list", "The list of erasures does not read under this box's key"


@dataclass(frozen=True)
class Line:
    """One disposal or erasure that is done. Ids only. `objects` are exhibits, or accounts and parties of a person."""

    request: UUID
    what: str
    case: UUID | None
    objects: tuple[UUID, ...]
    tombstones: tuple[UUID, ...]
    approved_by: str
    approved: datetime


class ErasuresList:
    """One file, which only grows. Lines are whole or, where a crash cut the last one, made again by who was writing it."""

    def __init__(self, path: Path, database_key: bytes) -> None:
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(database_key)
        self._path = path
        self._cipher = AESGCM(key)
        self._lock = asyncio.Lock()

    async def append(self, line: Line) -> None:
        """Durable on return; a request that is in it already is not added again."""
        async with self._lock:
            await asyncio.to_thread(self._append, line)

    async def read(self) -> list[Line]:
        """All lines, oldest first. DamagedList."""
        async with self._lock:
            return await asyncio.to_thread(self._read)

    def _append(self, line: Line) -> None:
        held = self._read()
        if any(one.request == line.request for one in held):
            return
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, _encode(line), str(len(held)).encode())
        with disk_errors():
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                os.lseek(file, self._whole(), os.SEEK_SET)
                os.ftruncate(file, self._whole())  # a line that a crash cut in two: its request is still under way
                data = base64.b64encode(sealed) + b"\n"
                while data:
                    data = data[os.write(file, data) :]
                os.fsync(file)
            finally:
                os.close(file)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _whole(self) -> int:
        """Where the last whole line ends."""
        with self._path.open("rb") as file:
            return file.read().rfind(b"\n") + 1

    def _read(self) -> list[Line]:
        if not self._path.exists():
            return []
        lines: list[Line] = []
        with disk_errors(), self._path.open("rb") as file:
            for data in file:
                if len(data) > _MAX_LINE:
                    raise DamagedList("a line of the list is too long")
                if not data.endswith(b"\n"):
                    break
                lines.append(self._open(data, len(lines)))
        return lines

    def _open(self, data: bytes, number: int) -> Line:
        try:
            sealed = base64.b64decode(data[:-1], validate=True)
            return _parse(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], str(number).encode()))
        except (InvalidTag, FormatError, ValueError, binascii.Error) as error:
            raise DamagedList(f"line {number + 1} of the list does not hold") from error


def _encode(line: Line) -> bytes:
    return canonical_json.encode(
        {
            "approved": {"id": line.approved_by, "time": timestamp.encode(line.approved)},
            "case": None if line.case is None else str(line.case),
            "objects": [str(one) for one in line.objects],
            "request": str(line.request),
            "tombstones": [str(one) for one in line.tombstones],
            "v": 1,
            "what": line.what,
        }
    )


def _parse(data: bytes) -> Line:
    fields = Fields(canonical_json.parse_object(data, limit=_MAX_LINE, where="erasure"), "erasure")
    fields.literal("v", 1)
    approved = fields.object("approved")
    line = Line(
        request=fields.uuid("request"),
        what=fields.word("what"),
        case=fields.optional_uuid("case"),
        objects=tuple(UUID(text) for text in fields.texts("objects")),
        tombstones=tuple(UUID(text) for text in fields.texts("tombstones")),
        approved_by=approved.text("id"),
        approved=approved.time("time"),
    )
    approved.done()
    fields.done()
    return line
