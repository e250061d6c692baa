"""What desks say to the box (formats/transfer.md), on the listener that requires a device certificate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import InternalServerException
from litestar.params import FromPath, FromQuery

from deedbox_server.cases import Cases
from deedbox_server.database import Database
from deedbox_server.errors import BadRequest, TooLarge
from deedbox_server.evidence.intake import Intake
from deedbox_server.evidence.journal import Journals
from deedbox_server.evidence.statements import Sender
from deedbox_server.notary.alarms import Alarms
from deedbox_server.notary.beacons import Beacons
from deedbox_server.notary.service import Notary
from deedbox_server.people import Principal
from deedbox_server.settings import Settings
from deedbox_server.web.bodies import BODY_EXTENSION, Body, SenderGone
from deedbox_server.web.operations import operation
from deedbox_sync import canonical_json, hello, note, timestamp, transfer
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.hello import CaseRef, Hello, LogAnswer

AnyRequest = Request[Any, Any, Any]
_SMALL = 1 << 16


class DeviceController(Controller):
    path = "/device/v1"
    request_max_body_size = None  # bodies are streamed or capped here, by what they may be

    @get("/hello", opt=operation("evidence.send"))
    async def hello(
        self,
        settings: NamedDependency[Settings],
        notary: NamedDependency[Notary],
        journals: NamedDependency[Journals],
        cases: NamedDependency[Cases],
        database: NamedDependency[Database],
        beacons: NamedDependency[Beacons],
        alarms: NamedDependency[Alarms],
        principal: NamedDependency[Principal],
        sender: NamedDependency[Sender],
    ) -> Response[bytes]:
        """Who the box is, what it holds of this device's journal, and the cases that the device may send to."""
        head = await journals.head(sender.device)
        visible = [case for case in await cases.visible(principal) if case.id in sender.cases]
        box, _ = note.parse_origin(notary.origin)
        answer = Hello(
            box_id=str(box),
            box_name=settings.name,
            box_time=timestamp.encode(datetime.now(UTC)),
            version=version("deedbox"),
            origin=notary.origin,
            vkey=notary.vkey,
            checkpoint=await notary.checkpoint(),
            backup_configured=settings.backup_configured,
            backed_up_to=await _backed_up_to(database) if settings.backup_configured else None,
            device=str(sender.device),
            next_sequence=head.next_sequence,
            last_digest=head.last_digest,
            batch_bytes=transfer.MAX_BATCH_BYTES,
            batch_items=transfer.MAX_BATCH_ITEMS,
            inline_bytes=transfer.MAX_INLINE_BYTES,
            cases=tuple(CaseRef(str(case.id), case.number, case.title) for case in visible),
            beacon=beacons.latest,
            alarms=tuple(await alarms.now()),
        )
        return _json(hello.encode_hello(answer))

    @post("/log", status_code=200, opt=operation("evidence.send"))
    async def log(
        self, request: AnyRequest, notary: NamedDependency[Notary], sender: NamedDependency[Sender]
    ) -> Response[bytes]:
        """The newest checkpoint, and the proof that the log has only grown since the one shown."""
        shown = hello.parse_log_request(await _body(request, 1 << 17))
        checkpoint, consistency = await notary.compare(shown)
        return _json(hello.encode_log_answer(LogAnswer(checkpoint, tuple(consistency))))

    @post("/offers", status_code=200, opt=operation("evidence.send"))
    async def offers(
        self, request: AnyRequest, intake: NamedDependency[Intake], sender: NamedDependency[Sender]
    ) -> Response[bytes]:
        """Which captures the box has, and where uploads continue."""
        envelopes = transfer.parse_offers(await _body(request, transfer.MAX_MESSAGE))
        return _json(transfer.encode_results(await intake.offers(sender, envelopes)))

    @post("/statements", status_code=200, opt=operation("evidence.send"))
    async def statements(
        self, request: AnyRequest, intake: NamedDependency[Intake], sender: NamedDependency[Sender]
    ) -> Response[bytes]:
        """Statements that close uploads and make exhibits of them."""
        closings = transfer.parse_closings(await _body(request, transfer.MAX_MESSAGE))
        return _json(transfer.encode_results(await intake.close(sender, closings)))

    @post("/batch", status_code=200, opt=operation("evidence.send"))
    async def batch(
        self, request: AnyRequest, intake: NamedDependency[Intake], sender: NamedDependency[Sender]
    ) -> Response[bytes]:
        """Small captures with their statements, many at once."""
        if request.headers.get("content-type") != transfer.BATCH_TYPE:
            raise BadRequest(f"A batch is of type {transfer.BATCH_TYPE}.")
        items = transfer.parse_batch(await _held(request, transfer.MAX_BATCH_BYTES))
        return _json(transfer.encode_results(await intake.batch(sender, items)))

    @post("/possession", status_code=200, opt=operation("evidence.send"))
    async def possession(
        self, request: AnyRequest, intake: NamedDependency[Intake], sender: NamedDependency[Sender]
    ) -> Response[bytes]:
        """Proofs that the desk holds the bytes it speaks of."""
        proofs = transfer.parse_proofs(await _body(request, transfer.MAX_MESSAGE))
        return _json(transfer.encode_results(await intake.prove(sender, proofs)))

    @post("/receipts", status_code=200, opt=operation("evidence.send"))
    async def receipts(
        self, request: AnyRequest, intake: NamedDependency[Intake], sender: NamedDependency[Sender]
    ) -> Response[bytes]:
        """Receipts for statements, as far as they are there."""
        digests, wait = transfer.parse_receipts_request(await _body(request, transfer.MAX_MESSAGE))
        return _json(transfer.encode_results(await intake.receipts(sender, digests, float(wait))))

    @post("/uploads/{upload:str}", status_code=200, opt=operation("evidence.send"))
    async def create_upload(
        self,
        request: AnyRequest,
        upload: FromPath[str],
        intake: NamedDependency[Intake],
        sender: NamedDependency[Sender],
    ) -> Response[bytes]:
        """Begin an upload, or learn how far it has come."""
        fields = Fields(
            canonical_json.parse_object(await _body(request, _SMALL), limit=_SMALL, where="upload"), "upload"
        )
        case, size = fields.uuid("case"), fields.optional_integer("size")
        fields.done()
        return _offset(await intake.create_upload(sender, _upload_id(upload), case, size))

    @put("/uploads/{upload:str}", status_code=200, opt=operation("evidence.send"))
    async def put(
        self,
        request: AnyRequest,
        upload: FromPath[str],
        offset: FromQuery[int],
        intake: NamedDependency[Intake],
        sender: NamedDependency[Sender],
    ) -> Response[bytes]:
        """The next bytes of an upload."""
        return _offset(await intake.put(sender, _upload_id(upload), offset, body_of(request)))

    @delete("/uploads/{upload:str}", opt=operation("evidence.send"))
    async def forget(
        self, upload: FromPath[str], intake: NamedDependency[Intake], sender: NamedDependency[Sender]
    ) -> None:
        """Give an upload up."""
        await intake.forget_upload(sender, _upload_id(upload))


def body_of(request: AnyRequest) -> Body | AsyncIterator[bytes]:
    """The body itself where its length was announced, else as it comes."""
    body = (request.scope.get("extensions") or {}).get(BODY_EXTENSION)
    return body if isinstance(body, Body) else pieces_of(request)


async def pieces_of(request: AnyRequest) -> AsyncIterator[bytes]:
    """The body as it comes. A client that goes away ends it with SenderGone."""
    try:
        async for piece in request.stream():
            if piece:
                yield piece
    except InternalServerException:  # Litestar's way of saying that the client disconnected
        raise SenderGone from None


async def _body(request: AnyRequest, limit: int) -> bytes:
    return bytes(await _held(request, limit))


async def _held(request: AnyRequest, limit: int) -> bytearray:
    """All of a body that may be held in memory."""
    body = body_of(request)
    if isinstance(body, Body):
        if body.length > limit:
            raise _too_large(limit)
        return await body.whole()
    held = bytearray()
    async for piece in body:
        held += piece
        if len(held) > limit:
            raise _too_large(limit)
    return held


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"A request of this kind has at most {limit} bytes.")


def _upload_id(text: str) -> str:
    if not transfer.UPLOAD_ID.match(text):
        raise BadRequest("An upload's id is 32 hex digits.")
    return text


def _json(data: bytes) -> Response[bytes]:
    return Response(data, media_type="application/json")


def _offset(offset: int) -> Response[bytes]:
    body: dict[str, Json] = {"offset": offset}
    return _json(canonical_json.encode(body))


async def _backed_up_to(database: Database) -> int | None:
    """The log size that the last verified backup holds, as the backup noted it."""
    row = await database.fetch_one("SELECT value FROM setting WHERE name = {}", "backed_up_to")
    return None if row is None else int(row["value"])
