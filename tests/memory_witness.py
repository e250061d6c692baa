"""A witness and logs in memory, joined without sockets: for tests of the protocol's steps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_sync import merkle, note, witness
from deedbox_sync.errors import FormatError
from deedbox_sync.witness import Answer, Outcome, Reply, Request, WatchedLog, Witness

ORIGIN = f"deedbox/{'5' * 32}/1"
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes([5]) * 32)
LOG_VKEY = note.encode_vkey(ORIGIN, note.ED25519, LOG_KEY.public_key().public_bytes_raw())
WITNESS = Witness(f"deedbox-witness/{'6' * 32}", Ed25519PrivateKey.from_private_bytes(bytes([6]) * 32))
NOON = 1_773_489_600


@dataclass(frozen=True)
class TinyLog:
    """A log whose entries are texts; a rewritten one is another of these under the same key."""

    entries: tuple[str, ...] = ()
    origin: str = ORIGIN
    key: Ed25519PrivateKey = LOG_KEY

    @property
    def size(self) -> int:
        return len(self.entries)

    def grown(self, *entries: str) -> TinyLog:
        return replace(self, entries=self.entries + entries)

    def cut(self, size: int) -> TinyLog:
        return replace(self, entries=self.entries[:size])

    def checkpoint(self, size: int | None = None) -> str:
        prover = self._prover(self.size if size is None else size)
        body = note.encode_checkpoint(note.Checkpoint(self.origin, prover.size, prover.root()))
        return note.assemble_note(body, [note.sign(body, self.origin, self.key)])

    def request(self, old: int, size: int | None = None) -> Request:
        """The question an honest client of this log asks; where the log is smaller than `old`, without a proof."""
        size = self.size if size is None else size
        proof = self._prover(size).consistency(old) if old <= size else []
        return Request(old, tuple(proof), self.checkpoint(size))

    def _prover(self, size: int) -> merkle.Prover:
        leaves = [merkle.leaf_hash(text.encode()) for text in self.entries[:size]]

        def read(level: int, index: int, width: int) -> bytes:
            assert level == 0, "fewer than 256 entries"
            return b"".join(leaves[index * 256 : index * 256 + width])

        return merkle.Prover(size, read)


def log_of(size: int, word: str = "entry") -> TinyLog:
    return TinyLog(tuple(f"{word} {number}" for number in range(size)))


@dataclass
class MemoryWitness:
    """A witness's state and what it has answered; each question is considered and remembered at once."""

    logs: dict[str, WatchedLog] = field(default_factory=lambda: {ORIGIN: WatchedLog(LOG_VKEY)})
    identity: Witness = WITNESS
    now: int = NOON
    answers: list[Answer] = field(default_factory=list)
    cosigned: list[note.Checkpoint] = field(default_factory=list)

    def take(self, data: bytes) -> Answer:
        try:
            request = witness.parse_request(data)
        except FormatError as error:
            return Answer(witness.MALFORMED, f"{error}\n")
        told = request.checkpoint
        answer = witness.consider(self.logs.get(told.origin), request, self.identity, self.now)
        if answer.state is not None:
            self.logs[told.origin] = answer.state
            self.cosigned.append(told)
        self.answers.append(answer)
        return answer


def converse(log: TinyLog, peer: MemoryWitness, remembered: int = 0) -> Outcome:
    """The asking side against a witness, to its end."""
    steps = witness.ask(log.checkpoint(), peer.identity.vkey, remembered)
    old, questions = next(steps), 0
    while True:
        questions += 1
        assert questions <= 2, "a witness is asked twice at most"
        answer = peer.take(witness.encode_request(log.request(old)))
        try:
            old = steps.send(Reply(answer.status, answer.text.encode(), log.size))
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


__all__ = ["LOG_KEY", "LOG_VKEY", "NOON", "ORIGIN", "WITNESS", "MemoryWitness", "TinyLog", "converse", "log_of"]
