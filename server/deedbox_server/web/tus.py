"""Resumable uploads by tus 1.0 (formats/upload.md), for accounts on the people's listener."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from litestar import Controller, Request, Response, delete, patch, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath

from deedbox_server.errors import BadRequest, DeedboxError, NotFound
from deedbox_server.evidence.deskless import Deskless
from deedbox_server.people import Principal
from deedbox_server.web import tus_headers
from deedbox_server.web.device import pieces_of
from deedbox_server.web.operations import open_to_all, operation
from deedbox_server.web.problems import problem_response
from deedbox_sync.transfer import UPLOAD_ID

AnyRequest = Request[Any, Any, Any]
_PATH: Final = "/api/v1/uploads"


def _problem(request: AnyRequest, error: Exception) -> Response[dict[str, object]]:
    """The box's answer to any error, with the headers that tus asks of every answer."""
    response = problem_response(request, error)
    response.headers |= tus_headers.ALWAYS
    if isinstance(error, tus_headers.TusVersion):
        response.headers["tus-version"] = tus_headers.VERSION
    return response


class TusController(Controller):
    path = _PATH
    request_max_body_size = None  # bodies are streamed, and no longer than was announced
    exception_handlers = {Exception: _problem}  # noqa: RUF012 - read by the framework, never changed

    # The framework registers a path's handlers in the order of their names, and puts its own OPTIONS before any later one.
    @route(
        ["/", "/{upload:str}"],
        http_method="OPTIONS",
        status_code=204,
        opt=open_to_all("what is offered, by the protocol told to anyone who asks by OPTIONS"),
    )
    async def about(self) -> Response[None]:
        """What of tus 1.0 is offered here."""
        return Response(None, status_code=204, headers=tus_headers.ALWAYS | tus_headers.ABOUT)

    @post("/", opt=operation("evidence.send"))
    async def create(
        self, request: AnyRequest, deskless: NamedDependency[Deskless], principal: NamedDependency[Principal]
    ) -> Response[None]:
        """A new upload, with its first bytes if there are any. Where those fail nothing remains: their sender has no address."""
        headers = request.headers
        tus_headers.require_version(headers)
        tus_headers.refuse_not_offered(headers)
        size, announced = tus_headers.count(headers, "upload-length"), tus_headers.announced(headers)
        checksum = tus_headers.checksum(headers)
        if announced != 0:
            tus_headers.require_type(headers)
        progress = await deskless.begin(principal, size, headers.get("upload-metadata", ""))
        told = tus_headers.told(progress)
        if announced != 0:
            try:
                progress = await deskless.append(
                    principal, progress.upload, 0, _pieces(request), announced=announced, checksum=checksum
                )
            except DeedboxError:
                await deskless.give_up(principal, progress.upload)
                raise
            told = tus_headers.told(progress)
        elif headers.get("content-type") != tus_headers.CONTENT_TYPE:
            del told["upload-offset"]  # said only where bytes may have come (tus 1.0, Creation With Upload)
        return Response(None, status_code=201, headers=told | {"location": f"{_PATH}/{progress.upload}"})

    @route("/{upload:str}", http_method="HEAD", status_code=200, opt=operation("evidence.send"))
    async def look(
        self,
        request: AnyRequest,
        upload: FromPath[str],
        deskless: NamedDependency[Deskless],
        principal: NamedDependency[Principal],
    ) -> Response[None]:
        """How far an upload has come."""
        return await _look(request, upload, deskless, principal)

    @patch("/{upload:str}", status_code=204, opt=operation("evidence.send"))
    async def append(
        self,
        request: AnyRequest,
        upload: FromPath[str],
        deskless: NamedDependency[Deskless],
        principal: NamedDependency[Principal],
    ) -> Response[None]:
        """The next bytes of an upload; with the last ones it becomes an exhibit."""
        return await _append(request, upload, deskless, principal)

    @delete("/{upload:str}", status_code=204, opt=operation("evidence.send"))
    async def terminate(
        self,
        request: AnyRequest,
        upload: FromPath[str],
        deskless: NamedDependency[Deskless],
        principal: NamedDependency[Principal],
    ) -> Response[None]:
        """Give an upload up; its bytes are forgotten."""
        return await _terminate(request, upload, deskless, principal)

    @post("/{upload:str}", opt=operation("evidence.send"))
    async def overridden(
        self,
        request: AnyRequest,
        upload: FromPath[str],
        deskless: NamedDependency[Deskless],
        principal: NamedDependency[Principal],
    ) -> Response[None]:
        """For senders that cannot say PATCH or DELETE (tus 1.0, X-HTTP-Method-Override)."""
        meant = _METHODS.get(request.headers.get("x-http-method-override", ""))
        if meant is None:
            raise BadRequest("A POST to an upload says by X-HTTP-Method-Override what it means.")
        return await meant(request, upload, deskless, principal)


async def _look(request: AnyRequest, upload: str, deskless: Deskless, principal: Principal) -> Response[None]:
    tus_headers.require_version(request.headers)
    progress = await deskless.look(principal, _id(upload))
    headers = tus_headers.told(progress) | {"cache-control": "no-store", "upload-length": str(progress.size)}
    if progress.metadata:
        headers["upload-metadata"] = progress.metadata
    return Response(None, status_code=200, headers=headers)


async def _append(request: AnyRequest, upload: str, deskless: Deskless, principal: Principal) -> Response[None]:
    headers = request.headers
    tus_headers.require_version(headers)
    tus_headers.require_type(headers)
    progress = await deskless.append(
        principal,
        _id(upload),
        tus_headers.count(headers, "upload-offset"),
        _pieces(request),
        announced=tus_headers.announced(headers),
        checksum=tus_headers.checksum(headers),
    )
    return Response(None, status_code=204, headers=tus_headers.told(progress))


async def _terminate(request: AnyRequest, upload: str, deskless: Deskless, principal: Principal) -> Response[None]:
    tus_headers.require_version(request.headers)
    await deskless.give_up(principal, _id(upload))
    return Response(None, status_code=204, headers=dict(tus_headers.ALWAYS))


_METHODS: Final = {"PATCH": _append, "DELETE": _terminate, "HEAD": _look}


async def _pieces(request: AnyRequest) -> AsyncIterator[bytes]:
    """The body; a sender that goes away is the sender's fault, of which only what came remains."""
    try:
        async for piece in pieces_of(request):
            yield piece
    except ConnectionResetError:
        raise BadRequest("The connection ended before the body did.") from None


def _id(text: str) -> str:
    if not UPLOAD_ID.match(text):
        raise NotFound
    return text
