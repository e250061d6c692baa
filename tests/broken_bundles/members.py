"""Each member of each JSON file of a bundle, missing, of another type, and one too many: no file may be read with any of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from broken_bundles.cases import Case, broken
from broken_bundles.story import RESTAMPED, STAMPED, base_files
from bundle_maker import Files, edited
from deedbox_sync import canonical_json
from deedbox_sync.bundle import layout
from deedbox_sync.canonical_json import Json
from miniature_log import DESK

Way = tuple[str | int, ...]

#: Whose members are data, or are judged by what they say (`custody`, `devices`): not the file's own.
_OPAQUE = frozenset(["record"])


def member_cases() -> Iterator[Case]:
    """What cannot be known without the file is not proven, and told as such: see the format page's checks."""
    unread: list[tuple[str, str, tuple[str, ...], str, str]] = [
        ("index", layout.INDEX, ("index.form",), "unchecked", "no"),
        (
            "entries",
            layout.ENTRIES,
            (
                "entry.form",
                "receipt.entry",
                "custody.entry",
                "custody.first",
                "custody.last",
                "derived.event",
                "device.entry",
                "device.unpaired",
                "run.end",
            ),
            "unchecked",
            "no",
        ),
        ("statement", layout.statement(1), ("statement.form",), "before", "no"),
        ("sigstore", layout.sigstore(1), ("statement.sigstore",), "before", "yes"),
        ("receipt", layout.receipt(1), ("receipt.form",), "unchecked", "no"),
        ("custody", layout.custody(1), ("custody.form", "derived.event"), "before", "no"),
        ("device", layout.device_record(DESK), ("device.form", "statement.device"), "before", "no"),
        ("time", layout.TIME, ("time.form",), "before", "yes"),
        ("consistency", layout.stamp_consistency(STAMPED), ("stamp.consistency",), "before", "yes"),
        ("revocation", layout.stamp_revocation(RESTAMPED, 1), ("stamp.revocation",), "before", "yes"),
    ]
    for short, path, codes, anchored, attributed in unread:
        for what, said, way, change in _changes(canonical_json.parse(base_files()[path], limit=1 << 24)):
            name = "-".join([short, *map(str, way), what]).replace("_", "-")
            fault = f"{path}: {'.'.join(map(str, way)) or 'the file'} {said}"
            make = partial(_made, path, way, change)
            yield broken(name, fault, make, *codes, anchored=anchored, attributed=attributed)


def _made(path: str, way: Way, change: str) -> Files:
    return edited(base_files(), path, partial(_applied, way=way, change=change))


def _applied(value: Json, way: Way, change: str) -> None:
    target: Any = value
    for step in way[:-1] if way else ():
        target = target[step]
    if change == "extra":
        (target[way[-1]] if way else target)["unknown"] = 1
    elif change == "missing":
        del target[way[-1]]
    else:
        target[way[-1]] = _other_type(target[way[-1]])


def _changes(value: Json, way: Way = ()) -> Iterator[tuple[str, str, Way, str]]:
    """Of arrays the first item is taken for all."""
    if isinstance(value, dict):
        yield "extra", "has an unknown member", way, "extra"
        for name, inner in value.items():
            here = (*way, name)
            if way[-1:] != ("openings",):  # which need not all be there for the file to be read
                yield "missing", "is missing", here, "missing"
            yield "type", "is of another type", here, "type"
            if name not in _OPAQUE or way[-1:] == ("openings",):
                yield from _changes(inner, here)
    elif isinstance(value, list) and value:
        yield from _changes(value[0], (*way, 0))


def _other_type(value: Json) -> Json:
    return {} if isinstance(value, list | str) else "7" if isinstance(value, int | dict) else 7
