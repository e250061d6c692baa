"""Evidence in one request, as multipart/form-data (formats/upload.md), and receipts by exhibit.

The form is read by a push parser: the file's bytes go from the socket to the vault, and none of them to a temporary file.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Final, TypeAlias
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from deedbox_server.errors import BadRequest, DeedboxError, TooLarge
from deedbox_server.evidence.deskless import Deskless
from deedbox_server.evidence.exhibits import Exhibits
from deedbox_server.evidence.receipts import Receipts
from deedbox_server.people import Principal
from deedbox_server.web import tus_headers
from deedbox_server.web.device import pieces_of
from deedbox_server.web.operations import operation

AnyRequest = Request[Any, Any, Any]
Event: TypeAlias = MultipartSegment | bytes | None

MAX_FIELDS: Final = 8_192  # bytes of all fields together: a name and labels, as much as tus metadata may have
MAX_PARTS: Final = 64  # a label may have a part of its own
_PATH: Final = "/api/v1/evidence"
FIELDS: Final = frozenset({"case", "filename", "filetype", "labels"})
_KEY: Final = re.compile(r"[!-~]{1,255}")


class FormType(DeedboxError):
    slug, status, title = "form-type", 415, "Evidence in one request comes as multipart/form-data"


# Two controllers cannot share a path (each brings its own OPTIONS), so these stand beside the one for exhibits by themselves.
@post(
    _PATH, status_code=201, request_max_body_size=None, opt=operation("evidence.send")
)  # streamed; the service says how long one file may be
async def send_evidence(
    request: AnyRequest,
    deskless: NamedDependency[Deskless],
    exhibits: NamedDependency[Exhibits],
    principal: NamedDependency[Principal],
) -> Response[dict[str, object]]:
    """One file and what is said of it become one exhibit, or nothing."""
    async with aclosing(form_events(pieces_of(request), boundary_of(request))) as events:
        try:
            fields, segment = await fields_before_file(events)
            _add_part_facts(fields, segment)
            taken = await deskless.take(
                principal,
                fields,
                file_bytes(events),
                announced=tus_headers.announced(request.headers),
                key=_key(request),
            )
        except ConnectionResetError:
            raise BadRequest("The connection ended before the body did.") from None
    found = await exhibits.get(principal, taken.exhibit)
    named = tus_headers.exhibit_headers(str(found.id))
    body: dict[str, object] = {
        "case": str(found.case),
        "content": found.content.hex(),
        "id": str(found.id),
        "name": found.name,
        "receipt": named["deedbox-receipt"],
        "size": found.size,
    }
    headers = named | {"location": f"{_PATH}/{found.id}"}
    return Response(body, status_code=200 if taken.again else 201, headers=headers)


@get(f"{_PATH}/{{exhibit:uuid}}/receipt", opt=operation("evidence.read"))
async def evidence_receipt(
    exhibit: FromPath[UUID], receipts: NamedDependency[Receipts], principal: NamedDependency[Principal]
) -> Response[bytes]:
    """The box's receipt for an exhibit, which can be checked without it."""
    return Response((await receipts.of(principal, exhibit)).encode(), media_type="application/json")


async def form_events(pieces: AsyncIterator[bytes], boundary: str) -> AsyncGenerator[Event, None]:
    """What a form consists of, as it comes: a part's head, its bytes, None at its end. BadRequest where it is no form."""
    # Latin-1 keeps a head's bytes as they are: which encoding a file's name has is not ours to guess.
    parser = PushMultipartParser(boundary, max_segment_count=MAX_PARTS, header_charset="latin-1")
    try:
        async for piece in pieces:
            for event in parser.parse(piece):
                yield event
        parser.close()
    except ParserLimitReached as error:
        raise TooLarge(f"The form cannot be taken: {error}.") from None
    except MultipartError as error:
        raise BadRequest(f"The form cannot be read: {error}.") from None


async def fields_before_file(events: AsyncIterator[Event]) -> tuple[dict[str, bytes], MultipartSegment]:
    """The fields in front of the file, and the file's head; its bytes are what `events` gives next."""
    fields: dict[str, bytes] = {}
    name, taken = "", 0
    async for event in events:
        if isinstance(event, MultipartSegment):
            name = event.name or ""
            if event.filename is not None or name == "file":
                return fields, event
            if name not in FIELDS or (name in fields and name != "labels"):
                raise BadRequest("A form has each of case, filename, filetype once, labels at will, and then the file.")
            fields[name] = fields[name] + b"\n" if name in fields else b""
        elif event is not None:
            taken += len(event)
            if taken > MAX_FIELDS:
                raise TooLarge(f"The fields of a form have at most {MAX_FIELDS} bytes together.")
            fields[name] += event
    raise BadRequest("The form has no file.")


async def file_bytes(events: AsyncIterator[Event]) -> AsyncGenerator[bytes, None]:
    """The file's bytes. BadRequest, after all of them, where anything follows the file."""
    async for event in events:
        if isinstance(event, MultipartSegment):
            raise BadRequest("The file is the last part of the form, and the only file.")
        if event is not None:
            yield event


def _add_part_facts(fields: dict[str, bytes], segment: MultipartSegment) -> None:
    """What the file's own head says counts where no field does."""
    fields.setdefault("filename", (segment.filename or "").encode("latin-1"))
    fields.setdefault("filetype", (segment.content_type or "").encode("latin-1"))


def boundary_of(request: AnyRequest) -> str:
    """The boundary of a form, as its type names it."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary: str = options.get("boundary", "")
    if kind != "multipart/form-data":
        raise FormType
    if not 0 < len(boundary) <= 70 or not boundary.isascii():  # RFC 2046 5.1.1
        raise BadRequest("The form's type names no boundary.")
    return boundary


def _key(request: AnyRequest) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise BadRequest("An Idempotency-Key has 1 to 255 printable ASCII characters.")
    return key
