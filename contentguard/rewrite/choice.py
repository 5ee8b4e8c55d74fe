"""Which element is the article, decided while the page goes by and without looking back.

Strategy: candidates stand side by side or in one another; of nested ones the outermost counts, and a better-liked one
inside it takes its place if it holds most of its words. One with ``sure`` words is the article at once; of shorter ones
with ``enough`` the best liked, then the longest, is kept in mind until the page ends or a sure one comes.

A place is noted only where inserted markup would become what it is meant to be: not in a template, a button, a link or
foreign content, not where a block would end the article, and not behind what is still open at the end of the file.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from math import inf

from contentguard.rewrite.rules import MAX_PREFERENCE, Rules
from contentguard.rewrite.tree import FORMATTING, MAX_DEPTH, OpenElements, closing_paragraph, in_scope

_SWALLOWS = frozenset(b"select option optgroup template button a object audio video canvas map".split())
"""Open at an article's end, these would make something else of what is inserted there (as SVG and MathML would)."""
_NO_ARTICLE = frozenset((b"template", b"select"))
"""In these an article is not part of the page, or not where it stands."""
_NO_TEXT = frozenset((b"template", b"select", b"button"))
"""Text in these is none of the article's (as in SVG and MathML)."""
NONE = MAX_DEPTH * 2
"""More than any depth."""
_LINGERING = NONE - 1

Run = tuple[int, int]


@dataclass(slots=True)
class Candidate:
    """An element that one of the selectors chose."""

    selector: int
    """The number of the selector: lower ones are preferred."""
    depth: int
    """Its index on the stack of open elements, while it is open."""
    inner_start: int
    words: int
    """Words outside links: until it ends, those of the page before it, counted negative."""
    blockless: bool = False
    """A block inserted into it would end it."""
    end: int = -1
    """Where its end tag begins, or whatever else ended it."""
    place: int = -1
    """Where a block may be inserted as its last child; -1 when there is no such place."""
    image: bytes = b""
    """The first img tag in it, or in the element around it, before it was certain to be the article."""
    runs: list[Run] = field(default_factory=list)
    """The text nodes of its paragraphs that are not blank."""


class Choice:
    """The candidates of one page, and what became of them."""

    def __init__(self, rules: Rules, opened: OpenElements) -> None:
        self._rules, self._opened = rules, opened
        self.live: list[Candidate] = []
        """Those that are open: the outermost first, then better-liked ones inside it."""
        self.certain = False
        """The outermost one, or what is inside it, is the article."""
        self.article: Candidate | None = None
        """The article, once it has ended."""
        self.named = -1
        """The number of the selector by which the page may call its article, once it is certain to hold one."""
        self.quiet = NONE
        """Depth of the outermost open element that is left alone; -1 where that is the whole page."""
        self._lingering = b""
        """A formatting element that was left alone and not closed, which the next paragraph reopens."""
        self._closed: list[Candidate] = []
        """Better-liked candidates that ended inside the outermost one."""
        self._fallback: Candidate | None = None
        self._framed = False

    @property
    def undecided(self) -> bool:
        """Whether candidates that have ended are kept in mind."""
        return bool(self._closed) or self._fallback is not None or bool(self._lingering) or self._framed

    @property
    def floor(self) -> int:
        """The depth down to which an element may be closed without a look at what that ends."""
        floor = self.live[-1].depth if self.live else -1
        return floor if self.quiet >= _LINGERING else max(floor, self.quiet)

    @property
    def goal(self) -> float:
        """The count of words at which the page is certain to hold an article."""
        return inf if self.certain or not self.live else self._rules.sure - self.live[0].words

    def places(self) -> list[int]:
        """Where something may yet be inserted though it has passed."""
        if self.certain:
            return []
        ended = [*self._closed, *([self._fallback] if self._fallback else [])]
        return [candidate.place for candidate in ended if candidate.place >= 0]

    def make_sure(self) -> None:
        """The outermost candidate is the article, whatever follows."""
        self.certain, self.named = True, self.live[0].selector

    def picture(self, tag: bytes) -> None:
        """Note the article's first picture, as long as its head may not have been sent."""
        if self.live and not self.certain and not self.live[0].image:
            self.live[0].image = tag

    def open(self, name: bytes, tag: bytes, start: int, inner_start: int, words: int, anchor: int) -> None:
        """An element that may be a candidate, or be left alone, has been opened."""
        opened, rules = self._opened, self._rules
        depth = len(opened.names) - 1
        above = opened.ancestors
        if self.quiet == NONE and rules.left_alone(name, tag, above):
            self.quiet = depth
        chosen = anchor if anchor >= 0 else rules.preference(name, tag, above)
        liked = chosen < (self.live[0].selector if self.live else MAX_PREFERENCE)
        if liked and not self._framed and _NO_ARTICLE.isdisjoint(opened.names):
            blockless = closing_paragraph(opened.names) <= depth
            self.live.append(Candidate(chosen, depth, inner_start, -words, blockless))

    def whole(self, name: bytes, tag: bytes) -> None:
        """The page's outermost element has been opened (html or body): is all of it left alone?"""
        if self._rules.left_alone(name, tag, ()):
            self.quiet = -1

    def hush(self) -> None:
        """The current node has been opened: is it one whose text is none of the article's?"""
        names = self._opened.names
        if self.quiet == NONE and _shut(names[-1]):
            self.quiet = len(names) - 1

    def come_back(self, *, pushed: bool = False) -> None:
        """The formatting element that was left alone is not pending any more: it is open again, or forgotten."""
        opened = self._opened
        if not self._lingering or any(entry.name == self._lingering for entry in opened.pending):
            return
        last = len(opened.names) - 1 - pushed
        at = next((n for n in range(last, -1, -1) if opened.names[n] == self._lingering), NONE)
        self._lingering = b""
        if self.quiet == _LINGERING:
            self.quiet = at

    def settle(self, before: list[bytes], offset: int, words: int, *, pushed: bool, ended: bytes) -> None:
        """End the candidates that a tag closed. ``ended``: the name of the end tag, if it was one."""
        opened = self._opened
        for candidate in reversed(self.live.copy()):
            depth = candidate.depth
            candidate.depth = _moved(depth, opened)
            if candidate.depth == NONE and self.article is None:
                self.live.remove(candidate)
                # What was taken out from around its blocks is not around what is inserted into them.
                self.close(candidate, before, depth, offset, words, lost=depth < opened.kept)
        if 0 <= self.quiet < _LINGERING:
            name = before[self.quiet] if self.quiet < len(before) else b""
            self.quiet = _moved(self.quiet, opened)
            if self.quiet == NONE:
                self._lingering = name if name in FORMATTING and name != ended else self._silent()
                self.quiet = _LINGERING if self._lingering else NONE
        self.come_back(pushed=pushed)

    def _silent(self) -> bytes:
        """A pending element that is left alone: it was inside what was, or it would have been noted before."""
        left_alone = self._rules.left_alone
        names = (name for _, name, tag in self._opened.pending if left_alone(name, tag or b"<" + name + b">", ()))
        return next(names, b"")

    def forget(self) -> None:
        """Nothing so far was part of the page, and nothing more will be: it is a set of frames."""
        self.live.clear()
        self._closed, self._fallback, self._framed = [], None, True

    def close(
        self, candidate: Candidate, before: list[bytes], depth: int, offset: int, words: int, *, lost: bool = False
    ) -> None:
        """End ``candidate``, which stood at ``depth`` while ``before`` were the open elements."""
        candidate.words += words
        candidate.end = offset
        inside = before[depth + 1 : closing_paragraph(before)]
        swallowed = any(name in _SWALLOWS or name[0] == 0x20 for name in inside)
        # A button or SVG around a whole article makes it silent, and may hold a block all the same.
        alone = self.quiet <= depth and not (0 <= self.quiet < len(before) and _shut(before[self.quiet]))
        shut = lost or swallowed or alone or candidate.blockless or in_scope(before, b"button")
        if not (shut or self._opened.linked(before)):
            candidate.place = offset
        outermost = self.live[0] if self.live else None
        if outermost is None:
            self._close_outermost(candidate)
        elif not self.certain:
            if candidate.words >= self._rules.enough:
                self._closed.append(candidate)
        elif candidate.words >= self._rules.sure and 2 * candidate.words > words + outermost.words:
            self._choose(_taken_from(outermost, candidate))

    def finish(self) -> None:
        """The page has ended."""
        if self.article is None and self._fallback is not None:
            self._choose(self._fallback)

    def _close_outermost(self, candidate: Candidate) -> None:
        if self.certain:
            self._choose(candidate)
        elif candidate.words >= self._rules.enough:
            fit = [inner for inner in self._closed if 2 * inner.words > candidate.words]
            inner = min(fit, key=lambda c: (c.selector, -c.words), default=None)
            best = self._fallback
            if best is None or (candidate.selector, -candidate.words) < (best.selector, -best.words):
                self._fallback = candidate if inner is None else _taken_from(candidate, inner)
        self._closed = []

    def _choose(self, candidate: Candidate) -> None:
        self.article = candidate
        if not self.certain:
            self.named = candidate.selector
        self.certain = True


def _shut(name: bytes) -> bool:
    return name in _NO_TEXT or name[0] == 0x20


def _moved(depth: int, opened: OpenElements) -> int:
    """Where on the stack the element is that was at ``depth``; ``NONE`` when it was closed or taken out."""
    if depth >= opened.kept:
        return NONE
    if opened.order is None:
        return depth
    return opened.order.index(depth) if depth in opened.order else NONE


def _taken_from(outer: Candidate, inner: Candidate) -> Candidate:
    """``inner`` with what was noted of it at ``outer``."""
    inner.image = outer.image
    first, last = (bisect_left(outer.runs, (edge, -1)) for edge in (inner.inner_start, inner.end))
    inner.runs = outer.runs[first:last]
    return inner
