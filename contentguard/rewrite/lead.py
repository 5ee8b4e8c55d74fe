"""An article in two: the lead, which everybody gets with its page, and the rest, for those who have earned it.

Strategy: the page stays as it came but for the rest of its article, in whose place stands a real link. Whatever else in
the page repeats the rest is found by search and emptied; a page where that does not succeed is not divided. All this is
worked out once for a page, when somebody first asks; then the three templates are filled like any other.

* ``lead``: the page without the rest. A link leads on; ``Field.TICKET`` is the end of its address.
* ``rest``: what was taken out, as a fragment of HTML, each piece in a ``div`` of its own. The nth piece belongs in the
  place of the nth ``[data-cg-rest]`` of the lead.
* ``search``: the whole page, with a ``div`` around each of the same pieces, for crawlers that are shown what readers
  see later, and told so in JSON-LD.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, ClassVar, NamedTuple

from contentguard.assets import REST
from contentguard.rewrite.choice import Candidate
from contentguard.rewrite.cleaning import cleaned
from contentguard.rewrite.cut import Cut, find_cut
from contentguard.rewrite.edits import Edit, patched
from contentguard.rewrite.linked import CLASS, bodiless, censored, marked, paywall, read, unfree
from contentguard.rewrite.page import Field, Page, ascii_html
from contentguard.rewrite.parsed import needs_parser
from contentguard.rewrite.plan import Division, Point, Undivided
from contentguard.rewrite.scan import TooDeepError
from contentguard.rewrite.template import Hole, Piece, Template, Values, joined
from contentguard.rewrite.tokenizer import TOKEN, RawText
from contentguard.rewrite.withheld import Withheld
from contentguard.turns import Turns

ROUTE = "/wait/"
"""Where the link leads, below the guard's own routes; a ticket follows."""
_LINKED_DATA = re.compile(rb"(?i)<script(?=[\t\n\f\r /])(?:(?!ld\+json)[^<>]){0,512}+ld\+json")
_SCRIPTS = 32
"""How many scripts of JSON-LD are read."""
_TITLE = 40
"""A title has no more words than that: what a longer one says is not told anyhow."""
_OPEN = b'<div class="%s">' % CLASS.encode()
_CLOSE = b"</div>"
_PLACE = b'<div class="%s" data-cg-rest' % CLASS.encode()
_ITSELF = b' data-hx-boost="false" data-turbo="false"'
"""For who reads a site that fetches its links' pages by a script: htmx shows no page of status 503."""


@dataclass(frozen=True, slots=True)
class Lead:
    """Options of the lead."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    words: int = 120
    """About so many words of an article stand before the link,"""
    share: float = 0.25
    """but of a short article no more than about this part."""
    paragraphs: int = 1
    """However long they are, so many paragraphs do."""
    link: str = "Continue reading"
    """The text of the link."""

    def __post_init__(self) -> None:
        """Refuse what leaves no lead or no rest."""
        if self.words < 1 or self.paragraphs < 1 or not 0 < self.share < 1:
            raise ValueError("want words >= 1, paragraphs >= 1 and 0 < share < 1")
        if not self.link.strip():
            raise ValueError("a link needs a text")


Points = Callable[[Page, bytes], Sequence[Point]]
"""A page's insertions, in order: for a page that says this of itself, with this besides at the end of its head."""


@dataclass(frozen=True, slots=True)
class Source:
    """A page that is to be divided."""

    body: bytes
    article: Candidate
    page: Page
    encoding: str
    points: Points
    marks: Sequence[Edit] = ()
    """Where readers' marks go."""
    plain: Values = field(default_factory=dict)
    """What stands there for nobody in particular."""


def divide(source: Source, options: Lead) -> Turns[Division]:
    """The page in its three templates; what cannot be had is None, with the reason."""
    try:
        cut = yield from find_cut(
            source.body,
            source.article,
            source.encoding,
            words=options.words,
            share=options.share,
            paragraphs=options.paragraphs,
        )
        if isinstance(cut, Undivided):
            return Division(undivided=cut)
        return (yield from _divided(source, options, cut))
    except TooDeepError:
        return Division(undivided=Undivided.TANGLED)


def _divided(source: Source, options: Lead, cut: Cut) -> Turns[Division]:
    scripts = list(_linked_data(source.body, source.encoding))
    search = yield from _search(source, cut, scripts)
    lead = yield from _lead(source, options, cut, scripts)
    if lead is None:
        return Division(search=search, undivided=Undivided.REPEATED)
    rest = yield from _rest(source, cut)
    loads = any(needs_parser(source.body[piece.start : piece.end]) for piece in cut.rest)
    return Division(lead, rest, search, loads=loads)


def _lead(source: Source, options: Lead, cut: Cut, scripts: Iterable[_Script]) -> Turns[Template | None]:
    """The page without its rest; None where some of that stays, whatever is done."""
    withheld = yield from Withheld.in_turns(cut.withheld, (cut.told, *_titles(source.page, cut)))
    page = _silenced(source.page, withheld)
    yield
    kept = [script for script in scripts if not any(piece.start <= script.start < piece.end for piece in cut.rest)]
    said, tags = _marked(kept, page, source.encoding, lambda text: _censored(text, withheld))
    edits = [*said, *_gaps(cut, options, page)]
    edits += [Edit(at, at, parts) for at, parts in source.points(page, tags) if not _of_rest(at, source, cut)]
    yield
    edits += [mark for mark in source.marks if not _of_rest(mark.start, source, cut)]
    yield
    made = yield from _template(source, edits)
    if (yield from _tells(made, withheld, source)):
        edits += yield from cleaned(source.body, withheld, source.encoding, [piece[:2] for piece in cut.rest])
        made = yield from _template(source, edits)
        if (yield from _tells(made, withheld, source)):
            return None
    return made


def _template(source: Source, edits: Iterable[Edit]) -> Turns[Template]:
    parts = yield from patched(memoryview(source.body), edits, 0, len(source.body))
    return (yield from joined(parts))


def _tells(made: Template, withheld: Withheld, source: Source) -> Turns[bool]:
    """Whether anything of what is withheld would be sent. All of it is searched, by no parser's leave."""
    sent = made.fill({**dict.fromkeys(Field, b""), **source.plain})
    yield
    return (yield from withheld.standing_in(sent.decode(source.encoding, "replace")))


def _gaps(cut: Cut, options: Lead, page: Page) -> Iterator[Edit]:
    """What stands in the place of each piece of the rest: a link, and an empty place for those that follow."""
    for number, (start, end, _) in enumerate(cut.rest):
        if number:
            yield Edit(start, end, (_PLACE + b" hidden></div>",))
            continue
        href = ascii_html(page.routes + ROUTE)
        before = _PLACE + b"><p><a" + _ITSELF + b' class="cg-continue" rel="nofollow" href="' + href
        after = b'">' + ascii_html(options.link) + b"</a></p>"
        yield Edit(start, end, (before, Field.TICKET, after, *_script(page), b"</div>"))


def _script(page: Page) -> Iterator[bytes | Field]:
    """What fetches the rest while the lead is read; without it, or where it may not run, the link stands."""
    if page.scripts_allowed:
        yield from (b'<script src="', *REST.named(page.routes), b" defer", Field.NONCE, b"></script>")


def _rest(source: Source, cut: Cut) -> Turns[Template]:
    """The pieces of the rest, with the insertions that fall into them."""
    page = memoryview(source.body)
    yield
    inside = [Edit(at, at, more) for at, more in source.points(source.page, b"") if _of_rest(at, source, cut)]
    yield
    inside += [mark for mark in source.marks if _of_rest(mark.start, source, cut)]
    yield
    parts: list[Piece | Hole] = []
    for start, end, unclosed in cut.rest:
        parts += [_PLACE + b">", *(yield from patched(page, inside, start, end)), _CLOSE * (unclosed + 1)]
    return (yield from joined(parts))


def _search(source: Source, cut: Cut, scripts: Iterable[_Script]) -> Turns[Template]:
    """The whole page, with the rest marked as what it is."""
    said, tags = _marked(scripts, source.page, source.encoding, lambda text: text)
    points = [Edit(at, at, parts) for at, parts in source.points(source.page, tags)]
    around: list[Edit] = []
    for start, end, unclosed in cut.rest:
        around += [Edit(start, start, (_OPEN,)), Edit(end, end, (_CLOSE * (unclosed + 1),))]
    # What is put in at the article's end stands behind its last piece, what belongs to its last text in it.
    last = source.article.place
    edits = [*said, *(p for p in points if p.start != last), *around, *(p for p in points if p.start == last)]
    return (yield from _template(source, [*edits, *source.marks]))


def _of_rest(at: int, source: Source, cut: Cut) -> bool:
    """Whether an insertion belongs to what is withheld."""
    return at != source.article.place and any(piece.start < at <= piece.end for piece in cut.rest)


# -- what else the page says ---------------------------------------------------------------------------------------


class _Script(NamedTuple):
    """The content of a script element that holds JSON-LD."""

    start: int
    end: int
    text: str


def _linked_data(body: bytes, encoding: str) -> Iterator[_Script]:
    for found in islice(_LINKED_DATA.finditer(body), _SCRIPTS):
        at, tag = found.start(), TOKEN.match(body, found.start())
        if tag is None or body.rfind(b"<!--", 0, at) > body.rfind(b"-->", 0, at):
            continue
        start = tag.end() if tag.lastindex == 1 else tag.start(2)
        end, ended = RawText(b"script").end(body, start)
        text = read(body[start:end], encoding) if ended else None
        if text is not None:
            yield _Script(start, end, text)


def _marked(
    scripts: Iterable[_Script], page: Page, encoding: str, censor: Callable[[str], str | None]
) -> tuple[list[Edit], bytes]:
    """The edits by which the page says that part of it is not free, and the tags for its head if it has no such script.

    ``censor`` says what a script may say; None where that is for others to decide.
    """
    edits, done = [], False
    for start, end, text in scripts:
        new = censor(text)
        if new is not None:
            made = None if done else marked(new)
            done = done or made is not None
            new = made or unfree(new)
        if new is not None and new != text:
            edits.append(Edit(start, end, (new.encode(encoding),)))
    return edits, b"" if done else paywall(page)


def _censored(text: str, withheld: Withheld) -> str | None:
    less = bodiless(text)
    new = None if less is None else censored(less, withheld.cut)
    return None if new is None or withheld.stands_in(new) else new


def _silenced(page: Page, withheld: Withheld) -> Page:
    """What the page says of itself, as far as insertions may repeat it."""
    return replace(page, description=withheld.cut(page.description), image_alt=withheld.cut(page.image_alt))


def _titles(page: Page, cut: Cut) -> Iterator[str]:
    """What may be repeated: titles, of this page and of those that its article links to."""
    for title in (page.title, page.metas.get("og:title", ""), page.metas.get("twitter:title", ""), *cut.links):
        yield " ".join(title.split()[:_TITLE])
