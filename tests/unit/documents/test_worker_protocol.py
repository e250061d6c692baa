"""What a worker sends is taken whole or refused; nothing in between, and never more than was allowed."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_server.documents.states import ReadState
from deedbox_server.documents.worker_protocol import (
    Progress,
    ProtocolError,
    ResultFile,
    ResultReader,
    WorkerResult,
    encode_progress,
    encode_result,
)

FORMS = st.lists(st.sampled_from(("text", "words", "facts", "searchable-pdf")), unique=True)
RESULTS = st.builds(
    lambda state, pages, note, forms, data: WorkerResult(
        state, pages, note, "tools 1.0", tuple(ResultFile(form, "application/json", data) for form in forms)
    ),
    st.sampled_from(ReadState),
    st.integers(0, 1000),
    st.text("abc :-é", max_size=20),
    FORMS,
    st.binary(max_size=50),
)


def received(data: bytes, *, limit: int = 1 << 20) -> WorkerResult:
    reader = ResultReader(limit=limit)
    reader.feed(data)
    return reader.result()


@given(RESULTS, st.integers(1, 40))
def test_a_result_arrives_as_it_was_sent_in_whatever_pieces(result, piece):
    sent = encode_progress(Progress(1, 3)) + b"".join(encode_result(result))
    reader = ResultReader(limit=1 << 20)
    heard = [latest for at in range(0, len(sent), piece) if (latest := reader.feed(sent[at : at + piece]))]
    assert heard == [Progress(1, 3)]
    assert reader.result() == result


def test_large_files_travel_in_pieces_of_a_mebibyte():
    result = WorkerResult(ReadState.READ, 1, "", "x", (ResultFile("text", "application/json", bytes(3_500_000)),))
    frames = list(encode_result(result))
    assert max(map(len, frames)) <= (1 << 20) + 5
    assert received(b"".join(frames), limit=3_500_000) == result


def test_results_beyond_the_limit_are_refused_before_a_byte_of_them_comes():
    result = WorkerResult(ReadState.READ, 1, "", "x", (ResultFile("text", "application/json", bytes(1000)),))
    with pytest.raises(ProtocolError):
        ResultReader(limit=999).feed(next(iter(encode_result(result))))


@given(RESULTS, st.data())
def test_an_answer_that_ends_early_is_refused(result, data):
    sent = b"".join(encode_result(result))
    with pytest.raises(ProtocolError):
        received(sent[: data.draw(st.integers(0, len(sent) - 1))])


@given(RESULTS, st.data())
def test_a_changed_byte_is_refused_or_read_as_what_it_now_says(result, data):
    sent = bytearray(b"".join(encode_result(result)))
    place = data.draw(st.integers(0, len(sent) - 1))
    sent[place] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ProtocolError):
        assert isinstance(received(bytes(sent)), WorkerResult)


@given(st.binary(max_size=200))
def test_noise_is_refused(noise):
    with pytest.raises(ProtocolError):
        received(noise)


@pytest.mark.parametrize(
    "frames",
    [
        b"E\x00\x00\x00\x00",
        b"D\x00\x00\x00\x01x",
        b"P\x00\x00\x00\x08\x00\x00\x00\x02\x00\x00\x00\x01",
        b"P\x00\x00\x00\x04\x00\x00\x00\x00",
        b"H\x00\x00\x00\x02{}",
        b"X\x00\x00\x00\x00",
    ],
)
def test_frames_out_of_place_are_refused(frames):
    with pytest.raises(ProtocolError):
        received(frames)


def test_the_end_is_the_end():
    sent = b"".join(encode_result(WorkerResult(ReadState.READ, 0, "", "x")))
    with pytest.raises(ProtocolError):
        received(sent + encode_progress(Progress(0, 1)))
