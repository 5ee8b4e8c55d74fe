"""Marked text in a real browser: nobody sees or hears the marks, and a copied paragraph names its copy."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page

from contentguard.rewrite.deterrents import Copy
from contentguard.watermark.blind import frames
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.keys import keys_of
from tests.browser.conftest import Opener
from tests.browser.harness import Site
from tests.watermark.articles import article

SECRET = b"a secret of the marks"
NAME = b"/news/tide"
SERIAL = 4711
PARAGRAPHS = article(11, sentences=18)
INVISIBLE = re.compile("[\u200c-\u200e\u2060\ufe00-\ufe0f\U000e0100-\U000e01ef]")
MADE = Compiled(PARAGRAPHS, Channels(typography=False, wording=False))
BARE = Site(copy=Copy(policy="off"))


def shown(texts: list[str]) -> Site:
    rest = iter(texts)
    return replace(BARE, body="\n".join(f"<p>{''.join(next(rest) for _ in p)}</p>" for p in PARAGRAPHS))


PLAIN, MARKED = shown(MADE.texts), shown(MADE.copy(keys_of(SECRET, 23), NAME, SERIAL))
LAYOUT = """() => [...document.querySelectorAll('p')].map(p => {
  const range = document.createRange(), text = p.firstChild, places = [];
  let word = /\\S+/g, found;
  while ((found = word.exec(text.data))) {
    range.setStart(text, found.index);
    range.setEnd(text, found.index + 1);
    const box = range.getBoundingClientRect();
    places.push([box.left, box.top]);
  }
  return places;
})"""


def laid_out(page: Page, font: str, width: int) -> list[list[list[float]]]:
    """Where each word of each paragraph begins, in pixels."""
    style = f"font: 18px '{font}'; max-width: {width}px; margin: 0"
    page.evaluate("style => { document.querySelector('article').style.cssText = style }", style)
    found: list[list[list[float]]] = page.evaluate(LAYOUT)
    return found


@pytest.mark.parametrize("width", [320, 560, 900])
@pytest.mark.parametrize("font", ["DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"])
def test_no_word_moves_and_no_line_breaks_elsewhere(window: Opener, font: str, width: int) -> None:
    plain, marked = (laid_out(window(site).page, font, width) for site in (PLAIN, MARKED))
    assert sum(map(len, plain)) > 200
    assert marked == plain


def test_the_page_looks_the_same(window: Opener) -> None:
    plain, marked = (window(site).page.locator("article").screenshot() for site in (PLAIN, MARKED))
    assert marked == plain


def test_find_in_page_finds_across_marks(window: Opener) -> None:
    page = window(MARKED).page
    words = MADE.texts[0].split()
    for first in range(0, len(words) - 3, 3):
        wanted = " ".join(words[first : first + 3])
        page.evaluate("getSelection().removeAllRanges()")
        assert page.evaluate("wanted => window.find(wanted)", wanted), wanted


def test_what_is_read_out_is_the_same_text(window: Opener) -> None:
    """The marks are in the accessibility tree, as characters that have no sound; nothing else is."""
    heard = [window(site).page.locator("article").aria_snapshot() for site in (PLAIN, MARKED)]
    assert INVISIBLE.sub("", heard[1]) == heard[0]


@pytest.mark.parametrize("number", range(len(PARAGRAPHS)))
def test_a_copied_paragraph_names_its_copy(window: Opener, number: int) -> None:
    opened = window(MARKED)
    opened.page.evaluate(
        "number => getSelection().selectAllChildren(document.querySelectorAll('article p')[number])", number
    )
    opened.copy()
    found = frames(opened.clipboard(), [SECRET], 23, [NAME])
    assert [named.serial for named in found.genuine] == [SERIAL]


def test_a_link_to_a_passage_of_one_copy_is_good_for_every_other(window: Opener) -> None:
    """What contentguard.js writes under a copied text must not carry one reader's marks."""
    opened = window(replace(MARKED, copy=Copy(policy="attribute")))
    opened.page.evaluate("getSelection().selectAllChildren(document.querySelectorAll('article p')[1])")
    opened.copy()
    link = opened.clipboard().splitlines()[-1]
    assert "#:~:text=" in link
    assert "%F3%A0" not in link
    assert "%E2%80%8" not in link
