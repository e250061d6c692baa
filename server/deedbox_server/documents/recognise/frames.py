"""Boxes from one view of a page to another: turned by quarters, or cut down from the whole sheet to the part that is shown."""

from deedbox_server.documents.derived import BOX_UNITS

Box = tuple[int, int, int, int]
Rectangle = tuple[float, float, float, float]  # left, bottom, right, top in points, as PDF writes them


def turn(box: Box, degrees: int) -> Box:
    """The box after its page is turned clockwise by 0, 90, 180 or 270 degrees."""
    x0, y0, x1, y1 = box
    for _ in range(degrees // 90 % 4):
        x0, y0, x1, y1 = BOX_UNITS - y1, x0, BOX_UNITS - y0, x1
    return x0, y0, x1, y1


def crop(box: Box, *, media: Rectangle, shown: Rectangle, rotation: int) -> Box | None:
    """A box on the whole sheet (as rotated) on the part that is shown; None where it lies outside."""
    width, height = media[2] - media[0], media[3] - media[1]
    if shown == media or width <= 0 or height <= 0:
        return box
    part = (
        round((shown[0] - media[0]) / width * BOX_UNITS),
        round((media[3] - shown[3]) / height * BOX_UNITS),
        round((shown[2] - media[0]) / width * BOX_UNITS),
        round((media[3] - shown[1]) / height * BOX_UNITS),
    )
    left, top, right, bottom = turn(part, rotation)
    if right <= left or bottom <= top:
        return box
    x0, x1 = (_within((x - left) * BOX_UNITS // (right - left)) for x in (box[0], box[2]))
    y0, y1 = (_within((y - top) * BOX_UNITS // (bottom - top)) for y in (box[1], box[3]))
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _within(value: int) -> int:
    return min(max(value, 0), BOX_UNITS)
