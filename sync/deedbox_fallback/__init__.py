"""Identifiers while no box can be reached: a small process with its own key and file (formats/identifier.md)."""
