"""What the dispatcher asks of a worker: one argument on its command line, which holds nothing about the document but its kind."""

from dataclasses import dataclass

from deedbox_server.documents.kinds import Kind
from deedbox_sync.canonical_json import Fields, encode, parse_object

_LIMIT = 4096
_WHERE = "worker's request"


@dataclass(frozen=True)
class WorkerRequest:
    """Read stdin as this kind, recognising these Tesseract languages with `jobs` processes, on at most so many pages.

    With an `overlay`, the last so many bytes of stdin are a PDF to be laid over a copy of the rest, and nothing is recognised.
    """

    kind: Kind
    languages: tuple[str, ...]
    jobs: int
    recognised_pages: int
    overlay: int = 0


def encode_request(request: WorkerRequest) -> bytes:
    return encode(
        {
            "jobs": request.jobs,
            "kind": request.kind.value,
            "languages": list(request.languages),
            "overlay": request.overlay,
            "recognised_pages": request.recognised_pages,
        }
    )


def parse_request(data: bytes) -> WorkerRequest:
    fields = Fields(parse_object(data, limit=_LIMIT, where=_WHERE), _WHERE)
    request = WorkerRequest(
        Kind(fields.text("kind")),
        fields.texts("languages"),
        fields.integer("jobs", low=1, high=256),
        fields.integer("recognised_pages"),
        fields.integer("overlay"),
    )
    fields.done()
    return request
