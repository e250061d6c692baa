"""Minting identifiers under the desk's own key, with or without a box (formats/identifier.md).

Counters are taken from blocks that are durable in the journal before the first of them is used: a desk that is killed at any
instant never uses one twice. Proofs are made beside reading, by threads of their own: libsodium lets go of Python meanwhile.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deedbox_desktop.engine.journal import identifiers
from deedbox_desktop.engine.journal.journal import Journal
from deedbox_sync.beacon import Beacon
from deedbox_sync.identifier import Minter, MintRecord, desk_seed, issuer_note

BLOCK = 1_000  # counters of one reservation: one more commit for so many captures
_THREADS = 2


class Mint:
    """One per engine. `note` is the statement key's word for the key that mints. Thread-safe."""

    def __init__(self, journal: Journal, device: UUID, statement_key: bytes) -> None:
        self._journal = journal
        self._minter = desk_minter(device, statement_key)
        self.note = issuer_note(Ed25519PrivateKey.from_private_bytes(statement_key), device, self._minter.key)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="mint")
        self._lock = threading.Lock()
        self._next = self._end = 0
        self._on = False

    def prepare(self, count: int) -> None:
        """Have counters for so many captures, where captures are to have identifiers. DiskError if there is no room for that."""
        with self._lock:
            self._on = self._journal.read(identifiers.is_on)
            if self._on and self._end - self._next < count:
                block = max(BLOCK, count)
                self._next = self._journal.write(lambda db: identifiers.reserve(db, block))
                self._end = self._next + block

    def begin(self, content: bytes, beacon: Beacon | None) -> Future[MintRecord] | None:
        """An identifier of this content, being made; None where captures get none. Call `prepare` before."""
        with self._lock:
            if not self._on or self._next == self._end:
                return None
            counter = self._next
            self._next += 1
        return self._pool.submit(self._minter.mint, content, beacon, counter)

    def close(self) -> None:
        self._pool.shutdown()


def desk_minter(device: UUID, statement_key: bytes) -> Minter:
    """This desk as an issuer."""
    return Minter(desk_seed(statement_key), f"device/{device}")
