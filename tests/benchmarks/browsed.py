"""What Chromium makes of a page: its text, and what a reader's Ctrl+C and Ctrl+V carry away.

Strategy: one window for all pages. A copy is a real one: everything selected, the keys pressed, and either the
clipboard's plain text or what comes of pasting into another document's field for rich text.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from contentguard.cli.texts import text_of

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FIELD = "<!doctype html><meta charset=utf-8><div id=field contenteditable></div>"
Way = Callable[[str], str]


@contextmanager
def ways() -> Iterator[Mapping[str, Way | None]]:
    """Page → text, by name; None where there is no browser."""
    names = ("chromium text", "chromium copy", "chromium paste")
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        yield dict.fromkeys(names)
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        # The clipboard is there for secure origins alone.
        context.route("https://news.example/**", lambda route: route.fulfill(body="", content_type="text/html"))
        window = context.new_page()
        window.goto("https://news.example/")
        yield dict(zip(names, (_text(window), _copy(window), _paste(window)), strict=True))
        browser.close()


def _text(window: Any) -> Way:
    def act(page: str) -> str:
        window.set_content(page)
        return str(window.evaluate("document.body.innerText"))

    return act


def _copied(window: Any, page: str) -> None:
    window.set_content(page)
    window.evaluate("getSelection().selectAllChildren(document.querySelector('article'))")
    window.keyboard.press("Control+C")


def _copy(window: Any) -> Way:
    def act(page: str) -> str:
        _copied(window, page)
        return str(window.evaluate("navigator.clipboard.readText()"))

    return act


def _paste(window: Any) -> Way:
    def act(page: str) -> str:
        _copied(window, page)
        window.set_content(_FIELD)
        window.focus("#field")
        window.keyboard.press("Control+V")
        return text_of(str(window.evaluate("field.innerHTML")).encode(), "html")

    return act
