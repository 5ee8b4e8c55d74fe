"""One Chromium for each file of tests, and a fresh window with an open clipboard for each.

The browser lives as long as one file, not the session: Playwright's sync API keeps an event loop
running in the thread, and tests elsewhere start loops of their own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.harness import Server, Site, serving

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_browser() -> str:
    """Where Chromium is; its absence is a failure where tests must run, a skip on anybody's own machine."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    reason = f"no browser: none of {', '.join(NAMES)} is on the PATH"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = find_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@dataclass
class Window:
    """A page in a browser, with all it said and asked for."""

    page: Page
    context: BrowserContext
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def clipboard(self) -> str:
        """The clipboard's plain text."""
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def clipboard_html(self) -> str:
        """The clipboard's HTML."""
        script = "navigator.clipboard.read().then(i => i[0].getType('text/html')).then(b => b.text())"
        return str(self.page.evaluate(script))

    def put(self, text: str) -> None:
        """Fill the clipboard."""
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)

    def select(self, selector: str, start: int = 0, end: int | None = None) -> str:
        """Select an element's text, or its words from ``start`` to ``end``; gives what is selected."""
        return str(
            self.page.evaluate(
                """([selector, start, end]) => {
                  const node = document.querySelector(selector);
                  const range = document.createRange();
                  range.selectNodeContents(node);
                  if (end !== null) {
                    const text = node.firstChild, words = text.data.split(' ');
                    const at = (n) => words.slice(0, n).join(' ').length + (n ? 1 : 0);
                    range.setStart(text, at(start));
                    range.setEnd(text, at(end) - 1);
                  }
                  getSelection().removeAllRanges();
                  getSelection().addRange(range);
                  return String(getSelection());
                }""",
                [selector, start, end],
            )
        )

    def copy(self) -> None:
        """Press the keys for copying."""
        self.page.keyboard.press("Control+c")


Opener = Callable[..., Window]


@pytest.fixture
def window(chromium: Browser, server: Server) -> Iterator[Opener]:
    """Opens a page made as told and shows it in a new window; options go to the browser context."""
    opened: list[Window] = []

    def opener(site: Site | None = None, *, init: str = "", **options: object) -> Window:
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.address)
        if init:
            context.add_init_script(init)
        made = Window(context.new_page(), context)
        opened.append(made)
        made.page.on("console", lambda message: made.console.append(message.text))
        made.page.on("pageerror", lambda error: made.console.append(str(error)))
        made.page.on("request", lambda request: made.requests.append(request.url))
        made.page.goto(server.show(site or Site()))
        return made

    yield opener
    for made in opened:
        made.context.close()
        assert made.console == []
        assert [url for url in made.requests if not url.startswith(server.address)] == []
