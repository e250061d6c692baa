"""Who signed a call (formats/message-signature.md): any call of people's listener may be, those under `/api/v2` must. There a
bearer token says nothing."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.di import NamedDependency

from deedbox_server.errors import TooLarge
from deedbox_server.people.principal import Principal
from deedbox_server.people.rate_limits import RateLimits
from deedbox_server.people.signed_calls import SignatureMalformed, SignatureMissing, SignatureRefused, SignedCalls
from deedbox_server.web.recording import known
from deedbox_sync import message_signature
from deedbox_sync.errors import FormatError

_HEADERS: Final = (
    message_signature.CONTENT_DIGEST,
    message_signature.SIGNATURE_INPUT,
    message_signature.SIGNATURE,
)
_MAX_BODY: Final = (
    16 << 20
)  # of a signed call: it is read in full before anybody knows who sent it. Larger things come in pieces

AnyRequest = Request[Any, Any, Any]


async def provide_signer(
    request: AnyRequest, signed_calls: NamedDependency[SignedCalls], rate_limits: NamedDependency[RateLimits]
) -> Principal:
    """The account whose key signed this call. SignatureRefused otherwise, and TooMany for one that calls too often."""
    try:
        if not is_signed(request):
            raise SignatureMissing(
                "calls under /api/v2 are signed with the API key (HTTP Message Signatures);"
                " as a bearer token it opens nothing here"
            )
        principal = await signer(request, signed_calls)
    except SignatureRefused:
        rate_limits.take_stranger(request.client.host if request.client else None)
        raise
    known(request, principal)
    rate_limits.take(principal)
    return principal


async def as_identified(identified: NamedDependency[Principal]) -> Principal:
    """`principal` of calls that cannot be sent twice, and so need no `Idempotency-Key` of the general kind."""
    return identified


def is_signed(request: AnyRequest) -> bool:
    return any(request.headers.getall(name.lower(), []) for name in _HEADERS[1:])


async def signer(request: AnyRequest, signed_calls: SignedCalls) -> Principal:
    """The account whose key signed this very request: method, path, query and body. SignatureRefused otherwise."""
    values = [request.headers.getall(name.lower(), []) for name in _HEADERS]
    length = request.headers.get("content-length", "0")
    if "transfer-encoding" in request.headers or not length.isdecimal() or int(length) > _MAX_BODY:
        raise TooLarge(f"a signed call says its length, of at most {_MAX_BODY} bytes")
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
