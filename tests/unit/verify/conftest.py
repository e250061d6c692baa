"""Bundles on the disk, as a stranger gets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import bundle_maker
from bundle_maker import Files
from deedbox_sync.bundle import layout
from deedbox_verify.examine import examine
from deedbox_verify.reader import FolderBundle
from deedbox_verify.trust import Trust
from deedbox_verify.verdict import Verdict
from local_tsa import LocalTsa
from miniature_log import BUNDLE

Laid = Callable[[Mapping[str, bytes]], Path]
Judged = Callable[..., Verdict]


@pytest.fixture(scope="session")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> LocalTsa:
    return LocalTsa(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="session")
def stamped(tsa: LocalTsa) -> Files:
    """The good bundle with a time stamp over its first nine entries. Do not change it in place."""
    return bundle_maker.good_bundle(bundle_maker.Stamp(tsa.token))


@pytest.fixture
def laid(tmp_path: Path) -> Laid:
    """Writes a bundle's files as a folder."""

    def lay(files: Mapping[str, bytes]) -> Path:
        root = tmp_path / layout.top_folder(BUNDLE)
        for path, data in files.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return root

    return lay


@pytest.fixture
def judged(laid: Laid) -> Judged:
    """The verdict on a bundle's files."""

    def judge(files: Mapping[str, bytes], trust: Trust = Trust()) -> Verdict:  # noqa: B008  # frozen and empty
        return examine(FolderBundle(laid(files)), trust)

    return judge
