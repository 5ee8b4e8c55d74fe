"""The share box in a real browser: links that work, buttons where the browser can, room for a thumb."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from contentguard.rewrite.share import TARGETS, Share
from tests.browser.conftest import Opener
from tests.browser.harness import Site

ALL = Share(targets=tuple(TARGETS))
SHARES = "navigator.share = (data) => { window.shared = data; return Promise.reject(new Error('closed')) }"


def test_the_links_carry_the_page(window: Opener) -> None:
    shown = window(Site(title="Fish & chips – “today”"))
    links = shown.page.locator(".cg-share a")
    expect(links).to_have_count(4)
    addresses = [urlsplit(str(link.get_attribute("href"))) for link in links.all()]
    assert [a.hostname for a in addresses] == ["www.facebook.com", "x.com", "www.linkedin.com", "wa.me"]
    assert parse_qs(addresses[0].query) == {"u": [shown.page.url]}
    assert parse_qs(addresses[1].query) == {"text": ["Fish & chips – “today”"], "url": [shown.page.url]}
    assert parse_qs(addresses[3].query) == {"text": [f"Fish & chips – “today” {shown.page.url}"]}


def test_links_are_named_and_safe(window: Opener) -> None:
    shown = window()
    link = shown.page.get_by_role("link", name="Share on Facebook (opens in a new tab)")
    assert link.get_attribute("rel") == "nofollow noopener noreferrer"
    assert link.get_attribute("target") == "_blank"
    expect(shown.page.get_by_role("region", name="Share your love")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_everything_is_big_enough_to_touch_and_fits(window: Opener, width: int) -> None:
    shown = window(Site(share=ALL), init=SHARES, viewport={"width": width, "height": 900})
    for item in shown.page.locator(".cg-share-link").all():
        box = item.bounding_box()
        assert box
        assert box["height"] >= 44
        assert box["width"] >= 44
        assert 0 <= box["x"] <= box["x"] + box["width"] <= width


def test_buttons_appear_where_the_browser_can(window: Opener) -> None:
    shown = window(init="delete Navigator.prototype.share")
    expect(shown.page.get_by_role("button", name="Copy link")).to_be_visible()
    expect(shown.page.get_by_role("button", name="Share…")).to_be_hidden()
    assert "Share…" not in shown.page.locator(".cg-share").aria_snapshot()


def test_copying_the_link_is_announced(window: Opener) -> None:
    shown = window()
    shown.page.get_by_role("button", name="Copy link").click()
    expect(shown.page.get_by_role("status")).to_have_text("Link copied")
    assert shown.clipboard() == shown.page.url


def test_the_system_sheet_gets_title_and_address_and_may_be_closed(window: Opener) -> None:
    shown = window(Site(url="https://news.example/ferry"), init=SHARES)
    shown.page.get_by_role("button", name="Share…").click()
    assert shown.page.evaluate("window.shared") == {
        "title": "The ferry – Daily Example",
        "url": "https://news.example/ferry",
    }


def test_printing(window: Opener) -> None:
    prints = "window.print = () => { window.printed = true }"
    shown = window(Site(share=Share(targets=("print",))), init=prints)
    shown.page.get_by_role("button", name="Print").click()
    assert shown.page.evaluate("window.printed")


def test_a_box_with_nothing_but_buttons_is_shown_by_the_script(window: Opener) -> None:
    site = Site(share=Share(targets=(), native=False))
    expect(window(site).page.locator(".cg-share")).to_be_visible()
    expect(window(site, java_script_enabled=False).page.locator(".cg-share")).to_be_hidden()


def test_without_javascript_the_links_stand(window: Opener) -> None:
    shown = window(java_script_enabled=False)
    expect(shown.page.get_by_role("link", name="Share on")).to_have_count(4)
    expect(shown.page.get_by_role("link", name="Share on WhatsApp")).to_be_visible()
    expect(shown.page.get_by_role("button")).to_have_count(0)
    expect(shown.page.locator("#long")).to_be_visible()


def test_focus_can_be_seen(window: Opener) -> None:
    shown = window()
    shown.page.locator("#rich").focus()
    shown.page.keyboard.press("Tab")
    first = shown.page.get_by_role("link", name="Share on Facebook")
    expect(first).to_be_focused()
    assert first.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"


def test_right_to_left_begins_at_the_right(window: Opener) -> None:
    shown = window(Site(html='lang="ar" dir="rtl"'), viewport={"width": 800, "height": 900})
    boxes = [item.bounding_box() for item in shown.page.locator(".cg-share a").all()]
    assert shown.page.locator(".cg-share").screenshot().startswith(b"\x89PNG")
    lefts = [box["x"] for box in boxes if box]
    assert lefts == sorted(lefts, reverse=True)
    icon, word = shown.page.locator(".cg-share a svg").first, shown.page.locator(".cg-share a span").first
    one, other = icon.bounding_box(), word.bounding_box()
    assert one
    assert other
    assert one["x"] > other["x"]
