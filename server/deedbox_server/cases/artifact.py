"""What belongs to a case, as it is read and written: an exhibit, a document, a note."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from deedbox_server.cases import plain_text
from deedbox_server.database import Row

ArtifactKind = Literal["evidence", "document", "note"]

Line = Annotated[str, msgspec.Meta(max_length=plain_text.MAX_LINE)]
Text = Annotated[str, msgspec.Meta(max_length=plain_text.MAX_TEXT)]
Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class NewArtifact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to belong to a case. `evidence`: `exhibit` of the same case. `document`: `content`, the SHA-256 of its bytes,
    wherever they are; `body` may say where. `note`: `body` is its text.
    """

    kind: ArtifactKind
    title: Line
    body: Text | None = None
    exhibit: UUID | None = None
    content: Digest | None = None
    shared: bool = False


class ArtifactChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of an artifact is to be changed: what is not named stays. `content` is for documents."""

    title: Line | UnsetType = UNSET
    body: Text | UnsetType | None = UNSET
    content: Digest | UnsetType = UNSET
    shared: bool | UnsetType = UNSET


@dataclass(frozen=True)
class Artifact:
    """An artifact of a case. `record` is that of its newest entry in the log; `content` the SHA-256 of what it is."""

    id: UUID
    case: UUID
    kind: ArtifactKind
    title: str
    body: str | None
    exhibit: UUID | None
    content: bytes
    record: UUID
    shared: bool
    version: int
    created: datetime
    made_by: str
    removed: datetime | None


COLUMNS: Final = "id, case_id, kind, title, body, exhibit, content, record, shared, version, created, made_by, removed"


def read(row: Row) -> Artifact:
    """An artifact of a row with COLUMNS."""
    case = row.pop("case_id")
    return Artifact(case=case, **row)


def row(artifact: Artifact) -> tuple[object, ...]:
    """Its values, in the order of COLUMNS."""
    return tuple(artifact.case if name == "case_id" else getattr(artifact, name) for name in COLUMNS.split(", "))


def note_content(text: str) -> bytes:
    """A note is its text in UTF-8."""
    return hashlib.sha256(text.encode()).digest()
