"""Who did what, saw what, was refused what: a readable record beside each entry of the log (formats/audit.md)."""

from deedbox_server.trail.trail import Trail

__all__ = ["Trail"]
