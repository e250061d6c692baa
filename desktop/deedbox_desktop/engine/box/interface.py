"""What the desk asks of a box (formats/transfer.md), without sockets. Every request may be made again with the same outcome."""

from collections.abc import Iterator, Sequence
from typing import Protocol
from uuid import UUID

from deedbox_desktop.engine.model import Reconciled
from deedbox_sync.hello import Hello, LogAnswer
from deedbox_sync.identifier import MintRecord
from deedbox_sync.transfer import BatchItem, Closing, PossessionProof, Result


class Box(Protocol):
    """Each method raises BoxUnreachable, BoxRefused or BoxUnintelligible, and may be called from any thread.

    There are as many results as statements were sent, meant to be in their order; that each is about the right one is
    checked by the caller, who knows the digests.
    """

    def hello(self) -> Hello: ...

    def log(self, checkpoint: str | None) -> LogAnswer: ...

    def offers(self, envelopes: Sequence[bytes]) -> list[Result]: ...

    def statements(self, closings: Sequence[Closing]) -> list[Result]: ...

    def batch(self, items: Sequence[BatchItem]) -> list[Result]: ...

    def possession(self, proofs: Sequence[PossessionProof]) -> list[Result]: ...

    def receipts(self, digests: Sequence[bytes], wait: int) -> list[Result]: ...

    def reconcile(self, records: Sequence[MintRecord], issuer_note: bytes) -> list[Reconciled]:
        """What the box makes of identifiers of this desk, in their order; that each is about the right one is for the caller."""
        ...

    def create_upload(self, upload: str, case: UUID, size: int) -> int:
        """Create or find; how many bytes are durable there."""
        ...

    def put(self, upload: str, offset: int, length: int, pieces: Iterator[memoryview]) -> int:
        """Send `length` bytes from `offset`; how many are durable afterwards. A piece is done with when the next is asked for.

        What `pieces` raises comes out unchanged, and the request is broken off.
        """
        ...

    def forget_upload(self, upload: str) -> None: ...
