"""The witness protocol, both sides: c2sp.org/tlog-witness, and what a log's owner could try."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from deedbox_sync import merkle, note, witness
from deedbox_sync.binary_text import encode_base64
from deedbox_sync.errors import FormatError, SyncError
from deedbox_sync.witness import (
    FORK,
    MAX_PROOF,
    SIZE_TYPE,
    UNPROVEN,
    Cosigned,
    Refused,
    Reply,
    Request,
    Unclear,
    WatchedLog,
    consider,
    encode_request,
    parse_request,
)
from memory_witness import LOG_VKEY, NOON, ORIGIN, WITNESS, MemoryWitness, TinyLog, converse, log_of
from sync_samples import digests, mutated

requests = st.builds(
    Request,
    st.integers(0, merkle.MAX_SIZE),
    st.lists(digests, max_size=MAX_PROOF).map(tuple),
    st.integers(0, 9).map(lambda size: log_of(size).checkpoint()),
)


# --- the request


@given(requests)
def test_a_request_reads_back_as_itself(made: Request) -> None:
    assert parse_request(encode_request(made)) == made


@given(st.data())
def test_mutated_requests_are_refused_or_are_anothers_own(data: st.DataObject) -> None:
    changed = data.draw(mutated(encode_request(data.draw(requests))))
    try:
        made = parse_request(changed)
    except SyncError:
        return
    assert encode_request(made) == changed


def test_the_request_is_the_specifications() -> None:
    log = log_of(3)
    (third,) = log.request(2).proof
    expected = f"old 2\n{encode_base64(third)}\n\n{log.checkpoint()}"
    assert encode_request(log.request(2)).decode() == expected
    assert encode_request(log.request(0)).decode() == f"old 0\n\n{log.checkpoint()}"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("old 2", "old 02", 1),
        lambda text: text.replace("old 2", "old -2", 1),
        lambda text: text.replace("old 2", "old  2", 1),
        lambda text: text.replace("old 2", "Old 2", 1),
        lambda text: text.replace("old 2\n", "", 1),
        lambda text: text.replace("old 2", f"old {1 << 63}", 1),
        lambda text: text.replace("\n\n", "\n", 1),
        lambda text: text.replace("=\n", "=\n" + "A" * 40 + "\n", 1),
        lambda text: "old 2\n" + (text.split("\n")[1] + "\n") * (MAX_PROOF + 1) + "\n" + text.partition("\n\n")[2],
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n3\n", "\n3\nextension\n").replace("\n3\n", "\n03\n", 1),
        lambda text: text + "\n",
        lambda text: "",
        lambda text: "x" * (witness.MAX_REQUEST + 1),
    ],
)
def test_other_requests_are_refused(spoil) -> None:  # type: ignore[no-untyped-def]
    text = encode_request(log_of(3).request(2)).decode()
    with pytest.raises(FormatError):
        parse_request(spoil(text).encode())
    with pytest.raises(FormatError, match="UTF-8"):
        parse_request(text.encode() + b"\xff")


# --- the witness


def test_a_log_that_grows_is_cosigned_each_time_with_the_time() -> None:
    peer = MemoryWitness()
    for size in (0, 1, 1, 5, 200):
        log = log_of(size)
        answer = peer.take(encode_request(log.request(peer.logs[ORIGIN].size)))
        assert answer.status == 200
        made = note.parse_note(log.checkpoint() + answer.text)
        assert note.verify_note(made, [LOG_VKEY, WITNESS.vkey]) == {ORIGIN: None, WITNESS.name: NOON}
        assert peer.logs[ORIGIN].size == size


def test_an_unknown_log_is_not_found_and_an_unknown_key_is_forbidden() -> None:
    peer = MemoryWitness()
    other = replace(log_of(2), origin=f"deedbox/{'7' * 32}/1")
    assert peer.take(encode_request(other.request(0))).status == 404
    forged = replace(log_of(2), key=Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32))
    answer = peer.take(encode_request(forged.request(0)))
    assert (answer.status, answer.against, peer.logs[ORIGIN].size) == (403, None, 0)


def test_another_old_size_is_a_conflict_that_tells_the_size() -> None:
    peer = MemoryWitness({ORIGIN: WatchedLog(LOG_VKEY, 3, root_of(log_of(3)))})
    for old in (0, 2, 4):
        answer = peer.take(encode_request(log_of(5).request(old)))
        assert (answer.status, answer.text, answer.media_type, answer.against) == (409, "3\n", SIZE_TYPE, None)
    assert peer.take(encode_request(Request(6, (), log_of(5).checkpoint()))).status == 400


def test_another_root_for_the_size_that_was_cosigned_is_a_proven_fork_whatever_the_old_size() -> None:
    peer = MemoryWitness({ORIGIN: WatchedLog(LOG_VKEY, 3, root_of(log_of(3)))})
    for old in (0, 3):
        answer = peer.take(encode_request(log_of(3, "other").request(old)))
        assert (answer.status, answer.text, answer.against) == (409, "3\n", FORK)
    assert peer.logs[ORIGIN] == WatchedLog(LOG_VKEY, 3, root_of(log_of(3)))


def test_what_is_not_shown_to_continue_is_refused_and_proves_nothing_against_the_log() -> None:
    peer = MemoryWitness({ORIGIN: WatchedLog(LOG_VKEY, 3, root_of(log_of(3)))})
    honest = log_of(5).request(3)
    for proof in ((), honest.proof[:-1], honest.proof + honest.proof[:1], log_of(5, "other").request(3).proof):
        answer = peer.take(encode_request(replace(honest, proof=proof)))
        assert (answer.status, answer.against) == (422, UNPROVEN)
    assert peer.take(encode_request(honest)).status == 200


def test_the_first_checkpoint_needs_no_proof_and_takes_none() -> None:
    assert MemoryWitness().take(encode_request(replace(log_of(5).request(0), proof=(bytes(32),)))).status == 422


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.sampled_from(["entry", "other"])), max_size=30))
def test_whatever_it_is_asked_all_that_a_witness_cosigned_is_one_history(
    asked: list[tuple[int, int, str]],
) -> None:
    peer = MemoryWitness()
    for old, size, word in asked:
        peer.take(encode_request(log_of(size, word).request(old)))
    sizes = [told.size for told in peer.cosigned]
    assert sizes == sorted(sizes)
    assert any(
        all(told.root == root_of(log_of(told.size, word)) for told in peer.cosigned) for word in ("entry", "other")
    )


def root_of(log: TinyLog) -> bytes:
    return note.parse_checkpoint(note.parse_note(log.checkpoint()).body).root


# --- both together


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 60))
def test_an_honest_log_is_cosigned_whatever_it_remembers(seen: int, more: int, remembered: int) -> None:
    peer = MemoryWitness()
    assert isinstance(converse(log_of(seen), peer), Cosigned)
    outcome = converse(log_of(seen + more), peer, remembered)
    assert isinstance(outcome, Cosigned)
    assert outcome.time == NOON
    assert peer.logs[ORIGIN].size == seen + more


@given(st.integers(1, 30), st.integers(0, 60), st.integers(0, 60))
def test_a_log_that_was_rewritten_or_cut_is_refused_whatever_it_remembers(seen: int, now: int, remembered: int) -> None:
    peer = MemoryWitness()
    converse(log_of(seen), peer)
    rewritten = TinyLog(("rewritten", *log_of(now).entries[1:]))
    outcome = converse(rewritten, peer, remembered)
    assert isinstance(outcome, Refused)
    assert outcome.size == seen
    if now < seen:
        assert isinstance(converse(log_of(now), peer, remembered), Refused)
    assert isinstance(converse(log_of(seen + 1), peer), Cosigned)


def test_each_refusal_tells_why() -> None:
    peer = MemoryWitness()
    converse(log_of(5), peer)
    assert converse(log_of(3), peer, 5) == Refused(409, 5)  # cut
    assert converse(log_of(5, "other"), peer, 5) == Refused(409, 5)  # forked at its size
    assert converse(log_of(8, "other"), peer, 5) == Refused(422, 5)  # rewritten below
    forged = replace(log_of(8), key=Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32))
    assert converse(forged, peer, 5) == Refused(403, 5)
    peer.logs.clear()
    assert converse(log_of(8), peer, 5) == Unclear(404, "it does not watch this log")


def test_a_witness_that_was_shown_a_newer_checkpoint_meanwhile_is_asked_again_later() -> None:
    peer, ahead = MemoryWitness(), log_of(9)

    steps = witness.ask(log_of(5).checkpoint(), WITNESS.vkey, 0)
    next(steps)
    converse(ahead, peer)
    answer = peer.take(encode_request(log_of(5).request(0)))
    with pytest.raises(StopIteration) as end:
        steps.send(Reply(answer.status, answer.text.encode(), ahead.size))
    assert isinstance(end.value.value, Unclear)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"\xff"),
        (200, b"fine\n"),
        (200, b"x" * (witness.MAX_ANSWER + 1)),
        (500, b"oh"),
        (302, b""),
        (429, b""),
    ],
)
def test_answers_without_sense_decide_nothing(status: int, body: bytes) -> None:
    assert isinstance(answered(Reply(status, body, 5)), Unclear)


@pytest.mark.parametrize(
    ("body", "size"), [(b"9\n", 9), (b"9", 9), (b"", 0), (b"nine\n", 0), (b"09\n", 0), (b"%d\n" % (1 << 53), 0)]
)
def test_a_conflict_is_a_refusal_whatever_its_body_says(body: bytes, size: int) -> None:
    assert answered(Reply(409, body, 5)) == Refused(409, size)


def test_a_signature_of_another_checkpoint_or_key_is_not_taken() -> None:
    other = note.parse_note(log_of(6).checkpoint()).body
    line = note.cosign(other, WITNESS.name, WITNESS.key, NOON)
    assert answered(Reply(200, line.encode(), 5)) == Unclear(200, "its signature does not hold")
    stranger = note.cosign(note.parse_note(log_of(5).checkpoint()).body, "stranger", WITNESS.key, NOON)
    assert answered(Reply(200, stranger.encode(), 5)) == Unclear(200, "it answered without a signature by its key")


def test_lines_of_strangers_beside_the_witnesss_own_are_left_out() -> None:
    body = note.parse_note(log_of(5).checkpoint()).body
    own = note.cosign(body, WITNESS.name, WITNESS.key, NOON)
    both = note.cosign(body, "stranger", WITNESS.key, NOON) + own
    assert answered(Reply(200, both.encode(), 5)) == Cosigned(own, NOON)


def answered(reply: Reply) -> witness.Outcome:
    """What the asking side makes of one reply, the log having five entries."""
    steps = witness.ask(log_of(5).checkpoint(), WITNESS.vkey, 0)
    next(steps)
    with pytest.raises(StopIteration) as end:
        steps.send(reply)
    outcome: witness.Outcome = end.value.value
    return outcome


def test_consider_takes_no_clock_and_keeps_nothing() -> None:
    log, request = WatchedLog(LOG_VKEY), log_of(2).request(0)
    assert consider(log, request, WITNESS, NOON) == consider(log, request, WITNESS, NOON)
