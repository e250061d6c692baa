"""Boxes are where the eye finds the words, however a page is turned or cut."""

import io

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.documents.derived import BOX_UNITS
from deedbox_server.documents.kinds import Kind
from deedbox_server.documents.recognise.frames import crop, turn
from deedbox_server.documents.recognise.pdf import read_pdf
from deedbox_server.documents.worker_request import WorkerRequest

from .documents_made import typed

REQUEST = WorkerRequest(Kind.PDF, ("eng",), 1, 10)
SHEET = (0.0, 0.0, 1000.0, 2000.0)
EDGES = st.tuples(*[st.integers(0, BOX_UNITS)] * 4)


@given(EDGES, st.sampled_from((0, 90, 180, 270)))
def test_turning_all_the_way_round_changes_nothing(box, degrees):
    assert turn(turn(box, degrees), 360 - degrees) == box


def test_a_quarter_turn_brings_the_top_left_to_the_top_right():
    assert turn((0, 0, 1000, 500), 90) == (9500, 0, 10000, 1000)


def test_a_box_on_the_sheet_is_found_on_the_part_that_is_shown():
    shown = (500.0, 1000.0, 1000.0, 2000.0)  # the upper right quarter
    assert crop((7500, 0, 10000, 2500), media=SHEET, shown=shown, rotation=0) == (5000, 0, 10000, 5000)
    assert crop((0, 0, 2500, 2500), media=SHEET, shown=shown, rotation=0) is None
    assert crop((7500, 7500, 10000, 10000), media=SHEET, shown=shown, rotation=90) == (5000, 5000, 10000, 10000)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_words_of_a_turned_page_are_where_it_shows_them(rotation):
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(typed("Deed of the eastern boundary"))) as document:
        document.pages[0].rotate(rotation, relative=False)
        document.save(made)
    reading = read_pdf(made, REQUEST, lambda _: None)
    [words] = reading.words
    upright = reading_of(typed("Deed of the eastern boundary"))
    assert all(
        near(word.box, turn(other.box, rotation)) for word, other in zip(words.words, upright.words, strict=True)
    )
    assert (words.width > words.height) is (rotation in (90, 270))


def test_words_of_a_page_cut_to_a_part_are_where_that_shows_them():
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(typed("Deed of the eastern boundary"))) as document:
        left, bottom, right, top = (float(edge) for edge in document.pages[0].mediabox)
        document.pages[0].cropbox = [left, bottom + (top - bottom) / 2, right, top]
        document.save(made)
    [words] = read_pdf(made, REQUEST, lambda _: None).words
    for word, other in zip(words.words, reading_of(typed("Deed of the eastern boundary")).words, strict=True):
        x0, y0, x1, y1 = other.box
        assert near(word.box, (x0, 2 * y0, x1, 2 * y1))


def reading_of(document: bytes):
    [words] = read_pdf(io.BytesIO(document), REQUEST, lambda _: None).words
    return words


def near(one, other) -> bool:
    return all(abs(a - b) <= 4 for a, b in zip(one, other, strict=True))
