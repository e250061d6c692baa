"""`{}` in SQL becomes what each dialect calls a placeholder."""

from functools import lru_cache
from itertools import count

from deedbox_server.database.errors import DatabaseError

_REMEMBERED = 1024  # statements; those of the program are far fewer, unless someone writes values into SQL


@lru_cache(_REMEMBERED)
def for_sqlite(sql: str, values: int) -> str:
    """`?` for each `{}`."""
    return "?".join(_pieces(sql, values))


@lru_cache(_REMEMBERED)
def for_postgres(sql: str, values: int) -> str:
    """`$1`, `$2`, … for each `{}`."""
    pieces = _pieces(sql, values)
    numbers = count(1)
    return pieces[0] + "".join(f"${next(numbers)}{piece}" for piece in pieces[1:])


def _pieces(sql: str, values: int) -> list[str]:
    pieces = sql.split("{}")
    if len(pieces) - 1 != values:
        raise DatabaseError(f"{len(pieces) - 1} places for {values} values")
    return pieces
