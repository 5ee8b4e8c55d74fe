"""Visible marks in a real browser, and what readers' and robots' extractors make of a protected page."""

from __future__ import annotations

import trafilatura
from playwright.sync_api import expect
from readability import Document

from contentguard.rewrite.deterrents import Copy
from contentguard.rewrite.share import TARGETS, Share
from contentguard.rewrite.visible import Visible
from tests.browser.conftest import Opener
from tests.browser.harness import LEAD, LONG, WORDS, Site, compose

AFTER = "e => getComputedStyle(e, '::after').content"
FURNITURE = ("Share your love", "Copy no.", "C-4711", "Unauthorized", "opens in a new tab", "Printed from")
NETWORKS = [target.label for target in TARGETS.values()]


def test_paper_names_page_day_and_copy_and_carries_no_share_box(window: Opener) -> None:
    shown = window()
    mark = shown.page.locator("[data-cg-print]")
    expect(mark).to_be_hidden()
    shown.page.emulate_media(media="print")
    assert mark.evaluate(AFTER) == f'"Printed from {shown.page.url} on 2026-11-24. Copy no. C-4711."'
    assert mark.bounding_box()
    expect(shown.page.locator(".cg-share")).to_be_hidden()
    expect(shown.page.locator("#long")).to_be_visible()
    assert shown.page.pdf().startswith(b"%PDF")


def test_paper_carries_the_mark_even_where_the_site_insists_on_hidden(window: Opener) -> None:
    shown = window(Site())
    shown.page.evaluate("document.styleSheets[0].insertRule('[hidden]{display:none!important}')")
    shown.page.emulate_media(media="print")
    assert shown.page.locator("[data-cg-print]").bounding_box()


def test_the_overlay_is_seen_but_neither_read_nor_selected_nor_in_the_way(window: Opener) -> None:
    shown = window(Site(visible=Visible(overlay="{copy} · {date}"), copy=Copy(policy="off")))
    label = shown.page.locator("[data-cg-overlay]")
    assert label.bounding_box()
    assert label.evaluate(AFTER) == '"C-4711 · 2026-11-24"'
    assert label.evaluate("e => getComputedStyle(e).pointerEvents") == "none"
    assert "C-4711" not in shown.page.locator("body").aria_snapshot()
    shown.page.keyboard.press("Control+a")
    shown.copy()
    assert LONG in shown.clipboard()
    assert "C-4711" not in shown.clipboard()


PROSE = "".join(
    f"<p>{LEAD} Paragraph {n} tells of the sea, the wind, and {WORDS[n]}, at some length.</p>" for n in range(12)
)
PAGE = compose(
    Site(
        body=f"<h1>The ferry</h1>{PROSE}",
        share=Share(targets=tuple(TARGETS)),
        visible=Visible(overlay="{copy}"),
    )
)


def reader_mode(page: str) -> str:
    """What a browser's reader mode makes of it."""
    return str(Document(page).summary())


def test_extractors_take_the_article_and_none_of_our_furniture() -> None:
    for text in (
        trafilatura.extract(PAGE),
        trafilatura.extract(PAGE, favor_recall=True),
        Document(PAGE).summary(),
    ):
        assert text
        assert all(f"Paragraph {n} tells" in text for n in range(12))
        for word in (*FURNITURE, *NETWORKS, "Copy link"):
            assert word not in text, word


def test_the_refusal_is_not_in_the_served_page() -> None:
    assert "Unauthorized" not in compose(Site(copy=Copy(policy="strict")))
