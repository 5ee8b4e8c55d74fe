"""One pass over a page: where its head ends, what the head says, which element is the article, and where that ends.

Strategy: ``Scanner`` reads on from wherever it stopped, so a page may come whole, in chunks or in slices. It stops at
the end of the article: nothing behind it can change what was decided. The article is chosen without looking back, so
that a streamed page gets the same bytes as a whole one:

* candidates stand side by side or in one another; of nested ones the outermost counts, and a better-liked one inside
  it takes its place if it holds most of its words;
* a candidate with ``sure`` words is the article at once; of shorter ones with ``enough`` the best liked, then the
  longest, is kept in mind until the page ends or a sure one comes.

A place is noted only where inserted markup would become what it is meant to be: not in a template, a button or foreign
content, and not behind anything that is still open at the end of the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType

from contentguard.rewrite.rules import (
    BLOCK,
    IMAGE,
    ITEM,
    LINK,
    LOOK,
    MAX_PREFERENCE,
    NOTHING,
    PARAGRAPH,
    PLAIN,
    RAW,
    Rules,
)
from contentguard.rewrite.tokenizer import TOKEN, RawText, other_end
from contentguard.rewrite.tree import MAX_DEPTH, OpenElements

_IN_HEAD = frozenset(b"base basefont bgsound link meta title noscript noframes style script template".split())
_SWALLOWS = frozenset(b"select option optgroup template button a object audio video canvas map".split())
"""Open at an article's end, these would make something else of what is inserted there (as SVG and MathML would)."""
_NO_ARTICLE = frozenset((b"template", b"select"))
"""In these an article is not part of the page, or not where it stands."""
_SPACE = re.compile(rb"[\t\n\f\r ]*+")
_BOM = b"\xef\xbb\xbf"
_LISTS = (b"ul", b"ol")
_NONE = MAX_DEPTH * 2
"""More than any depth."""
_TOO_DEEP = f"elements are nested deeper than {MAX_DEPTH}"

Run = tuple[int, int]


class TooDeepError(Exception):
    """Elements are nested deeper than can be told apart; the page leaves as it came."""


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
    end: int = -1
    """Where its end tag begins, or whatever else ended it."""
    place: int = -1
    """Where a block may be inserted as its last child; -1 when there is no such place."""
    image: bytes = b""
    """The first img tag in it."""
    runs: list[Run] = field(default_factory=list)
    """The text nodes of its paragraphs that are not blank, as far as the article goes."""


@dataclass(slots=True)
class Scan:
    """What is known of a page. Offsets count from its first byte."""

    head_end: int = -1
    """Where the head's last child would be inserted; -1 when there is no such place (yet)."""
    html_tag: bytes = b""
    title: bytes | None = None
    """The content of the first title element of the head."""
    metadata: list[bytes] = field(default_factory=list)
    """The meta and link elements of the head as they stand, in order."""
    article: Candidate | None = None
    """The article, once it has ended."""
    named: int = -1
    """The number of the selector by which the page may call its article, once it is certain to hold one."""


@dataclass(frozen=True, slots=True)
class State:
    """All that decides how a page is read on from between two tags, and nothing that depends on where that is."""

    names: tuple[bytes, ...]
    tags: tuple[bytes, ...]
    head: bool
    quiet: int
    words: int
    certain: bool
    seen: tuple[bool, bool]
    """Whether there was an html tag, and a title."""
    live: tuple[tuple[int, int, int, bytes], ...]
    """Selector, depth, words and image of each open candidate."""


class Scanner:
    """Reads a page. Candidates are chosen by selector, or by the offset of their start tag (``anchors``)."""

    def __init__(self, rules: Rules, anchors: Mapping[int, int] = MappingProxyType({})) -> None:
        self.rules = rules
        self.anchors = anchors
        self.result = Scan()
        self.position = 0
        """Offset in the page of the first byte not dealt with yet."""
        self.done = False
        """Whether the article has ended: nothing that follows matters."""
        self.certain = False
        """Whether the page is known to hold an article, though perhaps not yet where that ends."""
        self.live: list[Candidate] = []
        """The candidates that are open: the outermost first, then better-liked ones inside it."""
        self.tail = -1
        """Where ``</body>`` or ``</html>`` began, as long as nothing but white space followed."""
        self._open = OpenElements(tags=rules.ancestry)
        self._raw: RawText | None = None
        self._head = True
        self._quiet = _NONE
        """Depth of the outermost open element that is left alone."""
        self._words = 0
        self._searched = 0
        """How far text has been searched for a tag in vain."""
        self._looked = 0
        """How far an unfinished tag or comment has been searched for its end in vain."""
        self._closed: list[Candidate] = []
        """Better-liked candidates that ended inside the outermost one."""
        self._fallback: Candidate | None = None
        self._seen_html = self._seen_title = False

    @property
    def settled(self) -> int:
        """An offset before which nothing will be inserted any more, whatever follows."""
        offsets = [self.position]
        if self.tail >= 0 and self.live:
            offsets.append(self.tail)
        if not self.certain:
            ended = [*self._closed, *([self._fallback] if self._fallback else [])]
            offsets += [candidate.place for candidate in ended if candidate.place >= 0]
        return min(offsets)

    # -- taken up again ----------------------------------------------------------------------------------------

    @property
    def resumable(self) -> bool:
        """Whether ``state`` tells all: no token is half read, and no candidate that has ended is kept in mind."""
        half = self._raw is not None or self.tail >= 0
        return not (half or self.done or self._closed or self._fallback is not None)

    def state(self) -> State:
        """What decides how the page is read on from ``position``, if ``resumable``."""
        live = tuple((c.selector, c.depth, c.words, c.image) for c in self.live)
        names, tags = tuple(self._open.names), tuple(self._open.tags or ())
        seen = (self._seen_html, self._seen_title)
        return State(names, tags, self._head, self._quiet, self._words, self.certain, seen, live)

    def restore(self, state: State, position: int, inner_starts: Sequence[int]) -> None:
        """Go on as a scanner would that has reached ``position`` in ``state``; only what follows is told."""
        self.position = position
        self._open.names[:] = state.names
        if self._open.tags is not None:
            self._open.tags[:] = state.tags
        self._head, self._quiet, self._words, self.certain = state.head, state.quiet, state.words, state.certain
        self._seen_html, self._seen_title = state.seen
        self.result.named = state.live[0][0] if state.certain else -1
        for (selector, depth, words, image), start in zip(state.live, inner_starts, strict=True):
            self.live.append(Candidate(selector, depth, start, words, image=image))

    # -- reading -----------------------------------------------------------------------------------------------

    def scan(self, data: bytes) -> Scan:
        """Scan a whole page. Raises ``TooDeepError`` when elements are nested too deep to be told apart."""
        self.feed(data, 0, final=True)
        return self.result

    def feed(self, data: bytes, base: int, *, final: bool = False, until: float = inf) -> None:
        """Read on in ``data``, whose first byte is the page's byte ``base``.

        ``final``: nothing follows it. ``until``: stop before the first tag at or behind this offset of the page. What
        is not dealt with (from ``position`` on) has to come again, with more behind it.
        """
        if self.position == 0 and data.startswith(_BOM):
            self.position = len(_BOM)
        while not self.done and self.position < until:
            if self._raw is not None and not self._raw_text(data, base):
                break
            before = self.position
            if self._hopeless(data, base):
                break
            self._tags(data, base, until)
            if self._raw is None and self.position == before:
                break
        if final and not self.done and until == inf:
            self._finish(data, base)

    def _hopeless(self, data: bytes, base: int) -> bool:
        """Whether the tag that was not finished cannot be so yet: spares a stream reading it again with each chunk."""
        if self._looked <= self.position or data.find(b">", self._looked - base) >= 0:
            return False
        self._looked = max(self.position + 1, base + len(data) - 3)
        return True

    def _tags(self, data: bytes, base: int, until: float) -> None:
        """The loop over the tags, until raw text, a comment, something unfinished, ``until`` or the article's end.

        Longer than a function should be, because it is the hot path of a page not seen before: what happens at nearly
        every tag happens here, with local names and without a call; the rest is left to ``OpenElements``.
        """
        rules, opened = self.rules, self._open
        kinds, hint, short, texts = rules.kinds, rules.hint, rules.short, rules.texts
        names, tags, live, anchors = opened.names, opened.tags, self.live, self.anchors
        head, words, foreign, tail = self._head, self._words, opened.foreign, self.tail >= 0
        paragraphs, links = names.count(b"p"), names.count(b"a")
        floor, goal = self._floor(), self._goal()
        at, stop = self.position - base, until - base
        for match in TOKEN.finditer(data, max(at, self._searched - base)):
            begin, end = match.span()
            if begin >= stop:
                break
            if begin > at:
                if head:
                    head = self._head_text(data, at, begin, base)
                if live:
                    text = data[at:begin]
                    if goal == inf:
                        words += 0 if links else text.count(b" ")
                    elif not links and (words := words + _count_words(text)) >= goal:
                        self._make_sure()
                        goal = inf
                    if (paragraphs or tail) and not text.isspace():
                        self.tail, tail = -1, False
                        if paragraphs and texts and self._quiet == _NONE:
                            live[0].runs.append((base + at, base + begin))
                at = begin
            kind = match.lastindex
            if kind == 1:
                name = match[1]
                what = kinds.get(name)
                if what is None:
                    name = name.lower()
                    what = kinds.get(name, PLAIN)
                if head:
                    head = self._head_start(name, data, begin, end, base)
                at = end
                if not foreign:
                    if what == RAW:
                        self._raw, self.tail = RawText(name), -1
                        break
                    if what == NOTHING:
                        self.tail, tail = -1, False
                        continue
                    if what == IMAGE:
                        self._image(data[begin:end])
                        continue
                    if (end - begin > short and hint(data, begin, end) is not None) or (
                        anchors and base + begin in anchors
                    ):
                        what = LOOK
                    if (
                        what == PLAIN
                        or (what == BLOCK and not paragraphs)
                        or (what == ITEM and not paragraphs and names and names[-1] in _LISTS)
                        or (what == PARAGRAPH and not paragraphs)
                        or (what == LINK and not links)
                    ):
                        if what == PARAGRAPH:
                            paragraphs = 1
                        elif what == LINK:
                            links = 1
                        names.append(name)
                        if tags is not None:
                            tags.append(data[begin:end])
                        if len(names) > MAX_DEPTH:
                            raise TooDeepError(_TOO_DEEP)
                        if tail:
                            self.tail, tail = -1, False
                        continue
                self._words, self._head = words, head
                self._start(name, what, data, begin, end, base)
            elif kind == 2:
                name = match[2]
                if name not in kinds:
                    name = name.lower()
                at = end
                if head:
                    head = self._head_end_tag(name, base + begin)
                if names and names[-1] == name and len(names) - 1 > floor:
                    names.pop()
                    if tags is not None:
                        tags.pop()
                    if name == b"p":
                        paragraphs -= 1
                    elif name == b"a":
                        links -= 1
                    continue
                self._words, self._head = words, head
                self._end(name, base + begin)
            else:
                ended, looked = other_end(data, begin, self._looked - base, foreign=foreign)
                self._looked = base + looked
                at = begin if ended < 0 else ended
                break
            if self.done or self._raw is not None:
                break
            foreign, floor, tail = opened.foreign, self._floor(), self.tail >= 0
            paragraphs, links, goal = names.count(b"p"), names.count(b"a"), self._goal()
        else:
            # No tag any more; a "<" at the very end may yet become one.
            self._searched = base + len(data) - data.endswith(b"<")
        self.position, self._words, self._head = base + at, words, head

    def _raw_text(self, data: bytes, base: int) -> bool:
        """Skip the content of the open raw-text element and its end tag; False while that is not there."""
        assert self._raw is not None
        start = self.position - base
        at, found = self._raw.end(data, start)
        title = self._head and self._raw.name == b"title" and not self._seen_title and not self._hidden()
        match = TOKEN.match(data, at) if found else None
        if match is None or match.lastindex != 2:
            # A title's text is wanted in one piece.
            self.position = self.position if title else base + at
            return False
        if title:
            self.result.title, self._seen_title = data[start:at], True
        self.position, self._raw = base + match.end(), None
        return True

    def _finish(self, data: bytes, base: int) -> None:
        """The end of the file: what is still open ends here, if the page ends between two tags."""
        at, size = self.position - base, base + len(data)
        complete = self._raw is None and TOKEN.search(data, at) is None
        if complete and at < len(data):
            self._last_text(data, at, base)
        if self._head and complete and not self._hidden():
            self._close_head(size)
        offset = self.tail if self.tail >= 0 else size
        while self.live and not self.done:
            candidate = self.live.pop()
            inside = self._open.names[candidate.depth + 1 :]
            self._close(candidate, inside, offset, lost=not complete)
        if not self.done and self._fallback is not None:
            self._choose(self._fallback)
        self.position = size

    def _last_text(self, data: bytes, at: int, base: int) -> None:
        text = data[at:]
        if self._head:
            self._head = self._head_text(data, at, len(data), base)
        if self.live and not text.isspace():
            self.tail = -1
            names = self._open.names
            self._words += 0 if b"a" in names else _count_words(text)
            if self._words >= self._goal():
                self._make_sure()
            if self.rules.texts and self._quiet == _NONE and b"p" in names:
                self.live[0].runs.append((base + at, base + len(data)))

    # -- the head ----------------------------------------------------------------------------------------------

    def _hidden(self) -> bool:
        return b"template" in self._open.names

    def _close_head(self, offset: int) -> bool:
        if self.result.head_end < 0:
            self.result.head_end = offset
        return False

    def _head_text(self, data: bytes, start: int, end: int, base: int) -> bool:
        """Whether the head still lasts after this text."""
        first = _SPACE.match(data, start, end)
        if self._hidden() or first is None or first.end() == end:
            return True
        return self._close_head(base + first.end())

    def _head_start(self, name: bytes, data: bytes, begin: int, end: int, base: int) -> bool:
        """Whether the head still lasts after this start tag."""
        if self._hidden():
            return True
        if name == b"html":
            if not self._seen_html:
                self.result.html_tag, self._seen_html = data[begin:end], True
        elif name == b"meta" or name == b"link":
            self.result.metadata.append(data[begin:end])
        elif name not in _IN_HEAD and name != b"head":
            return self._close_head(base + begin)
        return True

    def _head_end_tag(self, name: bytes, offset: int) -> bool:
        """Whether the head still lasts after this end tag."""
        ends = not self._hidden() and name in (b"head", b"body", b"html", b"br")
        return self._close_head(offset) if ends else True

    # -- the article -------------------------------------------------------------------------------------------

    def _floor(self) -> int:
        """The depth down to which an element may be closed without a look at what that ends."""
        floor = self.live[-1].depth if self.live else -1
        return floor if self._quiet == _NONE else max(floor, self._quiet)

    def _goal(self) -> float:
        """The count of words at which the page is certain to hold an article."""
        return inf if self.certain or not self.live else self.rules.sure - self.live[0].words

    def _make_sure(self) -> None:
        """The outermost candidate is the article, whatever follows."""
        self.certain, self.result.named = True, self.live[0].selector

    def _image(self, tag: bytes) -> None:
        """Note the article's first picture, as long as the head has not been sent."""
        self.tail = -1
        if self.live and not self.certain and not self.live[0].image:
            self.live[0].image = tag

    def _start(self, name: bytes, what: int, data: bytes, begin: int, end: int, base: int) -> None:
        """A start tag that may close something, or open something that is looked for."""
        self.tail = -1
        opened, tag = self._open, data[begin:end]
        before = opened.names.copy() if self.live else []
        pushed = opened.start(name, tag)
        self._settle(before, base + begin, pushed)
        if not pushed:
            if name == b"img":
                self._image(tag)
            return
        if len(opened.names) > MAX_DEPTH:
            raise TooDeepError(_TOO_DEEP)
        if opened.names[-1] != name:
            return
        if name == b"xmp" or name == b"plaintext":
            # Its content ends with its own end tag, or never: it need not be kept among the open elements.
            opened.drop()
            self._raw = RawText(name)
        elif what == LOOK and not self._head:
            self._consider(name, tag, base + begin, base + end)

    def _end(self, name: bytes, offset: int) -> None:
        """An end tag that closes more or less than the current element, or something that is looked for."""
        if self.live and self.tail < 0 and (name == b"body" or name == b"html"):
            self.tail = offset
        before = self._open.names.copy() if self.live else []
        self._open.end(name)
        self._settle(before, offset, pushed=False)

    def _consider(self, name: bytes, tag: bytes, start: int, inner_start: int) -> None:
        opened = self._open
        depth = len(opened.names) - 1
        above = [] if opened.tags is None else list(zip(opened.names[:-1], opened.tags[:-1], strict=True))
        if self._quiet == _NONE and self.rules.left_alone(name, tag, above):
            self._quiet = depth
        chosen = self.anchors[start] if start in self.anchors else self.rules.preference(name, tag, above)
        liked = chosen < (self.live[0].selector if self.live else MAX_PREFERENCE)
        if liked and _NO_ARTICLE.isdisjoint(opened.names):
            self.live.append(Candidate(chosen, depth, inner_start, -self._words))

    def _settle(self, before: Sequence[bytes], offset: int, pushed: bool) -> None:
        """End the candidates that the tag at ``offset`` closed."""
        opened, live = self._open, self.live
        left = len(opened.names) - pushed
        if opened.removed >= 0 and (live or self._quiet != _NONE):
            self._shift(opened.removed)
        while live and live[-1].depth >= left and not self.done:
            candidate = live.pop()
            self._close(candidate, before[candidate.depth + 1 :], offset)
        if left <= self._quiet < _NONE:
            self._quiet = _NONE

    def _shift(self, removed: int) -> None:
        """An element was taken out from below: what stood above it stands lower, what it was itself is closed."""
        for candidate in self.live:
            if candidate.depth >= removed:
                candidate.depth = candidate.depth - 1 if candidate.depth > removed else MAX_DEPTH
        if removed <= self._quiet < _NONE:
            self._quiet = self._quiet - 1 if self._quiet > removed else MAX_DEPTH

    def _close(self, candidate: Candidate, inside: Sequence[bytes], offset: int, lost: bool = False) -> None:
        """End ``candidate``; ``inside`` are the elements in it that were still open."""
        candidate.words += self._words
        candidate.end = offset
        alone = self._quiet <= candidate.depth
        if not (lost or alone or any(name in _SWALLOWS or name[0] == 0x20 for name in inside)):
            candidate.place = offset
        outermost = self.live[0] if self.live else None
        if outermost is None:
            self._close_outermost(candidate)
        elif not self.certain:
            if candidate.words >= self.rules.enough:
                self._closed.append(candidate)
        elif candidate.words >= self.rules.sure and 2 * candidate.words > self._words + outermost.words:
            self._choose(self._taken_from(outermost, candidate))

    def _close_outermost(self, candidate: Candidate) -> None:
        if self.certain:
            self._choose(candidate)
        elif candidate.words >= self.rules.enough:
            fit = [inner for inner in self._closed if 2 * inner.words > candidate.words]
            inner = min(fit, key=lambda c: (c.selector, -c.words), default=None)
            best = self._fallback
            if best is None or (candidate.selector, -candidate.words) < (best.selector, -best.words):
                self._fallback = candidate if inner is None else self._taken_from(candidate, inner)
        self._closed = []

    def _taken_from(self, outer: Candidate, inner: Candidate) -> Candidate:
        """``inner`` with what was noted of it at ``outer``."""
        inner.image = outer.image
        inner.runs = [run for run in outer.runs if inner.end < 0 or run[1] <= inner.end]
        return inner

    def _choose(self, candidate: Candidate) -> None:
        self.result.article = candidate
        if not self.certain:
            self.result.named = candidate.selector
        self.certain = self.done = True


def _count_words(text: bytes) -> int:
    """Words of a text run; scripts that write no spaces count four characters (twelve bytes) as a word."""
    return max(len(text.split()), len(text) // 12)
