"""The witness protocol (c2sp.org/tlog-witness), both sides, without I/O (formats/witness.md).

A witness signs that the newest checkpoint it saw continues all that it saw before. `consider` is its whole judgement; whoever
runs it makes the new state durable before the answer leaves, and lets no second question of the same log in between.
`ask` is the other side: it is given answers and says in the end how the witness stands.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_sync import merkle, note
from deedbox_sync.binary_text import encode_base64, parse_base64
from deedbox_sync.canonical_json import MAX_INTEGER
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.note import Checkpoint

MAX_REQUEST = 131_072  # a note at its largest, and 63 hashes
MAX_PROOF = merkle.MAX_PATH
MAX_ANSWER = 98_304  # signature lines: no more than a note may have
SIZE_TYPE = "text/x.tlog.size"
FORK, UNPROVEN = "fork", "unproven"
MAX_KEPT = 32  # notes of a kind against one log: one is enough, and strangers could go on bringing unproven ones
REFRESH = (
    60.0  # seconds; what was cosigned already is signed again at once, and written down again no more often than this
)
BURST, RATE = (
    30.0,
    1.0,
)  # questions from one address, at once and a second: an office's logs ask once or twice a minute each
RETRY_SECONDS = 30
SUCCESS, MALFORMED, UNTRUSTED, UNKNOWN, CONFLICT, INCONSISTENT = 200, 400, 403, 404, 409, 422

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Request:
    """A checkpoint to be cosigned, and the proof that it continues the tree of `old` entries. Nothing of it is believed yet."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    @property
    def checkpoint(self) -> Checkpoint:
        return note.parse_checkpoint(note.parse_note(self.note).body)


@dataclass(frozen=True)
class Witness:
    """Who cosigns: the name and key of a witness."""

    name: str
    key: Ed25519PrivateKey

    @property
    def vkey(self) -> str:
        return note.encode_vkey(self.name, note.COSIGNATURE_V1, self.key.public_key().public_bytes_raw())


@dataclass(frozen=True)
class WatchedLog:
    """All that a witness has to remember of a log: its key, and the newest tree that it cosigned."""

    vkey: str
    size: int = 0
    root: bytes = merkle.EMPTY_ROOT


@dataclass(frozen=True)
class Answer:
    """What is said to who asked, and what follows: `state` is to be durable first.

    `against` the log: FORK, its own key signed another root for a size that this witness cosigned, which is proof, whoever
    brought it; UNPROVEN, signed by the log and not shown to continue, which is none: a stranger may have spoiled the proof.
    """

    status: int
    text: str
    media_type: str = "text/plain; charset=utf-8"
    state: WatchedLog | None = None
    against: str | None = None


def encode_request(request: Request) -> bytes:
    """The body of `POST …/add-checkpoint`."""
    lines = "".join(f"{encode_base64(hashed)}\n" for hashed in request.proof)
    data = f"old {request.old}\n{lines}\n{request.note}".encode()
    if parse_request(data) != request:
        raise FormatError("request", "does not read back as what was written")
    return data


def parse_request(data: bytes) -> Request:
    """Strict: the one form that `encode_request` gives, with a checkpoint of three lines in a signed note."""
    if len(data) > MAX_REQUEST:
        raise FormatError("request", f"is longer than {MAX_REQUEST} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError("request", "is not UTF-8") from error
    head, gap, signed = text.partition("\n\n")
    first, *hashes = head.split("\n")
    if not gap or not first.startswith("old "):
        raise FormatError("request", "is not an old size, a proof, an empty line and a checkpoint")
    old = _parse_size(first.removeprefix("old "))
    if len(hashes) > MAX_PROOF:
        raise FormatError("proof", f"has more than {MAX_PROOF} hashes")
    proof = tuple(parse_base64(line, where="proof") for line in hashes)
    if any(len(hashed) != merkle.HASH_LENGTH for hashed in proof):
        raise FormatError("proof", f"has a hash that is not {merkle.HASH_LENGTH} bytes")
    note.parse_checkpoint(note.parse_note(signed).body)
    return Request(old, proof, signed)


def consider(log: WatchedLog | None, request: Request, witness: Witness, now: int) -> Answer:
    """The witness's judgement over one log at a POSIX time; `log` is None where it does not watch the request's origin."""
    new = request.checkpoint
    if request.old > new.size:
        return Answer(MALFORMED, "The old size is larger than the checkpoint's.\n")
    if log is None:
        return Answer(UNKNOWN, "This log is not watched here.\n")
    try:
        note.verify_note(note.parse_note(request.note), [log.vkey])
    except ProofError:
        return Answer(UNTRUSTED, "The checkpoint is not signed by the key that this log is known by here.\n")
    fork = new.size == log.size and new.root != log.root
    if request.old != log.size or fork:
        return Answer(CONFLICT, f"{log.size}\n", SIZE_TYPE, against=FORK if fork else None)
    try:
        merkle.verify_consistency(log.size, new.size, request.proof, log.root, new.root)
    except ProofError:
        what = "The checkpoint is not shown to continue what was cosigned before.\n"
        return Answer(INCONSISTENT, what, against=UNPROVEN)
    line = note.cosign(note.parse_note(request.note).body, witness.name, witness.key, now)
    return Answer(SUCCESS, line, state=replace(log, size=new.size, root=new.root))


def own_note(request: Request, vkey: str) -> str:
    """The request's note with the log's own line alone: whoever brought it may have added any number of others."""
    made, log = note.parse_note(request.note), note.parse_vkey(vkey)
    lines = tuple(line for line in made.signatures if (line.name, line.key_id) == (log.name, log.key_id))
    return note.encode_note(note.SignedNote(made.body, lines[:1]))


# --- the asking side


@dataclass(frozen=True)
class Reply:
    """What a witness answered, and how large the asking log was when it did: it grows while witnesses are asked."""

    status: int
    body: bytes
    own_size: int


@dataclass(frozen=True)
class Cosigned:
    """It signed: the line for the note, and the POSIX time that it says (None: says none)."""

    line: str
    time: int | None


@dataclass(frozen=True)
class Refused:
    """It will not sign this log, by 403, 409 or 422. `size` is what it has seen of it, as far as it said."""

    status: int
    size: int


@dataclass(frozen=True)
class Unclear:
    """Neither: it does not watch the log (404), it is busy, or what it says makes no sense. Ask again later."""

    status: int
    what: str


Outcome: TypeAlias = Cosigned | Refused | Unclear


def ask(signed: str, vkey: str, remembered: int) -> Generator[int, Reply, Outcome]:
    """Ask the witness of `vkey` to cosign the note, which the log signed. Yields the size to prove from, gets the reply.

    `remembered` is the size that it cosigned last, as far as known; where it tells another one, that is tried once.
    """
    size = note.parse_checkpoint(note.parse_note(signed).body).size
    old = min(remembered, size)
    reply = yield old
    if reply.status == CONFLICT and (told := _told_size(reply)) is not None and old != told <= size:
        old = told
        reply = yield old
    if reply.status == SUCCESS:
        return _cosigned(signed, vkey, reply)
    if reply.status == CONFLICT:
        told = _told_size(reply)
        if told is not None and told != old and told <= reply.own_size:
            return Unclear(CONFLICT, "it was shown another checkpoint meanwhile")
        return Refused(CONFLICT, old if told is None else told)
    if reply.status in (INCONSISTENT, UNTRUSTED):
        return Refused(reply.status, old)
    if reply.status == UNKNOWN:
        return Unclear(UNKNOWN, "it does not watch this log")
    return Unclear(reply.status, f"it answered with status {reply.status}")


def _cosigned(signed: str, vkey: str, reply: Reply) -> Outcome:
    """The witness's own line out of its answer; lines by other keys are ignored, as the specification asks."""
    verifier = note.parse_vkey(vkey)
    body = note.parse_note(signed).body
    try:
        if len(reply.body) > MAX_ANSWER:
            raise FormatError("answer", f"is longer than {MAX_ANSWER} bytes")
        made = note.parse_note(f"{body}\n{reply.body.decode('utf-8')}")
        lines = [line for line in made.signatures if (line.name, line.key_id) == (verifier.name, verifier.key_id)]
        if not lines:
            return Unclear(SUCCESS, "it answered without a signature by its key")
        own = note.SignedNote(body, tuple(lines[:1]))
        time = note.verify_note(own, [vkey])[verifier.name]
    except (UnicodeDecodeError, FormatError):
        return Unclear(SUCCESS, "its answer cannot be read")
    except ProofError:
        return Unclear(SUCCESS, "its signature does not hold")
    return Cosigned(note.encode_note(own).removeprefix(f"{body}\n"), time)


def _told_size(reply: Reply) -> int | None:
    """The size in a conflict's body, where there is one that a log entry can tell of."""
    try:
        told = _parse_size(reply.body.decode("ascii").removesuffix("\n"))
    except (UnicodeDecodeError, FormatError):
        return None
    return told if told <= MAX_INTEGER else None


def _parse_size(text: str) -> int:
    if not _SIZE.fullmatch(text) or int(text) > merkle.MAX_SIZE:
        raise FormatError("size", "is not a decimal number below 2^63")
    return int(text)
