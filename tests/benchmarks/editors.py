"""The rivals: whatever else there is in Python that can put two things into a page.

Strategy: the rivals get every advantage. They are handed the guard's own inserts as finished bytes for one fixed
reader, need no policy, no look at the response and no search for the article beyond one class name. BeautifulSoup takes
the inserts as raw text, which spares it parsing them; lol-html and turbohtml get the selectors they are fastest with.
turbohtml has two ways to do it, a tree that knows where its tags stood and a rewriter without a tree: both take part.
lol-html takes part twice as well: with the two inserts alone, and with a mark in every text of the article's paragraphs
besides, because a plan of ours also holds where these texts stand, and a rewriter has to look at them to know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from typing import TYPE_CHECKING, NamedTuple

from bs4 import BeautifulSoup
from bs4.element import PreformattedString

from tests.benchmarks.measure import MeasureError
from tests.benchmarks.pages import ARTICLE_END

if TYPE_CHECKING:
    from lolhtml import Element as LolElement
    from lolhtml import TextChunk as LolText

Editor = Callable[[bytes], bytes]

MARK = "\u2063\u2064\u2063\u2064"
"""Four characters that are not to be seen."""


class Inserts(NamedTuple):
    """What the guard put into a page."""

    head: bytes
    article: bytes

    def into(self, plain: bytes) -> bytes:
        """``plain`` with both of them in their places."""
        head_at, article_at = plain.index(b"</head>"), plain.index(ARTICLE_END)
        return plain[:head_at] + self.head + plain[head_at:article_at] + self.article + plain[article_at:]


def inserts(plain: bytes, guarded: bytes) -> Inserts:
    """The inserts of a guarded page, found by comparing it with the plain one. Raises where anything else differs."""
    head_at, article_at = plain.index(b"</head>"), plain.index(ARTICLE_END)
    head = guarded[head_at : guarded.find(b"</head>", head_at)]
    start = article_at + len(head)
    found = Inserts(head, guarded[start : start + len(guarded) - len(plain) - len(head)])
    if not all(found) or found.into(plain) != guarded:
        raise MeasureError("the guarded page is not the plain one with inserts in its head and at its article's end")
    return found


class _Raw(PreformattedString):
    """Text that BeautifulSoup writes as it is."""


def bs4_editor(things: Inserts) -> Editor:
    """BeautifulSoup with html.parser, the parser it has on every machine."""
    head_text, article_text = things.head.decode(), things.article.decode()

    def edit(body: bytes) -> bytes:
        soup = BeautifulSoup(body, "html.parser", from_encoding="utf-8")
        article = soup.find(class_="entry-content")
        assert soup.head is not None
        assert article is not None
        soup.head.append(_Raw(head_text))
        article.append(_Raw(article_text))
        return soup.encode()

    return edit


def lexbor_editor(things: Inserts) -> Editor:
    """selectolax's Lexbor, a parser in C."""
    from selectolax.lexbor import LexborHTMLParser

    def edit(body: bytes) -> bytes:
        tree = LexborHTMLParser(body)
        article = tree.css_first(".entry-content")
        # Each must outlive the page's tree: a node of a freed document ends the process.
        sources = LexborHTMLParser(things.head), LexborHTMLParser(things.article)
        for source, place, into in zip(sources, (tree.head, article), ("head", "body"), strict=True):
            root = source.css_first(into)
            assert place is not None
            assert root is not None
            for node in root.iter():
                place.insert_child(node)
        return (tree.html or "").encode()

    return edit


class _LolAppend:
    """What lol-html is to do with an element."""

    def __init__(self, text: str) -> None:
        from lolhtml import ContentType

        self._text, self._kind = text, ContentType.HTML

    def element(self, element: LolElement) -> None:
        """Put the text in front of its end tag."""
        element.append(self._text, self._kind)


class _LolMark:
    """Marks every text once, however many pieces it comes in."""

    def text(self, piece: LolText) -> None:
        """One piece."""
        if piece.last_in_text_node:
            piece.before(MARK)


def lolhtml_editor(things: Inserts, *more: tuple[str, object]) -> Editor:
    """lol-html, a streaming rewriter in Rust, by way of python-lolhtml."""
    from lolhtml import HTMLRewriter

    head, article = _LolAppend(things.head.decode()), _LolAppend(things.article.decode())
    handlers = (("head", head), (".entry-content", article), *more)

    def edit(body: bytes) -> bytes:
        out = bytearray()
        rewriter = HTMLRewriter(out.extend)
        for selector, handler in handlers:
            rewriter.on(selector, handler)
        rewriter.write(body)
        rewriter.end()
        return bytes(out)

    return edit


def lolhtml_marks_editor(things: Inserts) -> Editor:
    """The same, and a mark in every text of the article's paragraphs."""
    return lolhtml_editor(things, (".entry-content p", _LolMark()))


def turbohtml_editor(things: Inserts) -> Editor:
    """turbohtml's tree, asked where the two end tags stand; the page is then cut there and nothing is serialised.

    Its offsets count characters of the text with normalised line ends: right here, because no page has a CR in it.
    """
    from turbohtml import parse

    head_text, article_text = things.head.decode(), things.article.decode()

    def edit(body: bytes) -> bytes:
        text = body.decode()
        tree = parse(text, source_locations=True)
        at: list[int] = []
        for selector in ("head", ".entry-content"):
            element = tree.select_one(selector)
            assert element is not None
            where = element.source_location
            assert where is not None
            assert where.end_tag is not None
            at.append(where.end_tag.start_offset)
        return f"{text[: at[0]]}{head_text}{text[at[0] : at[1]]}{article_text}{text[at[1] :]}".encode()

    return edit


def turbohtml_rewrite_editor(things: Inserts) -> Editor:
    """turbohtml's rewriter, which builds no tree."""
    from turbohtml.rewrite import Element, rewrite

    head_text, article_text = things.head.decode(), things.article.decode()

    def at_head(element: Element) -> None:
        element.append(head_text, html=True)

    def at_article(element: Element) -> None:
        element.append(article_text, html=True)

    handlers = (("head", at_head), (".entry-content", at_article))
    return lambda body: rewrite(body.decode(), elements=handlers).encode()


class Rival(NamedTuple):
    """Somebody else's way to do it."""

    package: str
    """What has to be installed."""
    told: str
    make: Callable[[Inserts], Editor]
    exact: bool
    """Whether it leaves every other byte of the page as it was."""
    marks: bool = False
    """Whether it puts a mark in every text of the article's paragraphs, too."""


RIVALS: Mapping[str, Rival] = {
    "bs4": Rival("beautifulsoup4", "BeautifulSoup", bs4_editor, exact=False),
    "lexbor": Rival("selectolax", "Lexbor", lexbor_editor, exact=False),
    "lolhtml": Rival("python-lolhtml", "lol-html", lolhtml_editor, exact=True),
    "lolhtml_marks": Rival(
        "python-lolhtml", "lol-html with marks in every text", lolhtml_marks_editor, exact=True, marks=True
    ),
    "turbohtml": Rival("turbohtml", "turbohtml's tree", turbohtml_editor, exact=True),
    "turbohtml_rewrite": Rival("turbohtml", "turbohtml's rewriter", turbohtml_rewrite_editor, exact=True),
}
"""Name in the figures → rival."""


def checked(rival: Rival, plain: bytes, things: Inserts) -> Editor:
    """A rival's editor. Raises where it does not put both inserts into ``plain`` and leave the rest in substance."""
    edit = rival.make(things)
    output, wanted = edit(plain), things.into(plain)
    if rival.marks:
        if output.count(MARK.encode()) < plain.count(b"<p>"):
            raise MeasureError(f"{rival.told} does not make its marks")
        output = output.replace(MARK.encode(), b"")
    if output != wanted and (rival.exact or Substance.of(output) != Substance.of(wanted)):
        raise MeasureError(f"{rival.told} does not make the page that it is timed for")
    return edit


class Substance(HTMLParser):
    """A page's tags, attributes and words, in order: what serialising it anew must not change.

    Case, white space, quotes and the way in which an empty element is closed are a serialiser's own affair.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    @classmethod
    def of(cls, page: bytes) -> list[str]:
        """The substance of a page."""
        reader = cls()
        reader.feed(page.decode())
        reader.close()
        return reader.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A start tag, its attributes in alphabetical order."""
        self.found += [f"<{tag}", *sorted(_attributes(attrs))]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """``<br/>`` is ``<br>``, and what is closed by itself in SVG is closed by an end tag as well."""
        self.handle_starttag(tag, attrs)
        if tag == "path":
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """An end tag."""
        self.found.append(f"</{tag}")

    def handle_data(self, data: str) -> None:
        """The words of a text, however it is cut."""
        self.found += data.split()


def _attributes(attrs: list[tuple[str, str | None]]) -> Iterator[str]:
    for name, value in attrs:
        yield f"{name}={(value or '').casefold()}"
