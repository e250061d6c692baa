"""The account page as a person meets it, in a real browser, over TLS, with an authenticator of the browser's own making."""

from __future__ import annotations

import time
from base64 import b32decode
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from deedbox_server.people.invitations import NewInvitation
from deedbox_server.people.principal import SYSTEM
from deedbox_server.people.totp import SECONDS, code_at
from kit.open_box import Office
from kit.served_box import ServedBox, served_box
from kit.verify_page import CHROMIUM, browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

PATIENCE = 60_000  # milliseconds; a busy machine stalls
PASSWORD = "four words do well"
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def launched() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBox]:
    with served_box(
        tmp_path_factory.mktemp("box"), name="Ödegård & <Partners>", stranger_calls_per_minute=10_000
    ) as served:
        yield served


@contextmanager
def opened(launched: Browser, **how: object) -> Iterator[tuple[BrowserContext, Page]]:
    """A browser of its own. What its policy refuses, and any script that fails, is an AssertionError."""
    complaints: list[str] = []
    context = launched.new_context(ignore_https_errors=True, viewport={"width": 1000, "height": 800}, **how)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    yield context, page
    context.close()
    assert complaints == []


@pytest.fixture
def page(launched: Browser) -> Iterator[Page]:
    with opened(launched) as (context, page):
        devtools = context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        yield page


def invited(box: ServedBox, role: str = "paralegal") -> tuple[str, str]:
    """A link, and the name that it is for."""
    name = f"Greta {uuid4().hex[:8]}"

    async def invite(office: Office) -> str:
        return (await office.box.invitations.invite(SYSTEM, NewInvitation(name, role)))[1].text

    return f"{box.url}/account#invitation={box.run(invite)}", name


def registered(page: Page, box: ServedBox) -> str:
    """As far as the choice of a second factor. The name to sign in with."""
    link, name = invited(box)
    page.goto(link)
    expect(page.get_by_role("heading", name=f"Welcome, {name}")).to_be_visible()
    sign_in = name.lower()
    page.get_by_label("Name to sign in with").fill(sign_in)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    return sign_in


def with_passkey(page: Page, box: ServedBox) -> str:
    sign_in = registered(page, box)
    page.get_by_role("button", name="Passkey").click()
    page.get_by_label("What to call it").fill("My laptop")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_role("heading", name="Second factors")).to_be_visible()
    return sign_in


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def sign_in(page: Page, name: str) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_from_the_link_to_a_passkey_and_in_again_with_it_alone(page: Page, box: ServedBox) -> None:
    with_passkey(page, box)
    expect(page.get_by_text("My laptop")).to_be_visible()
    expect(page.get_by_text("10 of 10 left")).to_be_visible()
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("My laptop")).to_be_visible()


def test_the_token_of_a_link_leaves_the_address_at_once_and_never_goes_into_one(page: Page, box: ServedBox) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    registered(page, box)
    assert page.url == f"{box.url}/account"
    assert not any("dbi_" in url for url in asked)
    page.go_back()
    assert "dbi_" not in page.url


def test_a_link_that_was_used_says_so_in_one_sentence(page: Page, box: ServedBox) -> None:
    link, _ = invited(box)
    page.goto(f"{link[:-4]}AAAA")
    expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()
    expect(page.get_by_text("ask whoever sent it for a new one")).to_be_visible()


def test_an_authenticator_app_its_code_and_a_recovery_code(page: Page, box: ServedBox) -> None:
    name = registered(page, box)
    page.get_by_role("button", name="Authenticator app").click()
    expect(page.get_by_alt_text("QR code for the authenticator app")).to_be_visible()
    natural = page.get_by_alt_text("QR code").evaluate("image => image.naturalWidth")
    assert natural > 0  # the picture was drawn: the policy lets it
    secret = b32decode(page.get_by_label("Secret for the app").inner_text().replace(" ", "").replace("\n", ""))

    def code(steps: int = 0) -> str:
        return code_at(secret, int(time.time()) // SECONDS + steps)

    page.get_by_label("Code that the app shows").fill(code())  # the sixth digit sends it
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    codes = page.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("Authenticator app").first).to_be_visible()
    sign_out(page)
    sign_in(page, name)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.get_by_label("Code from your authenticator app").fill("000000")
    expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
    page.get_by_role("button", name="Use a recovery code").click()
    page.get_by_label("Recovery code").fill(codes[0].upper())
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("9 of 10 left")).to_be_visible()


def test_a_wrong_password_is_told_and_keeps_the_name(page: Page, box: ServedBox) -> None:
    page.goto(f"{box.url}/account")
    page.get_by_label("Name", exact=True).fill("nobody")
    page.get_by_label("Password", exact=True).fill("not a password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_contain_text("Name or password is wrong.")
    expect(page.get_by_label("Name", exact=True)).to_have_value("nobody")


def test_a_short_password_is_refused_in_words_that_help(page: Page, box: ServedBox) -> None:
    link, _ = invited(box)
    page.goto(link)
    page.get_by_label("Name to sign in with").fill("greta")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_role("alert")).to_contain_text("at least 12 characters")


def test_factors_are_renamed_added_and_removed_but_not_the_last(page: Page, box: ServedBox) -> None:
    with_passkey(page, box)
    page.get_by_role("button", name="Rename My laptop").click()
    page.get_by_label("Name of the passkey").fill("Yellow key")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Yellow key")).to_be_visible()
    page.get_by_role("button", name="Remove Yellow key").click()
    expect(page.get_by_role("alert").first).to_contain_text("This is your last second factor")


def test_after_a_while_a_change_asks_for_the_second_factor_again_and_then_happens(page: Page, box: ServedBox) -> None:
    with_passkey(page, box)

    async def grow_old(office: Office) -> None:
        await office.box.database.execute("UPDATE people_session SET shown = NULL")

    box.run(grow_old)
    page.get_by_role("button", name="Make new ones").click()
    dialog = page.get_by_role("dialog", name="Show your second factor again")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Nothing was chosen. You can try again.")).to_be_visible()
    page.get_by_role("button", name="Make new ones").click()
    dialog.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()


def test_another_session_is_seen_and_ended(launched: Browser, page: Page, box: ServedBox) -> None:
    name = with_passkey(page, box)
    with opened(launched, user_agent="Mozilla/5.0 (iPhone) Safari/605.1") as (_, phone):
        phone.goto(f"{box.url}/account")
        sign_in(phone, name)
        expect(phone.get_by_role("heading", name="One more step")).to_be_visible()
        page.reload()
        page.get_by_role("button", name="End the session of Safari on iPhone").click()
        expect(page.get_by_text("Safari on iPhone")).to_have_count(0)
        phone.reload()
        expect(phone.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_password_is_changed_with_the_old_one(page: Page, box: ServedBox) -> None:
    with_passkey(page, box)
    page.get_by_role("button", name="Change the password").click()
    page.get_by_label("Old password").fill("wrong wrong wrong")
    page.get_by_label("New password").fill("quite another password")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_text("The old password is wrong.")).to_be_visible()
    page.get_by_label("Old password").fill(PASSWORD)
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("status")).to_have_text("Password changed")


def test_a_name_with_markup_in_it_is_a_name(page: Page, box: ServedBox) -> None:
    page.goto(f"{box.url}/account")
    expect(page.locator(".box")).to_have_text("Ödegård & <Partners>")


def test_everything_at_the_door_can_be_reached_by_keyboard_and_has_a_name(page: Page, box: ServedBox) -> None:
    page.goto(f"{box.url}/account")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("(e => e.labels?.[0]?.textContent || e.textContent.trim())(document.activeElement)")
        )
    assert reached == ["Password", "Show", "Sign in", "Sign in with a passkey"]
    with_passkey(page, box)
    for control in page.locator("button:visible, input:visible, a.button:visible").all():
        bounds = control.bounding_box()
        assert bounds is not None
        assert bounds["height"] >= 32, control.evaluate("e => e.outerHTML")
        assert control.evaluate(
            "e => (e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent).trim()"
        )
    assert page.evaluate("document.activeElement.tagName") == "H1"


_CONTRASTS = """() => {
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const below = (e) => {
    for (; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !e.getClientRects().length) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(below(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${e.outerHTML.slice(0, 80)}`);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_the_light_and_in_the_dark(page: Page, box: ServedBox, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.goto(f"{box.url}/account")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate(_CONTRASTS) == []
    with_passkey(page, box)
    assert page.evaluate(_CONTRASTS) == []


def test_nothing_runs_off_a_phone_or_at_twice_the_size_of_text(page: Page, box: ServedBox) -> None:
    with_passkey(page, box)
    for width, zoom in ((360, "100%"), (1000, "200%"), (390, "200%")):
        page.set_viewport_size({"width": width, "height": 700})
        page.evaluate("size => { document.documentElement.style.fontSize = size }", zoom)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, zoom)
