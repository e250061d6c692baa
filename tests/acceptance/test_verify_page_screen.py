"""The verifier page as a person meets it: by file picker, by drag and drop, with a keyboard, in the dark, on paper."""

from __future__ import annotations

import json
import re
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from broken_bundles.story import base_files
from broken_bundles.trusts import TRUSTS
from broken_bundles.zips import plain_zip
from bundle_maker import Files, bagged
from deedbox_sync.bundle import layout
from kit.verify_page import CHROMIUM, browser, opened_page
from miniature_log import BUNDLE

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
ORIGINAL = layout.original(1, "contract.pdf")


@pytest.fixture(scope="module")
def launched() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.fixture
def page(launched: Browser) -> Iterator[Page]:
    with opened_page(launched) as opened:
        yield opened


def payload(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def trust(page: Page) -> None:
    page.set_input_files("#trust", payload("trust.json", json.dumps(TRUSTS["all"]).encode()))


def check(page: Page, files: Files) -> None:
    page.set_input_files("#zip", payload("bundle.zip", plain_zip(files)))
    expect(page.locator("#report h2")).to_be_visible()


def answer(page: Page, name: str) -> str:
    return page.locator(f"[data-answer={name}]").inner_text()


def spoiled() -> Files:
    """The first original is another file, and the manifests were made right again."""
    files = base_files()
    return bagged({**files, ORIGINAL: files[ORIGINAL] + b"one line more"})


def test_three_answers_stand_apart(page: Page) -> None:
    trust(page)
    check(page, base_files())
    assert "Yes" in answer(page, "intact")
    assert "under a log key you trust" in answer(page, "intact")
    assert "After 14 March 2026, 11:59:58 UTC, by drand" in answer(page, "anchored")
    assert "Before 14 March 2026, 12:30:00 UTC, by Example Time Stamping" in answer(page, "anchored")
    assert "2 captured by paired devices, 1 received by the box" in answer(page, "attributed")


def test_without_pinned_keys_it_is_self_consistent_only(page: Page) -> None:
    check(page, base_files())
    assert "self-consistent only" in answer(page, "intact")
    assert "Unchecked" in answer(page, "anchored")
    trust(page)
    expect(page.locator("[data-answer=intact]")).to_contain_text("under a log key you trust")
    page.get_by_role("button", name="Forget it").click()
    expect(page.locator("[data-answer=intact]")).to_contain_text("self-consistent only")


def test_an_exhibit_tells_what_it_is_and_its_life(page: Page) -> None:
    trust(page)
    check(page, base_files())
    card = page.locator("[data-exhibit='1']")
    for words in ("contract.pdf", "Anna Example, authenticated by password, on Front desk", "from a watched folder"):
        expect(card).to_contain_text(words)
    expect(card).to_contain_text("14 March 2026, 12:00:10 UTC, by Example Time Stamping")
    line = card.get_by_role("img")
    told = line.get_attribute("aria-label")
    assert told is not None
    assert "captured 14 March 2026, 11:56:00 UTC; received 14 March 2026" in told
    assert "not before 14 March 2026, 11:59:58 UTC; not after 14 March 2026, 12:00:10 UTC" in told
    card.get_by_text("4 events, 1 of them withheld and accounted for").click()
    expect(card.get_by_role("row", name="withheld")).to_be_visible()


def test_a_fault_is_named_with_its_place_and_code(page: Page) -> None:
    trust(page)
    check(page, spoiled())
    assert "One fault" in answer(page, "intact")
    fault = page.locator(".faults li")
    expect(fault).to_have_count(1)
    expect(fault).to_contain_text(ORIGINAL)
    expect(fault).to_contain_text("statement.content")
    expect(page.locator("[data-exhibit='1']")).to_contain_text(
        "the original is not the file that its statement speaks of"
    )


def test_what_is_no_bundle_gets_one_clear_sentence(page: Page) -> None:
    page.set_input_files("#zip", payload("letter.zip", b"Dear Sir,\n" * 9))
    expect(page.locator("#report")).to_contain_text("Cannot be checked")
    expect(page.locator("#report p")).to_have_count(1)
    expect(page.locator("#report p")).to_contain_text("no ZIP of a bundle")


def test_a_trust_file_that_is_none_is_refused(page: Page) -> None:
    page.set_input_files("#trust", payload("trust.json", b'{"log": []}'))
    expect(page.locator("#report p")).to_contain_text("The trust file must be an object with")


def test_a_folder_can_be_picked(page: Page, tmp_path: Path) -> None:
    """Also where an unpacking tool has put a folder of its own around it."""
    folder = tmp_path / "Downloads"
    for path, data in base_files().items():
        file = folder / layout.top_folder(BUNDLE) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    page.set_input_files("#folder", folder)
    expect(page.locator("[data-answer=intact]")).to_contain_text("Yes")


_DROP = """async ([name, text]) => {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def test_a_bundle_and_a_trust_file_can_be_dropped(page: Page) -> None:
    page.evaluate(_DROP, ["bundle.zip", b64encode(plain_zip(base_files())).decode()])
    expect(page.locator("[data-answer=intact]")).to_contain_text("self-consistent only")
    page.evaluate(_DROP, ["keys.json", b64encode(json.dumps(TRUSTS["all"]).encode()).decode()])
    expect(page.locator("[data-answer=intact]")).to_contain_text("under a log key you trust")


def test_a_large_original_is_streamed_with_progress(page: Page, tmp_path: Path) -> None:
    """What is larger than a browser's own hash should hold at once: read piece by piece, then found to be another file."""
    files = base_files()
    bundle = tmp_path / "large.zip"
    with zipfile.ZipFile(bundle, "w") as writer:
        for path, data in files.items():
            content = bytes(160 << 20) if path == ORIGINAL else data
            writer.writestr(f"{layout.top_folder(BUNDLE)}/{path}", content)
    page.set_input_files("#zip", bundle)
    expect(page.locator("#verdict")).to_have_text(
        re.compile(r"Checking … [\d.]+ MB of 16\d\.\d MB read"), timeout=60_000
    )
    expect(page.locator(".faults")).to_contain_text("bag.digest", timeout=120_000)


def test_another_bundle_ends_the_check_of_the_one_before(page: Page, tmp_path: Path) -> None:
    large = tmp_path / "large.zip"
    with zipfile.ZipFile(large, "w") as writer:
        for path in (layout.BAGIT, layout.MANIFEST, layout.INDEX):
            writer.writestr(f"{layout.top_folder(BUNDLE)}/{path}", b"")
        writer.writestr(f"{layout.top_folder(BUNDLE)}/data/large", bytes(160 << 20))
    page.set_input_files("#zip", large)
    check(page, base_files())
    page.wait_for_timeout(500)
    assert "Yes" in answer(page, "intact")


def test_the_verdict_is_said_aloud_and_takes_the_focus(page: Page) -> None:
    trust(page)
    check(page, spoiled())
    status = page.get_by_role("status").first
    expect(status).to_have_text(re.compile(r"^Intact: no, 1 fault\. Anchored: before .+\. Attributed: no\.$"))
    assert page.evaluate("document.activeElement.tagName") == "H2"


def test_everything_can_be_reached_by_keyboard(page: Page) -> None:
    check(page, base_files())
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("(e => e.id || e.getAttribute('aria-label') || e.textContent.trim())(document.activeElement)")
        )
    assert {"zip", "folder", "trust", "Copy the SHA-256 of exhibit 1", "Life line", "print", "save"} <= reached


def test_every_control_has_a_name_and_is_large_enough(page: Page) -> None:
    check(page, base_files())
    for control in page.locator("button:visible, input:visible, summary:visible").all():
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 32, control.evaluate("e => e.outerHTML")
    for name in ("Choose the ZIP", "Choose the folder", "Choose a trust file"):
        assert page.get_by_label(name).count() == 1


_CONTRASTS = """() => {
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map(channel);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if (!/, 0\\)$|transparent/.test(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const low = [];
  for (const element of document.querySelectorAll("body *:not(svg):not(svg *)")) {
    if (!element.checkVisibility() || ![...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const [one, other] = [getComputedStyle(element).color, ground(element)].map(light).sort((a, b) => b - a);
    if ((one + 0.05) / (other + 0.05) < 4.5) low.push(element.outerHTML.slice(0, 90));
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(scheme: str, page: Page) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    trust(page)
    check(page, spoiled())
    assert page.evaluate(_CONTRASTS) == []


@pytest.mark.parametrize("width", [360, 1000])
def test_nothing_is_cut_off_at_twice_the_text_size(width: int, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("document.documentElement.style.fontSize = '187.5%'")
    check(page, spoiled())
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_has_all_that_the_screen_folds_away(page: Page) -> None:
    check(page, base_files())
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    expect(page.locator("[data-exhibit='1'] table")).to_be_visible()
    expect(page.locator("[data-answer=intact]")).to_be_visible()
    expect(page.locator("#print")).to_be_hidden()
    expect(page.locator("label[for], .choices")).to_have_count(2)
    expect(page.locator(".choices").first).to_be_hidden()


def test_the_result_can_be_saved(page: Page, tmp_path: Path) -> None:
    check(page, base_files())
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the result as JSON").click()
    download.value.save_as(tmp_path / "verdict.json")
    saved = json.loads((tmp_path / "verdict.json").read_text())
    assert saved["bundle"] == str(BUNDLE)
    assert saved["intact"]["answer"] == "yes"


def test_a_name_from_the_wild_cannot_turn_the_line_or_become_markup(page: Page) -> None:
    check(page, base_files())
    expect(page.locator("[data-exhibit='2'] .name")).to_contain_text(r"\u{202e}Мой договор")
