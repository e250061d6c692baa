"""The verifier as a page, in a real browser: the same verdict as the package's on every bundle of the set."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from broken_bundles.cases import Case
from broken_bundles.every import all_cases
from broken_bundles.trusts import TRUSTS
from broken_bundles.zips import plain_zip
from bundle_maker import Files
from deedbox_sync.bundle import layout
from deedbox_verify.command import exit_status
from deedbox_verify.errors import UncheckableError
from deedbox_verify.examine import examine
from deedbox_verify.report_json import report_json, uncheckable_json
from deedbox_verify.trust import parse_trust
from deedbox_verify.zip_reader import ZipBundle
from kit.verify_page import CHROMIUM, browser, opened_page
from memory_bundle import MemoryBundle
from miniature_log import BUNDLE

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

_EXAMINE = """async ([files, trust, required]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const list = files.map(([path, text]) => ({ path, file: new File([bytes(text)], path.split("/").pop()) }));
  return window.deedbox.examine(list, new File([trust], "trust.json"), required);
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as launched, opened_page(launched) as opened:
        yield opened


def by_page(page: Page, made: Files | bytes, trust: Mapping[str, object], required: list[str]) -> Any:
    """The page's JSON; files are given as a folder's, bytes as a ZIP."""
    if isinstance(made, bytes):
        files = [["bundle.zip", b64encode(made).decode()]]
    else:
        files = [[f"{layout.top_folder(BUNDLE)}/{path}", b64encode(data).decode()] for path, data in made.items()]
    return page.evaluate(_EXAMINE, [files, json.dumps(trust), required])


class _NamedBundle(MemoryBundle):
    folder = layout.top_folder(BUNDLE)


def by_package(made: Files | bytes, trust: Mapping[str, object], required: frozenset[str], folder: Path) -> Any:
    try:
        pinned = parse_trust(json.dumps(trust).encode())
        if isinstance(made, bytes):
            (folder / "bundle.zip").write_bytes(made)
            bundle = ZipBundle(folder / "bundle.zip")
            try:
                verdict = examine(bundle, pinned)
            finally:
                bundle.close()
        else:
            verdict = examine(_NamedBundle(made), pinned)
    except UncheckableError as problem:
        return json.loads(uncheckable_json(problem.what))
    return json.loads(report_json(verdict, exit_status(verdict, required)))


def comparable(told: Any) -> Any:
    """Without the sentences of faults, in which each reader has its own words for the same."""
    findings = [{name: one[name] for name in ("check", "code", "where")} for one in told.get("findings", [])]
    return {**told, "findings": sorted(findings, key=json.dumps)}


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_gives_the_expected_verdict_and_that_of_the_package(case: Case, page: Page, tmp_path: Path) -> None:
    made = case.make()
    if isinstance(made, dict) and not case.folder:
        made = plain_zip(made)
    required = case.require.split(",") if case.require else []
    found = by_page(page, made, TRUSTS[case.trust], required)
    expected = case.expected
    answers = [found.get(name, {}).get("answer") for name in ("intact", "anchored", "attributed")]
    assert [found["status"], *answers] == [expected.status, expected.intact, expected.anchored, expected.attributed]
    assert {finding["code"] for finding in found.get("findings", [])} == expected.codes
    assert comparable(found) == comparable(by_package(made, TRUSTS[case.trust], frozenset(required), tmp_path))
