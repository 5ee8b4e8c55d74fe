"""A page's plan: what stands where in each rendition, worked out once and filled in for each reader.

Strategy: each rendition is a ``Template`` of the page, made when somebody first asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from contentguard.rewrite.page import Fragment, Page, Part, Slot, ascii_html
from contentguard.rewrite.scan import Scan
from contentguard.rewrite.template import Hole, Piece, Template, template
from contentguard.turns import Turns, finished

if TYPE_CHECKING:
    from contentguard.rewrite.marking import Marking

_GZIP_SHARE = 0.5
"""What the deflated slices take of the page, for the cache's account (0.2 measured for large pages, 0.5 for small)."""

RUN = 136
"""What the place of a text takes in memory (measured)."""


class Untouched(StrEnum):
    """Why a page leaves as it came, or without some of the insertions. Counted, and logged once each."""

    NO_ARTICLE = "no-article"
    ENCODED = "encoded"
    CHARSET = "charset"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    TOO_MANY_TAGS = "too-many-tags"
    NO_PLACE = "no-place"
    LATE_CHARSET = "late-charset"
    ERROR = "error"
    XHTML = "xhtml"


class Undivided(StrEnum):
    """Why a page has no lead. Counted."""

    NO_PLACE = "no-place"
    """Nothing can be put into its article, or it left as it came."""
    SHORT = "short"
    """Its article is hardly longer than a lead, and cannot be cut."""
    NO_CUT = "no-cut"
    """Its article has no place to cut it at: it is one block, or all of it stands in a table, a list or a link."""
    TANGLED = "tangled"
    """Its tags are nested so that a part cannot be taken out without moving what follows."""
    REPEATED = "repeated"
    """The rest of its article stands elsewhere in the page as well, and cannot be taken out there."""
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Division:
    """A page in two, as ``lead.divide`` makes it."""

    lead: Template | None = None
    """The page with the first paragraphs of its article, for a client without a sufficient pass."""
    rest: Template | None = None
    """What the lead lacks, as a fragment of HTML."""
    search: Template | None = None
    """The whole page for verified search crawlers, which are told what readers see only later."""
    undivided: Undivided | None = None
    """Why there is no lead."""
    loads: bool = False
    """The rest has to come with its page, not into it."""

    @property
    def size(self) -> int:
        """Bytes held besides the page."""
        made = [template for template in (self.lead, self.rest, self.search) if template]
        return sum(template.own + int(template.size * _GZIP_SHARE) for template in made)


@dataclass(slots=True)
class Plan:
    """What is known of one page body. ``untouched`` is set where the full rendition is the body itself."""

    is_article: bool
    untouched: Untouched | None = None
    full: Template | None = None
    scan: Scan | None = None
    page: Page | None = None
    fragments: Sequence[Fragment] = ()
    """What was inserted, the previews' tags (``cards``) first."""
    cards: int = 0
    """How many of the fragments are the previews' tags."""
    lacks: Untouched | None = None
    """Why some of the insertions are missing."""
    shows: bool = False
    """Whether the page holds a sheet by whose fetching a browser shows."""
    blocked: bool = False
    """Whether the page's Content-Security-Policy keeps our script or style sheet out."""
    divide: Callable[[], Turns[Division]] | None = field(default=None, repr=False)
    """How the page is divided, as long as nobody has asked for that."""
    mark: Callable[[], Turns[Marking | None]] | None = field(default=None, repr=False)
    """How the page is marked, as long as nobody has asked for that."""
    url: str = field(init=False)
    """The page's absolute URL where it is known without the reader's Host header."""
    name: str = field(init=False)
    """``Page.name``; empty where nothing was read of it."""
    _head: Template | None = field(default=None, repr=False)
    _division: Division | None = field(default=None, repr=False)
    _marking: Marking | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.url, self.name = (self.page.url, self.page.name) if self.page else ("", "")

    @property
    def head(self) -> Template | None:
        """The metadata alone, as a small document of its own; made when it is first asked for."""
        if self._head is None and self.scan is not None and self.page is not None:
            self._head = head_only(self.scan, self.page, self.fragments[: self.cards])
        return self._head

    @property
    def division(self) -> Division:
        """The page in two; made when it is first asked for, which takes some ten times as long as a plan.

        Whatever ``divide`` raises, it raises once.
        """
        if self.divide is not None:
            finished(self.dividing())
        return self._division or Division(undivided=Undivided.NO_PLACE)

    def dividing(self) -> Turns[None]:
        """Make it in turns; for one at a time. What is broken off begins anew."""
        assert self.divide is not None
        try:
            self._division = yield from self.divide()
        except Exception:
            self._division = Division(undivided=Undivided.ERROR)
            self.divide = None
            raise
        self.divide = None

    @property
    def marking(self) -> Marking | None:
        """Where its readers' marks go; made when it is first asked for, which takes as long as a division. None where
        it has none."""
        if self.mark is not None:
            finished(self.being_marked())
        return self._marking

    def being_marked(self) -> Turns[None]:
        """Make it in turns; for one at a time. What is broken off begins anew."""
        assert self.mark is not None
        try:
            self._marking = yield from self.mark()
        except Exception:
            self.mark = None
            raise
        self.mark = None

    @property
    def copied(self) -> Template | None:
        """The whole page as it is sent: with places for marks where they are known, else ``full``."""
        return self._marking.full if self._marking else self.full

    @property
    def lead(self) -> Template | None:
        """The page with its article's first paragraphs; None where ``division.undivided`` says why."""
        return self.division.lead

    @property
    def rest(self) -> Template | None:
        """What the lead lacks; None where there is no lead."""
        return self.division.rest

    @property
    def search(self) -> Template | None:
        """The whole page with its rest marked; None where that is not known, and ``full`` will have to do."""
        return self.division.search

    @property
    def size(self) -> int:
        """Bytes held, for the cache's account."""
        full = self.full.own + int(self.full.size * _GZIP_SHARE) if self.full else 0
        said = sum(map(len, self.scan.metadata)) if self.scan else 0
        runs = RUN * len(self.scan.article.runs) if self.scan and self.scan.article else 0
        inserted = sum(len(part) for fragment in self.fragments for part in fragment.parts if isinstance(part, bytes))
        divided = self._division.size if self._division else 0
        marked = self._marking.size if self._marking else 0
        return full + 3 * said + runs + inserted + divided + marked


class Rendered(NamedTuple):
    """A page ready to leave, and whether it is meant for this client alone (so that no shared cache may keep it)."""

    body: bytes
    personal: bool


Point = tuple[int, Sequence[Part]]
"""An offset in the page and what is inserted there."""


def points(fragments: Iterable[Fragment], places: Mapping[Slot, int]) -> list[Point]:
    """Where each fragment goes, in the order of the page; one whose slot has no place (-1) is left out."""
    placed = [(places[f.slot], f.parts) for f in fragments if places[f.slot] >= 0]
    return sorted(placed, key=lambda point: point[0])


def full(body: bytes, inserts: Iterable[Point]) -> Template:
    """``body`` with everything at its place (offsets never decrease); of two at one place the earlier comes first."""
    page, done = memoryview(body), 0
    parts: list[Piece | Hole] = []
    for at, more in inserts:
        if at > done:
            parts.append(page[done:at])
            done = at
        parts += more
    parts.append(page[done:])
    return Template(parts)


def head_only(scan: Scan, page: Page, fragments: Iterable[Fragment]) -> Template:
    """The page's metadata as a document: its own title, meta and link tags as they stand, and no text at all.

    No script comes along, so no JSON-LD ``articleBody`` can.
    """
    title = ascii_html(page.title) if scan.title is None else scan.title
    parts: list[Part] = [b"<!doctype html>\n", scan.html_tag or b"<html>", b"\n<head>\n"]
    parts += [tag + b"\n" for tag in scan.metadata]
    parts += [b"<title>", title, b"</title>\n"]
    for fragment in fragments:
        parts += fragment.parts
    return template([*parts, b"\n</head>\n<body></body>\n</html>\n"])
