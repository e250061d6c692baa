"""Small ways to spoil the good bundle; the forger knows BagIt and puts the manifests right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from broken_bundles.cases import Make
from broken_bundles.story import base_files
from bundle_maker import Files, bagged
from bundle_spoils import edit


def spoiled(spoil: Callable[[Files], Files]) -> Make:
    return lambda: spoil(base_files())


def edited(path: str, change: Callable[[Any], Any]) -> Make:
    """`change` alters the parsed JSON in place."""
    return spoiled(edit(path, change))


def replaced(path: str, data: bytes | Callable[[bytes], bytes]) -> Make:
    def make() -> Files:
        files = base_files()
        return bagged({**files, path: data(files[path]) if callable(data) else data})

    return make


def swapped(one: str, other: str) -> Make:
    return spoiled(lambda files: bagged({**files, one: files[other], other: files[one]}))


def put(*way: str | int, value: Any) -> Callable[[Any], None]:
    """Sets the member at the end of the way."""

    def change(target: Any) -> None:
        for step in way[:-1]:
            target = target[step]
        target[way[-1]] = value

    return change


def taken(*way: str | int) -> Callable[[Any], None]:
    def change(target: Any) -> None:
        for step in way[:-1]:
            target = target[step]
        del target[way[-1]]

    return change
