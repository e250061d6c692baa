"""Bodies that are not the JSON of a typed handler: files, text, streams, and the messages of published formats.

A call that is not here takes and gives what its handler's types say. A test holds each name against the routes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from deedbox_server.web import openapi_shapes as shapes
from deedbox_server.web.find import FindAnswer, FindOrder
from deedbox_server.web.openapi_schemas import Content

_JSON: Final = "application/json"


@dataclass(frozen=True)
class Bodies:
    """What a call takes, and what it gives for each status that is no error, where its types do not say."""

    body: Content | None = None
    answers: Mapping[int, tuple[Content, ...]] = field(default_factory=dict)
    also: tuple[Content, ...] = ()  # in other media types than the JSON of the handler's type
    or_body: Content | None = None  # taken too
    errors: tuple[int, ...] = ()  # beyond those that its kind of call can have

    @property
    def taken(self) -> tuple[Content, ...]:
        return tuple(one for one in (self.body, self.or_body) if one is not None)

    @property
    def contents(self) -> Iterator[Content]:
        yield from self.taken
        for given in self.answers.values():
            yield from given


def _gives(kind: object, status: int = 200) -> Bodies:
    return Bodies(answers={status: (Content(_JSON, kind),)})


def _message(taken: str, given: str, where: str) -> Bodies:
    about = "Canonical JSON as {} in sync/formats/{}.md"
    return Bodies(
        Content(_JSON, description=about.format(taken, where)),
        {200: (Content(_JSON, description=about.format(given, where)),)},
    )


_PDF: Final = Content("application/pdf", description="The paper, signed.")
_UNDER_WAY: Final = (Content(_JSON, shapes.UnderWay),)
_TEXT: Final = Bodies(answers={200: (Content("text/plain"),)})
_BYTES: Final = (Content("*/*", description="The bytes, of the exhibit's own media type."),)
_ANY: Final = (Content("*/*"),)
_FILE: Final = Bodies(answers={200: _BYTES, 206: _BYTES, 304: (), 416: ()})
_HEAD: Final = Bodies(answers={200: (), 206: (), 304: (), 416: ()})
_NOTHING: Final = Bodies(answers={204: ()})
_DIRECTORY: Final = (401, 403, 404, 409, 429)  # there is none, it does not answer, or it knows nobody of the firm
_TUS_PIECE: Final = Content("application/offset+octet-stream", description="The next bytes (tus 1.0).")
_TUS_ERRORS: Final = (408, 412)
_EXHIBIT: Final = "/api/v1/evidence/{exhibit}"

BODIES: Final[Mapping[str, Bodies]] = {
    # the log, health, pages
    "GET /log/checkpoint": _TEXT,
    "GET /log/key": _TEXT,
    "GET /log/tile/{path}": Bodies(
        answers={200: (Content("application/octet-stream", description="C2SP tlog-tiles."),)}
    ),
    "GET /metrics": Bodies(answers={200: (Content("text/plain", description="Prometheus text format 0.0.4."),)}),
    "GET /openapi.json": Bodies(answers={200: (Content(_JSON, description="An OpenAPI 3.1 document."),)}),
    "GET /openapi-device.json": Bodies(answers={200: (Content(_JSON, description="An OpenAPI 3.1 document."),)}),
    "GET /docs": Bodies(answers={200: (Content("text/html"),)}),
    "GET /docs/{name}": Bodies(answers={200: _ANY}),
    "GET /verify": Bodies(answers={200: (Content("text/html"),)}),
    "GET /health/live": _gives(shapes.Live),
    "GET /health/ready": Bodies(answers={200: (Content(_JSON, shapes.Ready),), 503: (Content(_JSON, shapes.Ready),)}),
    "GET /api/v1/cases/{case}/timeline": Bodies(also=(Content("text/csv"),)),
    # the trail
    **{
        f"{method} {path}": bodies
        for path_of in ("/api/v1/audit", "/api/v1/cases/{case}/audit")
        for method, path, bodies in (
            ("GET", f"{path_of}/export", Bodies(answers={200: (Content("text/csv"), Content("application/x-ndjson"))})),
            ("POST", f"{path_of}/report", Bodies(answers={200: (_PDF,)})),
        )
    },
    "GET /api/v1/events/stream": Bodies(
        answers={200: (Content("text/event-stream", description="Server-sent events (HTML 9.2)."),)}
    ),
    # pairing and witnesses
    "POST /pair/v1/start": _message("start", "its answer", "pairing"),
    "POST /pair/v1/finish": _message("finish", "its answer", "pairing"),
    "POST /pair/v1/renew": _message("renew", "its answer", "pairing"),
    "POST /api/v1/pairing/codes": _gives(shapes.IssuedCode, 201),
    "GET /witness/v1/key": _TEXT,
    "POST /witness/v1/add-checkpoint": Bodies(
        Content("text/plain", description="old size, proof and checkpoint, as c2sp.org/tlog-witness says."),
        {
            200: (Content("text/plain", description="Cosignature lines."),),
            **{
                status: (Content("text/plain"), Content("text/x.tlog.size"))
                for status in (400, 403, 404, 409, 422, 429)
            },
        },
    ),
    "GET /api/v1/witnesses": _gives(shapes.Witnesses),
    "POST /api/v1/witnesses": _gives(shapes.Witness, 201),
    "GET /api/v1/witness/logs": _gives(shapes.WatchedLogs),
    "POST /api/v1/witness/logs": _gives(shapes.WatchedLog, 201),
    # oneself and devices
    "GET /api/v1/me": _gives(shapes.Me),
    "GET /api/v1/devices": _gives(shapes.Devices),
    "GET /api/v1/auth/oidc/start": Bodies(answers={302: ()}, errors=_DIRECTORY),
    "GET /api/v1/auth/oidc/callback": Bodies(answers={200: (Content("text/html"),), 302: ()}, errors=_DIRECTORY),
    # time
    "GET /api/v1/time": _gives(shapes.OutsideTime),
    "POST /api/v1/time/stamp": _gives(shapes.Stamps),
    # evidence
    "GET /api/v1/evidence": _gives(shapes.Exhibits),
    "POST /api/v1/evidence": Bodies(
        Content(
            "multipart/form-data",
            description="case, filename, filetype, labels, then the file (sync/formats/upload.md).",
        ),
        {200: (Content(_JSON, shapes.Sent),), 201: (Content(_JSON, shapes.Sent),)},
    ),
    "POST /api/v1/evidence/find": Bodies(
        Content(_JSON, FindOrder),
        {200: (Content(_JSON, FindAnswer),)},
        or_body=Content("multipart/form-data", description="The file; it is hashed as it comes, and not kept."),
    ),
    f"GET {_EXHIBIT}": _gives(shapes.ExhibitTold),
    f"GET {_EXHIBIT}/content": _FILE,
    f"HEAD {_EXHIBIT}/content": _HEAD,
    f"GET {_EXHIBIT}/derived/{{derived}}": _FILE,
    f"HEAD {_EXHIBIT}/derived/{{derived}}": _HEAD,
    f"GET {_EXHIBIT}/custody": _gives(shapes.Custody),
    f"GET {_EXHIBIT}/chain-of-custody": _gives(shapes.Custody),
    f"GET {_EXHIBIT}/receipt": Bodies(
        answers={200: (Content(_JSON, description="sync/formats/receipt.md"),), 202: (Content(_JSON),)}
    ),
    f"POST {_EXHIBIT}/verify": _gives(shapes.Verified),
    "GET /api/v1/search": _gives(shapes.Found),
    "POST /api/v1/bundles": Bodies(
        Content(_JSON, shapes.WantedBundle),
        {200: (Content("application/zip", description="A bundle (sync/formats/bundle.md)."),)},
    ),
    # one person
    "POST /api/v1/persons/export": Bodies(
        answers={200: (Content("application/zip", description="person.json, person.html"),)}
    ),
    # papers
    "GET /api/v1/papers": _gives(shapes.Papers),
    "GET /api/v1/papers/kinds": _gives(shapes.PaperKinds),
    "POST /api/v1/papers": Bodies(Content(_JSON, shapes.WantedPaper), {200: (_PDF,), 201: (_PDF,), 202: _UNDER_WAY}),
    "GET /api/v1/papers/{paper}": Bodies(answers={200: (_PDF,), 202: _UNDER_WAY}),
    "GET /api/v1/papers/{paper}/notes": Bodies(answers={200: (_PDF,)}),
    "GET /api/v1/papers/{paper}/record": _gives(shapes.PaperRecord),
    # identifiers
    "POST /api/v2/chittyid/mint": Bodies(
        Content(_JSON, shapes.WantedIdentifiers), {200: (Content(_JSON, shapes.Identifiers),)}
    ),
    "GET /api/v2/chittyid/verify/{text}": _gives(shapes.Resolved),
    "POST /api/v2/chittyid/reconcile": Bodies(
        Content(_JSON, shapes.WantedReconciling), {200: (Content(_JSON, shapes.Reconciled),)}
    ),
    "POST /device/v1/reconcile": Bodies(
        Content(_JSON, shapes.WantedReconciling), {200: (Content(_JSON, shapes.Reconciled),)}
    ),
    "GET /api/v1/identifier-issuers": _gives(shapes.Issuers),
    "POST /api/v1/identifier-issuers": _gives(shapes.Issuer, 201),
    # resumable uploads
    "OPTIONS /api/v1/uploads": _NOTHING,
    "OPTIONS /api/v1/uploads/{upload}": _NOTHING,
    "POST /api/v1/uploads": Bodies(_TUS_PIECE, {201: ()}, errors=_TUS_ERRORS),
    "HEAD /api/v1/uploads/{upload}": Bodies(answers={200: ()}, errors=(412,)),
    "PATCH /api/v1/uploads/{upload}": Bodies(_TUS_PIECE, {204: ()}, errors=_TUS_ERRORS),
    "POST /api/v1/uploads/{upload}": Bodies(_TUS_PIECE, {200: (), 204: ()}, errors=_TUS_ERRORS),
    "DELETE /api/v1/uploads/{upload}": Bodies(answers={204: ()}, errors=(412,)),
    # desks
    "GET /device/v1/hello": Bodies(answers={200: (Content(_JSON, description="hello in sync/formats/transfer.md"),)}),
    "POST /device/v1/log": _message("log", "its answer", "transfer"),
    "POST /device/v1/offers": _message("offers", "results", "transfer"),
    "POST /device/v1/statements": _message("statements", "results", "transfer"),
    "POST /device/v1/batch": Bodies(
        Content("application/vnd.deedbox.batch", description="A batch, as sync/formats/transfer.md says."),
        {200: (Content(_JSON, description="results"),)},
    ),
    "POST /device/v1/possession": _message("possession", "results", "transfer"),
    "POST /device/v1/receipts": _message("receipts", "results", "transfer"),
    "POST /device/v1/uploads/{upload}": _message("upload", "offset", "transfer"),
    "PUT /device/v1/uploads/{upload}": Bodies(
        Content("application/octet-stream", description="The next bytes."),
        {200: (Content(_JSON, description="offset"),)},
    ),
    "DELETE /device/v1/uploads/{upload}": _NOTHING,
}
