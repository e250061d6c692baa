"""Piccolo's columns without silent defaults, each checked for its storage class where SQLite would take anything.

Piccolo writes a DEFAULT for every column ('' or 0 or a random id), so that a forgotten value goes unseen; here it is
an error.
"""

from typing import Any

from piccolo.columns import base, column_types

_SQLITE_CLASS = {"UUID": "blob", "BLOB": "blob", "TIMESTAMPTZ": "integer", "BOOLEAN": "integer"}


class _Plain(base.Column):
    """A column whose DDL says its type, its keys, whether it may be null, and nothing else."""

    @property
    def ddl(self) -> str:
        meta = self._meta
        words = [f'"{meta.db_column_name}"', self.column_type]
        if meta.primary_key:
            words.append("PRIMARY KEY")
        if meta.unique:
            words.append("UNIQUE")
        if not meta.null:
            words.append("NOT NULL")
        if meta.engine_type == "sqlite" and self.column_type in _SQLITE_CLASS:
            stored = f"'{_SQLITE_CLASS[self.column_type]}'" + (", 'null'" if meta.null else "")
            words.append(f'CHECK (typeof("{meta.db_column_name}") IN ({stored}))')
        return " ".join(words)


def _nullable(arguments: dict[str, Any]) -> dict[str, Any]:
    """Piccolo's own default for its object model: None where that is allowed, else whatever it likes; never in
    our DDL.
    """
    return {"default": None, **arguments} if arguments.get("null") else arguments


class Text(_Plain, column_types.Text):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_nullable(arguments))


class UUID(_Plain, column_types.UUID):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_nullable(arguments))


class Bytea(_Plain, column_types.Bytea):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_nullable(arguments))


class Integer(_Plain, column_types.Integer):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_nullable(arguments))


class BigInt(_Plain, column_types.BigInt):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_nullable(arguments))


class Boolean(_Plain, column_types.Boolean):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_nullable(arguments))


class DoublePrecision(_Plain, column_types.DoublePrecision):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_nullable(arguments))


class Timestamptz(_Plain, column_types.Timestamptz):
    def __init__(self, **arguments: Any) -> None:
        super().__init__(**_nullable(arguments))


class BigSerial(_Plain, column_types.BigSerial):
    """A number the database gives; on SQLite the row id."""
