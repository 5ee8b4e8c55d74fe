"""Framing in real Chromium: an article inside a page of the site, of a partner, and of anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.browser.onsite import Site, site


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Site, Site, Site]]:
    with ExitStack() as stack:
        partner, stranger = stack.enter_context(site()), stack.enter_context(site())
        own = stack.enter_context(site(framing={"ancestors": ["'self'", partner.at("127.0.0.1")]}))
        yield own, partner, stranger


@pytest.mark.parametrize(("whose", "shown"), [(0, True), (1, True), (2, False)], ids=["own", "partner", "stranger"])
def test_an_article_is_framed_by_whom_the_site_names(
    chromium: Browser, sites: tuple[Site, Site, Site], whose: int, shown: bool
) -> None:
    article = sites[0].at("127.0.0.1") + "/news/tide"
    page = chromium.new_context().new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(sites[whose].at("127.0.0.1") + "/empty")
    page.set_content(f'<iframe src="{article}"></iframe>', wait_until="load")
    frame = page.frames[1]
    if shown:
        frame.wait_for_selector("article")
        assert not any("frame-ancestors" in text for text in said)
    else:
        assert frame.query_selector("article") is None
        assert any("frame-ancestors" in text for text in said), said
    page.context.close()
