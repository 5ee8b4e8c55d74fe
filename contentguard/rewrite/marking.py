"""Where a reader's marks go in a page: the texts of its article's paragraphs, handed to whoever knows marks.

Strategy: the scanner has noted the text nodes of the article's paragraphs. Those in links, quotations and code are left
alone; what remains is read paragraph by paragraph and given to a marker, which answers with places and with what stands
there for nobody in particular. Every place becomes an edit whose only part is a number: the nth mark of a copy.
Editors' wording comes as ``[[a|b]]`` in a text, or as ``<span data-cg-variant="b">a</span>``; the tags go either way.

Of the tags themselves only the order of attributes is touched, and no class: a style sheet or a script may go by any
class of the site's own, by none of its order. Only of tags around text that all are quoted and none twice, and only
attributes that nothing waits for while they come in (not ``src``, ``srcset``, ``loading``, handlers, custom elements).
A class is added to an element of ours instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import unescape
from itertools import pairwise
from sys import getsizeof
from typing import NamedTuple, Protocol

from contentguard.rewrite.choice import Candidate, Run
from contentguard.rewrite.edits import Edit, patched
from contentguard.rewrite.page import Field, Fragment, Part, Slot
from contentguard.rewrite.plan import Point
from contentguard.rewrite.template import MARKS, Template, Values, joined
from contentguard.rewrite.tokenizer import TOKEN
from contentguard.turns import Turns

_LEFT_ALONE = re.compile(
    rb"(?i)<(/?)(?:a|q|blockquote|code|kbd|samp|pre|cite|h[1-6]|figcaption|button|label)(?=[\t\n\f\r />])"
)
_PARAGRAPH = re.compile(rb"(?i)</?p(?=[\t\n\f\r />])")
_VARIANT = re.compile(
    rb'(?i)<span\s{1,16}data-cg-variant="([^"<>\[\]|]{0,200})"\s{0,16}>([^<>\[\]|]{1,200})</span\s{0,16}>'
)


_QUOTED = re.compile(
    rb"<([a-zA-Z][a-zA-Z0-9]*+)((?:[\t\n\f\r ]++[a-zA-Z][a-zA-Z0-9:_.-]*+=\"[^\"]*+\")++)[\t\n\f\r ]*+>"
)
_ATTRIBUTE = re.compile(rb'([a-zA-Z][a-zA-Z0-9:_.-]*+)="([^"]*+)"')
_INERT = frozenset(
    b"class id title lang dir rel target href hreflang role cite datetime style itemprop itemtype".split()
)
_FREE = (b"data-", b"aria-")
_MOST_MOVED = 4
_TURN = 64
"""Texts that are looked at in one turn."""
_TEXT = 64
"""What a text takes in memory besides itself: that it is held in several lists (measured)."""
_CLASS = re.compile(rb'class="cg-[a-z -]*+(?=")')


class Place(Protocol):
    """Where a mark stands: in which text, and which of its characters it replaces."""

    @property
    def run(self) -> int:
        """The text's number."""

    @property
    def start(self) -> int:
        """The first character replaced,"""

    @property
    def end(self) -> int:
        """and the one after the last; the same where a mark is put in."""


class Marked(Protocol):
    """An article as its marks see it."""

    @property
    def slots(self) -> Sequence[Place]:
        """The places, in the order of the text."""

    @property
    def openings(self) -> Sequence[int]:
        """Which of the openings have their attributes in another order."""

    @property
    def plain(self) -> Sequence[bytes]:
        """What stands in all places, and then in those openings, where nobody is named."""


class Opening(NamedTuple):
    """A start tag whose attributes may change places."""

    element: str
    attributes: tuple[tuple[str, str], ...]
    """Those that may: names, and values as a browser reads them."""
    texts: tuple[bytes, ...]
    """The same as they stand in the page."""
    between: tuple[bytes, ...]
    """What stands between them."""
    run: Run
    """From the first to the last of them."""


Marker = Callable[[Sequence[Sequence[str]], bool, Sequence[Opening]], Turns[Marked]]
"""Paragraphs, each as the texts between its tags as they stand in HTML, whether the page is UTF-8 (else
ASCII is put in), and start tags → what their marks need."""


@dataclass(frozen=True, slots=True)
class Marking:
    """A page's marks."""

    article: Marked
    edits: tuple[Edit, ...]
    """One for each mark, by its number."""
    plain: Values
    full: Template
    """The page with all insertions and marks."""
    texts: int
    """Bytes that its texts take."""

    @property
    def size(self) -> int:
        """Bytes held besides the page."""
        return self.full.own + self.texts + 400 * len(self.edits) + 3000 * len(self.article.openings)


def marking(
    body: bytes, article: Candidate, encoding: str, marker: Marker, points: Sequence[Point]
) -> Turns[Marking | None]:
    """The marks of a page; None where its text cannot be read."""
    if b"\x1b" in body:
        # A charset that changes its meaning on the way, as ISO-2022-JP does: nothing can be put in anywhere.
        return None
    own = {found.start(2): found.span() for found in _VARIANT.finditer(body, article.inner_start, article.end)}
    paragraphs = yield from _texts(body, article)
    runs = [own.get(start, (start, end)) for paragraph in paragraphs for start, end in paragraph]
    elements = [start in own for paragraph in paragraphs for start, _ in paragraph]
    texts = yield from _read(body, runs, encoding, elements)
    if texts is None:
        return None
    rest = iter(texts)
    openings = yield from _openings(body, article, encoding, {start for start, _ in own.values()})
    yield
    told = [[next(rest) for _ in paragraph] for paragraph in paragraphs]
    yield
    made = yield from marker(told, encoding == "utf-8", openings)
    tags = [Edit(*openings[one].run, (len(made.slots) + number,)) for number, one in enumerate(made.openings)]
    edits = (*(yield from _edits(made, runs, texts, encoding, elements)), *tags)
    inserts = [Edit(at, at, parts) for at, parts in points]
    parts = yield from patched(memoryview(body), [*inserts, *edits], 0, len(body))
    page = yield from joined(parts)
    return Marking(made, edits, {MARKS: made.plain}, page, sum(map(getsizeof, texts)) + _TEXT * len(texts))


def _read(body: bytes, runs: Sequence[Run], encoding: str, elements: Sequence[bool]) -> Turns[list[str] | None]:
    """The texts; None where a place in them cannot be told by characters: some charsets write one in two ways."""
    texts: list[str] = []
    for run, element in zip(runs, elements, strict=True):
        if not len(texts) % _TURN:
            yield
        try:
            text = _decoded(body, run, encoding, element=element)
            if not element and text.encode(encoding) != body[slice(*run)]:
                return None
        except (UnicodeError, LookupError):
            return None
        texts.append(text)
    return texts


def _edits(
    made: Marked, runs: Sequence[Run], texts: Sequence[str], encoding: str, elements: Sequence[bool]
) -> Turns[list[Edit]]:
    edits: list[Edit] = []
    run, done, offset = -1, 0, 0
    for number, slot in enumerate(made.slots):
        if slot.run != run:
            run, done, offset = slot.run, 0, runs[slot.run][0]
        if not number % _TURN:
            yield
        if elements[run]:
            edits.append(Edit(*runs[run], (number,)))
            continue
        text = texts[run]
        start = offset + len(text[done : slot.start].encode(encoding))
        end = start + len(text[slot.start : slot.end].encode(encoding))
        done, offset = slot.end, end
        edits.append(Edit(start, end, (number,)))
    return edits


def _decoded(body: bytes, run: Run, encoding: str, *, element: bool) -> str:
    text = body[slice(*run)]
    if not element:
        return text.decode(encoding)
    found = _VARIANT.fullmatch(text)
    assert found is not None
    return f"[[{found[2].decode(encoding)}|{found[1].decode(encoding)}]]"


def _texts(body: bytes, article: Candidate) -> Turns[list[list[Run]]]:
    """The texts that may be marked, by paragraph."""
    paragraphs: list[list[Run]] = [[]]
    done, shut = article.inner_start, 0
    for number, (start, end) in enumerate(article.runs):
        if not number % _TURN:
            yield
        between = body[done:start]
        for tag in _LEFT_ALONE.finditer(between):
            shut = max(0, shut - 1) if tag[1] else shut + 1
        if _PARAGRAPH.search(between):
            paragraphs.append([])
        if not shut:
            paragraphs[-1].append((start, end))
        done = end
    return [paragraph for paragraph in paragraphs if paragraph]


def _openings(body: bytes, article: Candidate, encoding: str, taken: set[int]) -> Turns[list[Opening]]:
    """The start tags that texts stand in, each right before the next or the text. ``taken``: replaced anyway."""
    done = article.inner_start
    found: list[Opening] = []
    for number, (start, end) in enumerate(article.runs):
        if not number % _TURN:
            yield
        between = body[done:start]
        chain: list[tuple[int, bytes]] = []
        last = 0
        for tag in TOKEN.finditer(between):
            if tag.lastindex != 1 or between[last : tag.start()].strip():
                chain.clear()
            if tag.lastindex == 1:
                chain.append((done + tag.start(), tag[0]))
            last = tag.end()
        if not between[last:].strip():
            every = [_opening(own, at, encoding) for at, own in chain if at not in taken]
            found += [opening for opening in every if opening is not None]
        done = end
    return found


def _opening(tag: bytes, at: int, encoding: str) -> Opening | None:
    """A start tag at an offset of the page; None where its order may mean something, or it has none."""
    found = _QUOTED.fullmatch(tag)
    if found is None:
        return None
    every = list(_ATTRIBUTE.finditer(tag, found.start(2), found.end(2)))
    names = [one[1].lower() for one in every]
    if len({*names}) < len(names) or b"is" in names:
        return None
    free = [one for one, name in zip(every, names, strict=True) if name in _INERT or name.startswith(_FREE)]
    moved = free[:_MOST_MOVED]
    if len(moved) < 2:
        return None
    try:
        pairs = tuple((one[1].decode("ascii").lower(), unescape(one[2].decode(encoding))) for one in moved)
    except UnicodeDecodeError:
        return None
    between = tuple(tag[one.end() : other.start()] for one, other in pairwise(moved))
    run = at + moved[0].start(), at + moved[-1].end()
    return Opening(found[1].decode("ascii").lower(), pairs, tuple(one[0] for one in moved), between, run)


def classed(fragments: Sequence[Fragment]) -> Sequence[Fragment]:
    """The same, with a place for one class more on the first element of ours in the article."""
    for number, fragment in enumerate(fragments):
        first = fragment.parts[0]
        if fragment.slot is Slot.ARTICLE_END and isinstance(first, bytes) and (found := _CLASS.search(first)):
            parts: tuple[Part, ...] = (first[: found.end()], Field.MARK, first[found.end() :], *fragment.parts[1:])
            return [*fragments[:number], Fragment(fragment.slot, parts), *fragments[number + 1 :]]
    return fragments
