"""Sample evidence, made by script and the same on every machine: a scanned letter, a photo, an e-mail, a large recording.

Everything in it is invented. The letter is a picture of a letter: HIDDEN_WORD stands in it and nowhere else, neither as text
nor in a name, so that finding it proves that the picture was read.
"""

import importlib.util
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from itertools import pairwise
from pathlib import Path

from PIL import ExifTags, Image, ImageChops, ImageDraw, ImageFilter, ImageFont, TiffImagePlugin

HIDDEN_WORD = "PERIWINKLE"
_SEED = 20240517
_MIB = 1 << 20

# A4 at 200 dpi, the usual setting of an office scanner.
_DPI = 200
_SHEET = (1654, 2339)
_MARGIN = 210
_INK = 35
_WRITTEN = datetime(2024, 5, 17, 9, 30, tzinfo=UTC)

_LETTERHEAD = ("Harrow & Lind", "Solicitors", "4 Tannery Row, Marlbridge MB2 7QT", "Our ref. HL/2024/118")
_FIRST_PAGE = """17 May 2024

Ms Renée Müller
12 Orchard Lane
Marlbridge MB5 1AE


Dear Ms Müller

The boundary between 12 and 14 Orchard Lane

We act for Mr Søren Ødegård of 14 Orchard Lane. Our client bought the house in March 1998. The deed of that year \
describes the eastern boundary as the centre line of the old stone wall, and the plan annexed to it shows the wall \
running straight from the lane to the brook.

On the morning of 3 May 2024 our client found that eleven metres of the wall had been taken down and that a timber \
fence had been put up about ninety centimetres to the west of it, on his land. The gate in the new fence is painted \
a colour that the contractor's invoice calls PERIWINKLE. We have a photograph of it, taken on the same day.

Our client has neither sold nor leased any part of his garden, and he was not asked."""
_SECOND_PAGE = """We ask that you

1.  take down the fence and the gate by 14 June 2024;

2.  rebuild the wall in the line that it had, with the stones that were there, or pay the cost of it, which \
Marlbridge Stonework has put at 4,380.00;

3.  let us have a copy of your contract with the contractor, and of the plan that you gave him.

Should you think that the wall did not mark the boundary, please send us the documents on which you rely. Both \
houses were conveyed by the same seller, and we would rather compare two deeds across a table than two experts \
before a judge.

Please do not remove, paint or replace anything in the meantime. We have advised our client to keep the photographs, \
the messages and the recording of the camera above his door as they are.


Yours sincerely




Harrow & Lind"""


@dataclass(frozen=True)
class Samples:
    """What was made: the files in the order letter, photo, mail, recording, and the word that only the letter's pixels hold."""

    paths: tuple[Path, ...]
    hidden_word: str


def make_samples(folder: Path, large_mb: int = 300) -> Samples:
    """Write the four files into `folder`, which is there. The recording takes `large_mb` MiB; 0 leaves it out."""
    paths = [
        folder / "Letter from Müller & Søn.pdf",
        folder / "Garden gate, été 2024.jpg",
        folder / "Re José's survey.eml",
    ]
    _write_letter(paths[0])
    _write_photo(paths[1])
    paths[2].write_bytes(_mail())
    if large_mb:
        paths.append(folder / "Door camera Łódź 3 May.rec")
        with paths[3].open("wb") as recording:
            for piece in _recording(large_mb):
                recording.write(piece)
    return Samples(tuple(paths), HIDDEN_WORD)


def _write_letter(path: Path) -> None:
    chance = random.Random(_SEED)
    first = _scanned(_typeset(_FIRST_PAGE, letterhead=True), chance, turned=0.7)
    second = _scanned(_typeset(_SECOND_PAGE, letterhead=False), chance, turned=-0.5)
    moment = _WRITTEN.timetuple()
    first.save(
        path,
        "PDF",
        save_all=True,
        append_images=[second],
        resolution=_DPI,
        quality=72,
        producer="Office scanner",
        creationDate=moment,
        modDate=moment,
    )


def _typeset(text: str, *, letterhead: bool) -> Image.Image:
    """A clean page: left-aligned lines, as a word processor of the firm would set them."""
    page = Image.new("L", _SHEET, 255)
    draw = ImageDraw.Draw(page)
    across, down = _MARGIN, 190
    if letterhead:
        name, *lines = _LETTERHEAD
        draw.text((across, down), name, fill=_INK, font=_font(62), stroke_width=1)
        for place, line in enumerate(lines):
            draw.text((across, down + 92 + 36 * place), line, fill=_INK + 30, font=_font(26))
        draw.line((across, down + 215, _SHEET[0] - _MARGIN, down + 215), fill=_INK + 30, width=3)
        down += 270
    font = _font(33)
    for paragraph in text.split("\n"):
        heading = paragraph.startswith("The boundary between")
        for line in _lines(paragraph, font, _SHEET[0] - 2 * _MARGIN):
            draw.text((across, down), line, fill=_INK, font=font, stroke_width=1 if heading else 0)
            down += 48
    if not letterhead:
        _sign(draw, across + 10, down - 200)
    return page


def _lines(paragraph: str, font: ImageFont.FreeTypeFont, width: int) -> Iterator[str]:
    line = ""
    for word in paragraph.split(" "):
        longer = f"{line} {word}" if line else word
        if line and font.getlength(longer) > width:
            yield line
            line = word
        else:
            line = longer
    yield line


def _sign(draw: ImageDraw.ImageDraw, across: int, down: int) -> None:
    """A signature: one running line of loops that grow smaller, with the pressure of a pen."""
    points = []
    for step in range(340):
        turn = step / 340 * 11 * math.pi
        size = 46 * math.exp(-step / 210) + 9
        points.append(
            (across + 1.15 * step + size * 0.7 * math.sin(turn), down + 66 + size * math.cos(turn * 1.03 + 0.4))
        )
    points += [(across + 400 + 3 * step, down + 70 - 14 * math.sin(step / 9)) for step in range(40)]
    for place, (one, other) in enumerate(pairwise(points)):
        draw.line((one, other), fill=58, width=3 + (place // 24) % 3)


def _scanned(page: Image.Image, chance: random.Random, *, turned: float) -> Image.Image:
    """The page as an office scanner gives it: not quite straight, soft, grainy, a shadow at one edge, specks and a fold."""
    ground = 243
    scan = page.rotate(turned, resample=Image.Resampling.BICUBIC, fillcolor=255).filter(ImageFilter.GaussianBlur(0.7))
    scan = scan.point([round(value * ground / 255) for value in range(256)])
    draw = ImageDraw.Draw(scan)
    for _ in range(160):
        x, y, size = chance.randrange(_SHEET[0]), chance.randrange(_SHEET[1]), chance.choice((1, 1, 1, 2))
        draw.ellipse((x, y, x + size, y + size), fill=chance.randrange(90, 190))
    shade = Image.new("L", _SHEET, 255)
    over = ImageDraw.Draw(shade)
    over.line((0, 776, _SHEET[0], 783), fill=205, width=4)  # the fold of a letter that came by post
    for x in range(70):  # the lid does not quite close over the edge
        over.line((x, 0, x, _SHEET[1]), fill=205 + 50 * x // 70)
    scan = ImageChops.multiply(scan, shade.filter(ImageFilter.GaussianBlur(3)))
    return ImageChops.add(scan, _grain(_SHEET, chance), offset=-128)


def _grain(size: tuple[int, int], chance: random.Random) -> Image.Image:
    noise = Image.frombytes("L", size, chance.randbytes(size[0] * size[1])).filter(ImageFilter.GaussianBlur(0.8))
    return noise.point([128 + (value - 128) // 6 for value in range(256)])


def _write_photo(path: Path) -> None:
    chance = random.Random(_SEED + 2)
    size = (2048, 1536)
    scene = Image.new("RGB", size)
    draw = ImageDraw.Draw(scene)
    horizon = 640
    for y in range(horizon):
        draw.line((0, y, size[0], y), fill=(120 + y // 8, 165 + y // 12, 215 + y // 20))
    for y in range(horizon, size[1]):
        draw.line((0, y, size[0], y), fill=(70 + (y - horizon) // 30, 120 - (y - horizon) // 22, 52))
    for _ in range(9000):  # grass
        x, y = chance.randrange(size[0]), chance.randrange(horizon, size[1])
        shade = chance.randrange(-26, 26)
        draw.line(
            (x, y, x + chance.randrange(-6, 7), y - chance.randrange(6, 26)),
            fill=(74 + shade, 116 + shade, 50),
            width=2,
        )
    for plank in range(0, size[0], 86):  # the fence, with a gate in it
        gate = 860 <= plank < 1250
        top = (520 if gate else 470) + chance.randrange(-14, 14)
        shade = chance.randrange(-16, 16)
        colour = (126 + shade, 132 + shade, 214) if gate else (139 + shade, 104 + shade, 70 + shade)
        draw.polygon(
            [(plank, 1190), (plank, top + 30), (plank + 38, top), (plank + 76, top + 30), (plank + 76, 1190)],
            fill=colour,
            outline=(70, 55, 40),
        )
    for bar in (650, 1030):
        draw.rectangle((0, bar, size[0], bar + 34), fill=(118, 88, 60))
    draw.rectangle((846, 430, 872, 1210), fill=(92, 70, 50))
    draw.rectangle((1278, 430, 1304, 1210), fill=(92, 70, 50))
    draw.ellipse((1220, 822, 1252, 854), fill=(190, 160, 70))
    soft = scene.filter(ImageFilter.GaussianBlur(1.6))
    grain = _grain(size, chance)
    soft = ImageChops.add(soft, Image.merge("RGB", (grain, grain, grain)), offset=-128)
    soft.save(path, "JPEG", quality=88, exif=_exif(), dpi=(72, 72))


def _exif() -> Image.Exif:
    def ratio(number: int, of: int = 1) -> TiffImagePlugin.IFDRational:
        return TiffImagePlugin.IFDRational(number, of)

    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Deedbox"
    exif[ExifTags.Base.Model] = "Sample Camera 1"
    exif[ExifTags.Base.Orientation] = 1
    exif[ExifTags.Base.DateTime] = "2024:05:03 07:41:08"
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    camera[ExifTags.Base.DateTimeOriginal] = "2024:05:03 07:41:08"
    camera[ExifTags.Base.OffsetTimeOriginal] = "+01:00"
    camera[ExifTags.Base.BodySerialNumber] = "SAMPLE-0001"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSVersionID] = b"\x02\x03\x00\x00"
    place[ExifTags.GPS.GPSLatitudeRef] = "N"
    place[ExifTags.GPS.GPSLatitude] = (ratio(51), ratio(28), ratio(3726, 100))
    place[ExifTags.GPS.GPSLongitudeRef] = "W"
    place[ExifTags.GPS.GPSLongitude] = (ratio(0), ratio(0), ratio(531, 100))
    place[ExifTags.GPS.GPSAltitudeRef] = b"\x00"
    place[ExifTags.GPS.GPSAltitude] = ratio(455, 10)
    place[ExifTags.GPS.GPSDateStamp] = "2024:05:03"
    place[ExifTags.GPS.GPSTimeStamp] = (ratio(6), ratio(41), ratio(8))
    return exif


def _mail() -> bytes:
    message = EmailMessage()
    message["From"] = "José Ángel Núñez <jose@survey.example>"
    message["To"] = "Søren Ødegård <soren@orchard.example>"
    message["Subject"] = "Re: survey of the wall at 14 Orchard Lane"
    message["Date"] = format_datetime(_WRITTEN)
    message["Message-ID"] = "<20240517093000.118@survey.example>"
    message.set_content(
        "Dear Søren\n\nI measured the foundation of the old wall yesterday. It lies 0.92 m east of the new fence over its whole\n"
        "length; the figures are attached. The stones are still there, under the nettles.\n\nKind regards\nJosé\n"
    )
    rows = "point;distance to fence (m)\n" + "".join(
        f"P{number};{0.90 + 0.005 * (number % 7):.3f}\n" for number in range(1, 12)
    )
    message.add_attachment(rows.encode(), maintype="text", subtype="csv", filename="Vermessung Grundstück 14.csv")
    message.set_boundary("==============deedbox-sample==")
    return message.as_bytes()


def _recording(size_mb: int) -> Iterator[bytes]:
    """Bytes that no compression makes smaller, as a camera's recording."""
    chance = random.Random(_SEED + 3)
    for _ in range(size_mb):
        yield chance.randbytes(_MIB)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """The font that OCRmyPDF brings along, so that the pages do not depend on what a machine has.

    Without OCRmyPDF, which then cannot read the letter either, it is Pillow's, which has no accents.
    """
    package = importlib.util.find_spec("ocrmypdf")
    for folder in (package.submodule_search_locations or ()) if package else ():
        path = Path(folder, "data", "NotoSans-Regular.ttf")
        if path.exists():
            return ImageFont.truetype(path, size)
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
