"""What is shown of a page: the words that fit, marked, in a stretch that makes sense."""

from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.documents.derived import Word
from deedbox_server.search.matching import SNIPPET, boxes, matches, snippet
from deedbox_server.search.query import parse_query


def marked(query: str, text: str) -> list[str]:
    return [text[low:high] for low, high in matches(parse_query(query), text)]


def test_matches_are_the_words_as_they_are_written():
    assert marked("muller wall*", "Müller's WALLPAPER, the wall; MULLER") == ["Müller", "WALLPAPER", "wall", "MULLER"]


def test_a_phrase_is_one_match_across_a_line_end():
    assert marked('"stone wall"', "the stone\n wall, stone and wall") == ["stone\n wall"]


def test_matches_that_overlap_become_one():
    assert marked('"a b" "b c"', "a b c") == ["a b c"]


def test_barred_words_are_not_marked():
    assert marked("wall -gate", "wall gate") == ["wall"]


def test_the_snippet_shows_where_most_matches_are():
    text = "gate " + "x " * 400 + "the gate, a gate and another gate " + "y " * 400
    shown = snippet(text, matches(parse_query("gate"), text))
    assert [shown.text[low:high] for low, high in shown.highlights] == ["gate"] * 3


def test_a_page_without_matches_begins_at_its_beginning():
    assert snippet("some words", []).text == "some words"


@given(st.text(max_size=2000), st.text("abé ", max_size=5))
def test_highlights_lie_within_the_snippet(text, query):
    ranges = matches(parse_query(query), text)
    shown = snippet(text, ranges)
    assert len(shown.text) <= SNIPPET + 2
    assert bool(shown.highlights) == bool(ranges)
    assert all(0 <= low < high <= len(shown.text) for low, high in shown.highlights)
    assert "\n" not in shown.text


def test_boxes_are_those_of_the_words_touched():
    words = [Word(0, 4, None, (1, 1, 2, 2)), Word(5, 9, None, (3, 3, 4, 4)), Word(10, 15, None, (5, 5, 6, 6))]
    assert boxes(words, [(5, 9)]) == ((3, 3, 4, 4),)
    assert boxes(words, [(6, 12)]) == ((3, 3, 4, 4), (5, 5, 6, 6))
    assert boxes(words, [(4, 5)]) == ()
    assert boxes([], [(0, 3)]) == ()
