"""Pictures in real Chromium: on the site, inside a page of another site, with srcset, <picture> and lazy loading.

The same server is two sites to a browser: ``127.0.0.1`` and ``localhost``.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.onsite import Site, site
from tests.client import ARTICLE, CHROME

FAR = '<div style="height: 9000px"></div>'
SHOWN = (
    '<p><img id=plain src="/images/a-10.png" alt="">'
    '<img id=dense src="/images/a-10.png" srcset="/images/a-10.png 1x, /images/a-20.png 2x" alt="">'
    '<picture><source media="(max-width: 500px)" srcset="/images/a-30.png"><img id=art src="/images/a-40.png" alt="">'
    f'</picture></p>{FAR}<p><img id=lazy loading=lazy src="/images/a-50.png" width=50 height=50 alt=""></p>'
)
HEAD = '<meta property="og:image" content="/images/card-60.png"></head>'
PAGE = ARTICLE.replace("</head>", HEAD).replace("</article>", SHOWN + "</article>")
SIZES = """ids => Object.fromEntries(ids.map(id => {
  const image = document.getElementById(id);
  return [id, image.complete ? image.naturalWidth : 0];
}))"""


def png(side: int) -> bytes:
    """A grey square."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x80" * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def pictures(scope: Any, receive: Any, send: Any) -> None:
    """Articles, empty pages, and squares whose size their name says."""
    named = re.fullmatch(r"/images/[a-z]+-(\d+)\.png", scope["path"])
    page = PAGE if scope["path"].startswith("/news/") else "<!doctype html><title>Empty</title>"
    kind, body = (b"image/png", png(int(named[1]))) if named else (b"text/html; charset=utf-8", page.encode())
    headers = [(b"content-type", kind), (b"cache-control", b"max-age=60")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module", params=["hotlinks", "signed"])
def running(request: pytest.FixtureRequest) -> Iterator[Site]:
    chosen = {"hotlinks": "placeholder"} | ({"signed": ["/images/"]} if request.param == "signed" else {})
    with site(pictures, media=chosen, limits={"articles": "1000/minute"}) as running:
        yield running


def sizes(page: Page, *ids: str) -> dict[str, int]:
    page.wait_for_load_state("networkidle")
    found: dict[str, int] = page.evaluate(SIZES, list(ids))
    return found


def test_on_the_site_everything_is_shown(chromium: Browser, running: Site) -> None:
    page = chromium.new_context(viewport={"width": 800, "height": 600}).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(running.at("127.0.0.1") + "/news/tide")
    assert sizes(page, "plain", "dense", "art", "lazy") == {"plain": 10, "dense": 10, "art": 40, "lazy": 0}
    assert not any("a-50" in url for url in asked), "a lazy picture is not asked for before it is near"
    page.locator("#lazy").scroll_into_view_if_needed()
    page.wait_for_function("document.getElementById('lazy').naturalWidth === 50")
    pictures = [url for url in asked if "/images/" in url]
    assert len(pictures) == len(set(pictures)) == 3, "each is asked for once"
    assert all(("cgm=" in url) is running.app.guard.media.signs for url in pictures)
    page.context.close()


def test_dense_and_narrow_screens_choose_as_ever(chromium: Browser, running: Site) -> None:
    page = chromium.new_context(viewport={"width": 400, "height": 600}, device_scale_factor=2).new_page()
    page.goto(running.at("127.0.0.1") + "/news/tide")
    # naturalWidth is in CSS pixels: a 2x candidate of 20 pixels is 10 wide.
    assert sizes(page, "plain", "dense", "art") == {"plain": 10, "dense": 10, "art": 30}
    assert "a-20.png" in page.evaluate("document.getElementById('dense').currentSrc")
    page.context.close()


def test_another_site_shows_the_placeholder(chromium: Browser, running: Site) -> None:
    own, other = running.at("127.0.0.1"), running.at("localhost")
    page = chromium.new_context().new_page()
    page.goto(own + "/news/tide")
    there = page.evaluate("document.getElementById('plain').src")
    page.goto(other + "/elsewhere")
    page.set_content(
        f'<img id=a src="{there}"><img id=b referrerpolicy=no-referrer srcset="{there} 1x">'
        f'<img id=c src="{own}/images/card-60.png">'
    )
    # The placeholder is 320 wide. What the card names is for who fetches it, and not for another page to show.
    assert sizes(page, "a", "b", "c") == {"a": 320, "b": 320, "c": 320}
    page.goto(own + "/news/tide")
    assert sizes(page, "plain") == {"plain": 10}, "nothing of it is kept"
    page.goto(there)
    assert page.evaluate("document.images[0].naturalWidth") == 10, "a link to it leads to it"
    page.context.close()


def test_the_cards_picture_is_reachable_by_an_unknown_fetcher(running: Site) -> None:
    own = running.at("127.0.0.1")
    named = re.search(r'property="og:image" content="([^"]+)"', httpx.get(own + "/news/tide", headers=CHROME).text)
    assert named
    answer = httpx.get(own + named[1], headers={"user-agent": "SomeNewNetwork/1.0"})
    assert (answer.status_code, answer.content) == (200, png(60))
