"""A photo or a scan in an image file: what the camera wrote into it, and whatever text can be recognised on it.

The image goes into a PDF as it is where the PDF can hold it (img2pdf copies the compressed picture), else drawn anew without
loss.
"""

import io
import tempfile
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import img2pdf
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from deedbox_server.documents.derived import By, PageText
from deedbox_server.documents.reading import Reading, Report, Unreadable
from deedbox_server.documents.recognise import ocr
from deedbox_server.documents.recognise.digital import DigitalPage
from deedbox_server.documents.recognise.pdf import PARTLY, merge
from deedbox_server.documents.recognise.photo_facts import photo_facts
from deedbox_server.documents.states import ReadState
from deedbox_server.documents.worker_protocol import Progress
from deedbox_server.documents.worker_request import WorkerRequest

_A4_LONG_SIDE = 11.69  # inches: what a picture without a believable resolution is taken to show
_BELIEVABLE = range(100, 1201)  # dots per inch; 72 and 96 are what programs write when they do not know
_GUESSED = (150, 600)
# Recognised words of a photo that are noise: leaves and bricks give many of low confidence.
_NOISE = 60
_KEPT_MODES = ("1", "L", "RGB")


def read_image(document: BinaryIO, request: WorkerRequest, report: Report) -> Reading:
    """Facts of the picture, and the text on it if there is any; a searchable copy only where there is."""
    try:
        with Image.open(document) as image:
            if image.width * image.height > ocr.MAX_MEGAPIXELS * 1_000_000:
                raise Unreadable(ReadState.TOO_LARGE, "pixels")
            facts = photo_facts(image)
            frames = _frame_count(image)
            report(Progress(0, frames))
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder, "picture.pdf")
                shown = min(frames, request.recognised_pages)
                copy.write_bytes(as_pdf(document, image, shown))
                recognised = ocr.recognise(
                    copy,
                    pages=tuple(range(1, shown + 1)),
                    mode="skip",
                    languages=request.languages,
                    jobs=request.jobs,
                    on_page=lambda done: report(Progress(min(int(done), frames), frames)),
                )
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, img2pdf.ImageOpenError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the scratch folder, not of the picture
        raise Unreadable(ReadState.DAMAGED, "picture") from error
    except Image.DecompressionBombError as error:
        raise Unreadable(ReadState.TOO_LARGE, "pixels") from error
    legible = replace(recognised, pages={number: page for number, page in recognised.pages.items() if _is_text(page)})
    note = PARTLY if shown < frames else ""
    if not legible.pages:
        empty = tuple(PageText(number, "", By.NONE) for number in range(1, shown + 1))
        return Reading(empty, ocr.tools(), facts=facts, note=note)
    nothing = DigitalPage("", (), 0.0, 0.0, 0, garbled=False, needs_recognition=True)
    return merge([nothing] * shown, legible, facts, note=note)


def _is_text(page: ocr.RecognisedPage) -> bool:
    return any((word.confidence or 0) >= _NOISE for word in page.words)


def _frame_count(image: Image.Image) -> int:
    """Pages of a TIFF. A camera's JPEG may hold the same picture again, smaller (MPO); that is no page."""
    return int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1


def as_pdf(document: BinaryIO, image: Image.Image, frames: int) -> bytes:
    if image.format in ("JPEG", "MPO") and image.mode in _KEPT_MODES:
        document.seek(0)
        pictures = [document.read()]
    else:
        pictures = [_drawn(frame) for frame in islice(ImageSequence.Iterator(image), frames)]
    made: bytes = img2pdf.convert(
        pictures,
        layout_fun=_layout,
        rotation=img2pdf.Rotation.ifvalid,
        first_frame_only=True,
        engine=img2pdf.Engine.pikepdf,
    )
    return made


def _drawn(frame: Image.Image) -> bytes:
    """The picture upright, on white where it is transparent, as PNG."""
    picture = ImageOps.exif_transpose(frame)
    if picture.mode.startswith(("I", "F")):  # 16 bits and more: a plain conversion would cut off what is bright
        picture = picture.convert("F").point(lambda value: value * (1 / 256)).convert("L")
    elif picture.has_transparency_data:
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture.convert("RGBA"))
        picture = ground.convert("RGB")
    elif picture.mode not in _KEPT_MODES:
        picture = picture.convert("RGB")
    made = io.BytesIO()
    picture.save(made, "PNG", dpi=frame.info.get("dpi", (0, 0)))
    return made.getvalue()


def _layout(width: int, height: int, resolution: tuple[float, float]) -> tuple[float, float, float, float]:
    """The page in points: the picture's own size where its resolution is believable, else as if it showed a sheet of A4."""
    across, down = (round(value) for value in resolution)
    if across not in _BELIEVABLE or down not in _BELIEVABLE:
        low, high = _GUESSED
        across = down = min(max(round(max(width, height) / _A4_LONG_SIDE), low), high)
    page = (width * 72 / across, height * 72 / down)
    return (*page, *page)
