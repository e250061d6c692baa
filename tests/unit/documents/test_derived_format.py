"""Texts and words read back as written; whatever else a worker sends under their names is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.documents.derived import (
    BOX_UNITS,
    By,
    PageText,
    PageWords,
    Word,
    clean,
    encode_facts,
    encode_text,
    encode_words,
    parse_facts,
    parse_text,
    parse_words,
)
from deedbox_sync.errors import FormatError

TEXTS = st.lists(
    st.tuples(st.text(max_size=60).map(clean), st.sampled_from(By), st.none() | st.integers(0, 100)), max_size=5
).map(lambda items: tuple(PageText(number, *item) for number, item in enumerate(items, start=1)))
EDGES = st.integers(0, BOX_UNITS)
BOXES = st.tuples(EDGES, EDGES, EDGES, EDGES).map(
    lambda box: (min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3]))
)
WORDS = st.lists(st.tuples(st.integers(1, 9), st.none() | st.integers(0, 100), BOXES), max_size=6).map(
    lambda items: tuple(Word(10 * place, 10 * place + length, *rest) for place, (length, *rest) in enumerate(items))
)


@given(TEXTS)
def test_texts_read_back_as_written(pages):
    assert parse_text(encode_text(pages)) == pages


@given(st.lists(WORDS, max_size=3), st.sampled_from((0, 90, 180, 270)))
def test_words_read_back_as_written(pages, turned):
    made = tuple(PageWords(number, 59528, 84189, turned, words) for number, words in enumerate(pages, start=1))
    assert parse_words(encode_words(made)) == made


@given(st.text())
def test_clean_text_stays_clean(text):
    assert clean(clean(text)) == clean(text)
    assert not any(character in clean(text) for character in "\r\x00\x0b\x0c\x7f\u2028\ud800")


def test_facts_read_back_as_written():
    facts = {"kind": "picture", "gps": {"latitude": "51.4770167"}, "width": 2048, "lens": None}
    assert parse_facts(encode_facts(facts)) == facts


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b'{"form":"words","pages":[],"v":1}',
        b'{"form":"text","pages":[],"v":2}',
        b'{"form":"text","pages":[{"by":"magic","confidence":null,"page":1,"text":""}],"v":1}',
        b'{"form":"text","pages":[{"by":"none","confidence":101,"page":1,"text":""}],"v":1}',
        b'{"form":"text","pages":[{"by":"none","confidence":null,"page":0,"text":""}],"v":1}',
        b'{"form":"text","pages":[{"by":"none","confidence":null,"page":1,"text":"\\u0000"}],"v":1}',
        b'{"form":"text","pages":[{"by":"none","confidence":null,"page":2,"text":""},'
        b'{"by":"none","confidence":null,"page":1,"text":""}],"v":1}',
        b'{"extra":1,"form":"text","pages":[],"v":1}',
    ],
)
def test_other_documents_are_no_text(document):
    with pytest.raises(FormatError):
        parse_text(document)


@pytest.mark.parametrize(
    "word",
    [
        b"[0,1,null,0,0,10001,1]",
        b"[0,1,null,5,0,4,1]",
        b"[1,1,null,0,0,1,1]",
        b"[0,1,101,0,0,1,1]",
        b"[0,1,null,0,0,1]",
        b'[0,1,null,0,0,1,"1"]',
        b"[3,9,null,0,0,1,1],[0,2,null,0,0,1,1]",
    ],
)
def test_other_words_are_no_words(word):
    with pytest.raises(FormatError):
        parse_words(
            b'{"form":"words","pages":[{"height":1,"page":1,"turned":0,"width":1,"words":[' + word + b']}],"v":1}'
        )
