"""The readers that run inside a worker, one module a kind of document. Nothing here is imported by the box process."""
