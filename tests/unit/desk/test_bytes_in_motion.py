"""Large contents on their way: every byte once in the digest, in order, whatever is sent again."""

from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deedbox_desktop.engine.bytes_in_motion import PIECE, SMALL, Crew, Digest, SourceEnded, hash_source, pieces
from deedbox_desktop.engine.sync.sources import MemorySource

CONTENT = bytes(range(251)) * 50_000  # twelve pieces, no two alike at their edges


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    made = Crew("test")
    yield made
    made.dismiss()


@pytest.mark.parametrize("size", [0, 1, PIECE, SMALL, SMALL + 1, len(CONTENT)])
def test_all_bytes_come_out_and_are_in_the_digest(crew: Crew, size: int) -> None:
    content, digest = CONTENT[:size], Digest()
    sent = b"".join(bytes(piece) for piece in pieces(MemorySource(content), 0, size, digest, crew))
    assert sent == content
    assert digest.digest() == sha256(content).digest()


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 4)), max_size=6))
def test_a_digest_is_right_however_often_it_is_cut_and_gone_back(cuts: list[tuple[float, int]]) -> None:
    crew, digest, source = Crew("test"), Digest(), MemorySource(CONTENT)
    try:
        for back, count in cuts:
            start = int(back * digest.at)
            flow = pieces(source, start, len(CONTENT), digest, crew)
            for _ in range(count):
                next(flow, None)
            flow.close()
        hash_source(source, digest, len(CONTENT), crew)
    finally:
        crew.dismiss()
    assert digest.digest() == sha256(CONTENT).digest()


def test_a_piece_that_would_leave_a_hole_is_refused() -> None:
    digest = Digest()
    with pytest.raises(ValueError, match="missing"):
        digest.feed(memoryview(b"x"), 1)


@pytest.mark.parametrize("size", [10, len(CONTENT)])
def test_a_source_that_ends_early_is_noticed(crew: Crew, size: int) -> None:
    with pytest.raises(SourceEnded):
        hash_source(MemorySource(CONTENT[: size - 1]), Digest(), size, crew)


def test_what_the_source_raises_comes_out(crew: Crew) -> None:
    class Broken:
        size = len(CONTENT)

        def read_into(self, buffer: memoryview, offset: int) -> int:
            if offset > 3 * PIECE:
                raise PermissionError
            return len(buffer)

    with pytest.raises(PermissionError):
        hash_source(Broken(), Digest(), len(CONTENT), crew)


def test_few_buffers_are_enough(crew: Crew) -> None:
    seen: set[int] = set()
    for piece in pieces(MemorySource(CONTENT), 0, len(CONTENT), None, crew):
        seen.add(id(piece.obj))
    assert len(seen) <= 4
