"""A whole box in memory behind the desk's `Box` interface: journal order, uploads, exhibits, a real log with real receipts.

Faults are asked for by the tests: `reachable = False`; `lose_reply("batch")` (done, but the answer never comes);
`cut_put(n)` (the connection breaks after n bytes, of which those up to the last durable point stay); `refuse("put",
"disk-full")`.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from deedbox_desktop.engine.errors import BoxRefused, BoxUnreachable
from deedbox_desktop.engine.model import BoxFacts, Reconciled
from deedbox_sync import dsse, entry, identifier, merkle, note, possession, receipt, statement, timestamp
from deedbox_sync.beacon import Beacon
from deedbox_sync.commitment import Opening, commit
from deedbox_sync.errors import SyncError
from deedbox_sync.hello import CaseRef, Hello, LogAnswer
from deedbox_sync.identifier import MintRecord
from deedbox_sync.statement import CaptureStatement, GapStatement
from deedbox_sync.transfer import BatchItem, Closing, PossessionProof, Problem, Result, State

CASE = UUID("0195a3c4-0000-7000-8000-00000000ca5e")
OTHER_CASE = UUID("0195a3c4-0000-7000-8000-00000000ca5f")
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
DURABLE_EVERY = 64 << 10


@dataclass
class MemoryLog:
    """An append-only log in memory, with checkpoints and proofs as the real one makes them."""

    origin: str
    key: Ed25519PrivateKey
    entries: list[bytes] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    openings: list[tuple[Opening, ...]] = field(default_factory=list)

    @property
    def vkey(self) -> str:
        return note.encode_vkey(self.origin, note.ED25519, self.key.public_key().public_bytes_raw())

    def append(self, kind: str, values: dict[str, bytes]) -> int:
        opened = tuple(
            Opening(name, hashlib.sha256(f"{len(self.entries)} {name}".encode()).digest(), values[name])
            for name in sorted(values)
        )
        commitments = {one.field: commit(one.field, one.salt, one.value) for one in opened}
        prev = entry.digest(self.entries[-1]) if self.entries else entry.NO_DIGEST
        data = entry.encode(
            entry.LogEntry(len(self.entries), NOON + timedelta(seconds=len(self.entries)), kind, prev, commitments)
        )
        self.entries.append(data)
        self.leaves.append(merkle.leaf_hash(data))
        self.openings.append(opened)
        return len(self.entries) - 1

    def prover(self, size: int | None = None) -> merkle.Prover:
        leaves = self.leaves[:size]

        def read_tile(level: int, index: int, width: int) -> bytes:
            span = 256**level
            first = index * 256 * span
            return b"".join(
                merkle.reduce(b"".join(leaves[at : at + span])) for at in range(first, first + width * span, span)
            )

        return merkle.Prover(len(leaves), read_tile)

    def checkpoint(self) -> str:
        prover = self.prover()
        body = note.encode_checkpoint(note.Checkpoint(self.origin, prover.size, prover.root()))
        return note.assemble_note(body, [note.sign(body, self.origin, self.key)])

    def receipt(self, index: int) -> str:
        opened = tuple(one for one in self.openings[index] if one.field in ("content", "statement"))
        made = receipt.Receipt(
            self.entries[index], opened, index, tuple(self.prover().inclusion(index)), self.checkpoint()
        )
        return receipt.encode(made).decode()


@dataclass
class Known:
    """A statement that the box has taken. `content` is None until its bytes are there."""

    said: CaptureStatement | GapStatement
    sequence: int
    upload: str | None = None
    index: int | None = None
    nonce: bytes | None = None


class BoxSimulator:
    """One box and one device. Thread-safe by one lock. `exhibits` maps statement digests to the bytes that were taken."""

    def __init__(self, statement_key: Ed25519PublicKey, *, inline_bytes: int = 4096, batch_items: int = 100) -> None:
        self.device, self.account, self.box = uuid4(), uuid4(), uuid4()
        self.statement_key = statement_key
        self.log_ = MemoryLog(note.encode_origin(self.box, 1), Ed25519PrivateKey.generate())
        self.log_.append("log.opened", {})
        self.inline_bytes, self.batch_items = inline_bytes, batch_items
        self.cases = {CASE: "2026-1"}
        self.ahead = timedelta(0)  # by how much the desk's clock is before this box's
        self.beacon: Beacon | None = None
        self.alarms: list[str] = []
        self.identifiers: dict[int, MintRecord] = {}
        self.refuse_identifiers: str | None = None
        self.knows_identifiers = True
        self.backup_configured = False
        self.backed_up_to: int | None = None
        self.next_sequence, self.last_digest = 1, statement.NO_DIGEST
        self.known: dict[bytes, Known] = {}
        self.exhibits: dict[bytes, bytes] = {}
        self.uploads: dict[str, bytearray] = {}
        self.calls: defaultdict[str, int] = defaultdict(int)
        self.bytes_put = 0
        self.reachable = True
        self.slow_receipts = False
        self._lost: defaultdict[str, int] = defaultdict(int)
        self._refused: defaultdict[str, list[str]] = defaultdict(list)
        self._cuts: list[int] = []
        self._lock = threading.RLock()

    def facts(self) -> BoxFacts:
        """What pairing with this box would have given; certificates are not looked at without a network."""
        return BoxFacts(
            device=self.device,
            device_name="front desk",
            account=self.account,
            account_name="Ada",
            ca="",
            certificate="",
            device_url="https://box.invalid:1",
            people_url="https://box.invalid:2",
            origin=self.log_.origin,
            vkey=self.log_.vkey,
        )

    # --- faults

    def lose_reply(self, call: str, times: int = 1) -> None:
        self._lost[call] += times

    def refuse(self, call: str, slug: str, times: int = 1) -> None:
        self._refused[call] += [slug] * times

    def cut_put(self, after: int) -> None:
        self._cuts.append(after)

    # --- Box

    def hello(self) -> Hello:
        with self._call("hello"):
            return Hello(
                box_id=str(self.box),
                box_name="Iron box",
                box_time=timestamp.encode(datetime.now(UTC) - self.ahead),
                version="1",
                origin=self.log_.origin,
                vkey=self.log_.vkey,
                checkpoint=self.log_.checkpoint(),
                backup_configured=self.backup_configured,
                backed_up_to=self.backed_up_to,
                device=str(self.device),
                next_sequence=self.next_sequence,
                last_digest=self.last_digest,
                batch_bytes=1 << 20,
                batch_items=self.batch_items,
                inline_bytes=self.inline_bytes,
                cases=tuple(CaseRef(str(case), number, "A case") for case, number in self.cases.items()),
                beacon=self.beacon,
                alarms=tuple(self.alarms),
            )

    def log(self, checkpoint: str | None) -> LogAnswer:
        with self._call("log"):
            if checkpoint is None:
                return LogAnswer(self.log_.checkpoint(), ())
            old = note.parse_checkpoint(note.parse_note(checkpoint).body).size
            if old > len(self.log_.entries):
                return LogAnswer(self.log_.checkpoint(), ())
            return LogAnswer(self.log_.checkpoint(), tuple(self.log_.prover().consistency(old)))

    def offers(self, envelopes: Sequence[bytes]) -> list[Result]:
        with self._call("offers"):
            return [self._offer(envelope) for envelope in envelopes]

    def statements(self, closings: Sequence[Closing]) -> list[Result]:
        with self._call("statements"):
            return [self._take(one.envelope, bytes(self.uploads.get(one.upload, b""))) for one in closings]

    def batch(self, items: Sequence[BatchItem]) -> list[Result]:
        with self._call("batch"):
            assert len(items) <= self.batch_items
            assert all(len(item.content) <= self.inline_bytes for item in items)
            return [self._take(item.envelope, item.content) for item in items]

    def possession(self, proofs: Sequence[PossessionProof]) -> list[Result]:
        with self._call("possession"):
            return [self._proven(proof) for proof in proofs]

    def receipts(self, digests: Sequence[bytes], wait: int) -> list[Result]:
        with self._call("receipts"):
            return [self._answer(digest, ask=True) for digest in digests]

    def reconcile(self, records: Sequence[MintRecord], issuer_note: bytes) -> list[Reconciled]:
        with self._call("reconcile"):
            if not self.knows_identifiers:
                raise BoxRefused(Problem("not-found", ""), 404)
            vouched = identifier.verify_issuer_note(issuer_note, self.statement_key)
            assert vouched.device == self.device
            return [self._reconciled(record, vouched.key) for record in records]

    def create_upload(self, upload: str, case: UUID, size: int) -> int:
        with self._call("create_upload"):
            return len(self.uploads.setdefault(upload, bytearray()))

    def put(self, upload: str, offset: int, length: int, pieces: Iterator[memoryview]) -> int:
        with self._call("put"):
            held = self.uploads.setdefault(upload, bytearray())
            if offset != len(held):
                raise BoxRefused(Problem("offset-mismatch", ""), 409, len(held))
            cut = self._cuts.pop(0) if self._cuts else None
        came = bytearray()
        for piece in pieces:
            came += piece
            if cut is not None and len(came) >= cut:
                with self._lock:
                    held += came[: cut - cut % DURABLE_EVERY]
                    self.bytes_put += cut
                raise BoxUnreachable("cut")
        assert len(came) == length
        with self._lock:
            held += came
            self.bytes_put += length
            self._complete(upload)
            return len(held)

    def forget_upload(self, upload: str) -> None:
        with self._call("forget_upload"):
            self.uploads.pop(upload, None)

    # --- inside

    def _reconciled(self, record: MintRecord, key: bytes) -> Reconciled:
        if self.refuse_identifiers is not None:
            return Reconciled(record.id, None, self.refuse_identifiers)
        assert (record.key, record.namespace) == (key, f"device/{self.device}")
        identifier.verify_record(record)
        known = self.identifiers.setdefault(record.counter, record)
        assert known == record, "a counter was used twice"
        return Reconciled(record.id, self.canonical(record.id), None)

    def canonical(self, minted: str) -> str:
        """The box's own identifier for one that a desk minted."""
        return identifier.format_text(hashlib.sha256(minted.encode()).digest()[:10])

    def _call(self, name: str) -> _Guard:
        return _Guard(self, name)

    def _check(self, envelope: bytes) -> tuple[bytes, CaptureStatement | GapStatement] | Result:
        parsed = dsse.parse(envelope)
        digest = statement.digest(parsed.payload)
        try:
            dsse.verify(parsed, self.statement_key)
            said = statement.parse_payload(parsed.payload)
        except SyncError:
            return _refused(digest, "bad-signature")
        if said.device.id != self.device:
            return _refused(digest, "wrong-device")
        if isinstance(said, CaptureStatement) and said.case not in self.cases:
            return _refused(digest, "unknown-case")
        return digest, said

    def _number(self, digest: bytes, said: CaptureStatement | GapStatement) -> Result | None:
        """Give the statement its place, or say why not."""
        sequence = said.journal.sequence
        first = said.first if isinstance(said, GapStatement) else sequence
        if first < self.next_sequence:
            return _refused(digest, "journal-conflict")
        if first > self.next_sequence:
            return Result(digest, State.REFUSED, problem=Problem("journal-gap", "", self.next_sequence))
        if said.journal.previous != self.last_digest:
            return _refused(digest, "journal-conflict")
        self.next_sequence, self.last_digest = sequence + 1, digest
        self.known[digest] = Known(said, sequence)
        return None

    def _take(self, envelope: bytes, content: bytes) -> Result:
        checked = self._check(envelope)
        if isinstance(checked, Result):
            return checked
        digest, said = checked
        if digest not in self.known:
            assert isinstance(said, CaptureStatement)
            if hashlib.sha256(content).digest() != said.content:
                return _refused(digest, "hash-mismatch")
            refused = self._number(digest, said)
            if refused is not None:
                return refused
            self._commit(digest, content)
        return self._answer(digest)

    def _offer(self, envelope: bytes) -> Result:
        checked = self._check(envelope)
        if isinstance(checked, Result):
            return checked
        digest, said = checked
        if digest not in self.known:
            refused = self._number(digest, said)
            if refused is not None:
                return refused
            known = self.known[digest]
            if isinstance(said, GapStatement):
                known.index = self.log_.append("device.gap", {"statement": digest})
            else:
                known.upload = uuid4().hex
                self.uploads[known.upload] = bytearray()
                if any(hashlib.sha256(held).digest() == said.content for held in self.exhibits.values()):
                    known.nonce = hashlib.sha256(digest).digest()
        return self._answer(digest)

    def _proven(self, proof: PossessionProof) -> Result:
        known = self.known[proof.statement]
        assert isinstance(known.said, CaptureStatement)
        held = next(one for one in self.exhibits.values() if hashlib.sha256(one).digest() == known.said.content)
        nonce, known.nonce = known.nonce, None
        if nonce is not None:
            mac = possession.mac(nonce, proof.statement)
            mac.update(held)
            if hmac.compare_digest(mac.digest(), proof.mac):
                self._commit(proof.statement, held)
        return self._answer(proof.statement)

    def _complete(self, upload: str) -> None:
        for digest, known in self.known.items():
            if known.upload != upload or known.index is not None or not isinstance(known.said, CaptureStatement):
                continue
            held = bytes(self.uploads[upload])
            if len(held) < known.said.file.size:
                return
            if hashlib.sha256(held).digest() != known.said.content:
                del self.uploads[upload]
                known.upload = uuid4().hex
                self.uploads[known.upload] = bytearray()
                raise BoxRefused(Problem("hash-mismatch", ""), 422)
            self._commit(digest, held)

    def _commit(self, digest: bytes, content: bytes) -> None:
        known = self.known[digest]
        if known.index is None:
            assert digest not in self.exhibits
            self.exhibits[digest] = content
            values = {"statement": digest, "content": hashlib.sha256(content).digest(), "case": CASE.bytes}
            known.index = self.log_.append("exhibit.received", values)

    def _answer(self, digest: bytes, *, ask: bool = False) -> Result:
        known = self.known.get(digest)
        if known is None:
            return Result(digest, State.UNKNOWN)
        if known.index is not None:
            if self.slow_receipts and not ask:
                return Result(digest, State.COMMITTED)
            return Result(digest, State.RECEIPTED, receipt=self.log_.receipt(known.index))
        assert known.upload is not None
        if known.nonce is not None:
            return Result(digest, State.PROVE, upload=known.upload, nonce=known.nonce)
        return Result(digest, State.SEND, upload=known.upload, offset=len(self.uploads[known.upload]))


class _Guard:
    """Counts a call, holds the lock, and lets the faults happen before or after it."""

    def __init__(self, box: BoxSimulator, name: str) -> None:
        self._box, self._name = box, name

    def __enter__(self) -> None:
        box = self._box
        box._lock.acquire()
        try:
            if not box.reachable:
                raise BoxUnreachable("The box does not answer.")
            box.calls[self._name] += 1
            if box._refused[self._name]:
                raise BoxRefused(Problem(box._refused[self._name].pop(0), ""), 503)
        except BaseException:
            box._lock.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        box = self._box
        box._lock.release()
        if kind is None and box._lost[self._name]:
            box._lost[self._name] -= 1
            raise BoxUnreachable("The answer was lost.")


def _refused(digest: bytes, slug: str) -> Result:
    return Result(digest, State.REFUSED, problem=Problem(slug, f"refused: {slug}"))
