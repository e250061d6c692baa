"""Checks of a statement that arrives: form, signature, device, case. Nothing here touches the database."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deedbox_server.errors import BadSignature, BadStatement, DeedboxError, StatementProblem, UnknownCase, WrongDevice
from deedbox_sync import dsse
from deedbox_sync import statement as statement_format
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.statement import CaptureStatement, GapStatement
from deedbox_sync.transfer import Problem, Result, State


@dataclass(frozen=True)
class Sender:
    """The device whose statements are checked, when it was paired, and the cases that its account may send to."""

    device: UUID
    account: UUID
    name: str
    statement_key: bytes
    paired: datetime
    cases: frozenset[UUID]


@dataclass(frozen=True)
class Checked:
    """A statement that is what it claims to be, from this sender, for a case it may send to."""

    digest: bytes
    envelope: bytes
    statement: CaptureStatement | GapStatement

    @property
    def sequence(self) -> int:
        return self.statement.journal.sequence

    @property
    def previous(self) -> bytes:
        return self.statement.journal.previous

    @property
    def capture(self) -> CaptureStatement:
        if not isinstance(self.statement, CaptureStatement):
            raise BadStatement("A gap statement has no bytes.")
        return self.statement


def check(envelope_bytes: bytes, sender: Sender) -> Checked:
    """Parse, then verify the signature over the exact payload, then device and case. Raises `StatementProblem`."""
    try:
        envelope = dsse.parse(envelope_bytes)
        statement = statement_format.parse_payload(envelope.payload)
    except FormatError as error:
        raise BadStatement(str(error)) from None
    if statement.device.id != sender.device:
        raise WrongDevice("The statement names another device than the one that sends it.")
    if statement.device.key != hashlib.sha256(sender.statement_key).digest():
        raise WrongDevice("The statement names another key than this device was paired with.")
    try:
        dsse.verify(envelope, Ed25519PublicKey.from_public_bytes(sender.statement_key))
    except ProofError as error:
        raise BadSignature(str(error)) from None
    if isinstance(statement, CaptureStatement) and statement.case not in sender.cases:
        raise UnknownCase("The statement's case is not one that this device may send to.")
    return Checked(statement_format.digest(envelope.payload), envelope_bytes, statement)


def digest_of(envelope_bytes: bytes) -> bytes:
    """The digest under which an answer about this envelope is given, zeros where it has none."""
    try:
        return statement_format.digest(dsse.parse(envelope_bytes).payload)
    except FormatError:
        return statement_format.NO_DIGEST


def refusal(digest: bytes, error: DeedboxError) -> Result:
    """The answer for one statement that cannot be taken."""
    expected = error.extra.get("expected")
    problem = Problem(error.slug, error.detail or error.title, expected if isinstance(expected, int) else None)
    return Result(digest, State.REFUSED, problem=problem)


def check_all(envelopes: Iterable[bytes], sender: Sender) -> list[Checked | Result]:
    """Check each; what cannot be taken becomes its refusal, in the same place."""
    checked: list[Checked | Result] = []
    for envelope in envelopes:
        try:
            checked.append(check(envelope, sender))
        except StatementProblem as error:
            checked.append(refusal(digest_of(envelope), error))
    return checked
