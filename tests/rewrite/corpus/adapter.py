"""The one place where the corpus meets the code under test.

Everything else in ``tests/rewrite/corpus`` and ``tests/fuzz`` knows the rewriter only through this file. ``rewrite`` is
the scanner alone, with a mark at the end of every text run, so that all places can be judged; ``outputs`` is a page on
its way through ``Stream``, as readers get it. Both put in what a site with the default settings would, shortened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from contentguard.rewrite.article import LEFT_ALONE as SELECTORS_LEFT_ALONE
from contentguard.rewrite.article import Article, Finder, Found
from contentguard.rewrite.head import encoding_of
from contentguard.rewrite.page import Fragment, Page, Slot
from contentguard.rewrite.plan import Plan, Untouched
from contentguard.rewrite.scan import Scan, TooDeepError
from contentguard.rewrite.share import Share, share
from contentguard.rewrite.stream import Stream

MARKS = True
"""Whether the code puts a mark at the end of every text run of the article's paragraphs."""
MARK = "\u200b\u200c\u200d\u2060"
"""What a parser sees of one mark, however it is spelt in the page."""
LEFT_ALONE = frozenset(text for text in SELECTORS_LEFT_ALONE if text.isalpha())
"""No mark stands in these elements,"""
LEFT_ALONE_WITH = frozenset(text.strip("[]") for text in SELECTORS_LEFT_ALONE if text.startswith("["))
"""nor in elements with one of these attributes; the rest is the HTML Standard's affair (``places.NEVER``)."""
UTF8 = "text/html; charset=utf-8"
CONTAINERS = ("article", "main", "section", "div", "td", "li", "blockquote")
"""With ``containers``: what may be the article, however few words it has, so that scraps are rewritten too."""


class Insertion(NamedTuple):
    """``markup`` put in before the byte ``at`` of the page; ``kind`` is "head", "article" or "mark"."""

    at: int
    markup: bytes
    kind: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What became of a page. Without insertions it left as it came, for the reason ``untouched``."""

    output: bytes
    insertions: tuple[Insertion, ...] = ()
    """In the order in which they stand."""
    selector: str = ""
    """The CSS selector that found the article."""
    inner_start: int = -1
    """Where the article's content begins: behind its start tag."""
    untouched: str = ""


_HEAD = (
    b'<meta property="og:type" content="article"><link rel="stylesheet" href="/.contentguard/x.css">'
    b'<script src="/.contentguard/x.js" defer></script>'
)
_WIDGET = b"".join(
    part if isinstance(part, bytes) else b"x"
    for fragment in share(Page(title="T", origin="https://n.example", path="/x"), options=Share())
    for part in fragment.parts
)
_NO_PLACE = Plan(is_article=True, untouched=Untouched.NO_PLACE)
_PLAN = Plan(is_article=True, fragments=(Fragment(Slot.HEAD, (_HEAD,)), Fragment(Slot.ARTICLE_END, (_WIDGET,))))
_FINDERS = {
    False: Finder(Article(), texts=True),
    True: Finder(Article(selectors=CONTAINERS, min_words=0), texts=True),
}


def rewrite(page: bytes, cuts: Sequence[int] = (), *, content_type: str = UTF8, containers: bool = False) -> Rewritten:
    """``page`` rewritten, fed in pieces cut before the bytes ``cuts`` (which increase)."""
    finder = _FINDERS[containers]
    try:
        scan = _scanned(finder, page, cuts)
    except TooDeepError:
        return Rewritten(page, untouched="too-deep")
    article = scan.article
    if article is None or scan.head_end < 0:
        return Rewritten(page, untouched="no-article")
    insertions = [Insertion(scan.head_end, _HEAD, "head")]
    if article.place >= 0:
        insertions.append(Insertion(article.place, _WIDGET, "article"))
    mark = _mark(page, content_type)
    insertions += [Insertion(end, mark, "mark") for _, end in article.runs]
    insertions.sort(key=lambda insertion: (insertion.at, insertion.kind != "mark"))
    parts, done = [], 0
    for at, markup, _ in insertions:
        parts += [page[done:at], markup]
        done = at
    selector = finder.options.selectors[article.selector]
    return Rewritten(b"".join([*parts, page[done:]]), tuple(insertions), selector, article.inner_start)


def outputs(page: bytes, cuts: Iterable[Sequence[int]], *, containers: bool = False) -> Iterator[bytes]:
    """What leaves of ``page``, without marks, for each way to cut it."""
    finder = _FINDERS[containers]
    for some in cuts:
        stream = Stream(finder, _read, lambda plan: {})
        pieces = [page[start:end] for start, end in zip((0, *some), (*some, len(page)), strict=True)]
        yield b"".join([*map(stream.feed, pieces), stream.finish()])


def _read(start: bytes, found: Found) -> Plan:
    return _PLAN if found.scan.head_end >= 0 else _NO_PLACE


def _scanned(finder: Finder, page: bytes, cuts: Sequence[int]) -> Scan:
    scanner, held, done = finder.scanner(), b"", 0
    for end in (*cuts, len(page)):
        base, data = scanner.position, held + page[done:end]
        scanner.feed(data, base, final=end == len(page))
        held, done = data[scanner.position - base :], end
        if scanner.done:
            break
    return scanner.told()


def _mark(page: bytes, content_type: str) -> bytes:
    """As UTF-8 where the page is, else as references, which are right in any charset."""
    if encoding_of(page, content_type) == "utf-8":
        return MARK.encode()
    return b"".join(b"&#%d;" % ord(character) for character in MARK)
