"""The verifier page in a real browser, opened from the disk, without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from deedbox_checkout.verify_page import PAGE

CHROMIUM = shutil.which("chromium")


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@contextmanager
def opened_page(launched: Browser) -> Iterator[Page]:
    """The committed file. Whatever it complains of on the console, and whatever it asks of anybody, is an AssertionError."""
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        complaints.append(f"{message.type}: {message.text}")

    def asked(request: Request) -> None:
        if request.url != PAGE.as_uri() and not request.url.startswith("blob:"):
            complaints.append(f"asked for {request.url}")

    context = launched.new_context(offline=True, viewport={"width": 1000, "height": 800})
    page = context.new_page()
    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", asked)
    page.goto(PAGE.as_uri())
    yield page
    context.close()
    assert complaints == []
