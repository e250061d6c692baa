"""The line of checkpoints: whatever an honest log does is followed, whatever a dishonest one does is refused."""

from collections.abc import Callable, Iterable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from deedbox_desktop.engine.errors import BoxUnintelligible, TrustLost
from deedbox_desktop.engine.sync.log_line import LogLine, LogUnsettled
from deedbox_sync import note
from deedbox_sync.hello import LogAnswer
from unit.desk.box_simulator import MemoryLog

KEY = Ed25519PrivateKey.from_private_bytes(b"l" * 32)
ORIGIN = f"deedbox/{'0' * 32}/1"


def log_of(size: int, name: str = "honest") -> MemoryLog:
    log = MemoryLog(ORIGIN, KEY)
    grow(log, size, name)
    return log


def grow(log: MemoryLog, count: int, name: str = "honest") -> None:
    for _ in range(count):
        log.append("exhibit.received", {"person": f"{name} {len(log.entries)}".encode()})


def checkpoint_of(log: MemoryLog, size: int) -> str:
    prover = log.prover(size)
    body = note.encode_checkpoint(note.Checkpoint(log.origin, size, prover.root()))
    return note.assemble_note(body, [note.sign(body, log.origin, log.key)])


def ask(log: MemoryLog, checkpoint: str | None) -> LogAnswer:
    old = note.parse_checkpoint(note.parse_note(checkpoint).body).size if checkpoint else 0
    proof = log.prover().consistency(old) if checkpoint and old <= len(log.entries) else []
    return LogAnswer(log.checkpoint(), tuple(proof))


def extend(line: LogLine, answer: Callable[[str | None], LogAnswer], met: Iterable[str] = ()) -> int:
    """Run an extension to its end; how many questions it took."""
    steps, questions = line.extend(met), 0
    try:
        shown = next(steps)
        while True:
            questions += 1
            shown = steps.send(answer(shown))
    except StopIteration:
        return questions


def test_the_first_checkpoint_is_taken_if_the_pinned_key_signed_it() -> None:
    log = log_of(5)
    line = LogLine(log.vkey, None)
    extend(line, lambda shown: ask(log, shown))
    assert line.size == 5


@given(st.lists(st.tuples(st.integers(0, 40), st.lists(st.floats(0, 1), max_size=3)), min_size=1, max_size=6))
def test_an_honest_log_is_followed_with_all_that_was_met_of_it(steps: list[tuple[int, list[float]]]) -> None:
    log = log_of(1)
    line = LogLine(log.vkey, None)
    for more, met in steps:
        grow(log, more)
        sizes = [1 + int(share * (len(log.entries) - 1)) for share in met]
        extend(line, lambda shown: ask(log, shown), [checkpoint_of(log, size) for size in sizes])
        assert line.size == len(log.entries)


def test_a_log_that_grows_between_two_questions_is_followed_too() -> None:
    log = log_of(10)
    line = LogLine(log.vkey, log.checkpoint())
    left = [3, 1, 0, 4, 0, 0, 0, 0]

    def answer(shown: str | None) -> LogAnswer:
        grow(log, left.pop(0) if left else 0)
        return ask(log, shown)

    grow(log, 5)
    met = [checkpoint_of(log, 12), checkpoint_of(log, 15)]
    extend(line, answer, met)
    assert line.size == len(log.entries)


def test_a_log_that_never_holds_still_is_given_up_for_now() -> None:
    log = log_of(10)
    line = LogLine(log.vkey, log.checkpoint())

    def answer(shown: str | None) -> LogAnswer:
        grow(log, 1)
        return ask(log, shown)

    with pytest.raises(LogUnsettled):
        extend(line, answer, [checkpoint_of(log, 5)])


def test_what_is_known_costs_no_question_of_its_own() -> None:
    log = log_of(10)
    line = LogLine(log.vkey, log.checkpoint())
    assert extend(line, lambda shown: ask(log, shown), [log.checkpoint()]) == 1


def test_a_smaller_log_is_refused() -> None:
    log = log_of(10)
    line = LogLine(log.vkey, log.checkpoint())
    with pytest.raises(TrustLost) as lost:
        extend(line, lambda shown: LogAnswer(checkpoint_of(log, 9), ()))
    assert lost.value.kind == "log-backwards"


def test_a_log_smaller_than_a_checkpoint_that_was_met_is_refused() -> None:
    log = log_of(10)
    line = LogLine(log.vkey, checkpoint_of(log, 5))
    shorter = log_of(8)
    with pytest.raises(TrustLost) as lost:
        extend(line, lambda shown: ask(shorter, shown), [log.checkpoint()])
    assert lost.value.kind == "log-backwards"


@pytest.mark.parametrize("size", [10, 11, 30])
def test_another_history_is_refused(size: int) -> None:
    line = LogLine(log_of(1).vkey, log_of(10).checkpoint())
    other = log_of(size, "other")
    with pytest.raises(TrustLost) as lost:
        extend(line, lambda shown: ask(other, shown))
    assert lost.value.kind == "log-fork"


@pytest.mark.parametrize("size", [3, 10])
def test_a_checkpoint_of_another_history_that_was_met_is_refused(size: int) -> None:
    """The box may show each desk, or each receipt, another log: all of them must be one."""
    log, other = log_of(10), log_of(size, "other")
    line = LogLine(log.vkey, log.checkpoint())
    with pytest.raises(TrustLost) as lost:
        extend(line, lambda shown: ask(log, shown), [other.checkpoint()])
    assert lost.value.kind == "log-fork"


def test_two_histories_cannot_be_told_to_one_desk_by_turns() -> None:
    """Each met checkpoint is proven against the log that the line is on, not against a log shown for it alone."""
    log, other = log_of(20), log_of(20, "other")
    line = LogLine(log.vkey, checkpoint_of(log, 10))
    met = checkpoint_of(other, 15)
    with pytest.raises(TrustLost) as lost:
        extend(line, lambda shown: ask(other if shown == met else log, shown), [met])
    assert lost.value.kind == "log-fork"


def test_another_key_or_another_log_is_refused() -> None:
    log = log_of(3)
    line = LogLine(log.vkey, None)
    stranger = MemoryLog(ORIGIN, Ed25519PrivateKey.generate())
    grow(stranger, 3)
    with pytest.raises(TrustLost) as lost:
        extend(line, lambda shown: ask(stranger, shown))
    assert lost.value.kind == "log-key"


def test_what_is_no_checkpoint_is_not_taken_for_a_broken_promise() -> None:
    log = log_of(3)
    line = LogLine(log.vkey, None)
    with pytest.raises(BoxUnintelligible):
        extend(line, lambda shown: LogAnswer("hello", ()))
