"""Identifiers while the box cannot be reached: a small process of its own (`formats/identifier.md`, README.md beside this)."""
