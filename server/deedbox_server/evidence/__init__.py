"""Exhibits: how they come in, what happens to them, how they are read and proven."""
