"""Is this file one of ours, over HTTP: by digest, or by sending the file, which is hashed and not kept (EV-4)."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from deedbox_server.errors import BadRequest, TooLarge
from deedbox_server.evidence.find import SHA256, Answer, Comparison, Finding, Sighting, digest_of
from deedbox_server.people import Principal
from deedbox_server.web.device import pieces_of
from deedbox_server.web.multipart import boundary_of, fields_before_file, file_bytes, form_events
from deedbox_server.web.operations import operation
from deedbox_sync import entry as log_entry
from deedbox_sync import timestamp
from deedbox_sync.binary_text import encode_base64

AnyRequest = Request[Any, Any, Any]

_MAX_ORDER: Final = 4_096  # bytes of a question that is a digest


class FindOrder(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A digest in hex. `algorithm` is sha256, or sha512, sha1, md5 where the exhibits' statements have such a digest."""

    digest: str
    algorithm: str = SHA256


class Notarised(msgspec.Struct, frozen=True):
    """The log's entry of the exhibit's receipt, as its bytes in base64, and the outside times around it."""

    index: int
    time: str
    entry: str
    not_before: str | None
    not_before_by: str | None
    not_after: str | None
    not_after_by: str | None


class FoundExhibit(msgspec.Struct, frozen=True):
    """An exhibit with these bytes. `notarised` is null for a moment after it was received."""

    id: str
    case: str
    number: int
    name: str
    size: int
    received: str
    notarised: Notarised | None


class FindAnswer(msgspec.Struct, frozen=True):
    """`found` false: nothing that the caller may see has these bytes, whatever else there is. The earliest notarised comes
    first."""

    found: bool
    algorithm: str
    digest: str
    size: int | None
    items: list[FoundExhibit]
    more: bool


class HashVerifyAnswer(msgspec.Struct, frozen=True):
    """`known` false: the exhibit's statement has no digest of this kind, so that nothing can be said."""

    exhibit: str
    algorithm: str
    digest: str
    known: bool
    matches: bool
    content: str


@post("/api/v1/evidence/find", status_code=200, request_max_body_size=None, opt=operation("evidence.find"))
async def find_evidence(
    request: AnyRequest, finding: NamedDependency[Finding], principal: NamedDependency[Principal]
) -> FindAnswer:
    """Is this file one of ours: JSON with its digest, or a form with the file, which is hashed as it comes and not kept."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json":
        order = await _order(request)
        return _answer(await finding.by_digest(principal, digest_of(order.digest, order.algorithm)))
    async with aclosing(form_events(pieces_of(request), boundary_of(request))) as events:
        try:
            await fields_before_file(events)
            return _answer(await finding.by_bytes(principal, file_bytes(events)))
        except ConnectionResetError:
            raise BadRequest("The connection ended before the body did.") from None


@post("/api/v1/evidence/{exhibit:uuid}/hash-verify", status_code=200, opt=operation("evidence.verify"))
async def hash_verify(
    exhibit: FromPath[UUID],
    data: JSONBody[FindOrder],
    finding: NamedDependency[Finding],
    principal: NamedDependency[Principal],
) -> HashVerifyAnswer:
    """Whether a digest is that of this exhibit."""
    return compared(await finding.compare(principal, exhibit, digest_of(data.digest, data.algorithm)))


def compared(comparison: Comparison) -> HashVerifyAnswer:
    return HashVerifyAnswer(
        exhibit=str(comparison.exhibit.id),
        algorithm=comparison.digest.algorithm,
        digest=comparison.digest.value.hex(),
        known=comparison.known,
        matches=comparison.matches,
        content=comparison.exhibit.content.hex(),
    )


async def _order(request: AnyRequest) -> FindOrder:
    held = bytearray()
    async for piece in pieces_of(request):
        held += piece
        if len(held) > _MAX_ORDER:
            raise TooLarge(f"A digest is asked for in at most {_MAX_ORDER} bytes.")
    try:
        return msgspec.json.decode(bytes(held), type=FindOrder)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The body is not what this call takes: {error}.") from None


def _answer(answer: Answer) -> FindAnswer:
    return FindAnswer(
        found=bool(answer.sightings),
        algorithm=answer.digest.algorithm,
        digest=answer.digest.value.hex(),
        size=answer.size,
        items=[_found(one) for one in answer.sightings],
        more=answer.more,
    )


def _found(sighting: Sighting) -> FoundExhibit:
    exhibit = sighting.exhibit
    return FoundExhibit(
        id=str(exhibit.id),
        case=str(exhibit.case),
        number=exhibit.number,
        name=exhibit.name,
        size=exhibit.size,
        received=timestamp.encode(exhibit.received),
        notarised=_notarised(sighting),
    )


def _notarised(sighting: Sighting) -> Notarised | None:
    if sighting.entry is None or sighting.index is None:
        return None
    bracket = sighting.bracket
    return Notarised(
        index=sighting.index,
        time=timestamp.encode(log_entry.parse(sighting.entry).time),
        entry=encode_base64(sighting.entry),
        not_before=timestamp.encode(bracket.not_before) if bracket.not_before else None,
        not_before_by=bracket.not_before_by,
        not_after=timestamp.encode(bracket.not_after) if bracket.not_after else None,
        not_after_by=bracket.not_after_by,
    )
