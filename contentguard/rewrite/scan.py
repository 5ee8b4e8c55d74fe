"""One pass over a page: where its head ends, what the head says, which element is the article, and where that ends.

Strategy: ``Scanner`` reads on from wherever it stopped, so a page may come whole, in chunks or in slices, and be taken
up again in a state noted before. It stops at the end of the article: nothing behind it can change what was decided.
What the tags mean for the tree is ``OpenElements``' affair, which element is the article that of ``Choice``.

Longer than a module should be, because the loop over the tags and what it calls at the rarer ones share one state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType

from contentguard.rewrite.choice import NONE, Candidate, Choice
from contentguard.rewrite.rules import (
    BLOCK,
    CAREFUL,
    HEADING,
    IMAGE,
    ITEM,
    LINK,
    LOOK,
    PARAGRAPH,
    PLAIN,
    RAW,
    Rules,
)
from contentguard.rewrite.tokenizer import DRAWING, MOST_DRAWN, TOKEN, RawText, other_end
from contentguard.rewrite.tree import HEADINGS, MAX_DEPTH, OpenElements, Pending

_IN_HEAD = frozenset(b"base basefont bgsound link meta title noscript noframes style script template".split())
_SPACE = re.compile(rb"[\t\n\f\r ]*+")
_DOCTYPE = re.compile(rb"(?i)<!doctype")
# HTML Standard, 13.2.6.4.1, as far as such doctypes are still met with.
_QUIRKS = re.compile(
    rb"(?i)<!doctype(?![\t\n\f\r ]*+html(?:[\t\n\f\r ]*+>"
    rb"|[\t\n\f\r ]++public[\t\n\f\r ]*+(?:\"[^\">]*+\"|'[^'>]*+')[\t\n\f\r ]*+[>\"']"
    rb"|[\t\n\f\r ]++system[\t\n\f\r ]*+(?:\"[^\">]*+\"|'[^'>]*+')))"
    rb"|public[\t\n\f\r ]*+[\"'](?:-//ietf//|-//w3c//dtd (?:html (?:3|4\.0 (?:frameset|transitional))|w3)|html[\"'])"
    rb"|public[\t\n\f\r ]*+[\"']-//w3c//dtd html 4\.01 (?:frameset|transitional)//[^\"']*+[\"'][\t\n\f\r ]*+>"
)
_BOM = b"\xef\xbb\xbf"
_LISTS = (b"ul", b"ol")
_ROOM = MAX_DEPTH - MOST_DRAWN - 2
"""With so many elements open a drawing cannot become too deep."""
_TOO_DEEP = f"elements are nested deeper than {MAX_DEPTH}"


class TooDeepError(Exception):
    """Elements are nested deeper than can be told apart; the page leaves as it came."""


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
    roots: tuple[bytes, bytes]
    pending: tuple[Pending, ...]
    flags: tuple[bool, bool, bool, bool, bool, bool, bool, bool]
    """In the head; certain; a form unended; in quirks mode; html and title seen; the body begun by no tag; begun."""
    quiet: int
    words: int
    live: tuple[tuple[int, int, int, bool, bytes], ...]
    """Selector, depth, words, blocklessness and image of each open candidate."""

    @property
    def seen(self) -> tuple[bool, bool]:
        """Whether there was an html tag, and a title."""
        return self.flags[4], self.flags[5]


class Scanner:
    """Reads a page. Candidates are chosen by selector, or by the offset of their start tag (``anchors``)."""

    def __init__(self, rules: Rules, anchors: Mapping[int, int] = MappingProxyType({})) -> None:
        self.rules = rules
        self.anchors = anchors
        self.result = Scan()
        self.position = 0
        """Offset in the page of the first byte not dealt with yet."""
        self.tail = -1
        """Where ``</body>`` or ``</html>`` began, as long as nothing but white space followed."""
        self._open = OpenElements(tags=rules.ancestry)
        self.choice = Choice(rules, self._open)
        self._raw: RawText | None = None
        self._head = True
        self._words = 0
        self._searched = 0
        """How far text has been searched for a tag in vain."""
        self._looked = 0
        """How far an unfinished tag or comment has been searched for its end in vain."""
        self._seen_html = self._seen_title = False
        self._framable = True
        """Whether no tag has begun the body."""
        self._begun = False
        """Whether a doctype would come too late."""

    @property
    def done(self) -> bool:
        """Whether the article has ended: nothing that follows matters."""
        return self.choice.article is not None

    @property
    def settled(self) -> int:
        """An offset before which nothing will be inserted any more, whatever follows."""
        tail = [self.tail] if self.tail >= 0 and self.choice.live else []
        return min([self.position, *tail, *self.choice.places()])

    @property
    def opened(self) -> OpenElements:
        """The elements that are open at ``position``."""
        return self._open

    @property
    def in_head(self) -> bool:
        """Whether the head has not ended."""
        return self._head

    # -- taken up again ----------------------------------------------------------------------------------------

    @property
    def resumable(self) -> bool:
        """Whether ``state`` tells all: no token is half read, and no candidate that has ended is kept in mind."""
        return not (self._raw is not None or self.tail >= 0 or self.done or self.choice.undecided)

    def state(self) -> State:
        """What decides how the page is read on from ``position``, if ``resumable``."""
        opened, choice = self._open, self.choice
        live = tuple((c.selector, c.depth, c.words, c.blockless, c.image) for c in choice.live)
        head, seen = (self._head, choice.certain, opened.form, opened.quirks), (self._seen_html, self._seen_title)
        return State(
            tuple(opened.names),
            tuple(opened.tags or ()),
            opened.roots,
            tuple(opened.pending),
            (*head, *seen, self._framable, self._begun),
            choice.quiet,
            self._words,
            live,
        )

    def restore(self, state: State, position: int, inner_starts: Sequence[int]) -> None:
        """Go on as a scanner would that has reached ``position`` in ``state``; only what follows is told."""
        opened, choice = self._open, self.choice
        self.position = position
        opened.names[:] = state.names
        if opened.tags is not None:
            opened.tags[:] = state.tags
        opened.roots = state.roots
        opened.pending[:] = state.pending
        self._head, choice.certain, opened.form, opened.quirks, *seen = state.flags
        self._seen_html, self._seen_title, self._framable, self._begun = seen
        choice.quiet, self._words = state.quiet, state.words
        for (selector, depth, words, blockless, image), start in zip(state.live, inner_starts, strict=True):
            choice.live.append(Candidate(selector, depth, start, words, blockless, image=image))
        choice.named = state.live[0][0] if choice.certain else -1

    # -- reading -----------------------------------------------------------------------------------------------

    def scan(self, data: bytes) -> Scan:
        """Scan a whole page. Raises ``TooDeepError`` when elements are nested too deep to be told apart."""
        self.feed(data, 0, final=True)
        return self.told()

    def told(self) -> Scan:
        """What is known so far."""
        self.result.article, self.result.named = self.choice.article, self.choice.named
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
        rules, opened, choice = self.rules, self._open, self.choice
        kinds, hint, short, texts = rules.kinds, rules.hint, rules.short, rules.texts
        names, tags, pending, live = opened.names, opened.tags, opened.pending, choice.live
        head, words, foreign, tail = self._head, self._words, opened.foreign, self.tail >= 0
        paragraphs, links = names.count(b"p"), names.count(b"a")
        floor, goal, anchors = choice.floor, choice.goal, self.anchors
        at, stop = self.position - base, until - base
        for match in TOKEN.finditer(data, max(at, self._searched - base)):
            begin, end = match.span()
            if begin >= stop:
                break
            if begin > at:
                if head:
                    head = self._head_text(data, at, begin, base)
                if pending and self._reopen(data[at:begin]):
                    floor, paragraphs, links = choice.floor, names.count(b"p"), names.count(b"a")
                if live:
                    if links or foreign:
                        pass
                    elif goal == inf:
                        words += data.count(b" ", at, begin)
                    elif (words := words + count_words(data[at:begin])) >= goal:
                        choice.make_sure()
                        goal = inf
                    if (paragraphs or tail) and not data[at:begin].isspace():
                        self.tail, tail = -1, False
                        if paragraphs and texts and choice.quiet == NONE:
                            live[0].runs.append((base + at, base + begin))
            kind = match.lastindex
            if kind == 1 or kind == 2:
                name = match[1]
                what = kinds.get(name)
                if what is None:
                    name = name.lower()
                    what = kinds.get(name, PLAIN)
                # A leaf is taken in one, if nothing about its start tag is unusual.
                at = end if kind == 1 else match.start(2)
                if head:
                    head = self._head_start(name, data, begin, at, base)
                if not foreign:
                    if what == RAW:
                        self._raw, self.tail = RawText(name), -1
                        break
                    if PLAIN < what <= IMAGE and not pending:
                        self.tail, tail = -1, False
                        if what == IMAGE:
                            choice.picture(data[begin:at])
                        if kind == 1:
                            continue
                        break
                    if (at - begin > short and hint(data, begin, at) is not None) or (
                        anchors and base + begin in anchors
                    ):
                        what = LOOK
                    if not pending and (
                        what == PLAIN
                        or (what == BLOCK and not paragraphs)
                        or (what == ITEM and not paragraphs and names and names[-1] in _LISTS)
                        or (what == PARAGRAPH and not paragraphs)
                        or (what == LINK and not links)
                        or (what == HEADING and not paragraphs and (not names or names[-1] not in HEADINGS))
                    ):
                        if len(names) >= MAX_DEPTH:
                            raise TooDeepError(_TOO_DEEP)
                        if tail:
                            self.tail, tail = -1, False
                        if kind == 1:
                            if what == PARAGRAPH:
                                paragraphs = 1
                            elif what == LINK:
                                links = 1
                            names.append(name)
                            if tags is not None:
                                tags.append(data[begin:end])
                            continue
                        if live and at < (begin := match.end(2)):
                            if links or what == LINK:
                                pass
                            elif goal == inf:
                                words += data.count(b" ", at, begin)
                            elif (words := words + count_words(data[at:begin])) >= goal:
                                choice.make_sure()
                                goal = inf
                            if (
                                texts
                                and (paragraphs or what == PARAGRAPH)
                                and choice.quiet == NONE
                                and not data[at:begin].isspace()
                            ):
                                live[0].runs.append((base + at, base + begin))
                        at = end
                        continue
                    if what >= CAREFUL and name == b"svg" and (icon := self._icon(data, at)):
                        self.tail, at = -1, icon
                        break
                else:
                    # It may break out of SVG.
                    what = LOOK
                self._words, self._head = words, head
                self._start(name, what, data, begin, at, base)
                if kind == 2:
                    break
            elif kind == 3:
                name = match[3]
                if name not in kinds:
                    name = name.lower()
                at = end
                if head:
                    head = self._head_end_tag(name, base + begin)
                if names and names[-1] == name and len(names) - 1 > floor and not (pending or tail):
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
                self._head = head
                # CDATA is read in every element of SVG or MathML, even in one that holds HTML.
                ended = self._other(data, begin, base, foreign=bool(names) and names[-1][0] == 0x20)
                at = begin if ended < 0 else ended
                break
            if choice.article is not None or self._raw is not None:
                break
            foreign, floor, tail = opened.foreign, choice.floor, self.tail >= 0
            paragraphs, links, goal = names.count(b"p"), names.count(b"a"), choice.goal
        else:
            # No tag any more; a "<" at the very end may yet become one.
            self._searched = base + len(data) - data.endswith(b"<")
        self.position, self._words, self._head = base + at, words, head

    def _icon(self, data: bytes, at: int) -> int:
        """Where an svg element ends whose start tag ends at ``at``, if it is but a drawing; else 0."""
        opened = self._open
        if opened.pending or len(opened.names) > _ROOM or data[at - 2] == 0x2F or opened.names[-1:] == [b"colgroup"]:
            return 0
        match = DRAWING.match(data, at)
        return 0 if match is None else match.end()

    def _reopen(self, text: bytes) -> bool:
        """Text brings formatting elements back; whether it did."""
        count = self._open.text(blank=text.isspace())
        if count:
            self.choice.come_back()
            if len(self._open.names) > MAX_DEPTH:
                raise TooDeepError(_TOO_DEEP)
        return count > 0

    def _raw_text(self, data: bytes, base: int) -> bool:
        """Skip the content of the open raw-text element and its end tag; False while that is not there."""
        assert self._raw is not None
        start = self.position - base
        at, found = self._raw.end(data, start)
        title = self._head and self._raw.name == b"title" and not self._seen_title and not self._hidden()
        match = TOKEN.match(data, at) if found else None
        if match is None or match.lastindex != 3:
            # A title's text is wanted in one piece.
            self.position = self.position if title else base + at
            return False
        if title:
            self.result.title, self._seen_title = data[start:at], True
        self.position, self._raw = base + match.end(), None
        return True

    def _finish(self, data: bytes, base: int) -> None:
        """The end of the file: what is still open ends here, if the page ends between two tags."""
        at, size, choice = self.position - base, base + len(data), self.choice
        complete = self._raw is None and TOKEN.search(data, at) is None
        if complete and at < len(data):
            self._last_text(data, at, base)
        if self._head and complete and not self._hidden():
            self._close_head(size)
        offset = self.tail if self.tail >= 0 else size
        self._open.finish()
        while choice.live and choice.article is None:
            candidate = choice.live.pop()
            choice.close(candidate, self._open.names, candidate.depth, offset, self._words, lost=not complete)
        choice.finish()
        self.position = size

    def _last_text(self, data: bytes, at: int, base: int) -> None:
        text = data[at:]
        if self._open.pending:
            self._reopen(text)
        if self._head:
            self._head = self._head_text(data, at, len(data), base)
        choice = self.choice
        if choice.live and not text.isspace():
            self.tail = -1
            names = self._open.names
            self._words += 0 if b"a" in names or self._open.foreign else count_words(text)
            if self._words >= choice.goal:
                choice.make_sure()
            if self.rules.texts and choice.quiet == NONE and b"p" in names:
                choice.live[0].runs.append((base + at, base + len(data)))

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
        self._begun = True
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
        self._begun = True
        ends = not self._hidden() and name in (b"head", b"body", b"html", b"br")
        return self._close_head(offset) if ends else True

    # -- the rarer tags ----------------------------------------------------------------------------------------

    def _start(self, name: bytes, what: int, data: bytes, begin: int, end: int, base: int) -> None:
        """A start tag that may close something, or open something that is looked for."""
        self.tail = -1
        opened, choice, tag = self._open, self.choice, data[begin:end]
        before = opened.names.copy() if choice.live else []
        pushed = opened.start(name, tag)
        choice.settle(before, base + begin, self._words, pushed=pushed, ended=b"")
        if name == b"body" or name == b"html":
            self._framable &= name == b"html"
            if what == LOOK:
                choice.whole(name, tag)
        elif name == b"frameset" and self._framable and self._words == 0:
            # It takes the place of a body that no tag began and that holds nothing yet.
            choice.forget()
        if not pushed:
            if name == b"img":
                choice.picture(tag)
            return
        if len(opened.names) > MAX_DEPTH:
            raise TooDeepError(_TOO_DEEP)
        choice.hush()
        if opened.names[-1] != name:
            return
        if name == b"xmp" or name == b"plaintext":
            # Its content ends with its own end tag, or never: it need not be kept among the open elements.
            opened.drop()
            self._raw = RawText(name)
        elif what == LOOK and not self._head:
            anchor = self.anchors.get(base + begin, -1)
            choice.open(name, tag, base + begin, base + end, self._words, anchor)

    def _end(self, name: bytes, offset: int) -> None:
        """An end tag that closes more or less than the current element, or something that is looked for."""
        choice = self.choice
        if name != b"body" and name != b"html":
            self.tail = -1
        elif choice.live and self.tail < 0 and b"p" not in self._open.names:
            # In a paragraph the white space that follows would stand elsewhere with a block before it.
            self.tail = offset
        before = self._open.names.copy() if choice.live else []
        self._open.end(name)
        choice.settle(before, offset, self._words, pushed=False, ended=name)

    def _other(self, data: bytes, begin: int, base: int, *, foreign: bool) -> int:
        """The end of what is neither tag nor text; -1 while it is not finished."""
        ended, looked = other_end(data, begin, self._looked - base, foreign=foreign)
        self._looked = base + looked
        if ended >= 0 and self._head and not self._begun and _DOCTYPE.match(data, begin, ended):
            self._begun, self._open.quirks = True, bool(_QUIRKS.search(data, begin, ended))
        return ended


def count_words(text: bytes) -> int:
    """Words of a text run; scripts that write no spaces count four characters (twelve bytes) as a word."""
    return max(len(text.split()), len(text) // 12)
