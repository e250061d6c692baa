"""One way to write a placeholder, two ways to send it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.database import DatabaseError
from deedbox_server.database.placeholders import for_postgres, for_sqlite
from deedbox_server.database.sqlite_values import split_name

_LETTERS = st.characters(exclude_characters="{}$?", exclude_categories=["Cs", "Nd"])
PIECES = st.lists(st.text(alphabet=_LETTERS, max_size=20), min_size=1, max_size=8)


def test_each_dialect_gets_its_own() -> None:
    sql = "SELECT a FROM b WHERE c = {} AND d IN ({}, {})"
    assert for_sqlite(sql, 3) == "SELECT a FROM b WHERE c = ? AND d IN (?, ?)"
    assert for_postgres(sql, 3) == "SELECT a FROM b WHERE c = $1 AND d IN ($2, $3)"


@given(PIECES)
def test_all_places_are_found_and_the_rest_is_untouched(pieces: list[str]) -> None:
    sql, values = "{}".join(pieces), len(pieces) - 1
    assert for_sqlite(sql, values).split("?") == pieces
    assert re.split(r"\$\d+", for_postgres(sql + " ", values)) == [*pieces[:-1], pieces[-1] + " "]


@given(PIECES, st.integers(0, 20))
def test_the_number_of_values_must_be_that_of_places(pieces: list[str], values: int) -> None:
    if values != len(pieces) - 1:
        with pytest.raises(DatabaseError):
            for_sqlite("{}".join(pieces), values)
        with pytest.raises(DatabaseError):
            for_postgres("{}".join(pieces), values)


@pytest.mark.parametrize(
    ("name", "plain", "declared"),
    [("size", "size", ""), ("latest [timestamptz]", "latest", "TIMESTAMPTZ"), ("a [b", "a [b", ""), ("x]", "x]", "")],
)
def test_a_column_may_name_its_type(name: str, plain: str, declared: str) -> None:
    assert split_name(name) == (plain, declared)
