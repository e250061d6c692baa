"""Names in a bundle live on every file system, and what a person reads is what there is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync.bundle.bag import path_problem
from deedbox_sync.bundle.names import MAX_NAME_BYTES, derived_names, safe_name, shown

names = st.text(max_size=300)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("contract.pdf", "contract.pdf"),
        ("Vertrag nº 1 – Straße.pdf", "Vertrag nº 1 – Straße.pdf"),
        ("証拠.txt", "証拠.txt"),
        ('a<b>c:d"e/f\\g|h?i*j%k', "a_b_c_d_e_f_g_h_i_j_k"),
        ("e\u0301.txt", "é.txt"),
        ("line\nbreak\x00.txt", "line_break_.txt"),
        ("exe\u202efdp.txt", "exe_fdp.txt"),
        ("zero\u200bwidth", "zero_width"),
        (".hidden", "_hidden"),
        ("..", "__"),
        (".", "_"),
        ("", "_"),
        (" leading", "_leading"),
        ("trailing. .", "trailing___"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("Aux .pdf", "_Aux .pdf"),
        ("COM¹.log", "_COM¹.log"),
        ("LPT9", "_LPT9"),
        ("CONTRACT", "CONTRACT"),
        ("com10", "com10"),
        ("\udcff raw", "_ raw"),
    ],
)
def test_a_name_becomes(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_keeps_its_extension() -> None:
    safe = safe_name("я" * 300 + ".pdf")
    assert safe.endswith(".pdf")
    assert MAX_NAME_BYTES - 4 < len(safe.encode()) <= MAX_NAME_BYTES


def test_a_long_extension_is_none() -> None:
    assert safe_name("a." + "b" * 300) == "a." + "b" * (MAX_NAME_BYTES - 3)


@given(names)
def test_any_name_is_safe(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe.encode()) <= MAX_NAME_BYTES
    assert path_problem(safe) is None
    assert "/" not in safe
    assert unicodedata.is_normalized("NFC", safe)
    assert not safe.startswith((".", " "))
    assert not safe.endswith((".", " "))


@given(names)
def test_a_safe_name_stays_as_it_is(name: str) -> None:
    assert safe_name(safe_name(name)) == safe_name(name)


@given(
    st.lists(st.tuples(st.sampled_from(["text", "TEXT", "words", "con"]), st.sampled_from(["txt", "pdf"])), max_size=8)
)
def test_derived_names_differ_on_every_file_system(forms: list[tuple[str, str]]) -> None:
    made = derived_names(forms)
    assert len({name.casefold() for name in made}) == len(forms)


def test_a_form_that_was_made_twice_is_numbered() -> None:
    assert derived_names([("text", "txt"), ("text", "txt"), ("text", "pdf")]) == ("text.txt", "text-2.txt", "text.pdf")


@given(names)
def test_what_is_shown_has_no_control_and_turns_no_line(name: str) -> None:
    text = shown(name)
    assert not any(
        unicodedata.category(char) == "Cc" or char in "\u202a\u202b\u202d\u202e\u2066\u2067" for char in text
    )


def test_what_is_shown_says_what_was_there() -> None:
    assert shown("a\x1b[2J\u202eb") == "a\\u{1b}[2J\\u{202e}b"
