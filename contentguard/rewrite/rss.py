"""Where the texts of an XML feed stand: RSS 0.9 to 2.0, Atom, RSS 1.0 (RDF), and whatever is added to them.

Strategy: one pass from ``<`` to ``<``. Channels, items and entries are looked into; everything else directly below them
is one text, whatever its name and namespace: full texts come as ``content:encoded``, ``atom:content``, ``xhtml:body``,
``description``, ``media:description`` and under names of a site's own. No entity is expanded but the references of XML
and HTML, and a document that declares some is refused. Sources: XML 1.0 (5th edition) §2, RFC 4287, RSS 2.0.
"""

from __future__ import annotations

import re

from contentguard.rewrite.feedtext import DEEPEST, Entry, FeedError, Form, Scanned, Tag, Text, Trouble, is_address
from contentguard.rewrite.written import Way, Written

_START = re.compile(r"""<([^\s<>/=!?"'&]++)((?:[^<>"'/]++|"[^"<]*+"|'[^'<]*+'|/(?!>))*+)(/?)>""")
_END = re.compile(r"</([^\s<>/=!?\"'&]++)\s*+>")
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]++)\s*+=\s*+(?:"([^"<]*+)"|'([^'<]*+)')""")
_DOCTYPE = re.compile(r"""<!DOCTYPE(?:[^<>"'\[]++|"[^"]*+"|'[^']*+')*+(\[)?""")
_BEGINNING = re.compile(
    r"\ufeff?\s*+(?:<!--(?:[^-]++|-(?!->))*+-->\s*+|<\?(?:[^?]++|\?(?!>))*+\?>\s*+|<!DOCTYPE[^<>\[]*+>\s*+)*+"
)
_ROOTS = frozenset(("rss", "feed", "rdf"))
_HOLDERS = frozenset(("rss", "rdf", "feed", "channel", "item", "entry"))
_ENTRIES = frozenset(("item", "entry"))
_BY_TYPE = frozenset(("content", "summary", "title", "subtitle", "rights"))
"""Elements of Atom whose ``type`` says what they hold (RFC 4287 §3.1.1)."""
_HTML = frozenset(("encoded", "description", "body"))


def is_feed(document: str) -> bool | None:
    """Whether a document that begins so is an XML feed; None where more of it has to be seen."""
    start = _BEGINNING.match(document)
    at = start.end() if start is not None else 0
    found = _START.match(document, at)
    if found is not None:
        return _local(found[1]) in _ROOTS
    rest = document[at : at + 1]
    return None if rest in ("", "<") else False


def scan(document: str, summary: int) -> Scanned:
    """The texts of more than ``summary`` words. Raises ``FeedError``."""
    return _Scan(document, summary).run()


class _Holder:
    """An element that is looked into."""

    __slots__ = ("entry", "name")

    def __init__(self, name: str, entry: Entry) -> None:
        self.name, self.entry = name, entry


class _Field:
    """An element that holds a text."""

    __slots__ = ("attributes", "name", "parts", "start", "tags")

    def __init__(self, name: str, attributes: dict[str, str], start: int) -> None:
        self.name, self.attributes, self.start = name, attributes, start
        self.parts: list[tuple[int, int, bool]] = []
        """Text that is the document's own (start, end, CDATA)."""
        self.tags: list[Tag] = []


class _Scan:
    """One pass over one document."""

    def __init__(self, document: str, summary: int) -> None:
        self._document, self._summary = document, summary
        self._open: list[str] = []
        self._holders: list[_Holder] = []
        self._field: _Field | None = None
        self._depth = 0
        """How many elements are open around the field."""
        self._texts: list[Text] = []
        self._dropped: list[tuple[int, int]] = []

    def run(self) -> Scanned:
        document, at = self._document, 0
        while (found := document.find("<", at)) >= 0:
            self._text(at, found, cdata=False)
            at = self._markup(found)
        if self._open or not self._done or document[at:].strip():
            raise FeedError(Trouble.MALFORMED)
        return Scanned(self._texts, self._dropped)

    _done = False
    """Whether the root element has begun."""

    def _markup(self, at: int) -> int:
        """What begins at ``<``; where it ends."""
        document = self._document
        if document.startswith("<!", at) or document.startswith("<?", at):
            return self._other(at)
        closing = _END.match(document, at)
        if closing is not None:
            self._close(closing)
            return closing.end()
        opening = _START.match(document, at)
        if opening is None or (self._done and not self._open):
            raise FeedError(Trouble.MALFORMED)
        self._done = True
        self._begin(opening)
        return opening.end()

    def _other(self, at: int) -> int:
        document = self._document
        if document.startswith("<![CDATA[", at):
            end = self._find("]]>", at + 9)
            self._text(at + 9, end, cdata=True)
            return end + 3
        if document.startswith("<!--", at):
            end = self._find("-->", at + 4)
            self._hidden(at, end + 3)
            return end + 3
        if document.startswith("<?", at):
            end = self._find("?>", at + 2)
            self._hidden(at, end + 2)
            return end + 2
        found = _DOCTYPE.match(document, at)
        if found is None or found[1] or self._done:
            raise FeedError(Trouble.MALFORMED if found is None or self._done else Trouble.ENTITIES)
        if not document.startswith(">", found.end()):
            raise FeedError(Trouble.MALFORMED)
        return found.end() + 1

    def _find(self, what: str, at: int) -> int:
        found = self._document.find(what, at)
        if found < 0:
            raise FeedError(Trouble.MALFORMED)
        return found

    def _hidden(self, start: int, end: int) -> None:
        """What is said where nobody looks: a summary's worth is let be, more is taken out."""
        if end - start > self._summary and len(self._document[start:end].split()) > self._summary:
            self._dropped.append((start, end))

    # -- elements ----------------------------------------------------------------------------------------------

    def _begin(self, found: re.Match[str]) -> None:
        name, attributes, empty = found[1], found[2], bool(found[3])
        if len(self._open) >= DEEPEST:
            raise FeedError(Trouble.TOO_DEEP)
        for value in _ATTRIBUTE.finditer(self._document, found.start(2), found.end(2)):
            self._hidden(*value.span(2 if value[2] is not None else 3))
        if self._field is not None:
            if not empty:
                self._field.tags.append(Tag(found.start(), name, closes=False))
        elif not self._open or (_local(name) in _HOLDERS and self._holders):
            if not empty:
                self._holders.append(_Holder(name, self._entry(_local(name))))
        else:
            self._enter(name, attributes, found.end(), empty)
        if not empty:
            self._open.append(name)

    def _entry(self, local: str) -> Entry:
        return Entry() if local in _ENTRIES or not self._holders else self._holders[-1].entry

    def _enter(self, name: str, attributes: str, end: int, empty: bool) -> None:
        """A field begins."""
        told = {found[1]: found[2] if found[2] is not None else found[3] for found in _ATTRIBUTE.finditer(attributes)}
        if _local(name) == "link" and told.get("rel", "alternate") == "alternate" and "href" in told:
            self._holders[-1].entry.led(_read(told["href"]))
        if not empty:
            self._field, self._depth = _Field(name, told, end), len(self._open)

    def _close(self, found: re.Match[str]) -> None:
        if not self._open or self._open.pop() != found[1]:
            raise FeedError(Trouble.MALFORMED)
        if self._field is None:
            self._holders.pop()
        elif len(self._open) > self._depth:
            self._field.tags.append(Tag(found.start(), found[1], closes=True))
        else:
            self._leave(self._field, found.start())
            self._field = None

    # -- texts -------------------------------------------------------------------------------------------------

    def _text(self, start: int, end: int, *, cdata: bool) -> None:
        if start == end:
            return
        if self._field is not None:
            self._field.parts.append((start, end, cdata))
        elif self._holders and self._long(start, end):
            # Text where none belongs.
            self._keep(_flat(self._document, [(start, end, cdata)]), end, Form.OTHER, self._holders[-1].entry)
        elif not self._open and self._document[start:end].strip("\ufeff\t\n\r "):
            raise FeedError(Trouble.MALFORMED)

    def _leave(self, field: _Field, end: int) -> None:
        entry, local = self._holders[-1].entry, _local(field.name)
        if local in ("link", "guid") and not field.tags and field.attributes.get("isPermaLink") != "false":
            entry.led(_flat(self._document, field.parts).said)
        if not self._long(field.start, end):
            return
        if field.tags:
            self._keep(_nested(self._document, field, end), end, Form.XHTML, entry, field.tags)
        else:
            written = _flat(self._document, field.parts)
            self._keep(written, end, _form(local, field.attributes, written.said), entry)

    def _long(self, start: int, end: int) -> bool:
        """Whether what stands there may be more than a summary: no word is less than a character."""
        return end - start > self._summary

    def _keep(self, written: Written, end: int, form: Form, entry: Entry, tags: list[Tag] | None = None) -> None:
        if not written.pieces or is_address(written.said.strip()):
            return
        text = Text(written, end, form, entry, tags or ())
        if text.words > self._summary:
            self._texts.append(text)


def _flat(document: str, parts: list[tuple[int, int, bool]]) -> Written:
    """A text without elements of the document's own."""
    written = Written()
    for start, end, cdata in parts:
        written.add(document, start, end, Way.PLAIN if cdata else Way.REFERENCES, "]]>" if cdata else "")
    return written.done()


def _nested(document: str, field: _Field, end: int) -> Written:
    """A text with such elements, as it stands there; of a CDATA section its content."""
    written, done = Written(), field.start
    for start, stop in ((start, stop) for start, stop, cdata in field.parts if cdata):
        written.add(document, done, start - len("<![CDATA["))
        written.add(document, start, stop, behind="]]>")
        done = stop + len("]]>")
    written.add(document, done, end)
    return written.done()


def _form(local: str, attributes: dict[str, str], said: str) -> Form:
    if local in _BY_TYPE:
        return Form.HTML if "html" in attributes.get("type", "text") else Form.TEXT
    return Form.HTML if local in _HTML else Form.OTHER


def _read(value: str) -> str:
    """An attribute's value."""
    written = Written()
    written.add(value, 0, len(value), Way.REFERENCES)
    return written.done().said


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()
