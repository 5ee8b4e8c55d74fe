"""HTML bytes → tokens with offsets, after the WHATWG tokenizer where it matters for offsets.

Strategy: never build a tree, never decode, never copy. One possessive regular expression finds the next tag and says
which kind it is, so that no input can make a match backtrack and ``finditer`` runs from tag to tag in C; whatever
else begins with "<" is found by a plain ``find``. The loop over the tags is the scanner's (``scan.py``), because what
depends on the tree (CDATA, raw text in foreign content) is known only there.

Source: HTML Standard, section 13.2.5 (Tokenization). Any charset that is a superset of ASCII will do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ATTRIBUTES = (
    rb"(?:[\t\n\f\r /]++"
    rb"|[^\t\n\f\r />][^\t\n\f\r />=]*+"
    # A name is followed by "= value" or by no "=" at all: else an unclosed quote would be read as further names.
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"[^\"]*+\"|'[^']*+'|(?=>)|[^\t\n\f\r >\"'][^\t\n\f\r >]*+)"
    rb"|(?![\t\n\f\r ]*+=)))*+"
)
_NAME = rb"([a-zA-Z][^\t\n\f\r />]*+)"
# A name that the end tag repeats, letter for letter, with nothing but text before it: a link, an emphasis, most items.
_LEAF = rb"(?:([^<]*+)</\1[\t\n\f\r ]*+>|)"
TOKEN = re.compile(
    rb"<(?:" + _NAME + _ATTRIBUTES + rb">" + _LEAF + rb"|/" + _NAME + _ATTRIBUTES + rb">|(?=[a-zA-Z/!?]))"
)
"""The next thing that is not text. ``lastindex`` tells a start tag (1, its name is group 1), a start tag with its text
and its end tag (2, the text is group 2) and an end tag (3); of all else (a comment, a doctype, a tag that is not
finished yet) only the "<" is matched, and ``lastindex`` is None."""

MOST_DRAWN = 40
DRAWING = re.compile(
    rb"(?:[\t\n\f\r ]*+</?+(?:circle|defs|ellipse|g|line|path|polygon|polyline|rect|use)(?=[\t\n\f\r />])"
    + _ATTRIBUTES
    + rb">){0,%d}+[\t\n\f\r ]*+</svg[\t\n\f\r ]*+>" % MOST_DRAWN
)
"""The content of an svg element that draws and does nothing else, as icons do, with its end tag."""

_ATTRIBUTE = re.compile(
    rb"[\t\n\f\r /]*+([^\t\n\f\r />][^\t\n\f\r />=]*+)"
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"([^\"]*+)\"|'([^']*+)'|(?=>)|([^\t\n\f\r >\"'][^\t\n\f\r >]*+)))?+"
)
_TAG_NAME = re.compile(rb"<[^\t\n\f\r />]*+")
_COMMENT_END = re.compile(rb"--!?+>")

RAW_TEXT = frozenset(
    (b"script", b"style", b"title", b"textarea", b"xmp", b"iframe", b"noembed", b"noframes", b"noscript")
)
"""Elements whose content is not markup (outside foreign content; ``noscript`` as in a browser that runs scripts)."""

_RAW_END = {name: re.compile(rb"</(?i:" + name + rb")(?=[\t\n\f\r />])") for name in RAW_TEXT}
_LONGEST_END = len(b"</noscript") + 1
# Script data, escaped, double escaped (13.2.5.15 ff.): what each state has to watch for.
_SCRIPT = (
    re.compile(rb"<!--|</(?i:script)(?=[\t\n\f\r />])"),
    re.compile(rb"-->|</?+(?i:script)(?=[\t\n\f\r />])"),
    re.compile(rb"-->|</(?i:script)(?=[\t\n\f\r />])"),
)


def attributes(tag: bytes) -> dict[bytes, bytes]:
    """The attributes of a start tag's bytes: lower-case name → raw value; of duplicates the first counts."""
    found: dict[bytes, bytes] = {}
    name_end = _TAG_NAME.match(tag)
    position = name_end.end() if name_end else 0
    while (match := _ATTRIBUTE.match(tag, position)) is not None:
        name, double, single, bare = match.groups()
        found.setdefault(name.lower(), double or single or bare or b"")
        position = match.end()
    return found


def attribute_values(tag: bytes) -> Iterator[tuple[bytes, int, int, bool]]:
    """The values in a tag's bytes, duplicates too: lower-case name, where the value stands, whether it is quoted."""
    name_end = _TAG_NAME.match(tag)
    position = name_end.end() if name_end else 0
    while (match := _ATTRIBUTE.match(tag, position)) is not None:
        position = match.end()
        number = match.lastindex or 1
        if number > 1:
            yield match[1].lower(), *match.span(number), number < 4


class RawText:
    """The content of one raw-text element, however many pieces it comes in."""

    __slots__ = ("name", "state")

    def __init__(self, name: bytes) -> None:
        """``name``: one of ``RAW_TEXT``, or ``plaintext``, which nothing ends."""
        self.name = name
        self.state = 0
        """Script data, escaped or double escaped."""

    def end(self, data: bytes, position: int) -> tuple[int, bool]:
        """Where the end tag begins and True; or how far the content surely goes, and False."""
        if self.name == b"plaintext":
            return len(data), False
        if self.name == b"script":
            return self._script_end(data, position)
        match = _RAW_END[self.name].search(data, position)
        return (_safe(data, position), False) if match is None else (match.start(), True)

    def _script_end(self, data: bytes, position: int) -> tuple[int, bool]:
        state = self.state
        while (match := _SCRIPT[state].search(data, position)) is not None:
            found = match.group()
            if found == b"<!--":
                # "<!-->" is escaped and over at once: the dashes that open may be those that close.
                state, position = 1, match.start() + 2
            elif found == b"-->":
                state, position = 0, match.end()
            elif found[1:2] != b"/":
                state, position = 2, match.end()
            elif state == 2:
                state, position = 1, match.end()
            else:
                return match.start(), True
            self.state = state
        return _safe(data, position), False


def _safe(data: bytes, position: int) -> int:
    """How far raw text may be let go: what might be the start of an end tag (or of what a script watches for) stays."""
    return max(position, len(data) - _LONGEST_END)


def other_end(data: bytes, at: int, searched: int, *, foreign: bool) -> tuple[int, int]:
    """The end of the comment, doctype, CDATA section or bogus comment at ``at``; -1 while it is not finished.

    ``searched`` is how far an earlier call has looked, the second value how far this one has. Of an unfinished tag the
    end is -1, too.
    """
    if data.startswith(b"<!--", at):
        # "<!-->" and "<!--->" are whole comments: the dashes that open may be those that close.
        for short in (b"<!-->", b"<!--->"):
            if data.startswith(short, at):
                return at + len(short), 0
        match = _COMMENT_END.search(data, max(at + 4, searched))
        return (-1, _nearly(data, at)) if match is None else (match.end(), 0)
    if foreign and data.startswith(b"<![CDATA[", at):
        return _after(data, b"]]>", at, searched)
    following = data[at + 1 : at + 3]
    if following[:1] in (b"!", b"?"):
        start = data[at : at + 10]
        if b"<!--".startswith(start) or (foreign and b"<![CDATA[".startswith(start)):
            return -1, _nearly(data, at)  # too short to tell
        return _after(data, b">", at, searched)
    if following[:1] == b"/" and len(following) == 2 and not following[1:].isalpha():
        return _after(data, b">", at, searched)
    return -1, _nearly(data, at)


def _nearly(data: bytes, at: int) -> int:
    """How far may be skipped when more bytes come: to where the longest end of a construct ("-->") may have begun."""
    return max(at + 1, len(data) - 3)


def _after(data: bytes, what: bytes, at: int, searched: int) -> tuple[int, int]:
    found = data.find(what, max(at, searched))
    return (-1, _nearly(data, at)) if found < 0 else (found + len(what), 0)
