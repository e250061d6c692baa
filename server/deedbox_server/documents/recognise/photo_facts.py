"""What a camera or scanner wrote into a picture: when, with what, and where (Exif 2.3). Read, never altered.

Numbers travel as decimal text: coordinates with seven decimals, a centimetre on the ground.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from PIL import ExifTags, Image

from deedbox_server.documents.derived import clean
from deedbox_sync.canonical_json import Json

_VALUE = 200  # characters of one value that are kept
_NAMED = {
    "make": ExifTags.Base.Make,
    "model": ExifTags.Base.Model,
    "software": ExifTags.Base.Software,
    "artist": ExifTags.Base.Artist,
    "description": ExifTags.Base.ImageDescription,
    "written": ExifTags.Base.DateTime,
}
_NAMED_BY_CAMERA = {
    "taken": ExifTags.Base.DateTimeOriginal,
    "taken_zone": ExifTags.Base.OffsetTimeOriginal,
    "serial": ExifTags.Base.BodySerialNumber,
    "lens": ExifTags.Base.LensModel,
}
_PLACES = Decimal("0.0000001")


def photo_facts(image: Image.Image) -> dict[str, Json]:
    """Size, resolution, and the Exif facts that are there. What does not parse is left out."""
    exif = image.getexif()
    camera = exif.get_ifd(ExifTags.IFD.Exif)
    facts: dict[str, Json] = {
        "kind": "picture",
        "format": image.format or "",
        "width": image.width,
        "height": image.height,
        "orientation": _small(exif.get(ExifTags.Base.Orientation)),
        "resolution": _resolution(image),
    }
    for names, values in ((_NAMED, exif), (_NAMED_BY_CAMERA, camera)):
        for name, tag in names.items():
            if text := _text(values.get(tag)):
                facts[name] = text
    if place := _place(exif.get_ifd(ExifTags.IFD.GPSInfo)):
        facts["gps"] = place
    return facts


def _place(gps: Mapping[int, Any]) -> dict[str, Json]:
    latitude = _degrees(gps, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S", 90)
    longitude = _degrees(gps, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W", 180)
    if latitude is None or longitude is None:
        return {}
    place: dict[str, Json] = {"latitude": latitude, "longitude": longitude}
    altitude = _number(gps.get(ExifTags.GPS.GPSAltitude))
    if altitude is not None:
        below = gps.get(ExifTags.GPS.GPSAltitudeRef) in (1, b"\x01")
        place["altitude"] = f"{(-altitude if below else altitude).quantize(Decimal('0.1'))}"
    day, moment = _text(gps.get(ExifTags.GPS.GPSDateStamp)), gps.get(ExifTags.GPS.GPSTimeStamp)
    if (
        day
        and isinstance(moment, tuple)
        and len(moment) == 3
        and None not in (parts := [_number(part) for part in moment])
    ):
        place["time_utc"] = f"{day} " + ":".join(f"{int(part or 0):02}" for part in parts)
    return place


def _degrees(gps: Mapping[int, Any], value: int, side: int, negative: str, bound: int) -> str | None:
    parts = gps.get(value)
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    numbers = [_number(part) for part in parts]
    if any(number is None for number in numbers):
        return None
    degrees, minutes, seconds = (number or Decimal() for number in numbers)
    total = degrees + minutes / 60 + seconds / 3600
    if not 0 <= total <= bound:
        return None
    return f"{(-total if _text(gps.get(side)) == negative else total).quantize(_PLACES)}"


def _number(value: object) -> Decimal | None:
    """A rational of Exif; those with a zero denominator are no number."""
    try:
        number = Decimal(value.numerator) / Decimal(value.denominator)  # type: ignore[attr-defined]
    except (AttributeError, InvalidOperation, ZeroDivisionError, TypeError, ValueError):
        return None
    return number if number.is_finite() and abs(number) < 10**9 else None


def _resolution(image: Image.Image) -> int | None:
    dpi = image.info.get("dpi")
    return _small(round(float(dpi[0]))) if isinstance(dpi, tuple) and dpi and 0 < float(dpi[0]) < 10**6 else None


def _small(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 10**6 else None


def _text(value: object) -> str:
    return " ".join(clean(value.replace("\x00", " ")).split())[:_VALUE] if isinstance(value, str) else ""
