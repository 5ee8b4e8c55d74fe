"""A quotation's link in real Chromium: what a copy names, and where it leads a reader who has never been here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.servers.harness import Server, news

ARTICLE = "/news/eelgrass-meadow"
LAST = ".entry-content > p:last-of-type"
ON_SCREEN = f"""() => {{
  const box = document.querySelector({LAST!r})?.getBoundingClientRect();
  return scrollY > 500 && box && box.bottom > 0 && box.top < innerHeight;
}}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("site")
    chosen = folder / "settings.toml"
    chosen.write_text('site = "The Harbour Gazette"\n[copying]\nquote_link = true\n', "utf-8")
    with news(folder / "log", "--settings", str(chosen)) as server:
        yield server


def read(page: Page, url: str) -> None:
    """Open an article and wait until it is there whole."""
    page.goto(url)
    page.wait_for_selector("[data-cg-rest]", state="detached", timeout=20_000)


def copied(chromium: Browser, site: Server) -> str:
    """What a copy of the article's last paragraph names as its source."""
    context = chromium.new_context()
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    page = context.new_page()
    read(page, site.url + ARTICLE)
    page.evaluate(f"getSelection().selectAllChildren(document.querySelector({LAST!r}))")
    page.keyboard.press("Control+c")
    text = str(page.evaluate("navigator.clipboard.readText()"))
    context.close()
    return next(line for line in text.splitlines() if "#:~:text=" in line)


def test_a_quotations_link_leads_to_the_passage_also_who_has_yet_to_earn_it(chromium: Browser, site: Server) -> None:
    link = copied(chromium, site)
    assert link.startswith(f"{site.url}/.contentguard/q/")
    page = chromium.new_context(viewport={"width": 800, "height": 600}).new_page()
    read(page, link)
    assert page.evaluate("location.pathname") == ARTICLE, "no token stays in the address"
    page.wait_for_function(ON_SCREEN)
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_function(ON_SCREEN)
    page.context.close()


def test_without_a_script_it_leads_to_the_article(chromium: Browser, site: Server) -> None:
    link = copied(chromium, site)
    page = chromium.new_context(java_script_enabled=False).new_page()
    page.goto(link)
    assert page.url.partition("#")[0] == site.url + ARTICLE
    page.context.close()
