"""Who signs for the box: its `papers` key, a certificate of its own authority, and a time stamp from whoever answers."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from deedbox_server.evidence.paper_words import grouped, moment
from deedbox_server.notary.outside import Outside, OutsideError
from deedbox_server.notary.stamping import StampRefused
from deedbox_server.papers.signing import Credential, StampSource, probe, sign_paper
from deedbox_server.papers.typeset import SetPaper
from deedbox_server.people.authority import Authority
from deedbox_sync.bundle.layout import MAX_TOKEN

_ASK_SECONDS = 10.0
_REST_SECONDS = 300.0  # an authority that did not answer is not asked again for so long: papers come in rows
_TYPE = "application/timestamp-query"

log = logging.getLogger("deedbox.papers")


class Made(Protocol):
    """What the words of the seal and the probe of an authority need to know of a paper."""

    @property
    def paper(self) -> UUID: ...

    @property
    def made(self) -> datetime: ...

    @property
    def box(self) -> str: ...

    @property
    def version(self) -> str: ...


@dataclass(frozen=True)
class Signed:
    """A signed paper. `how` is `B-T by AUTHORITY` or `B-B`; `unsigned` bytes at its beginning are the paper before it."""

    pdf: bytes
    unsigned: int
    pages: int
    how: str


class Signatory:
    """`roots` are what time stamps must lead to; they are read when they are first needed."""

    def __init__(
        self,
        authority: Authority,
        secret: bytes,
        box: str,
        box_id: UUID,
        outside: Outside,
        urls: Sequence[str],
        roots: Callable[[], Sequence[x509.Certificate]],
    ) -> None:
        self._authority = authority
        self._key = ec.derive_private_key(int.from_bytes(secret), ec.SECP256R1())
        self._box = box
        self._box_id = box_id
        self._outside = outside
        self._urls = tuple(urls)
        self._load_roots = roots
        self._roots: Sequence[x509.Certificate] | None = None
        self._resting: dict[str, float] = {}

    async def sign(self, record: Made, setting: Callable[[tuple[str, ...]], Awaitable[SetPaper]]) -> Signed:
        """Set the paper with words that say how it is signed, and sign it so."""
        certificate = await self._authority.papers(self._box_id, self._box, self._key.public_key())
        credential = Credential(self._key, certificate, self._authority.certificate)
        stamps = await self._stamps(record)
        if stamps is not None:
            try:
                return await _signed(record, setting, credential, stamps)
            except (OutsideError, StampRefused) as problem:
                log.warning("a paper could not be stamped: %s", problem)
        return await _signed(record, setting, credential, None)

    async def _stamps(self, record: Made) -> StampSource | None:
        """The first authority that answers now."""
        for url in self._urls:
            if self._resting.get(url, 0.0) > time.monotonic():
                continue
            if self._roots is None:
                self._roots = self._load_roots()
            try:
                return await probe(partial(self._ask, url), self._roots, record.paper.bytes)
            except (OutsideError, StampRefused) as problem:
                log.warning("no time stamp for a paper: %s", problem)
                self._resting[url] = time.monotonic() + _REST_SECONDS
        return None

    async def _ask(self, url: str, request: bytes) -> bytes:
        return await self._outside.post(url, request, _TYPE, seconds=_ASK_SECONDS, limit=MAX_TOKEN)


async def _signed(
    record: Made,
    setting: Callable[[tuple[str, ...]], Awaitable[SetPaper]],
    credential: Credential,
    stamps: StampSource | None,
) -> Signed:
    made = await setting(seal_words(record, credential, stamps))
    pdf = await sign_paper(made.pdf, made.signatures, credential, stamps)
    return Signed(pdf, len(made.pdf), made.pages, "B-B" if stamps is None else f"B-T by {stamps.name}")


def seal_words(record: Made, credential: Credential, stamps: StampSource | None) -> tuple[str, ...]:
    """What the frame of the box's signature says: what it is, what it is not, and by whom the time is known."""
    digest = credential.certificate.fingerprint(hashes.SHA256())
    when = (
        "Time: the system’s own clock. No time-stamp authority outside the firm confirms it."
        if stamps is None
        else f"Time: confirmed by a time stamp (RFC 3161) of {stamps.name}."
    )
    return (
        f"Signed electronically by the system “{record.box}” (Deedbox {record.version}) on {moment(record.made)}.",
        when,
        f"Certificate’s SHA-256, first half: {grouped(digest[:16])}.",
        "It shows whether the paper was changed after it was made. It is not the signature of the declarant or of any person.",
    )
