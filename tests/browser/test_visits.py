"""Visits in real Chromium on the example site: what a reader's browser does by itself is what the guard looks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from contentguard.assets import PRINT, REPORT
from tests.servers.harness import Server, news

ARTICLES = ["/news/eelgrass-meadow", "/news/winter-ferry-timetable"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with news(tmp_path_factory.mktemp("site") / "log") as server:
        yield server


def reading(chromium: Browser, site: Server, **options: Any) -> tuple[BrowserContext, Page, list[str]]:
    """A fresh window, and every path that it asks for."""
    context = chromium.new_context(**options)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url.removeprefix(site.url)}"))
    return context, page, asked


def times(asked: list[str], name: str) -> int:
    return sum(name in line for line in asked)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_the_sheet_is_fetched_with_every_article(chromium: Browser, site: Server, scripts: bool) -> None:
    context, page, asked = reading(chromium, site, java_script_enabled=scripts)
    for number, path in enumerate([*ARTICLES, *ARTICLES], 1):
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        assert times(asked, PRINT.file) == number, "also where it is in the cache"
    page.reload()
    page.wait_for_load_state("networkidle")
    assert times(asked, PRINT.file) == 5
    context.close()


def test_nothing_waits_for_it(chromium: Browser, site: Server) -> None:
    """A sheet for print holds up neither painting nor the page's own scripts."""
    context, page, _ = reading(chromium, site)
    held: list[Any] = []
    page.route(f"**/{PRINT.file}", lambda route: held.append(route))
    page.goto(site.url + ARTICLES[0], wait_until="domcontentloaded")
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
    assert page.get_by_role("heading", name="Share your love").is_visible()
    assert held, "it was asked for, and has not come"
    for route in held:
        route.abort()
    context.close()


def test_the_cookie_comes_once_and_no_script_can_read_it(chromium: Browser, site: Server) -> None:
    context, page, _ = reading(chromium, site)
    page.goto(site.url + ARTICLES[0])
    page.wait_for_load_state("networkidle")
    (first,) = context.cookies()
    assert (first["name"], first["httpOnly"], first["sameSite"]) == ("contentguard", True, "Lax")
    assert page.evaluate("document.cookie") == ""
    page.goto(site.url + ARTICLES[1])
    page.wait_for_load_state("networkidle")
    (second,) = context.cookies()
    # The sheet's answer has renewed it once; the visit, all of whose bits stand in these characters, is the same.
    assert second["value"][15:25] == first["value"][15:25]
    context.close()


def test_the_report_is_sent_once_a_page_and_thanked_for(chromium: Browser, site: Server) -> None:
    context, page, asked = reading(chromium, site)
    answers: list[int] = []
    page.on("response", lambda response: answers.append(response.status) if "report" in response.url else None)
    page.goto(site.url + ARTICLES[0])
    page.wait_for_load_state("networkidle")
    assert times(asked, REPORT.file) == 1
    assert times(asked, "POST /.contentguard/report") == 1
    assert 204 in answers
    context.close()


def test_the_honeylink_cannot_be_reached(chromium: Browser, site: Server) -> None:
    """Neither by the eye, nor by the tab key, nor in the accessibility tree, nor by find-in-page."""
    context, page, _ = reading(chromium, site)
    page.goto(site.url + ARTICLES[0])
    link = page.locator('a[href*="/.contentguard/more/"]')
    assert link.count() == 1
    assert not link.is_visible()
    assert link.bounding_box() is None
    for _ in range(80):
        page.keyboard.press("Tab")
        assert "/more/" not in str(page.evaluate("document.activeElement?.href ?? ''"))
    tree = context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    urls = [p["value"].get("value", "") for n in tree["nodes"] for p in n.get("properties", []) if p["name"] == "url"]
    assert urls
    assert not [url for url in urls if "/more/" in str(url)]
    context.close()
