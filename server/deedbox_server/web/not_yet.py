"""Calls that the source documents name and a later version will answer. Until then each says so (501), to who is signed in.

They are routes, so that the OpenAPI document, the fuzzer and the roles' matrix know of them and none is forgotten.
"""

from __future__ import annotations

from typing import Final, NoReturn, cast

from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.types import Method

from deedbox_server.errors import NotYet
from deedbox_server.people.principal import Principal
from deedbox_server.web.operations import later, operation

CAPABILITIES: Final[dict[str, tuple[str, ...]]] = {
    "documents: text recognition on demand, classification, redaction, metadata by hand": (
        "DELETE /documents/{exhibit:uuid}",
        "GET /documents/{exhibit:uuid}/ocr",
        "GET /metrics/documents",
        "GET /ocr/jobs/{job_id:str}",
        "POST /api/documents",
        "POST /api/documents/lookup-by-batch",
        "POST /api/v1/documents/classify",
        "POST /api/v1/documents/extract-text",
        "POST /api/v1/documents/ocr",
        "POST /api/v1/documents/redact-pii",
        "POST /documents/{exhibit:uuid}/ocr",
        "POST /ocr/batch",
        "PUT /api/documents/{document_id:str}",
        "PUT /documents/{exhibit:uuid}",
    ),
    "court filing": (
        "GET /api/v1/courts/{jurisdiction:str}/requirements",
        "GET /api/v1/filing/{filing_id:str}/status",
        "POST /api/v1/documents/generate-filing",
        "POST /api/v1/filing/serve-parties",
        "POST /api/v1/filing/submit",
        "POST /api/v1/filing/validate",
    ),
    "deadlines and calendar": (
        "GET /api/v1/calendar/{case_id:str}/upcoming",
        "GET /api/v1/courts/{jurisdiction:str}/deadlines",
        "GET /api/v1/timeline/{case_id:str}/critical-dates",
        "POST /api/v1/calendar/calculate-deadline",
    ),
    "alerts": ("POST /api/alert", "POST /api/v1/alerts/configure"),
    "e-mail": (
        "GET /api/cases/{case:uuid}/communications",
        "POST /api/send-email",
        "POST /api/webhooks/resend",
    ),
    "error log and statistics by component": ("GET /api/logs", "GET /api/stats/{component:str}"),
    "analysis by agents": (
        "GET /api/cases/{case:uuid}/analysis-summary",
        "GET /api/documents/analysis/case/{case_id:str}",
        "GET /api/documents/analysis/case/{case_id:str}/aggregate",
        "GET /api/documents/{document_id:str}/analysis",
        "POST /agent/db",
        "POST /api/documents/analysis/bulk",
        "POST /api/documents/{document_id:str}/analysis",
    ),
    "agents": (
        "DELETE /api/agent/context/case/{case_id:str}/agent/{agent_type:str}",
        "DELETE /api/agent/context/{context_id:str}",
        "DELETE /api/agent/conversations/{conversation_id:str}",
        "DELETE /api/agent/messages/{message_id:str}",
        "DELETE /api/agent/summaries/{summary_id:str}",
        "GET /api/agent/context",
        "GET /api/agent/context/case/{case_id:str}/agent/{agent_type:str}",
        "GET /api/agent/context/case/{case_id:str}/agent/{agent_type:str}/key/{context_key:str}",
        "GET /api/agent/context/{context_id:str}",
        "GET /api/agent/conversations",
        "GET /api/agent/conversations/{conversation_id:str}",
        "GET /api/agent/conversations/{conversation_id:str}/full",
        "GET /api/agent/messages",
        "GET /api/agent/messages/conversation/{conversation_id:str}/history",
        "GET /api/agent/messages/{message_id:str}",
        "GET /api/agent/summaries",
        "GET /api/agent/summaries/conversation/{conversation_id:str}/latest",
        "GET /api/agent/summaries/{summary_id:str}",
        "POST /api/agent/context",
        "POST /api/agent/context/cleanup-expired",
        "POST /api/agent/conversations",
        "POST /api/agent/messages",
        "POST /api/agent/summaries",
        "POST /api/agent/summaries/conversation/{conversation_id:str}/auto-summary",
        "PUT /api/agent/context/{context_id:str}",
        "PUT /api/agent/conversations/{conversation_id:str}",
        "PUT /api/agent/messages/{message_id:str}",
        "PUT /api/agent/summaries/{summary_id:str}",
    ),
    "rooms for mediation": (
        "POST /api/disputes",
        "POST /api/disputes/{id:str}/join",
        "POST /messages",
        "POST /resolve",
    ),
    "contracts": ("POST /contract/generate", "POST /contract/sign"),
}


def not_yet_routes() -> list[HTTPRouteHandler]:
    """One route for each call that is to come."""
    return [_route(call, capability) for capability, calls in CAPABILITIES.items() for call in calls]


def _route(call: str, capability: str) -> HTTPRouteHandler:
    method, path = call.split(" ", 1)

    async def answer(principal: NamedDependency[Principal]) -> None:
        _refuse(principal, capability)

    answer.__doc__ = f"Not yet: {capability}."
    about = operation("account.self") | later(capability)
    return HTTPRouteHandler(path, http_method=cast("Method", method), status_code=200, opt=about)(answer)


def _refuse(_principal: Principal, capability: str) -> NoReturn:
    raise NotYet(f"This box does not have {capability} yet; a later version will.", capability=capability)
