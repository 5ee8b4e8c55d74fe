"""An article that cannot be cut in two, where its owner keeps it behind a page of two seconds, in real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.onsite import Site, site

TEXT = "One long block of words that has no end. " * 60
PAGE = (
    "<!doctype html><html lang=en><head><title>Tide</title></head><body>"
    f'<div id=app data-reactroot><article><p>{TEXT}</p></article></div><a id=on href="/news/other">on</a></body></html>'
)


async def taken_over(scope: Any, receive: Any, send: Any) -> None:
    """An article that a script takes over: nothing may be put into it, so it has no lead."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": PAGE.encode()})


@pytest.fixture(scope="module")
def waiting() -> Iterator[Site]:
    with site(taken_over, reading={"mode": "progressive", "undivided": "wait"}) as running:
        yield running


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_reader_waits_once(chromium: Browser, waiting: Site, scripts: bool) -> None:
    page = chromium.new_context(java_script_enabled=scripts).new_page()
    first = page.goto(waiting.at("127.0.0.1") + "/news/tide")
    assert first is not None
    assert first.status == 503
    assert "has no end" not in first.text()
    assert page.get_by_role("link", name="Continue reading").count() == 1
    page.wait_for_selector("article", timeout=20_000)
    assert page.url == waiting.at("127.0.0.1") + "/news/tide"
    with page.expect_response("**/news/other") as second:
        page.click("#on")
    assert second.value.status == 200
    assert "has no end" in second.value.text()
    page.context.close()
