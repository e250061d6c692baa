"""The desk's journal: one encrypted database, owned by one thread."""
