"""The example's photographs in real Chromium: signed and marked in articles, and nothing else is the worse for it.

The same server is two sites to a browser: ``127.0.0.1`` and ``localhost``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from contentguard.cli import main
from examples.news.serve import SETTINGS_FILE
from tests.client import CHROME, FACEBOOK
from tests.servers.harness import Server, news

FOG, NIGHT = "/news/reading-the-fog", "/news/dark-sky-night"
PHOTO = "/images/photos/fog-bank.jpg"
SHOT = 'img[src*="/images/photos/"]'
WIDTH = "image => image.complete ? image.naturalWidth : 0"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's own settings, with a key that the test knows."""
    path = tmp_path_factory.mktemp("settings") / "contentguard.toml"
    path.write_text('secret_key = "a-secret-key-for-the-tests"\n' + SETTINGS_FILE.read_text("utf-8"))
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, settings: Path) -> Iterator[Server]:
    with news(tmp_path_factory.mktemp("site") / "log", "--settings", str(settings)) as server:
        yield server


def shown(page: Page, url: str) -> list[str]:
    """Open a page and bring its photograph into view; what was asked for."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    page.wait_for_selector("[data-cg-rest]", state="detached", timeout=20_000)
    page.locator(SHOT).first.scroll_into_view_if_needed()
    until(page, SHOT, 900)
    return asked


def until(page: Page, where: str, width: int) -> None:
    """Wait for a picture. Not by a function of the page's, which the site's policy does not allow."""
    for _ in range(400):
        if page.locator(where).first.evaluate(WIDTH) == width:
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"{where} is never {width} wide: {page.locator(where).first.evaluate(WIDTH)}")


@pytest.mark.parametrize(("scale", "file"), [(1, "fog-bank.jpg"), (2, "fog-bank@2x.jpg")])
def test_a_reader_sees_the_photograph(chromium: Browser, site: Server, tmp_path: Path, scale: int, file: str) -> None:
    page = chromium.new_context(viewport={"width": 1280, "height": 900}, device_scale_factor=scale).new_page()
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text))
    asked = shown(page, site.url + FOG)
    photos = [url for url in asked if "/images/photos/" in url]
    assert len(photos) == len(set(photos)) == 1, "one of the two sizes, once"
    assert re.search(rf"/{re.escape(file)}\?cgm=[0-9a-f]+-[\w-]+$", photos[0])
    assert page.locator(SHOT).evaluate("image => image.naturalWidth") == 900, "as large as the page has kept room for"
    assert trouble == []
    page.screenshot(path=Path(os.environ.get("SCREENSHOTS", tmp_path)) / f"photograph-{scale}.png")
    page.context.close()


def test_it_is_loaded_when_it_is_near(chromium: Browser, site: Server) -> None:
    page = chromium.new_context(viewport={"width": 700, "height": 400}).new_page()
    assert [url for url in shown(page, site.url + NIGHT) if "/images/photos/" in url]
    assert page.locator(SHOT).get_attribute("loading") == "lazy"
    assert page.locator(SHOT).evaluate("image => [image.width / image.height > 1.7, image.height > 0]") == [True, True]
    page.context.close()


@pytest.mark.parametrize("view", ["?print", "/print", "/amp"])
def test_the_other_views_of_the_article_show_it_too(chromium: Browser, site: Server, view: str) -> None:
    context = chromium.new_context()
    shown(context.new_page(), site.url + FOG)
    shown(context.new_page(), site.url + FOG + view)
    context.close()


def test_without_scripts_it_is_there_as_well(chromium: Browser, site: Server) -> None:
    page = chromium.new_context(java_script_enabled=False).new_page()
    page.goto(site.url + FOG)
    page.get_by_role("link", name="Continue reading").click()
    page.wait_for_selector(SHOT, timeout=20_000)
    page.locator(SHOT).scroll_into_view_if_needed()
    with page.expect_response(lambda answer: "/images/photos/" in answer.url) as answer:
        page.reload()
        page.locator(SHOT).scroll_into_view_if_needed()
    assert answer.value.status in (200, 304)
    page.context.close()


def test_another_site_shows_the_placeholder_and_a_bare_address_too(chromium: Browser, site: Server) -> None:
    page = chromium.new_context().new_page()
    shown(page, site.url + FOG)
    signed = page.locator(SHOT).evaluate("image => image.src")
    page.goto(site.url.replace("127.0.0.1", "localhost") + "/.contentguard/")  # a page without a policy
    page.set_content(f'<img id=a src="{signed}"><img id=b src="{site.url}{PHOTO}">')
    page.wait_for_load_state("networkidle")
    until(page, "#a", 320)
    until(page, "#b", 320)
    page.goto(site.url + "/privacy")
    page.set_content(f'<img id=a src="{signed}"><img id=b src="{site.url}{PHOTO}">')
    until(page, "#a", 900)
    until(page, "#b", 320)
    page.context.close()


def test_lists_cards_and_link_previews_are_as_they_were(chromium: Browser, site: Server) -> None:
    page = chromium.new_context().new_page()
    for path in ("/", "/section/science", FOG):
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        cards = page.locator('img[src^="/images/"]:not([src*="/photos/"])')
        for card in cards.all():
            card.scroll_into_view_if_needed()
            until(page, f'img[src="{card.get_attribute("src")}"]', 1200)
        assert cards.count() > 2
        assert not page.locator('img[src*="cgm="]:not([src*="/photos/"])').count(), "no other address is signed"
    page.context.close()
    head = httpx.get(site.url + FOG, headers=FACEBOOK).text
    (card,) = re.findall(r'property="og:image" content="([^"]+)"', head)
    assert "cgm=" not in card
    for agent in (FACEBOOK, {"user-agent": "SomeNewNetwork/1.0"}):
        assert httpx.get(card, headers=agent).headers["content-type"] == "image/png"


def test_a_copy_is_found_by_its_mark(
    chromium: Browser, site: Server, settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = chromium.new_context().new_page()
    copies = []
    for story in (FOG, NIGHT):
        shown(page, site.url + story)
        copy = tmp_path / f"{story[6:]}.jpg"
        copy.write_bytes(page.request.get(page.locator(SHOT).evaluate("image => image.src")).body())
        copies.append(str(copy))
    page.context.close()
    assert main(["trace-image", *copies, "--settings", str(settings)]) == 0
    assert capsys.readouterr().out.count("marked by this site") == 2
    plain = SETTINGS_FILE.parent / "content" / PHOTO.removeprefix("/")
    assert main(["trace-image", str(plain), "--settings", str(settings)]) == 1


def test_caches_may_keep_it_and_ask_whether_it_has_changed(chromium: Browser, site: Server) -> None:
    page = chromium.new_context().new_page()
    shown(page, site.url + NIGHT)
    where = page.locator(SHOT).evaluate("image => image.src")
    page.context.close()
    with httpx.Client(headers=CHROME) as client:
        whole = client.get(where)
        assert (whole.status_code, whole.headers["content-type"]) == (200, "image/jpeg")
        assert client.get(where, headers={"if-none-match": whole.headers["etag"]}).status_code == 304
        assert client.head(where).status_code == 200
        assert client.get(where, headers={"range": "bytes=0-99"}).content == whole.content, (
            "marked whole, or not at all"
        )
        assert client.get(where + "x").status_code == 403
