"""Who did what, saw what, was refused what: a readable record beside each entry of the log (formats/audit.md); and the same as it
happens, for whoever listens."""

from deedbox_server.trail.happened import Happened
from deedbox_server.trail.live import Beat, Live, Piece, Reset
from deedbox_server.trail.reading import Asked, Page, Told, TrailReading
from deedbox_server.trail.trail import Trail

__all__ = ["Asked", "Beat", "Happened", "Live", "Page", "Piece", "Reset", "Told", "Trail", "TrailReading"]
