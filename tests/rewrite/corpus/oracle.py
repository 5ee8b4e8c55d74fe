"""What a page means, by two parsers that know nothing of our scanner.

Strategy: a tree becomes a flat list of events in document order, so that comparing two, leaving out what was inserted
and finding the text runs are plain walks over a list, and no depth of nesting matters. Text that touches is one event.

How the parsers differ: Lexbor reads ``noscript`` as a browser without scripts does (its content is markup), turbohtml
is told that scripts run (its content is text); what is right for one kind of reader may be wrong for the other, so both
are asked. Lexbor leaves the copies out that ``selectedcontent`` makes of an option, turbohtml makes them. turbohtml
1.15.4 reads ``<table> <input type="hidden">`` otherwise in a string that holds a character beyond U+00FF than in one
that does not, so it is given none without. Neither is given bytes: the encoding is settled here, as the HTML Standard
does it (13.2.3.2).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import turbohtml
from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

CHOSEN = "data-cg-chosen"
"""An attribute that the judge adds to the article's start tag, to find the element again in the tree."""

Attributes = dict[str, str | None]
Start = tuple[str, Attributes]
Event = Start | str | None
"""A start (tag, attributes), text, or an end (None)."""


@dataclass(slots=True)
class Tree:
    """One page as events. Comments, doctypes and the like are elements whose names begin with "-"."""

    events: list[Event]
    chosen: int
    """How many elements bear ``CHOSEN``."""
    fits: bool
    """Whether the first of them is one that the article's selector finds."""


Oracle = Callable[[str, str], Tree]
"""Page, selector → tree."""


def lexbor(page: str, selector: str) -> Tree:
    """Lexbor's tree."""
    # Without its events a ``selectedcontent`` does not fill itself with copies of what stands elsewhere.
    parser = LexborHTMLParser(page, options=LexborDocumentOptions.WO_EVENTS)
    found = parser.css(f"[{CHOSEN}]") if selector else []
    root = parser.root
    document = root.parent if root is not None else None
    events = list(_lexbor_events(document)) if document is not None else []
    return Tree(events, len(found), bool(found) and found[0].css_matches(selector))


def _lexbor_events(document: LexborNode) -> Iterator[Event]:
    node, depth, text = document.first_child, 0, ""
    while node is not None:
        tag = node.tag
        inner: LexborNode | None = None
        if tag == "-text":
            text += node.text_content or ""
        else:
            if text:
                yield text
                text = ""
            yield _lexbor_start(node, tag)
            inner = node.first_child if tag != "template" else None
        if inner is not None:
            node, depth = inner, depth + 1
            continue
        if tag != "-text":
            yield None
        while node is not None and (following := node.next) is None:
            if depth == 0:
                break
            if text:
                yield text
                text = ""
            yield None
            node, depth = node.parent, depth - 1
        node = following
    if text:
        yield text


def _lexbor_start(node: LexborNode, tag: str | None) -> Start:
    if tag is None or tag[0] == "-" or tag == "template":
        # A template's content is a tree of its own that nothing is ever put into: compared as one piece.
        attributes: Attributes = dict(node.attributes) if tag == "template" else {}
        return (tag or "-other", {"": node.html, **attributes})
    return (tag, node.attributes)


def turbo(page: str, selector: str) -> Tree:
    """turbohtml's tree, with scripts on."""
    wide = page.replace(CHOSEN, f"{CHOSEN}=\u2060", 1)
    document = turbohtml.parse(wide, scripting=True, positions=False)
    found = document.select(f"[{CHOSEN}]") if selector else []
    return Tree(list(_turbo_events(document)), len(found), bool(found) and found[0].matches(selector))


def _turbo_events(document: turbohtml.Document) -> Iterator[Event]:
    ways, text = [iter(document.children)], ""
    while ways:
        node = next(ways[-1], None)
        if isinstance(node, turbohtml.Text | turbohtml.CData):
            text += node.data
            continue
        if text:
            yield text
            text = ""
        if node is None:
            ways.pop()
            if ways:
                yield None
        elif isinstance(node, turbohtml.Element) and node.tag != "template":
            yield (node.tag, {name: _joined(value) for name, value in node.attrs.items()})
            ways.append(iter(node.children))
        else:
            yield (f"-{type(node).__name__}", {"": node.html})
            yield None


def _joined(value: str | list[str] | None) -> str | None:
    return " ".join(value) if isinstance(value, list) else value


def article_end(page: str) -> int:
    """Where in ``page`` (whose newlines are normalised) the chosen element's end tag begins.

    The page's end, where it has no end tag of its own.
    """
    document = turbohtml.parse(page, scripting=True, source_locations=True)
    chosen = document.select_one(f"[{CHOSEN}]")
    location = chosen.source_location if chosen is not None else None
    end_tag = location.end_tag if location is not None else None
    return len(page) if end_tag is None else end_tag.start_offset


ORACLES: dict[str, Oracle] = {"lexbor": lexbor, "turbohtml": turbo}

_CHARSET = re.compile(r"(?i)charset\s*+=\s*+[\"']?+([a-z0-9_:.-]++)")
_META = re.compile(rb"(?i)<meta(?=[\s/])[^>]*+>")


def decoded(page: bytes, content_type: str, declared_by: bytes | None = None) -> str:
    """``page`` as a browser reads it. ``declared_by`` is the page to take the charset from, where that is another."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if page.startswith(mark):
            return page[len(mark) :].decode(name, "replace")
    return page.decode(_encoding(page if declared_by is None else declared_by, content_type), "replace")


def _encoding(page: bytes, content_type: str) -> str:
    names = [_CHARSET.search(content_type)]
    names += [_CHARSET.search(tag.decode("latin-1")) for tag in _META.findall(page[:1024])]
    for name in names:
        try:
            codec = codecs.lookup(name[1]).name if name else ""
        except LookupError:
            codec = ""
        if codec:
            return "cp1252" if codec in ("ascii", "iso8859-1") else codec
    try:
        page.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
