"""What a desk can do with its statements and bytes (formats/transfer.md). Every call can be made again with the same outcome."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from uuid import UUID

from deedbox_server.database import Database
from deedbox_server.errors import HashMismatch, SizeMismatch, StatementProblem
from deedbox_server.evidence.commit import Arrival, Committer
from deedbox_server.evidence.journal import COMMITTED, OFFERED, Journals, Known, NewStatement, Plan
from deedbox_server.evidence.possession import Possession
from deedbox_server.evidence.statements import Checked, Sender, check, check_all, digest_of, refusal
from deedbox_server.evidence.uploads import HEAD_BYTES, Arrived, Source, Uploads
from deedbox_server.notary.drafts import EntryDraft, Salts, new_salts
from deedbox_server.notary.service import Notary
from deedbox_server.vault import StoredBlob, Vault
from deedbox_server.vault.key_store import KeyBatch, KeyStore
from deedbox_sync import uuid7
from deedbox_sync.beacon import QUICKNET, Chain
from deedbox_sync.clock import ClockFinding, clock_finding
from deedbox_sync.custody import Actor
from deedbox_sync.statement import GapStatement
from deedbox_sync.transfer import BatchItem, Closing, PossessionProof, Result, State

_BREATH = 1.0  # seconds between two requests of one stream of evidence; a desk's next batch is there sooner
RECEIPT_WAIT = 10.0  # seconds that an answer waits for the log; the desk asks again for what is not in it by then


class Intake:
    def __init__(
        self,
        db: Database,
        vault: Vault,
        keys: KeyStore,
        notary: Notary,
        journals: Journals,
        uploads: Uploads,
        committer: Committer,
        possession: Possession,
        chains: Sequence[Chain] = (QUICKNET,),
    ) -> None:
        """`chains` are those whose beacons say something of a desk's clock."""
        self._db = db
        self._vault = vault
        self._keys = keys
        self._notary = notary
        self._journals = journals
        self._uploads = uploads
        self._committer = committer
        self._possession = possession
        self._chains = chains
        self._locks: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._at_work = 0
        self._worked = float("-inf")

    def is_busy(self) -> bool:
        """Whether evidence is coming in, or was a moment ago: what can wait should."""
        return self._at_work > 0 or time.monotonic() < self._worked + _BREATH

    @contextmanager
    def _working(self) -> Iterator[None]:
        self._at_work += 1
        try:
            yield
        finally:
            self._at_work -= 1
            self._worked = time.monotonic()

    # --- statements before bytes

    async def offers(self, sender: Sender, envelopes: Sequence[bytes]) -> list[Result]:
        """Take statements whose bytes come later. A new one is durable and has its journal number before this answers."""
        checked = check_all(envelopes, sender)
        async with self._locks[sender.device]:
            plan = await self._journals.plan(sender.device, checked)
            if plan.new:
                await self._take_offers(sender, plan)
            await self._note_conflicts(sender, plan)
        return await self._answers(sender, plan)

    async def _take_offers(self, sender: Sender, plan: Plan) -> None:
        gaps = {item.digest: new_salts(uuid7.new(), ("person", "statement")) for item in plan.new if _is_gap(item)}
        await self._keys.commit(KeyBatch(salts=list(gaps.values())))
        async with self._db.transaction():
            await self._journals.advance(sender.device, plan)
            rows = []
            for item in plan.new:
                if item.digest in gaps:
                    record = gaps[item.digest].record
                    await self._stage(sender, "device.gap", item, gaps[item.digest])
                    rows.append(NewStatement(item, COMMITTED, record=record))
                else:
                    upload = os.urandom(16).hex()
                    capture = item.capture
                    assert capture.case is not None
                    await self._uploads.rows_insert(upload, capture.case, _owner(sender), capture.file.size)
                    rows.append(NewStatement(item, OFFERED, upload))
            await self._journals.add(sender.device, rows)
        for row in rows:
            if row.state == OFFERED and row.checked.capture.file.size == 0 and row.upload is not None:
                await self._complete(sender, row.checked, await self._uploads.finish(row.upload, _owner(sender)), True)

    # --- bytes

    async def create_upload(self, sender: Sender, upload: str, case: UUID, size: int | None) -> int:
        return await self._uploads.create(upload, case, _owner(sender), size)

    async def put(self, sender: Sender, upload: str, offset: int, source: Source) -> int:
        """Append bytes. Where a statement was offered for this upload and they are all there, the exhibit is committed."""
        with self._working():
            durable = await self._uploads.put(upload, _owner(sender), offset, source)
        row = await self._db.fetch_one(
            "SELECT envelope, size FROM statement WHERE upload = {} AND state = {} AND device = {}",
            upload,
            OFFERED,
            sender.device,
        )
        if row is not None and row["size"] == durable:
            checked = check(row["envelope"], sender)
            async with self._locks[sender.device]:
                await self._complete(sender, checked, await self._uploads.finish(upload, _owner(sender)), True)
        return durable

    async def forget_upload(self, sender: Sender, upload: str) -> None:
        await self._uploads.forget(upload, _owner(sender))

    async def close(self, sender: Sender, closings: Sequence[Closing]) -> list[Result]:
        """Streaming lane: each statement closes the upload that holds its bytes."""
        results = []
        for one in closings:
            results.append(await self._close(sender, one))
        return results

    async def _close(self, sender: Sender, closing: Closing) -> Result:
        try:
            checked = check(closing.envelope, sender)
        except StatementProblem as error:
            return refusal(digest_of(closing.envelope), error)
        async with self._locks[sender.device]:
            plan = await self._journals.plan(sender.device, [checked])
            await self._note_conflicts(sender, plan)
            if plan.new:
                try:
                    arrived = await self._uploads.finish(closing.upload, _owner(sender))
                    await self._complete(sender, checked, arrived, False, plan)
                except StatementProblem as error:
                    return refusal(checked.digest, error)
        return (await self._answers(sender, plan, RECEIPT_WAIT))[0]

    async def _complete(
        self, sender: Sender, checked: Checked, arrived: Arrived, offered: bool, plan: Plan | None = None
    ) -> None:
        """Check the bytes against the statement and commit. Bytes that are not the statement's are dropped."""
        capture, stored = checked.capture, arrived.stored
        try:
            _compare(capture.content, capture.file.size, stored.sha256, stored.size)
        except StatementProblem:
            await self._begin_anew(sender, checked, arrived.upload, offered)
            raise
        lane = "spool" if offered else "stream"
        arrival = Arrival(
            checked, stored.blob, stored, arrived.head, lane, self._clock(sender, checked), arrived.upload, offered
        )
        await self._committer.commit(sender.device, actor_of(sender), [arrival], plan, KeyBatch())

    async def _begin_anew(self, sender: Sender, checked: Checked, upload: str, offered: bool) -> None:
        await self._uploads.forget(upload, _owner(sender))
        if not offered:
            return
        fresh, capture = os.urandom(16).hex(), checked.capture
        assert capture.case is not None
        async with self._db.transaction():
            await self._uploads.rows_insert(fresh, capture.case, _owner(sender), capture.file.size)
            await self._db.execute("UPDATE statement SET upload = {} WHERE digest = {}", fresh, checked.digest)

    # --- many small files

    async def batch(self, sender: Sender, items: Sequence[BatchItem], *, wait: float = RECEIPT_WAIT) -> list[Result]:
        """One commit for all items up to the first that cannot be taken; those after it wait for it (`journal-gap`)."""
        with self._working():
            return await self._batch(sender, items, wait)

    async def _batch(self, sender: Sender, items: Sequence[BatchItem], wait: float) -> list[Result]:
        arriving: list[Checked | Result] = []
        contents: dict[bytes, bytes | memoryview] = {}
        for item in items:
            try:
                checked = check(item.envelope, sender)
                if not _is_gap(checked):
                    digest = hashlib.sha256(item.content).digest()
                    _compare(checked.capture.content, checked.capture.file.size, digest, len(item.content))
            except StatementProblem as error:
                arriving.append(refusal(digest_of(item.envelope), error))
                continue
            arriving.append(checked)
            contents[checked.digest] = item.content
        async with self._locks[sender.device]:
            plan = await self._journals.plan(sender.device, arriving)
            await self._note_conflicts(sender, plan)
            taken = await self._commit_batch(sender, plan, contents) if plan.new else {}
        return await self._answers(sender, plan, wait, taken)

    async def _commit_batch(
        self, sender: Sender, plan: Plan, contents: Mapping[bytes, bytes | memoryview]
    ) -> dict[bytes, Known]:
        """The plan's new statements as they are known once they are committed."""
        by_case: defaultdict[UUID, list[Checked]] = defaultdict(list)
        for item in plan.new:
            case = item.capture.case
            assert case is not None
            by_case[case].append(item)
        stored: dict[bytes, StoredBlob] = {}
        keys = KeyBatch()
        for case, members in by_case.items():
            pack = await self._vault.write_pack(case, [contents[item.digest] for item in members])
            keys = KeyBatch(part_keys=[*keys.part_keys, *pack.keys.part_keys])
            stored |= {item.digest: blob for item, blob in zip(members, pack.blobs, strict=True)}
        arrivals = [
            Arrival(
                item,
                stored[item.digest].blob,
                stored[item.digest],
                bytes(contents[item.digest][:HEAD_BYTES]),
                "batch",
                self._clock(sender, item),
            )
            for item in plan.new
        ]
        made = await self._committer.commit(sender.device, actor_of(sender), arrivals, plan, keys)
        return {
            item.digest: Known(item.digest, COMMITTED, None, one.record, item.capture.content, item.capture.file.size)
            for item, one in zip(plan.new, made, strict=True)
        }

    # --- bytes that the box holds already

    async def prove(self, sender: Sender, proofs: Sequence[PossessionProof]) -> list[Result]:
        """Commit offered statements whose bytes the box holds in their case, once the desk proves that it has them too."""
        for proof in proofs:
            known = (await self._journals.find(sender.device, [proof.statement])).get(proof.statement)
            if known is not None and known.state == OFFERED and known.upload is not None:
                blob = await self._possession.settle(proof)
                if blob is not None:
                    await self._commit_held(sender, proof.statement, known.upload, blob)
        return await self.receipts(sender, [proof.statement for proof in proofs], RECEIPT_WAIT)

    async def _commit_held(self, sender: Sender, digest: bytes, upload: str, blob: UUID) -> None:
        async with self._locks[sender.device]:
            row = await self._db.fetch_one(
                "SELECT envelope FROM statement WHERE digest = {} AND state = {}", digest, OFFERED
            )
            if row is None:
                return
            with closing(await self._vault.open(blob)) as reader:
                head = b"".join([piece async for piece in reader.read(0, min(reader.size, HEAD_BYTES))])
            checked = check(row["envelope"], sender)
            arrival = Arrival(checked, blob, None, head, "held", self._clock(sender, checked), upload, True)
            await self._committer.commit(sender.device, actor_of(sender), [arrival], None, KeyBatch())

    def _clock(self, sender: Sender, checked: Checked) -> ClockFinding:
        return clock_finding(checked.capture.captured, datetime.now(UTC), sender.paired, self._chains)

    # --- answers

    async def receipts(self, sender: Sender, digests: Sequence[bytes], wait: float) -> list[Result]:
        known = await self._journals.find(sender.device, digests)
        results = [
            await self._answer_known(sender, known[digest], prove=False)
            if digest in known
            else Result(digest, State.UNKNOWN)
            for digest in digests
        ]
        return await self._with_receipts(known, results, wait)

    async def _answers(
        self, sender: Sender, plan: Plan, wait: float = 0.0, taken: Mapping[bytes, Known] = MappingProxyType({})
    ) -> list[Result]:
        """What the plan has led to; `taken` are those of its statements that are known to be committed."""
        asked = [outcome.digest for outcome in plan.outcomes if not isinstance(outcome, Result)]
        known = await self._journals.find(sender.device, [digest for digest in asked if digest not in taken])
        known |= taken
        results = [
            outcome
            if isinstance(outcome, Result)
            else await self._answer_known(sender, known[outcome.digest], prove=True)
            for outcome in plan.outcomes
        ]
        return await self._with_receipts(known, results, wait)

    async def _answer_known(self, sender: Sender, known: Known, *, prove: bool) -> Result:
        if known.state == COMMITTED:
            return Result(known.digest, State.COMMITTED)
        assert known.upload is not None
        offset = await self._uploads.offset(known.upload, _owner(sender))
        if prove and offset == 0 and (nonce := await self._possession.challenge(known.digest, known.content)):
            return Result(known.digest, State.PROVE, upload=known.upload, nonce=nonce)
        return Result(known.digest, State.SEND, upload=known.upload, offset=offset)

    async def _with_receipts(self, known: Mapping[bytes, Known], results: list[Result], wait: float) -> list[Result]:
        """Replace `committed` by `receipted` where the log has the entry, waiting at most `wait` seconds for it."""
        records: dict[bytes, UUID] = {}
        opened: dict[UUID, dict[str, bytes]] = {}
        for result in results:
            if result.state is State.COMMITTED:
                row = known[result.statement]
                assert row.record is not None
                records[row.digest] = row.record
                opened[row.record] = {"statement": row.digest} | ({"content": row.content} if row.content else {})
        receipts = await self._notary.receipts(opened, wait) if opened else {}
        return [
            Result(result.statement, State.RECEIPTED, receipt=receipts[record])
            if (record := records.get(result.statement)) is not None and record in receipts
            else result
            for result in results
        ]

    async def _note_conflicts(self, sender: Sender, plan: Plan) -> None:
        """Two statements under one number mean a copied or rolled-back desk: the log says so, once for each."""
        for item in plan.conflicts:
            salts = new_salts(uuid7.new(), ("person", "statement"))
            await self._keys.commit(KeyBatch(salts=[salts]))
            async with self._db.transaction():
                await self._stage(sender, "device.conflict", item, salts)

    async def _stage(self, sender: Sender, kind: str, item: Checked, salts: Salts) -> None:
        values = {"person": f"device:{sender.device}".encode(), "statement": item.digest}
        await self._notary.stage([EntryDraft(kind, salts, values)])


def actor_of(sender: Sender) -> Actor:
    return Actor(id=f"device:{sender.device}", name=sender.name, via="device-certificate")


def _owner(sender: Sender) -> str:
    return f"device:{sender.device}"


def _is_gap(item: Checked) -> bool:
    return isinstance(item.statement, GapStatement)


def _compare(content: bytes, size: int, arrived_content: bytes, arrived_size: int) -> None:
    if arrived_size != size:
        raise SizeMismatch(f"The statement says {size} bytes, {arrived_size} came.")
    if arrived_content != content:
        raise HashMismatch("The SHA-256 of the bytes is not the one in the statement.")
