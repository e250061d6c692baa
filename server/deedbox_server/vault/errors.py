"""What can be wrong with keys and bytes at rest.

DeedboxError
├── BlobDamaged     stored bytes do not hold: says which blob, part and segment
│   └── MissingKey  their key is not in the key store
├── DamagedKeys     root.json or keys.db do not hold
├── BlobInUse       another writer has this blob
└── CannotUnlock    none of the ways to unlock fits
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from deedbox_disk.errors import OutOfSpace, SealBroken
from deedbox_disk.sealed_sqlite import sealed_errors
from deedbox_server.errors import Conflict, DeedboxError, DiskFull, Unavailable


class BlobDamaged(DeedboxError):
    """Bytes on disk are not those that were written. `segment` is None where the part as a whole is wrong or gone."""

    slug, title = "damaged-blob", "Stored bytes are damaged"

    def __init__(self, blob: UUID, part: int, segment: int | None, what: str) -> None:
        place = f"blob {blob} part {part}" + ("" if segment is None else f" segment {segment}")
        super().__init__(f"{place}: {what}", blob=str(blob), part=part, segment=segment)
        self.blob = blob
        self.part = part
        self.segment = segment


class MissingKey(BlobDamaged):
    """The key of a part is not in the key store, so that nobody can read its bytes: erased, or an audit fault."""

    slug, title = "missing-key", "The key of these bytes is gone"

    def __init__(self, blob: UUID, part: int) -> None:
        super().__init__(blob, part, None, "has no key")


class DamagedKeys(DeedboxError):
    """A wrapped key, root.json or keys.db was changed or belongs to another box."""

    slug, title = "damaged-keys", "The keys at rest are damaged"


class BlobInUse(Conflict):
    """Two writers of one blob would break the promise that a nonce seals one text: the second has to wait."""

    slug, title = "blob-in-use", "These bytes are being received already"


class CannotUnlock(Unavailable):
    slug, title = "cannot-unlock", "The box cannot be unlocked this way"


@contextmanager
def disk_errors() -> Iterator[None]:
    """OutOfSpace becomes the box's DiskFull."""
    try:
        yield
    except OutOfSpace as error:
        raise DiskFull from error


@contextmanager
def key_store_errors() -> Iterator[None]:
    """What SQLite and the disk say about keys.db, as the box's errors."""
    try:
        with disk_errors(), sealed_errors():
            yield
    except SealBroken as error:
        raise DamagedKeys("keys.db does not read under its key") from error
