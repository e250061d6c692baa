"""What outsiders say, in a bundle: runs of entries from a beacon (data/time.json), and a time stamp's revocation data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deedbox_sync import canonical_json
from deedbox_sync.binary_text import encode_base64, parse_base64
from deedbox_sync.bundle.layout import MAX_REVOCATION, MAX_RUN, MAX_TIME, TIME
from deedbox_sync.canonical_json import Fields, Json
from deedbox_sync.errors import FormatError

_MAX_CRLS = 32  # one for each certificate of a chain, and some more


@dataclass(frozen=True)
class Run:
    """Neighbouring log entries' exact bytes, from index `first`: a beacon's entry, and all up to one that is proven."""

    first: int
    entries: tuple[bytes, ...]

    @property
    def end(self) -> int:
        """The index after the last."""
        return self.first + len(self.entries)


def encode_runs(runs: Sequence[Run]) -> bytes:
    """data/time.json."""
    told: list[Json] = [{"first": run.first, "entries": [encode_base64(one) for one in run.entries]} for run in runs]
    return canonical_json.encode({"v": 1, "runs": told})


def parse_runs(data: bytes) -> tuple[Run, ...]:
    """Ascending, without overlap, none empty or too long. What the entries are, and whether they chain, is not looked at."""
    fields = Fields(canonical_json.parse_object(data, limit=MAX_TIME, where=TIME), TIME)
    fields.literal("v", 1)
    runs: list[Run] = []
    for item in fields.objects("runs"):
        texts = item.texts("entries")
        if not 1 <= len(texts) <= MAX_RUN:
            raise item.fault("entries", f"are not 1 to {MAX_RUN}")
        entries = tuple(parse_base64(text, where=f"{item.where}.entries") for text in texts)
        run = Run(item.integer("first"), entries)
        item.done()
        if runs and run.first < runs[-1].end:
            raise item.fault("first", "does not come after the run before it")
        runs.append(run)
    fields.done()
    return tuple(runs)


def encode_revocation(crls: Sequence[bytes]) -> bytes:
    """stamps/SIZE-K.json."""
    return canonical_json.encode({"v": 1, "crls": [encode_base64(crl) for crl in crls]})


def parse_revocation(data: bytes, where: str) -> tuple[bytes, ...]:
    """CRLs as DER, unread: which of them count is for `verify_stamp` to find."""
    fields = Fields(canonical_json.parse_object(data, limit=MAX_REVOCATION, where=where), where)
    fields.literal("v", 1)
    texts = fields.texts("crls")
    fields.done()
    if len(texts) > _MAX_CRLS:
        raise FormatError(where, f"has more than {_MAX_CRLS} CRLs")
    return tuple(parse_base64(text, where=f"{where}.crls") for text in texts)
