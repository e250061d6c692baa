"""The page that describes the calls, in a real browser, light and dark: it asks nobody but the box, and keeps its own policy."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import uvicorn
from litestar import Litestar
from litestar.di import Provide
from playwright.sync_api import Browser

from deedbox_server.app.description import described
from deedbox_server.web.docs import docs_file, docs_page, openapi_device_document, openapi_document, root
from kit.verify_page import CHROMIUM, browser
from kit.waiting import until

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
_PATIENCE = 180_000  # ms: two megabytes of document and script, on a machine that stalls


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    describe = Provide(lambda: described, sync_to_thread=False, use_cache=True)
    routes = [docs_file, docs_page, openapi_device_document, openapi_document, root]
    app = Litestar(routes, dependencies={"describe": describe}, openapi_config=None)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started, "the page is served", seconds=60)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(30)


@pytest.fixture(scope="module")
def launched() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_shows_both_documents_and_asks_nobody_else(launched: Browser, address: str, scheme: str) -> None:
    complaints: list[str] = []
    context = launched.new_context(color_scheme="light" if scheme == "light" else "dark")
    page = context.new_page()
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith((address, "data:")) else complaints.append(f"asked for {asked.url}"),
    )
    page.goto(f"{address}/docs")
    page.locator("[id='link-get-/api/v1/cases']").wait_for(state="attached", timeout=_PATIENCE)
    if scheme == "light":  # one after the other is enough once
        page.get_by_role("link", name="Desks").click()
        page.locator("[id='link-post-/device/v1/offers']").wait_for(state="attached", timeout=_PATIENCE)
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == {"light": "rgb(250, 248, 244)", "dark": "rgb(21, 23, 26)"}[scheme]
    context.close()
    assert complaints == []
