"""Find the article of a page.

Strategy: selectors that a start tag and its ancestors can answer are matched while the page is scanned. What only a
real CSS engine can say (``:has``, ``:nth-child``, siblings) is asked of BeautifulSoup once per template: the elements
it chooses are described by their path of names, ids and classes, and where that path chooses exactly them, it serves
from then on in the selector's place. A list of teasers is no article: an element counts only with enough words of its
own outside links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar

import soupsieve
from bs4 import BeautifulSoup, Tag

from contentguard.rewrite.choice import Candidate
from contentguard.rewrite.rules import Rules
from contentguard.rewrite.scan import Scan, Scanner
from contentguard.rewrite.selector import Selector, parse

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


LEFT_ALONE = (
    "pre",
    "code",
    "kbd",
    "samp",
    "textarea",
    "[contenteditable]",
    "[data-reactroot]",
    "[data-server-rendered]",
    "[data-hydrate]",
    "[data-cg-off]",
)
"""Code that is to be copied as it is, text that readers edit, and what a script in the page compares byte by byte."""
SURE = 200
"""Words with which an element is taken for the article before the page has ended. On those of 1,168 saved news pages
that held several candidates, teasers and boxes had 50 to 190 words."""
_IDENT = re.compile(r"[A-Za-z_-]++")
_LEARNED = 16
"""Paths remembered per selector: a site has a few templates."""


@dataclass(frozen=True, slots=True)
class Article:
    """Which part of a page is the article."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    selectors: tuple[str, ...] = BUILT_IN
    """CSS selectors, the preferred first. Of elements side by side the first with 200 words is taken."""
    exclude: tuple[str, ...] = LEFT_ALONE
    """CSS selectors of what nothing is put into: names, classes, ids, attributes and descendants only."""
    min_words: int = 50
    """An element with fewer words outside links is no article (teasers, cards, empty shells)."""
    max_bytes: int = 4 * 2**20
    """A larger page is not looked into: readers get it as it came, restricted robots a refusal."""

    def __post_init__(self) -> None:
        if not self.selectors:
            raise ValueError("expected at least one CSS selector, found none")
        for text in (*self.selectors, *self.exclude):
            _check(text)
        for text in self.exclude:
            if parse(text) is None:
                raise ValueError(f"exclude: {text!r} is more than names, classes, ids, attributes and descendants")
        if self.min_words < 0 or self.max_bytes < 1024:
            raise ValueError("min_words must be at least 0, max_bytes at least 1024")


@dataclass(frozen=True, slots=True)
class Found:
    """A scanned page and its article, if it has one."""

    scan: Scan
    article: Candidate | None
    selector: str
    """One that chooses the article, or the element around it that was certain to hold it."""


class Finder:
    """``Article`` options, compiled once."""

    def __init__(self, options: Article, *, texts: bool = False) -> None:
        """``texts``: whether the text runs of the article's paragraphs are wanted."""
        self.options = options
        self._texts = texts
        parsed = [(index, text, parse(text)) for index, text in enumerate(options.selectors)]
        self._simple = [(index, selector) for index, _, selector in parsed if selector is not None]
        self._other = [(index, text) for index, text, selector in parsed if selector is None]
        self._learned: list[tuple[int, Selector]] = []
        self._rules = {forced: self._compiled(forced) for forced in (False, True)}

    @property
    def simple(self) -> bool:
        """Whether every selector can be matched while scanning, so that no page needs a tree."""
        return not self._other

    def scanner(self, *, forced: bool = False) -> Scanner:
        """A scanner for one page, by all that can be matched while scanning. ``forced``: any length will do."""
        return Scanner(self._rules[forced])

    def found(self, scan: Scan, article: Candidate | None = None) -> Found:
        """A scanned page with the selector it may call its article by. ``article``: one that has not ended yet."""
        name = self.options.selectors[scan.named] if scan.named >= 0 else ""
        return Found(scan, scan.article or article, name)

    def find(self, body: bytes, encoding: str, *, forced: bool = False) -> Found:
        """Scan ``body`` and choose its article. Raises ``scan.TooDeepError`` for a page nested too deep."""
        scan = self.scanner(forced=forced).scan(body)
        if self._other and (scan.article is None or scan.article.selector not in {i for i, _ in self._learned}):
            scan = Scanner(self._rules[forced], dict(self._anchors(body, encoding))).scan(body)
        return self.found(scan)

    def _compiled(self, forced: bool) -> Rules:
        selectors = sorted([*self._simple, *self._learned], key=lambda pair: pair[0])
        enough = 0 if forced else self.options.min_words
        exclude = [selector for text in self.options.exclude if (selector := parse(text)) is not None]
        return Rules(selectors, exclude, enough=enough, sure=max(SURE, enough), texts=self._texts)

    def _anchors(self, body: bytes, encoding: str) -> Iterator[tuple[int, int]]:
        """Byte offsets of the start tags that the other selectors choose, with the selector's number."""
        text = body.decode(encoding, "surrogateescape")
        lines = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        soup = BeautifulSoup(text, "html.parser")
        for index, selector in reversed(self._other):
            chosen = soup.select(selector)
            self._learn(index, soup, chosen)
            for tag in chosen:
                assert tag.sourceline is not None
                assert tag.sourcepos is not None
                before = text[: lines[tag.sourceline - 1] + tag.sourcepos]
                yield len(before.encode(encoding, "surrogateescape")), index

    def _learn(self, index: int, soup: BeautifulSoup, chosen: Sequence[Tag]) -> None:
        """Remember the path of what was chosen, if it chooses just that."""
        if len(chosen) != 1 or sum(known == index for known, _ in self._learned) >= _LEARNED:
            return
        path = _path(chosen[0])
        selector = parse(path)
        if selector is None or (index, selector.text) in [(i, s.text) for i, s in self._learned]:
            return
        if list(soup.select(path)) == list(chosen):
            self._learned.append((index, selector))
            self._rules = {forced: self._compiled(forced) for forced in (False, True)}


def _path(tag: Tag) -> str:
    """``main#content > article.post``: an element and its ancestors, without what holds a number (``post-4711``)."""
    steps = []
    for element in (tag, *tag.parents):
        if element.name in ("body", "html", "[document]"):
            break
        named = element.get("id")
        names = [f"#{named}"] if isinstance(named, str) and _IDENT.fullmatch(named) else []
        names += [f".{name}" for name in element.get_attribute_list("class") if name and _IDENT.fullmatch(name)]
        steps.append(element.name + "".join(names))
    return " > ".join(reversed(steps))


def _check(text: str) -> None:
    try:
        soupsieve.compile(text)
    except soupsieve.SelectorSyntaxError as error:
        raise ValueError(f"{text!r} is no CSS selector: {str(error).splitlines()[0]}") from None
