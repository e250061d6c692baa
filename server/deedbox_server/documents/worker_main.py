"""The program inside the walls: reads the document on stdin as its request says, answers on stdout. No keys, no names.

Everything here runs on hostile bytes. Its limits are set before it starts; what it cannot stop (a crash inside a native
library) the dispatcher sees as the end of the process.
"""

import errno
import os
import sys
from collections.abc import Iterable
from typing import BinaryIO

from deedbox_server.documents.kinds import Kind
from deedbox_server.documents.reading import Reading, Report, Unreadable
from deedbox_server.documents.states import ReadState
from deedbox_server.documents.worker_protocol import WorkerResult, encode_progress, encode_result
from deedbox_server.documents.worker_request import WorkerRequest, parse_request


def main() -> None:
    """Answer one request."""
    request = parse_request(sys.argv[1].encode())
    answers = _take_stdout()
    document = os.fdopen(0, "rb", closefd=False)
    try:
        result = _answer(request, document, lambda progress: _send(answers, [encode_progress(progress)]))
    except Unreadable as error:
        result = WorkerResult(error.state, 0, error.note, "")
    except MemoryError:
        result = WorkerResult(ReadState.OUT_OF_MEMORY, 0, "", "")
    except Exception as error:  # over damaged files the libraries raise whatever comes to them
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG)
        state = ReadState.OUT_OF_SCRATCH if full else ReadState.DAMAGED
        result = WorkerResult(state, 0, f"raised:{type(error).__name__}", "")
    _send(answers, encode_result(result))


def _answer(request: WorkerRequest, document: BinaryIO, report: Report) -> WorkerResult:
    if request.overlay:
        from deedbox_server.documents.copying import copy_document  # noqa: PLC0415  # as in _read

        return copy_document(document, request, report)
    return _read(request, document, report).result()


def _read(request: WorkerRequest, document: BinaryIO, report: Report) -> Reading:
    """Run the reader for this kind. Each is imported only where it is needed: OCRmyPDF alone takes half a second."""
    if request.kind is Kind.PDF:
        from deedbox_server.documents.recognise.pdf import read_pdf  # noqa: PLC0415

        return read_pdf(document, request, report)
    if request.kind.is_image:
        from deedbox_server.documents.recognise.image import read_image  # noqa: PLC0415

        return read_image(document, request, report)
    if request.kind is Kind.MAIL:
        from deedbox_server.documents.recognise.mail import read_mail  # noqa: PLC0415

        return read_mail(document)
    from deedbox_server.documents.recognise.plain import read_plain  # noqa: PLC0415

    return read_plain(document)


def _take_stdout() -> int:
    """Keep the answer pipe for ourselves; whatever a library prints goes where stderr goes."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def _send(answers: int, frames: Iterable[bytes]) -> None:
    for frame in frames:
        rest = memoryview(frame)
        while rest:
            rest = rest[os.write(answers, rest) :]


if __name__ == "__main__":
    main()
