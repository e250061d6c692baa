"""The bundle's files after the first check: what was measured is what is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from deedbox_verify.findings import FILES, Findings
from deedbox_verify.reader import BundleFiles, Progress, measure, read_whole


@dataclass(frozen=True)
class Measured:
    """Size and SHA-256 as read from the medium, whatever a manifest says."""

    size: int
    sha256: bytes


class Contents:
    """Small files as bytes, all files by their measure. A file that changes between two reads is a fault."""

    def __init__(self, files: BundleFiles, measures: Mapping[str, Measured], findings: Findings) -> None:
        self._files = files
        self._findings = findings
        self.measures = measures

    def read(self, check: int, path: str, limit: int) -> bytes | None:
        """None where the file is missing, too long or changing; told, so that no check seems to hold without its file."""
        if path not in self.measures:
            if check != FILES:  # which tells of what is missing by itself
                self._findings.fault(check, "file.missing", path, "is missing or cannot be read")
            return None
        try:
            data = read_whole(self._files, path, limit)
        except OSError as problem:
            self._findings.fault(check, "file.unreadable", path, f"cannot be read: {problem.strerror}")
            return None
        if data is None:
            self._findings.fault(check, "file.too-long", path, f"is longer than the {limit} bytes that it may have")
        elif sha256(data).digest() != self.measures[path].sha256:
            self._findings.fault(check, "file.changing", path, "changed while it was being checked")
        else:
            return data
        return None

    def digests(self, path: str, algorithms: tuple[str, ...], progress: Progress) -> dict[str, bytes]:
        """Further digests of a file, streamed again; empty where it cannot be read."""
        if path not in self.measures:
            return {}
        try:
            return measure(self._files, path, algorithms, progress)[1]
        except OSError:
            return {}
