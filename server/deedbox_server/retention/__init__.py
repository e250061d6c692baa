"""What is kept and how long, what may not go, and how things go: holds, retention, disposal, erasure (formats/erasure.md)."""
