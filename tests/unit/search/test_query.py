"""Whatever is typed is a query, and no database ever calls it wrong."""

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.search.fts5 import match_expression
from deedbox_server.search.query import MAX_PHRASES, MAX_QUERY, Group, Phrase, Query, parse_query

TYPED = st.text() | st.text("ab \"*-()ORANDT:^+{}\\'é東", max_size=40)


def one(*wanted: Phrase, barred: tuple[Phrase, ...] = ()) -> Query:
    return Query((Group(wanted, barred),))


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("stone wall", one(Phrase(("stone",)), Phrase(("wall",)))),
        ('"stone wall"', one(Phrase(("stone", "wall")))),
        ('"stone wall', one(Phrase(("stone", "wall")))),
        ("O'Brien", one(Phrase(("o", "brien")))),
        ("bound*", one(Phrase(("bound",), prefix=True))),
        ('"old bound"*', one(Phrase(("old", "bound"), prefix=True))),
        ("b*", one(Phrase(("b",)))),
        ("wall -stone", one(Phrase(("wall",)), barred=(Phrase(("stone",)),))),
        ("wall NOT stone", one(Phrase(("wall",)), barred=(Phrase(("stone",)),))),
        ("wall AND stone", one(Phrase(("wall",)), Phrase(("stone",)))),
        ("wall or stone", one(Phrase(("wall",)), Phrase(("or",)), Phrase(("stone",)))),
        ('"OR"', one(Phrase(("or",)))),
        ("a b OR c", Query((Group((Phrase(("a",)), Phrase(("b",)))), Group((Phrase(("c",)),))))),
        ("wall wall", one(Phrase(("wall",)))),
        ("-stone", Query()),
        ("", Query()),
        ("* - OR", Query()),
    ],
)
def test_a_query_means_what_its_words_say(typed, query):
    assert parse_query(typed) == query


@given(TYPED)
def test_any_text_is_a_query_that_wants_something_in_each_group(typed):
    assert all(group.wanted for group in parse_query(typed).groups)


def test_endless_queries_are_cut():
    assert len(parse_query("word " * 10_000).wanted) == 1
    assert len(parse_query(" ".join(f"w{number}" for number in range(1000))).wanted) == MAX_PHRASES
    assert parse_query("x" * MAX_QUERY + "yz") == parse_query("x" * MAX_QUERY)


@pytest.fixture(scope="module")
def fts5():
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE VIRTUAL TABLE page USING fts5 (words, tokenize = 'ascii')")
    connection.execute("INSERT INTO page VALUES ('a b c')")
    yield connection
    connection.close()


@given(TYPED)
def test_fts5_takes_every_query(fts5, typed):
    query = parse_query(typed)
    if query.groups:
        fts5.execute("SELECT count(*) FROM page WHERE page MATCH ?", (match_expression(query),)).fetchall()
