"""Find the article of a page.

Strategy: selectors that a start tag and its ancestors can answer are matched while the page is scanned. What only a
real CSS engine can say (``:has``, ``:nth-child``, siblings) is asked of BeautifulSoup, which tells where the chosen
elements' start tags stand; the scanner then goes on as before. A list of teasers is no article: an element counts only
with enough words of its own outside links.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar

import soupsieve
from bs4 import BeautifulSoup

from contentguard.rewrite.scan import Candidate, Scan, Scanner
from contentguard.rewrite.selector import parse

BUILT_IN = (
    "[itemprop=articleBody]",
    ".entry-content",
    ".post-content",
    ".article-body",
    ".article-content",
    ".article__body",
    ".story-body",
    ".c-entry-content",
    "article",
    "[role=article]",
)
"""Where the article stands in common themes and news systems, the narrowest first."""


@dataclass(frozen=True, slots=True)
class Article:
    """Which part of a page is the article."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    selectors: tuple[str, ...] = BUILT_IN
    """CSS selectors, the preferred first; the first that finds an element with enough words wins."""
    min_words: int = 50
    """An element with fewer words outside links is no article (teasers, cards, empty shells)."""
    max_bytes: int = 4 * 2**20
    """A larger page is not looked into: readers get it as it came, restricted robots a refusal."""

    def __post_init__(self) -> None:
        if not self.selectors:
            raise ValueError("expected at least one CSS selector, found none")
        for text in self.selectors:
            _check(text)
        if self.min_words < 0 or self.max_bytes < 1024:
            raise ValueError("min_words must be at least 0, max_bytes at least 1024")


@dataclass(frozen=True, slots=True)
class Found:
    """A scanned page and its article, if it has one."""

    scan: Scan
    article: Candidate | None
    selector: str


class Finder:
    """``Article`` options, compiled once."""

    def __init__(self, options: Article) -> None:
        self.options = options
        parsed = {index: parse(text) for index, text in enumerate(options.selectors)}
        self._simple = {index: selector for index, selector in parsed.items() if selector is not None}
        self._other = {index: options.selectors[index] for index, selector in parsed.items() if selector is None}

    def find(self, body: bytes, encoding: str, min_words: int | None = None) -> Found:
        """Scan ``body`` and choose its article. Raises ``scan.TooDeepError`` for a page nested too deep."""
        anchors = dict(self._anchors(body, encoding)) if self._other else {}
        scan = Scanner(self._simple, anchors).scan(body)
        enough = self.options.min_words if min_words is None else min_words
        fit = [candidate for candidate in scan.candidates if candidate.words >= enough]
        best = min(fit, key=lambda c: (c.selector, -c.words), default=None)
        return Found(scan, best, self.options.selectors[best.selector] if best else "")

    def _anchors(self, body: bytes, encoding: str) -> Iterator[tuple[int, int]]:
        """Byte offsets of the start tags that the other selectors choose, with the selector's number."""
        text = body.decode(encoding, "surrogateescape")
        lines = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        soup = BeautifulSoup(text, "html.parser")
        for index, selector in reversed(self._other.items()):
            for tag in soup.select(selector):
                if tag.sourceline is None or tag.sourcepos is None:
                    continue
                before = text[: lines[tag.sourceline - 1] + tag.sourcepos]
                yield len(before.encode(encoding, "surrogateescape")), index


def _check(text: str) -> None:
    try:
        soupsieve.compile(text)
    except soupsieve.SelectorSyntaxError as error:
        raise ValueError(f"{text!r} is no CSS selector: {str(error).splitlines()[0]}") from None
