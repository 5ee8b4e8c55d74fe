"""An article walked through: where it might be cut, how its text is spread, and what closes its containers.

Strategy: the scanner has found the article and brought us to its start; from there on every token is looked at once. A
cut may fall before the start tag of a block (or at a second ``<br>``) where nothing is open in the article but plain
containers and the paragraph that the block closes, so that what is put in there becomes what it is meant to be; not
behind a heading, and not where a formatting element is waiting to come back. Which of these places is taken is for
``cut.py`` to say.

Source for what closes what: ``tree.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from contentguard.rewrite.choice import NONE, Candidate
from contentguard.rewrite.rules import Rules
from contentguard.rewrite.scan import Scanner, count_words
from contentguard.rewrite.tokenizer import attributes
from contentguard.rewrite.tree import CLOSES_P, FORMATTING, HEADINGS, VOID, OpenElements
from contentguard.rewrite.walk import Kind, Token, walk
from contentguard.rewrite.withheld import INLINE
from contentguard.turns import Turns

_CONTAINERS = frozenset(b"div section main article center".split())
"""A cut may fall inside these, and inside elements with a name of the site's own."""
_BLOCKS = CLOSES_P - frozenset(b"li dd dt summary figcaption form".split())
_APART = HEADINGS | frozenset(b"aside figure header details template".split())
"""Like links, drawings and what is hidden: not counted as the article's words, but withheld behind the cut."""
_UNREAD = frozenset(b"nav footer button select".split())
"""What stands in these is no text of the article's: it counts nowhere, and may be repeated anywhere."""
_DIV = b"div"
_TURN, _SLICE = 64, 65536
"""Tokens walked past, and bytes scanned before the article, in one turn: about a millisecond."""
FEW = 8
"""A paragraph of fewer words is a byline, a date, a caption; a rest of fewer is none."""


class Tag(NamedTuple):
    """An end tag."""

    begin: int
    end: int
    name: bytes


class Text(NamedTuple):
    """A text node of the article."""

    begin: int
    end: int
    counted: bool
    """Whether it is a paragraph's or a heading's."""
    linked: bool = False


class Place(NamedTuple):
    """Where the article might be cut."""

    at: int
    words: int
    """The article's words before it."""
    paragraphs: int
    containers: tuple[tuple[int, bytes], ...]
    """The containers open there, the outermost first: where the start tag stands, and the element's name."""
    form: bool


@dataclass(slots=True)
class Walked:
    """An article walked through."""

    places: list[Place] = field(default_factory=list)
    words: int = 0
    held: dict[int, int] = field(default_factory=dict)
    """Where a container's start tag stands → how many words are in it."""
    ended: dict[int, Tag | None] = field(default_factory=dict)
    """Where the start tag of a container stands that ended before the article → the end tag that did it, if one did."""
    unclosed: dict[int, int] = field(default_factory=dict)
    """Where the start tag of a container (-1: of the article) stands → how many ``div`` in it were open at its end."""
    strays: list[int] = field(default_factory=list)
    """Where ``</div>`` stands that closed nothing."""
    texts: list[Text | None] = field(default_factory=list)
    """What stands in it, with None for whatever keeps words apart."""
    base: tuple[bytes, ...] = ()
    """The open elements around its content, the article's own the last."""
    after: OpenElements | None = None
    """What is open behind the tag that ended it; None where nothing follows."""


class _Container(NamedTuple):
    start: int
    name: bytes
    words: int
    """How many stood before it."""
    divs: int
    """How many were open with it."""


class _Walk:
    """The state between two tokens."""

    def __init__(self, scanner: Scanner, most: float, least: int) -> None:
        self.opened = scanner.opened
        self.found = Walked(base=tuple(self.opened.names))
        self._most, self._least = most, least
        self._containers: list[_Container] = []
        self._depth = len(self.opened.names)
        """The elements around the article's content and the containers."""
        self._apart = self._unread = NONE
        self._headed = self._broken = self._body_ended = False
        self._ready = True
        self._divs = self._divs_around = self.opened.names.count(_DIV)
        """How many are open, and how many were around the article."""
        self._height = len(self.opened.names)
        self._paragraphs = self._counted = 0
        self._enough: set[int] = set()
        self._last = (-1, -1)
        """The words before the last place, and the container it is in."""
        self.tangled = False

    def take(self, token: Token, data: bytes) -> None:
        """Go past one token."""
        kind, names = token.kind, self.opened.names
        # A comment behind </body> stands outside of the body.
        self.tangled |= self._body_ended and kind is Kind.OTHER
        self._body_ended &= kind is Kind.TEXT and data[token.begin : token.end].isspace()
        if kind is Kind.TEXT:
            self._text(data, token)
        elif kind is Kind.START or kind is Kind.END:
            if token.name not in INLINE:
                self.found.texts.append(None)
            if kind is Kind.START:
                self._place(token)
            self._closed(token)
            if kind is Kind.START and names and token.name not in VOID:
                self._opened(token, names[-1], data[token.begin : token.end])
            self._broken = token.name == b"br"
            if kind is Kind.END and token.name == _DIV and len(names) == self._height:
                self.found.strays.append(token.begin)
        self._divs, self._height = names.count(_DIV), len(names)
        over = self._height - self._depth
        self._ready = (over == 0 or (over == 1 and names[-1] == b"p")) and not self.opened.pending

    def _text(self, data: bytes, token: Token) -> None:
        text, linked = data[token.begin : token.end], b"a" in self.opened.names
        if text.isspace():
            self.found.texts.append(Text(token.begin, token.end, True, linked))
            return
        if self._unread != NONE:
            return
        names, self._broken = self.opened.names, False
        self._headed = not HEADINGS.isdisjoint(names[len(self.found.base) :])
        apart = self._apart != NONE
        if not (apart or linked):
            self.found.words += count_words(text)
        self.found.texts.append(Text(token.begin, token.end, self._headed or not apart, linked))

    def _place(self, token: Token) -> None:
        """Note a place before a start tag, if the article may be cut there."""
        name, opened = token.name, self.opened
        breaks = name in _BLOCKS or (name == b"br" and self._broken)
        if (name == b"br" or (name == b"table" and opened.quirks)) and b"p" in opened.names[self._depth :]:
            # These close no paragraph.
            return
        if not (breaks and self._ready and not self._headed):
            return
        found = self.found
        if found.words - self._counted >= FEW:
            self._paragraphs, self._counted = self._paragraphs + 1, found.words
        inner = self._containers[-1].start if self._containers else -1
        if self._paragraphs < self._least or inner in self._enough:
            return
        if found.words > self._most:
            self._enough.add(inner)
        if self._last == (found.words, inner):
            return
        self._last = (found.words, inner)
        open_here = tuple([(each.start, each.name) for each in self._containers])
        found.places.append(Place(token.begin, found.words, self._paragraphs, open_here, opened.form))

    def _closed(self, token: Token) -> None:
        opened, base = self.opened, len(self.found.base)
        while self._containers and self._depth > opened.kept:
            self._end(token)
        moved = opened.order is not None and opened.order[:base] != list(range(base))
        self.tangled |= moved or opened.kept < base
        if token.name == b"html" or token.name == b"body":
            self._body_ended = token.kind is Kind.END
            # Its attributes would be those of the page's own.
            self.tangled |= token.kind is Kind.START and token.end - token.begin > len(token.name) + 2
        self._apart = NONE if self._apart >= opened.kept else self._apart
        self._unread = NONE if self._unread >= opened.kept else self._unread

    def _end(self, token: Token | None) -> None:
        start, _, before, divs = self._containers.pop()
        self._depth -= 1
        self.found.held[start], self.found.unclosed[start] = self.found.words - before, self._divs - divs
        if token is not None:
            self.found.ended[start] = Tag(token.begin, token.end, token.name) if token.kind is Kind.END else None

    def _opened(self, token: Token, name: bytes, tag: bytes) -> None:
        index, foreign = len(self.opened.names) - 1, name[0] == 0x20
        if name != token.name and not foreign:
            return
        if self._unread == NONE and name in _UNREAD:
            self._unread = index
        elif self._apart == NONE and (foreign or name in _APART or _hidden(tag)):
            self._apart = index
        elif index == self._depth and (name in _CONTAINERS or b"-" in name):
            divs = self.opened.names.count(_DIV)
            self._containers.append(_Container(token.begin, name, self.found.words, divs))
            self._depth += 1

    def finish(self) -> Walked:
        """The article has ended."""
        self.found.unclosed[-1] = self._divs - self._divs_around
        while self._containers:
            self._end(None)
        return self.found


def walk_article(data: bytes, article: Candidate, most: float, least: int) -> Turns[Walked | None]:
    """Go through the article; None where its tags end what is around it, or would not end with it.

    ``most``: words behind which one more place is enough; ``least``: paragraphs that must stand before a place. Raises
    ``TooDeepError``.
    """
    scanner = Scanner(Rules(()))
    for until in range(_SLICE, article.inner_start, _SLICE):
        scanner.feed(data, 0, until=until)
        yield
    scanner.feed(data, 0, until=article.inner_start)
    if scanner.position > article.inner_start:
        # Nothing but text stands in it, and the scanner went over it in one.
        return Walked(words=count_words(data[article.inner_start : article.end]))
    opened, base, state = scanner.opened, len(scanner.opened.names), _Walk(scanner, most, least)
    for number, token in enumerate(walk(data, opened, article.inner_start)):
        if not number % _TURN:
            yield
        if token.begin >= article.end:
            state.found.after = opened if opened.kept < base else None
            break
        state.take(token, data)
        if state.tangled:
            return None
    lingering = opened.pending or not FORMATTING.isdisjoint(opened.names[base:])
    if state.found.after is None and lingering:
        # What follows the article's last piece, if only white space, would stand in copies of them.
        return None
    return state.finish()


def _hidden(tag: bytes) -> bool:
    """Whether a start tag hides what it opens, as far as it says so itself."""
    if b"idden" not in tag and b"IDDEN" not in tag and b"one" not in tag and b"ONE" not in tag:
        return False
    said = attributes(tag)
    style = said.get(b"style", b"").lower().replace(b" ", b"")
    return b"hidden" in said or said.get(b"aria-hidden", b"").lower() == b"true" or b"display:none" in style
