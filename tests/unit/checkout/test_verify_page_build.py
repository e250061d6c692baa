"""The verifier page is what its sources build, and its libraries are those that were published."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from deedbox_checkout.verify_page import FOLDER, PAGE, build

PAGE_TEXT = PAGE.read_text("utf-8")


def test_the_committed_page_is_what_its_sources_build() -> None:
    """`python -m deedbox_checkout.verify_page` writes it anew."""
    assert build() == PAGE_TEXT


def test_the_vendored_files_are_those_that_were_noted() -> None:
    vendor = FOLDER / "vendor"
    noted = dict(line.split("  ")[::-1] for line in (vendor / "sha256sums.txt").read_text().splitlines())
    present = {path.relative_to(vendor).as_posix(): path for path in vendor.rglob("*") if path.is_file()}
    del present["sha256sums.txt"]
    assert {name: sha256(path.read_bytes()).hexdigest() for name, path in present.items()} == noted


def test_every_source_and_every_vendored_module_is_in_the_page() -> None:
    """A module that nothing imports would be dead code that looks alive."""
    modules = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.js")}
    assert set(re.findall(r'^modules\["([^"]+)"\] = ', PAGE_TEXT, re.MULTILINE)) == modules


def test_only_its_own_script_and_style_can_run() -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', PAGE_TEXT)
    assert policy is not None
    directives = dict(part.split(" ", 1) for part in policy[1].split("; "))
    assert directives["default-src"] == "'none'"
    assert all(re.fullmatch(r"'sha256-[^']+'", directives[name]) for name in ("script-src", "style-src"))
    ours = "".join(path.read_text("utf-8") for path in (FOLDER / "source").glob("*.js"))
    assert not re.search(
        r"\beval\(|Function\(|\bfetch\(|XMLHttpRequest|WebSocket|importScripts|import\(|innerHTML", ours
    )


def test_the_libraries_licences_are_in_the_page() -> None:
    for licence in FOLDER.glob("vendor/*/LICENSE"):
        assert licence.read_text("utf-8").strip() in PAGE_TEXT


def test_a_module_in_a_form_that_is_not_known_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "page.html").write_text("{{policy}}{{style}}{{script}}")
    (source / "page.css").write_text("")
    (source / "screen.js").write_text("export default 1;\n")
    with pytest.raises(ValueError, match=r"screen\.js"):
        build(tmp_path)
