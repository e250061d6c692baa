"""The salts of one log entry as one row: a log of millions has few rows to write, and one to erase (formats/keys.md)."""

from typing import Final
from uuid import UUID

from deedbox_server.vault.errors import DamagedKeys
from deedbox_server.vault.key_rows import Salts
from deedbox_sync.commitment import SALT_LENGTH

# Numbers at rest: a field keeps its own for good, later ones take the next.
_NUMBERS: Final = {"case": 1, "content": 2, "person": 3, "record": 4, "statement": 5}
_FIELDS: Final = {number: field for field, number in _NUMBERS.items()}
_PIECE: Final = 1 + SALT_LENGTH


def pack_salts(salts: Salts) -> bytes:
    """Each field's number and salt, in any order. ValueError for what no log entry commits to."""
    packed = b"".join([bytes((_NUMBERS.get(field, 0),)) + salt for field, salt in salts.by_field.items()])
    if not salts.by_field.keys() <= _NUMBERS.keys() or len(packed) != _PIECE * len(salts.by_field):
        raise ValueError("salts of unknown fields or lengths")
    return packed


def parse_salts(record: UUID, packed: bytes) -> dict[str, bytes]:
    """Salts by field. DamagedKeys unless these bytes are what was packed."""
    salts = {_FIELDS.get(packed[at], ""): packed[at + 1 : at + _PIECE] for at in range(0, len(packed), _PIECE)}
    if len(salts) * _PIECE != len(packed) or "" in salts:
        raise DamagedKeys(f"the salts of record {record} are not what was written")
    return salts
