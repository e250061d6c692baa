"""Ways of writing one name or number meet; what is different stays so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.cases import docket, folding

MEET = [
    ("Müller", "Mueller"),
    ("MÜLLER", "muller"),
    ("Ødegård", "Oedegaard"),
    ("Łukasz Nowak", "Nowak, Lukasz"),
    ("李小龙", "Li Xiaolong"),
    ("Xiaolong Li", "李小龙"),
    ("Арсений Иванов", "Arseniy Ivanov"),
    ("O’Brien", "OBrien"),
    ("Acme, Inc.", "ACME"),
    ("Acme L.L.C.", "Acme Ltd"),
    ("Weiß GmbH & Co. KG", "Weiss"),
    ("ООО Ромашка", "Romashka"),
    ("Dr. Jane Doe, Esq.", "Jane Doe"),
    ("The Crown Estate", "Crown Estate"),
]  # fmt: skip
DIFFER = [("Smith", "Smythe"), ("Acme", "Acne"), ("Jane Doe", "John Doe"), ("李", "王"), ("AG", "SA")]


@pytest.mark.parametrize(("one", "other"), MEET)
def test_ways_of_writing_one_name_fold_alike(one: str, other: str) -> None:
    assert folding.name(one).key == folding.name(other).key


@pytest.mark.parametrize(("one", "other"), DIFFER)
def test_different_names_fold_differently(one: str, other: str) -> None:
    assert folding.name(one).key != folding.name(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [("محمد", "Mohammed"), ("الخطيب", "Al-Khatib"), ("Iwanow", "Иванов"), ("Catherine", "Katherine"), ("李", "Lee")],
)
def test_names_that_sound_alike_have_a_sound_in_common(one: str, other: str) -> None:
    (a,), (b,) = (folding.name(name).words for name in (one, other))
    assert {folding.sounds(a).metaphone, folding.sounds(a).codex} & {
        folding.sounds(b).metaphone,
        folding.sounds(b).codex,
    }


@given(st.text(max_size=200))
def test_folded_words_are_plain_few_and_fold_to_themselves(text: str) -> None:
    words = folding.words(text)
    assert len(words) <= folding.MAX_WORDS
    assert all(word.isascii() and word.isalnum() and len(word) <= folding.MAX_WORD for word in words)
    again = folding.words(" ".join(words))
    assert len(again) == len(words)


@given(st.text(max_size=100))
def test_letter_case_and_blanks_around_do_not_count(text: str) -> None:
    assert folding.words(f"  {text}\n") == folding.words(text)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=40))
def test_a_word_has_a_trigram_for_each_letter_at_most(word: str) -> None:
    trigrams = folding.trigrams(word)
    assert 1 <= len(trigrams) <= len(word)
    assert all(len(one) == 3 for one in trigrams)


@given(st.text(max_size=60))
def test_a_name_of_some_words_keeps_one_of_them(text: str) -> None:
    assert bool(folding.name(text).words) == bool(folding.words(text))


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Case No. 1:26 – cv – 00123", "1:26-cv-00123"),
        ("No. 26-1", "26-1"),
        ("Az. 3 O 12/26", "3 O 12/26"),
        ("NO-2026-1", "NO-2026-1"),
        ("１２Ｃ４", "12C4"),
        ("  ", None),
        (None, None),
    ],
)
def test_docket_numbers_have_one_form(written: str | None, normal: str | None) -> None:
    assert docket.normalise(written) == normal


@given(st.text(alphabet="0123456789-:/ abcvNo.", max_size=40))
def test_the_normal_form_of_a_docket_number_is_its_own(text: str) -> None:
    once = docket.normalise(text)
    assert docket.normalise(once) == once or once is None or once.lower().startswith(("no", "n", "case"))
