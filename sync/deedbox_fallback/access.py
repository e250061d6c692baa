"""Who calls: the profile of `formats/message-signature.md`, with keys of this service's own."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from deedbox_fallback.errors import Unsigned
from deedbox_fallback.store import Caller, Store
from deedbox_fallback.worker import Worker
from deedbox_sync import message_signature, timestamp
from deedbox_sync.errors import FormatError, ProofError
from deedbox_sync.message_signature import NONCE_LIFE, WINDOW, Signed

SECRET_BYTES = 32

# Holding a message against this costs the same as against a key; nobody has it.
_NOBODY = bytes(message_signature.KEY_LENGTH)


@dataclass(frozen=True)
class Call:
    """One request as it came: each header with all its values, `path` and `query` as in the request line."""

    method: str
    path: str
    query: str
    content_digest: Sequence[str]
    signature_input: Sequence[str]
    signature: Sequence[str]
    body: bytes


def make_caller(name: str, random: bytes, id_: UUID, now: int) -> tuple[Caller, str]:
    """A new API key and its text, of which the service keeps nothing but what verifies calls."""
    if len(random) != SECRET_BYTES:
        raise ValueError(f"a key takes {SECRET_BYTES} random bytes")
    text = "dbf_" + urlsafe_b64encode(random).decode("ascii").rstrip("=")
    return Caller(id_, name, now, message_signature.message_key(text)), text


async def identify(call: Call, worker: Worker, clock: Callable[[], float]) -> UUID:
    """The key that signed this very call, now and for the first time; its nonce is used up, durably. Unsigned otherwise."""
    signed = _parse(call)
    now = int(clock())
    if abs(now - signed.created) > WINDOW.total_seconds():
        told = timestamp.encode(datetime.fromtimestamp(now, UTC))
        raise Unsigned("signature-expired", "the call is dated more than 60 s from this service's clock", time=told)
    caller = await worker.do(Store.caller, signed.key_id)
    try:
        message_signature.verify(
            signed,
            method=call.method,
            path=call.path,
            query=call.query,
            body_digest=message_signature.body_digest(call.body),
            key=_NOBODY if caller is None else caller.message_key,
        )
    except ProofError as error:
        raise Unsigned("signature-false") from error
    if caller is None:
        raise Unsigned("signature-false")
    until = now + int(NONCE_LIFE.total_seconds())
    if not await worker.do(Store.use_nonce, caller.id, signed.nonce, now=now, until=until):
        raise Unsigned("nonce-replayed")
    return caller.id


def _parse(call: Call) -> Signed:
    headers = (call.content_digest, call.signature_input, call.signature)
    if not all(headers):
        raise Unsigned("signature-missing", "sign the call with an API key of this service")
    try:
        return message_signature.parse(*headers)
    except FormatError as error:
        raise Unsigned("signature-malformed", str(error)) from error
