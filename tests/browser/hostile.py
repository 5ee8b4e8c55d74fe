"""Hostile comments in a real browser, a thousand to a page, beside a script that they would like to call.

``python -m tests.browser.hostile [PAGES]`` shows 100,000 of them, or so many thousand.
"""

from __future__ import annotations

import sys

from playwright.sync_api import Page, sync_playwright

from contentguard import Comments
from tests.browser.conftest import ARGS, find_browser
from tests.fuzz.comments import samples

MANY = 1000


def check_harmless(page: Page, seed: int) -> None:
    """Nothing of a thousand comments runs, and nothing breaks out of its place."""
    texts = [text[:3000] for text in samples(seed, MANY)]
    body = "".join(f'<article id="c{number}">{Comments.html(text)}</article>' for number, text in enumerate(texts))
    said: list[str] = []
    page.on("dialog", lambda dialog: said.append(dialog.message))
    script = "<script>window.hits = 0; function hit() { window.hits++ }</script>"
    page.set_content(f"<!doctype html>{script}<main>{body}</main><footer>end</footer>")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hits") == 0
    assert page.evaluate("document.querySelectorAll('main > article').length") == len(texts)
    tags = page.evaluate("[...new Set([...document.querySelectorAll('article *')].map(e => e.localName))].sort()")
    assert tags == ["a", "br", "p"]
    schemes = page.evaluate("[...new Set([...document.querySelectorAll('article a')].map(a => a.protocol))].sort()")
    assert set(schemes) <= {"http:", "https:", ":"}, "the last is no address at all"
    handlers = page.evaluate(
        "[...document.querySelectorAll('article *')].flatMap(e => e.getAttributeNames())"
        ".filter(n => !['dir', 'href', 'rel'].includes(n)).length"
    )
    assert handlers == 0
    page.evaluate("document.querySelectorAll('article a').forEach(a => a.focus())")
    assert page.evaluate("window.hits") == 0
    assert page.locator("footer").inner_text() == "end"
    assert said == []


def main(pages: int) -> None:
    """Show so many pages, and say when all of them were harmless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGS)
        for seed in range(pages):
            context = browser.new_context()
            check_harmless(context.new_page(), seed)
            context.close()
        browser.close()
    print(f"{pages * MANY:,} hostile comments: nothing ran, nothing broke out")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
