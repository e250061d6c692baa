"""The same words, however they are written; and every word where it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.search.tokens import MAX_TOKEN, folded, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Łódź CAFÉ naïve", ("lodz", "cafe", "naive")),
        ("straße STRASSE ﬁne Ægir œuvre Þór", ("strasse", "strasse", "fine", "aegir", "oeuvre", "thor")),
        ("İstanbul ISTANBUL ıstanbul", ("istanbul",) * 3),
        ("O'Brien e-mail a_b 1,234.56", ("o", "brien", "e", "mail", "a", "b", "1", "234", "56")),
        (
            "evi-\ndence Smith-\nJones e-\nmail 19-\n98 über-\n  all",
            ("evidence", "smith", "jones", "e", "mail", "19", "98", "uberall"),
        ),
        ("東京都 ひらがな", ("東", "京", "都", "ひ", "ら", "が", "な")),
        ("서울에서", ("서", "울", "에", "서")),
        ("हिन्दी में", ("हिन्दी", "में")),
        ("العَرَبِيَّة שָׁלוֹם", ("العربية", "שלום")),
        ("Ελλάδα Ёлка", ("ελλαδα", "елка")),
        ("１２３ ⅷ x² 3½", ("123", "viii", "x2", "3½")),
        ("… -- !? _", ()),
    ],
)
def test_texts_are_cut_and_folded(text, words):
    assert folded(text) == words


@given(st.text())
def test_every_word_stands_where_it_says_and_in_order(text):
    reached = 0
    for token in tokens(text):
        assert reached <= token.start < token.end <= len(text)
        assert 0 < len(token.folded) <= MAX_TOKEN
        reached = token.end


@given(st.text())
def test_words_are_letters_digits_and_marks_whatever_the_text(text):
    for word in folded(text):
        assert not set(word) & set(" \t\n\"'\\*:()<>&|!-_")


@given(st.text())
def test_folding_what_is_folded_changes_nothing(text):
    words = folded(text)
    assert folded(" ".join(words)) == words
