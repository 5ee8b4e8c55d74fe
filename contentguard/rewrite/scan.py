"""One pass over a page: where its head ends, what the head says, and where each candidate for the article ends.

Strategy: the tokenizer tells tags, ``OpenElements`` keeps the stack, and this module notes offsets. A place is noted
only where inserted markup would become what it is meant to be: not inside a raw-text element, a template, a table or
foreign content, and not in anything that is still open at the end of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from contentguard.rewrite.selector import Selector
from contentguard.rewrite.tokenizer import END, RAW, START, TEXT, Tokenizer
from contentguard.rewrite.tree import OpenElements

Span = tuple[int, int]

_IN_HEAD = frozenset(b"base basefont bgsound link meta title noscript noframes style script template".split())
_UNSAFE = frozenset(
    b"table tbody thead tfoot tr caption colgroup select option optgroup svg math template button a object noscript "
    b"h1 h2 h3 h4 h5 h6 ul ol dl textarea label summary audio video canvas map ruby form".split()
)
_NO_ARTICLE = frozenset((b"template", b"select"))
"""In these an article is not part of the page, or not where it stands."""
_SPACE = re.compile(rb"[\t\n\f\r ]*+")


class TooDeepError(Exception):
    """Elements are nested deeper than can be told apart; the page leaves as it came."""


@dataclass(slots=True)
class Candidate:
    """An element that one of the selectors chose."""

    selector: int
    """The index of the selector: earlier ones are preferred."""
    start: int
    """Where its start tag begins."""
    inner_start: int
    depth: int
    """Its index on the stack of open elements, while it is open."""
    inner_end: int = -1
    words: int = 0
    insert_at: int = -1
    """The last place inside the element where a block may be inserted."""
    image: Span | None = None
    """The first img tag in it."""


@dataclass(slots=True)
class Scan:
    """Offsets of a page. Spans are ``(start, end)`` of tags as they stand in the page."""

    head_end: int = -1
    """Where the head's last child would be inserted; -1 when there is no such place."""
    doctype_end: int = 0
    html_tag: Span | None = None
    title: Span | None = None
    """The content of the first title element of the head."""
    metadata: list[Span] = field(default_factory=list)
    """The meta and link elements of the head, in order."""
    candidates: list[Candidate] = field(default_factory=list)
    complete: bool = True
    """Whether the page ends between tokens, so that what is appended would be markup."""


class Scanner:
    """Scans one page. Candidates are chosen by selector, or by the offset of their start tag (``anchors``).

    Both are numbered in the order of preference; ``anchors`` maps an offset to its number.
    """

    def __init__(self, selectors: Mapping[int, Selector], anchors: Mapping[int, int] = MappingProxyType({})) -> None:
        self.selectors = selectors
        self.anchors = anchors
        self.result = Scan()
        self._open = OpenElements()
        self._live: list[Candidate] = []
        self._types = frozenset(s.compounds[-1].type for s in selectors.values() if s.compounds[-1].type)
        self._hint = _hint(tuple(selectors.values()))
        self._ancestry = any(len(s.compounds) > 1 for s in selectors.values())
        self._words = 0
        self._head = True
        self._tail = -1
        """Where ``</body>`` or ``</html>`` began, as long as nothing but white space followed."""

    def scan(self, data: bytes) -> Scan:
        """Scan a whole page. Raises ``TooDeepError`` when elements are nested too deep to be told apart."""
        tokenizer, opened = Tokenizer(), self._open
        tokenizer.position = 3 if data.startswith(b"\xef\xbb\xbf") else 0
        for kind, start, end, name in tokenizer.tokens(data):
            if kind == TEXT:
                self._text(data, start, end)
            elif kind == START:
                self._start(data, name, start, end)
                tokenizer.markup = bool(opened.spaces) and opened.spaces[-1] > 0
                tokenizer.foreign = tokenizer.markup and opened.foreign
            elif kind == END:
                self._end(name, start, end)
                tokenizer.foreign = bool(opened.spaces) and opened.spaces[-1] > 0 and opened.foreign
            elif kind == RAW and self._head and name == b"title" and self.result.title is None and not self._hidden():
                self.result.title = (start, end)
        if opened.too_deep:
            raise TooDeepError(f"elements are nested deeper than {len(opened.names)}")
        return self._finish(data, tokenizer)

    def _text(self, data: bytes, start: int, end: int) -> None:
        if self._head:
            if self._hidden():
                return
            first = _SPACE.match(data, start, end)
            if first is None or first.end() == end:
                return
            self._close_head(first.end())
        if self._tail >= 0 and not data[start:end].isspace():
            self._tail = -1
        if self._live and b"a" not in self._open.names:
            self._words += _count_words(data[start:end])

    def _hidden(self) -> bool:
        return b"template" in self._open.names

    def _close_head(self, offset: int) -> None:
        self._head = False
        if self.result.head_end < 0:
            self.result.head_end = offset

    def _head_start(self, name: bytes, start: int, end: int) -> None:
        if self._hidden():
            return
        if name == b"html":
            self.result.html_tag = self.result.html_tag or (start, end)
        elif name == b"meta" or name == b"link":
            self.result.metadata.append((start, end))
        elif name not in _IN_HEAD and name != b"head":
            self._close_head(start)

    def _head_end_tag(self, name: bytes, start: int) -> None:
        if not self._hidden() and name in (b"head", b"body", b"html", b"br"):
            self._close_head(start)

    def _start(self, data: bytes, name: bytes, start: int, end: int) -> None:
        if self._head:
            self._head_start(name, start, end)
        self._tail = -1
        opened, live = self._open, self._live
        before = opened.names.copy() if live else ()
        pushed = opened.start(name, data, start, end)
        if live:
            self._settle(len(opened.names) - pushed, before, start, start)
        if pushed:
            if not self._head and (name in self._types or start in self.anchors or self._hinted(data, start, end)):
                self._consider(data, name, start, end)
        elif name == b"img":
            for candidate in live:
                candidate.image = candidate.image or (start, end)

    def _end(self, name: bytes, start: int, end: int) -> None:
        if self._head:
            self._head_end_tag(name, start)
        if not self._live:
            self._open.end(name)
            return
        if self._tail < 0 and (name == b"body" or name == b"html"):
            self._tail = start
        before = self._open.names.copy()
        self._open.end(name)
        self._settle(len(self._open.names), before, start, end)

    def _hinted(self, data: bytes, start: int, end: int) -> bool:
        return self._hint is not None and self._hint(data, start, end) is not None

    def _consider(self, data: bytes, name: bytes, start: int, end: int) -> None:
        depth = len(self._open.names) - 1
        if self._open.spaces[depth] or not _NO_ARTICLE.isdisjoint(self._open.names):
            return
        chosen = self._selected(data, name, start, end)
        if chosen >= 0:
            candidate = Candidate(chosen, start, end, depth, words=-self._words, insert_at=end)
            self._live.append(candidate)
            self.result.candidates.append(candidate)

    def _selected(self, data: bytes, name: bytes, start: int, end: int) -> int:
        if start in self.anchors:
            return self.anchors[start]
        opened, tag = self._open, data[start:end]
        ancestors = [
            (above, data[s:e]) for above, (s, e) in zip(opened.names[:-1], opened.tags, strict=False) if self._ancestry
        ]
        for index, selector in self.selectors.items():
            if selector.matches(name, tag, ancestors):
                return index
        return -1

    def _settle(self, depth: int, before: Sequence[bytes], offset: int, end: int) -> None:
        """End the candidates that the token at ``offset`` closed, or note how far the innermost is tidy."""
        live = self._live
        while live:
            index = live[-1].depth
            if self._is_open(live[-1], depth):
                break
            self._close(live.pop(), before[index + 1 :], offset)
        if live and live[-1].depth == depth - 1:
            live[-1].insert_at = end

    def _is_open(self, candidate: Candidate, depth: int) -> bool:
        tags = self._open.tags
        # Misnested formatting may have been taken out from below it: then it stands lower than it did.
        while candidate.depth >= 0 and (candidate.depth >= depth or tags[candidate.depth][0] > candidate.start):
            candidate.depth -= 1
        return candidate.depth >= 0 and tags[candidate.depth][0] == candidate.start

    def _close(self, candidate: Candidate, inside: Sequence[bytes], offset: int) -> None:
        """End ``candidate``; ``inside`` are the elements in it that were still open."""
        candidate.words += self._words
        candidate.inner_end = offset
        if _UNSAFE.isdisjoint(inside):
            candidate.insert_at = offset

    def _finish(self, data: bytes, tokenizer: Tokenizer) -> Scan:
        result, size = self.result, len(data)
        result.complete = not tokenizer.raw and tokenizer.position == size
        if self._head and result.complete and not self._hidden():
            self._close_head(size)
        while self._live:
            candidate = self._live.pop()
            if result.complete:
                end = self._tail if self._tail >= 0 else size
                self._close(candidate, self._open.names[candidate.depth + 1 :], end)
            else:
                candidate.words += self._words
                candidate.inner_end = size
        return result


def _hint(selectors: Sequence[Selector]) -> Callable[[bytes, int, int], object] | None:
    """One search that a start tag must pass before any selector without a type is tried on it."""
    words = {w for s in selectors if not s.compounds[-1].type for w in s.compounds[-1].words[:1]}
    if any(not s.compounds[-1].type and not s.compounds[-1].words for s in selectors):
        return lambda data, start, end: data
    return re.compile(b"|".join(map(re.escape, sorted(words)))).search if words else None


def _count_words(text: bytes) -> int:
    """Words of a text run; scripts that write no spaces count four characters (twelve bytes) as a word."""
    return max(len(text.split()), len(text) // 12)
