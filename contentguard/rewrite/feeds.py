"""A feed as its texts: what of them anybody may have, and all the rest of it byte for byte as the app wrote it.

    bytes ─ read_feed ─▶ Feed ──┬─ excerpt ─▶ bytes      the beginning of each text, and a link
                                └─ whole ───▶ bytes      all of it, with a subscriber's marks

Strategy: nothing is written out again. A scanner finds where the texts stand, whatever their elements or members are
called; what is longer than a summary is an article's, and is cut. No entity is expanded, depth and size are bounded,
and no pattern turns back. What cannot be read is an error, for who calls to decide about.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from contentguard.rewrite import jsonfeed, rss
from contentguard.rewrite.excerpts import Feeds, cut
from contentguard.rewrite.feedtext import FeedError, Form, Scanned, Tag, Text, Trouble
from contentguard.rewrite.marking import Marked
from contentguard.rewrite.page import ascii_html
from contentguard.rewrite.written import Way

MOST_BYTES = 5 * 2**20
"""The longest feed that is read."""
XML_FEEDS = frozenset(
    (
        *("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/x-rss+xml"),
        *("text/rss+xml", "text/atom+xml", "application/rss", "text/rss"),
    )
)
JSON_FEED = "application/feed+json"
XML, JSON = frozenset(("application/xml", "text/xml")), frozenset(("application/json", "text/json"))
"""What may be a feed, and mostly is none."""
KINDS = frozenset((*XML_FEEDS, JSON_FEED, *XML, *JSON))
HEAD = 1 << 16
"""Bytes within which a document says what it is."""

_CHARSET = re.compile(r"""(?i);\s{0,16}charset\s{0,16}=\s{0,16}["']?([A-Za-z0-9._:-]{1,40})""")
_DECLARED = re.compile(rb"""\s{0,64}<\?xml[^<>]{0,200}?\sencoding\s{0,16}=\s{0,16}["']([A-Za-z0-9._:-]{1,40})""")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_STATELESS = re.compile(
    r"ascii|utf-8|utf-(?:16|32)-[lb]e|iso8859-\d+|cp125\d|cp874|koi8-[rut]|mac-\w+|shift_jis|cp932|gb\w+|big5\w*|euc_\w+"
)
"""Codecs in which a character is the same bytes wherever it stands."""
_MARKUP = re.compile(r"<(?:!--|/?[a-zA-Z])[^<>]*+>")
_QUIET = re.compile(r"(?i)<(/?)(?:a|q|blockquote|code|kbd|samp|pre|cite|h[1-6]|figcaption)(?=[\s/>])")
_PARAGRAPH = re.compile(r"(?i)</?(?:p|li|div|blockquote)(?=[\s/>])")
_FLOW = frozenset(("div", "p", "body", "section", "article", "span"))
_XHTML = '<div xmlns="http://www.w3.org/1999/xhtml">'

Marker = Callable[[Sequence[Sequence[str]], bool], Marked]


class Edit(NamedTuple):
    """Something else in the place of ``document[start:end]``."""

    start: int
    end: int
    text: str


class Spot(NamedTuple):
    """Where a mark goes."""

    start: int
    end: int
    way: Way

    def holds(self, mark: bytes) -> Edit:
        """The edit that puts a mark there, as it stands in HTML (UTF-8)."""
        return Edit(self.start, self.end, self.way.write(mark.decode()))


class Feed:
    """One feed that could be read."""

    def __init__(self, document: str, encoding: str, scanned: Scanned) -> None:
        self._document, self._encoding = document, encoding
        self.texts, self._dropped = scanned
        self.size = 4 * len(document) + sum(
            len(text.written.said) + 120 * len(text.written.pieces) for text in self.texts
        )
        """Bytes that it holds, about."""

    def excerpt(self, options: Feeds | None, link: str, settled: Iterable[Edit] = ()) -> bytes:
        """The feed with the beginning of each text and a link so named; without ``options`` with the link alone.

        ``settled``: what of the texts is the same for everybody, and not as the app wrote it.
        """
        cuts = [self._cut(text, 0 if options is None else options.allowed(text.words), link) for text in self.texts]
        cuts.sort()
        starts, kept = [edit.start for edit in cuts], [Edit(start, end, "") for start, end in self._dropped]
        for mark in settled:
            number = bisect_right(starts, max(mark.start, mark.end - 1)) - 1
            if number < 0 or cuts[number].end <= mark.start:
                kept.append(mark)
            elif mark.start < cuts[number].start:
                # Of what is one or the other, half is neither.
                cuts[number] = cuts[number]._replace(start=mark.start)
        return self._with([*cuts, *kept])

    def whole(self, marks: Iterable[Edit] = ()) -> bytes:
        """The feed with these marks."""
        return self._with(marks)

    def marked(self, text: Text, marker: Marker) -> tuple[Marked, list[Spot | None]]:
        """What the marks of a text need, and where each goes; None where it cannot stand."""
        paragraphs, places = _runs(text.written.said)
        made = marker(paragraphs, self._encoding.startswith("utf"))
        spans = (text.written.span(places[s.run] + s.start, places[s.run] + s.end) for s in made.slots)
        return made, [None if span is None else Spot(*span) for span in spans]

    def _cut(self, text: Text, most: int, link: str) -> Edit:
        ended = cut(text.written.said, most)
        start, piece = text.written.behind(ended.offset)
        more = "…" if ended.torn and most else ""
        if text.form is Form.XHTML:
            return Edit(start, text.end, piece.behind + more + _closed(text, _open_at(text.tags, start), link))
        if text.form is Form.HTML:
            more += "".join(f"</{name}>" for name in reversed(ended.open)) + _linked(text.entry.link, link)
        elif text.form is Form.TEXT and text.entry.link:
            more += f" {text.entry.link}" if more else text.entry.link
        return Edit(start, text.end, piece.way.write(more) + piece.behind)

    def _with(self, edits: Iterable[Edit]) -> bytes:
        done, parts, encoding = 0, list[bytes](), self._encoding
        for start, end, text in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
            if start < done:
                # In what was cut there is nothing more to change.
                continue
            parts += (_encoded(self._document[done:start], encoding), text.encode(encoding, "xmlcharrefreplace"))
            done = end
        return b"".join([*parts, _encoded(self._document[done:], encoding)])


def read_feed(body: bytes, content_type: str, summary: int) -> Feed | None:
    """The feed in a body that came as ``content_type``; None for what may be one and is none.

    Texts of up to ``summary`` words are none. Raises ``FeedError``.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if len(body) > MOST_BYTES:
        raise FeedError(Trouble.TOO_LARGE)
    if kind in JSON or kind == JSON_FEED:
        return _read_json(body, summary, declared=kind == JSON_FEED)
    encoding = _encoding(body, content_type)
    document = _decoded(body, encoding)
    if kind in XML and not rss.is_feed(document):
        return None
    return Feed(document, encoding, rss.scan(document, summary))


def may_be_feed(head: bytes, content_type: str) -> bool | None:
    """Whether a document that begins so may be one; None where more of it has to be seen."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in JSON:
        bare = head.lstrip(b"\xef\xbb\xbf \t\n\r")
        return True if b"jsonfeed.org" in head else False if bare and bare[:1] != b"{" else None
    if kind not in XML:
        return True
    try:
        return rss.is_feed(head.decode(_encoding(head, content_type), "replace"))
    except FeedError:
        return True


def _read_json(body: bytes, summary: int, *, declared: bool) -> Feed | None:
    document = body.decode("utf-8", "surrogateescape")
    if not declared and not jsonfeed.is_feed(document):
        return None
    scanned = jsonfeed.scan(document, summary, declared=declared)
    return None if scanned is None else Feed(document, "utf-8", scanned)


def _encoding(body: bytes, content_type: str) -> str:
    """The codec of an XML document: by its first bytes, by what was said of it, by its own word (RFC 7303)."""
    for start, name in _BOMS:
        if body.startswith(start):
            return name
    said = _CHARSET.search(content_type)
    own = None if said is not None else _DECLARED.match(body)
    name = said[1] if said is not None else own[1].decode() if own is not None else "utf-8"
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        raise FeedError(Trouble.CHARSET) from None
    if _STATELESS.fullmatch(codec) is None:
        raise FeedError(Trouble.CHARSET)
    return codec


def _decoded(body: bytes, encoding: str) -> str:
    """A document; by the same codec it comes to the same bytes again."""
    try:
        document = body.decode(encoding, _errors(encoding))
        if encoding != "utf-8" and _encoded(document, encoding) != body:
            raise FeedError(Trouble.CHARSET)
    except UnicodeError:
        raise FeedError(Trouble.CHARSET) from None
    return document


def _encoded(text: str, encoding: str) -> bytes:
    return text.encode(encoding, _errors(encoding))


def _errors(encoding: str) -> str:
    # Bytes that say nothing in a charset go through as they are, where each stands for itself.
    return "strict" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"


def _linked(address: str, name: str) -> str:
    if not address:
        return ""
    return f'<p><a href="{ascii_html(address).decode()}">{ascii_html(name).decode()}</a></p>'


def _closed(text: Text, names: Sequence[str], name: str) -> str:
    """What ends a text whose elements are the document's own, with a link in the outermost."""
    of_xhtml = text.tags[0].name.rpartition(":")[2].lower() in _FLOW
    link = _linked(text.entry.link, name) if of_xhtml else ""
    if not names:
        return f"{_XHTML}{link}</div>" if link else ""
    prefix = names[0].rpartition(":")[0]
    if prefix:
        link = re.sub(r"<(/?)", rf"<\g<1>{prefix}:", link)
    inner = "".join(f"</{one}>" for one in reversed(names[1:]))
    return f"{inner}{link}</{names[0]}>"


def _open_at(tags: Sequence[Tag], at: int) -> list[str]:
    """The elements of a text that are open at a place in the document."""
    opened: list[str] = []
    for tag in tags:
        if tag.start >= at:
            break
        if tag.closes:
            opened.pop()
        else:
            opened.append(tag.name)
    return opened


def _runs(said: str) -> tuple[list[list[str]], list[int]]:
    """What may be marked of a text, by paragraph, and where each of it begins."""
    paragraphs, places = [list[str]()], list[int]()
    done = shut = 0
    for found in [*_MARKUP.finditer(said), None]:
        text = said[done : found.start() if found else len(said)]
        if text.strip() and not shut:
            paragraphs[-1].append(text)
            places.append(done)
        if found is None:
            break
        done = found.end()
        if (quiet := _QUIET.match(found[0])) is not None:
            shut = max(0, shut - 1) if quiet[1] else shut + 1
        if _PARAGRAPH.match(found[0]):
            paragraphs.append([])
    return [paragraph for paragraph in paragraphs if paragraph], places
