"""The report's script in a real browser: what it says of one that is driven, and of one that hides it."""

from __future__ import annotations

from importlib.resources import files

import pytest
from playwright.sync_api import Browser

from contentguard.detect.report import AGENT, PERMISSION, RAN, WEBDRIVER, make, read
from tests.browser.harness import Server

KEY, NOW = b"k" * 32, 1_800_000_000.0
TOKEN = make(KEY, "reader", NOW)
SCRIPT = files("contentguard.assets").joinpath("report.js").read_bytes()
PAGE = f'<!doctype html><title>A page</title><script src="/report.js" data-cg-report="/r {TOKEN}"></script>'
HIDES = "Object.defineProperty(Navigator.prototype, 'webdriver', {get: () => false})"
STEALTH = HIDES + ";Object.defineProperty(Notification, 'permission', {get: () => 'denied'})"
OTHER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.0.0 Safari/537.36"


def flags(chromium: Browser, server: Server, init: str = "", agent: str | None = None) -> int:
    """What the page reports from a fresh window."""
    server.files["/report.js"] = ("text/javascript", SCRIPT)
    server.files["/reported"] = ("text/html", PAGE.encode())
    context = chromium.new_context(user_agent=agent)
    try:
        if init:
            context.add_init_script(init)
        page = context.new_page()
        with page.expect_request("**/r") as sent:
            page.goto(server.address + "/reported")
        assert sent.value.method == "POST"
        report = read(KEY, sent.value.post_data_buffer or b"", "reader", NOW + 1)
        assert report is not None
        return report.flags
    finally:
        context.close()


def test_a_driven_browser_says_so(chromium: Browser, server: Server) -> None:
    assert flags(chromium, server) & WEBDRIVER


@pytest.mark.parametrize(
    ("init", "agent", "expected"),
    [(HIDES, None, RAN), (HIDES, OTHER, RAN | AGENT)],
    ids=["hidden", "another agent"],
)
def test_one_that_hides_it(chromium: Browser, server: Server, init: str, agent: str | None, expected: int) -> None:
    found = flags(chromium, server, init, agent)
    assert found & ~PERMISSION == expected  # without a screen, Chromium contradicts itself here by itself
