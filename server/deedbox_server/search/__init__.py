"""Finding words in what was read: one query language, one index with two homes, and the wall inside every query."""
