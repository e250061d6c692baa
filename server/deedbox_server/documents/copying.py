"""A copy of an exhibit for the courtroom, made inside the walls: each page a little smaller, a strip of ours at its foot.

Nothing of a page is covered, and pages keep their size. Form fields and annotations become part of the page; scripts, attachments
and everything else that is not on a page stay behind.
"""

from __future__ import annotations

import io
from typing import BinaryIO

import img2pdf
import pikepdf
from PIL import Image, UnidentifiedImageError

from deedbox_server.documents.kinds import Kind
from deedbox_server.documents.reading import Report, Unreadable
from deedbox_server.documents.recognise import ocr
from deedbox_server.documents.recognise.image import as_pdf
from deedbox_server.documents.states import ReadState
from deedbox_server.documents.worker_protocol import Progress, ResultFile, WorkerResult
from deedbox_server.documents.worker_request import WorkerRequest

FORM = "exhibit-copy"
STRIP = (612.0, 54.0)  # points: what the overlay's pages measure; on other paper they are scaled to its width
MAX_PAGES = 5_000  # a copy of more is for a disk, not for a witness

_LETTER = (612.0, 792.0)
_MARGIN = 36.0  # around a picture
_TALLEST = 0.15  # of a page: what the strip may take of one that is very wide


def copy_document(document: BinaryIO, request: WorkerRequest, report: Report) -> WorkerResult:
    """The overlay’s first page goes on the first page, its second on all others. Unreadable says why there is no copy."""
    data = document.read()
    original, overlay = data[: -request.overlay], data[-request.overlay :]
    try:
        if request.kind is Kind.PDF:
            made, pages = _copied(original, overlay, report, picture=False)
        else:
            made, pages = _copied(_picture(original), overlay, report, picture=True)
    except pikepdf.PasswordError as error:
        raise Unreadable(ReadState.LOCKED) from error
    except pikepdf.PdfError as error:
        raise Unreadable(ReadState.DAMAGED, "pdf") from error
    return WorkerResult(ReadState.READ, pages, "", "", (ResultFile(FORM, "application/pdf", made),))


def _picture(original: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(original)) as image:
            if image.width * image.height > ocr.MAX_MEGAPIXELS * 1_000_000:
                raise Unreadable(ReadState.TOO_LARGE, "pixels")
            frames = min(getattr(image, "n_frames", 1), MAX_PAGES)
            return as_pdf(io.BytesIO(original), image, frames)
    except Image.DecompressionBombError as error:
        raise Unreadable(ReadState.TOO_LARGE, "pixels") from error
    except (UnidentifiedImageError, SyntaxError, ValueError, img2pdf.ImageOpenError) as error:
        raise Unreadable(ReadState.DAMAGED, "picture") from error


def _copied(original: bytes, overlay: bytes, report: Report, *, picture: bool) -> tuple[bytes, int]:
    with (
        pikepdf.open(io.BytesIO(original)) as source,
        pikepdf.open(io.BytesIO(overlay)) as strips,
        pikepdf.new() as copy,
    ):
        total = len(source.pages)
        if not 0 < total <= MAX_PAGES:
            raise Unreadable(ReadState.TOO_LARGE if total else ReadState.DAMAGED, "pages")
        source.generate_appearance_streams()
        source.flatten_annotations("all")
        for number, page in enumerate(source.pages):
            width, height = _letter(page) if picture else _shown(page)
            strip = min(STRIP[1] * width / STRIP[0], _TALLEST * height)
            place = copy.add_blank_page(page_size=(width, height))
            margin = _MARGIN if picture else 0.0
            place.add_overlay(page, pikepdf.Rectangle(margin, strip + margin / 2, width - margin, height - margin))
            place.add_overlay(strips.pages[min(number, 1)], pikepdf.Rectangle(0, 0, width, strip))
            report(Progress(number + 1, total))
        out = io.BytesIO()
        copy.remove_unreferenced_resources()
        copy.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
        return out.getvalue(), total


def _shown(page: pikepdf.Page) -> tuple[float, float]:
    """Width and height of what a reader shows of the page, turned as it is shown."""
    left, bottom, right, top = (float(one) for one in page.cropbox.as_list())
    width, height = abs(right - left), abs(top - bottom)
    if not (1 <= width <= 14_400 and 1 <= height <= 14_400):  # Annex C of ISO 32000: what a page may measure
        width, height = _LETTER
    turned = int(page.obj.get("/Rotate", 0)) % 180 != 0
    return (height, width) if turned else (width, height)


def _letter(page: pikepdf.Page) -> tuple[float, float]:
    width, height = _shown(page)
    return _LETTER if height >= width else (_LETTER[1], _LETTER[0])
