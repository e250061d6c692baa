"""Documents for the readers' tests, drawn or assembled here, so that each shows one thing."""

import io

import pikepdf
from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFont

A4_AT_150 = (1240, 1754)


def typed(*pages: str) -> bytes:
    """A digital PDF of these pages."""
    pdf = FPDF()
    pdf.set_font("helvetica", size=14)
    for page in pages:
        pdf.add_page()
        pdf.multi_cell(0, 8, page)
    return bytes(pdf.output())


def drawn(text: str, *, size: tuple[int, int] = A4_AT_150, font: int = 40) -> Image.Image:
    """A picture of text, black on white."""
    picture = Image.new("L", size, 255)
    ImageDraw.Draw(picture).multiline_text((100, 120), text, fill=0, font=ImageFont.load_default(font), spacing=16)
    return picture


def scanned(*pages: str | Image.Image) -> bytes:
    """A PDF whose pages are pictures of text."""
    pictures = [page if isinstance(page, Image.Image) else drawn(page) for page in pages]
    made = io.BytesIO()
    pictures[0].save(made, "PDF", save_all=True, append_images=pictures[1:], resolution=150)
    return made.getvalue()


def joined(*documents: bytes) -> bytes:
    """The pages of all these PDFs in one."""
    whole = pikepdf.new()
    for document in documents:
        with pikepdf.open(io.BytesIO(document)) as part:
            whole.pages.extend(part.pages)
    made = io.BytesIO()
    whole.save(made)
    return made.getvalue()


def stamped(document: bytes, stamp: str) -> bytes:
    """The first page with a line of real text over it, as a numbering stamp leaves it."""
    whole = pikepdf.open(io.BytesIO(document))
    overlay = pikepdf.open(io.BytesIO(typed(stamp)))
    whole.pages[0].add_overlay(overlay.pages[0])
    made = io.BytesIO()
    whole.save(made)
    return made.getvalue()


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    made = io.BytesIO()
    picture.save(made, form, **options)
    return made.getvalue()
