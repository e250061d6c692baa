"""Who signed a call under `/api/v2` (formats/message-signature.md). A bearer token says nothing there."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.di import NamedDependency

from deedbox_server.people.principal import Principal
from deedbox_server.people.signed_calls import SignatureMalformed, SignatureMissing, SignedCalls
from deedbox_sync import message_signature
from deedbox_sync.errors import FormatError

_HEADERS: Final = (
    message_signature.CONTENT_DIGEST,
    message_signature.SIGNATURE_INPUT,
    message_signature.SIGNATURE,
)


async def provide_signer(request: Request[Any, Any, Any], signed_calls: NamedDependency[SignedCalls]) -> Principal:
    """The account whose key signed this very request: method, path, query and body. SignatureRefused otherwise."""
    values = [request.headers.getall(name.lower(), []) for name in _HEADERS]
    if not values[1] and not values[2]:
        raise SignatureMissing(
            "calls under /api/v2 are signed with the API key (HTTP Message Signatures); as a bearer token it opens nothing here"
        )
    try:
        signed = message_signature.parse(*values)
    except FormatError as error:
        raise SignatureMalformed(str(error)) from error
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return await signed_calls.caller(
        signed,
        method=request.method,
        path=raw.decode("latin-1"),
        query=request.scope["query_string"].decode("latin-1"),
        body_digest=message_signature.body_digest(await request.body()),
        address=request.client.host if request.client else None,
    )
