"""The two faces of a box: what devices may call and what people may call, each with its own TLS and its own routes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.openapi.config import OpenAPIConfig

from deedbox_server.app.description import described
from deedbox_server.app.parts import Box
from deedbox_server.evidence.senders import Senders
from deedbox_server.evidence.statements import Sender
from deedbox_server.people.principal import Principal
from deedbox_server.web.account_page import ACCOUNT_PAGE
from deedbox_server.web.accounts import AccountController
from deedbox_server.web.artifacts import ArtifactController
from deedbox_server.web.audit import AuditController, CaseAuditController
from deedbox_server.web.auth import AuthController
from deedbox_server.web.bundles import BundleController
from deedbox_server.web.casefile import CaseFileController
from deedbox_server.web.cases import CaseController
from deedbox_server.web.compression import compressed
from deedbox_server.web.conditional import conditional
from deedbox_server.web.conflicts import ConflictController
from deedbox_server.web.device import DeviceController
from deedbox_server.web.disposal import CaseDisposalController, DisposalController
from deedbox_server.web.docs import docs_file, docs_page, openapi_device_document, openapi_document, root
from deedbox_server.web.documents_paths import documents_routes
from deedbox_server.web.erasure import ErasureController, PersonController
from deedbox_server.web.events import EventController
from deedbox_server.web.evidence import EvidenceController
from deedbox_server.web.factors import FactorController
from deedbox_server.web.find import find_evidence, hash_verify
from deedbox_server.web.gate import provide_permitted
from deedbox_server.web.health import HealthController
from deedbox_server.web.holds import AccountHoldController, CaseHoldController, HoldController
from deedbox_server.web.idempotency import KeptAnswer, Repeats, keeping, provide_once, replay
from deedbox_server.web.identifiers import ChittyIdController, IssuerController, device_reconcile
from deedbox_server.web.identity import provide_device, provide_person
from deedbox_server.web.invitations import InvitationController
from deedbox_server.web.items import ItemController, list_items, take_in
from deedbox_server.web.keys import KeyController
from deedbox_server.web.links import list_links, make_link, open_link, revoke_link
from deedbox_server.web.listener import BoxRequest, Listener
from deedbox_server.web.live import event_stream
from deedbox_server.web.log import LogController
from deedbox_server.web.members import GlassController, MemberController, WallController
from deedbox_server.web.metrics import metrics
from deedbox_server.web.multipart import evidence_receipt, send_evidence
from deedbox_server.web.not_yet import not_yet_routes
from deedbox_server.web.oidc import OidcController
from deedbox_server.web.pairing import PairingController
from deedbox_server.web.papers import PaperController
from deedbox_server.web.parties import PartyController
from deedbox_server.web.people import PeopleController
from deedbox_server.web.problems import EXCEPTION_HANDLERS
from deedbox_server.web.proxies import behind_proxies
from deedbox_server.web.recording import TRAIL, provide_known, record_view, remember_request
from deedbox_server.web.refile import numbers_that_left, refile
from deedbox_server.web.retention import CaseRetentionController, RetentionController
from deedbox_server.web.search import SearchController
from deedbox_server.web.sessions import SESSION_ROUTES
from deedbox_server.web.time import TimeController
from deedbox_server.web.timeline import TimelineController
from deedbox_server.web.tus import TusController
from deedbox_server.web.verify_page import verify_page
from deedbox_server.web.witness import WitnessAdminController, WitnessController
from deedbox_sync.pace import Pace
from deedbox_sync.witness import BURST, RATE


def device_app(box: Box, openapi: OpenAPIConfig | None = None) -> Litestar:
    """For desks: every request has a device certificate, looked up anew."""
    controllers: list[Any] = [DeviceController, LogController, device_reconcile]
    return _app(controllers, box, provide_device, {"sender": Provide(_sender)}, openapi)


def people_app(box: Box, openapi: OpenAPIConfig | None = None) -> Litestar:
    """For people and their programs; pairing, renewal and the log need no account."""
    controllers = [
        AuditController,
        AccountController,
        AuthController,
        BundleController,
        CaseAuditController,
        ArtifactController,
        CaseController,
        CaseFileController,
        ConflictController,
        EventController,
        PartyController,
        ChittyIdController,
        EvidenceController,
        FactorController,
        GlassController,
        HealthController,
        InvitationController,
        IssuerController,
        ItemController,
        KeyController,
        LogController,
        MemberController,
        OidcController,
        PairingController,
        PaperController,
        PeopleController,
        SearchController,
        TimeController,
        TimelineController,
        TusController,
        WallController,
        AccountHoldController,
        CaseDisposalController,
        CaseHoldController,
        CaseRetentionController,
        DisposalController,
        ErasureController,
        HoldController,
        PersonController,
        RetentionController,
        WitnessAdminController,
        WitnessController,
        event_stream,
        evidence_receipt,
        find_evidence,
        hash_verify,
        list_items,
        list_links,
        make_link,
        metrics,
        numbers_that_left,
        open_link,
        refile,
        revoke_link,
        take_in,
        send_evidence,
        verify_page,
        *ACCOUNT_PAGE,
        *SESSION_ROUTES,
        docs_file,
        docs_page,
        openapi_device_document,
        openapi_document,
        root,
        *documents_routes(),
        *not_yet_routes(),
    ]

    @contextlib.asynccontextmanager
    async def receiving(_app: Litestar) -> AsyncIterator[None]:
        """Uploads that nobody asks for any more are ended, or expire, as long as this listener is up."""
        await box.deskless.introduce()
        tidying = asyncio.create_task(box.deskless.run())
        try:
            yield
        finally:
            tidying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await tidying

    pace = Pace(BURST, RATE)
    own = {
        "describe": Provide(lambda: described, sync_to_thread=False, use_cache=True),
        "witness_pace": Provide(lambda: pace, sync_to_thread=False, use_cache=True),
    }
    return _app(controllers, box, provide_person, own, openapi, [receiving])


class _Given(Provide):
    """A provider that is itself and no other. The framework asks of each handler whether two of a hundred are equal: asked by
    what they provide, that was half of what starting took."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__


async def _sender(principal: NamedDependency[Principal], senders: NamedDependency[Senders]) -> Sender:
    return await senders.of(principal)


def _app(
    controllers: list[Any],
    box: Box,
    identity: Callable[..., Any],
    more: dict[str, Provide],
    openapi: OpenAPIConfig | None,
    lifespan: Sequence[Callable[[Litestar], contextlib.AbstractAsyncContextManager[None]]] = (),
) -> Litestar:
    def given(value: object) -> Provide:
        return _Given(lambda: value, sync_to_thread=False, use_cache=True)

    services = {part.name: given(getattr(box, part.name)) for part in fields(Box)}
    repeats = Repeats(box.database)
    # Devices show their certificates to the box itself: nothing stands between.
    proxies = box.settings.trusted_proxies if identity is provide_person else ()
    proxied = behind_proxies(proxies, box.settings.proxy_header)
    who = {
        "recognised": Provide(identity),
        "noted": Provide(provide_known),
        "identified": Provide(provide_permitted),
        "principal": Provide(provide_once),
        "repeats": given(repeats),
    }
    return Listener(
        route_handlers=controllers,
        dependencies=services | who | more,
        exception_handlers={**EXCEPTION_HANDLERS, KeptAnswer: replay},
        middleware=[proxied, compressed, conditional, keeping(repeats), remember_request],
        after_request=record_view,
        state=State({TRAIL: box.trail}),
        request_class=BoxRequest,
        lifespan=list(lifespan),
        openapi_config=openapi,
        logging_config=None,
    )
