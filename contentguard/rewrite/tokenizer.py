"""HTML bytes → tokens with offsets, after the WHATWG tokenizer where it matters for offsets.

Strategy: never build a tree, never decode, never copy. Each token is found by one possessive regular expression (or a
plain ``find``), so no input can make a match backtrack. The tokenizer keeps its own position and may be fed a longer
buffer later: a token that is not finished yet is simply not yielded. What depends on the tree (CDATA and raw text
exist only outside/inside foreign content) is told by the consumer through ``foreign`` between two tokens.

Source: HTML Standard, section 13.2.5 (Tokenization). Any charset that is a superset of ASCII will do.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import NamedTuple

START, END, TEXT, RAW, OTHER = range(5)


class Token(NamedTuple):
    """``kind``, the bytes ``[start, end)`` it covers, and a tag's (or raw text's) lower-case name."""

    kind: int
    start: int
    end: int
    name: bytes


_ATTRIBUTES = (
    rb"(?:[\t\n\f\r /]++"
    rb"|[^\t\n\f\r />][^\t\n\f\r />=]*+"
    # A name is followed by "= value" or by no "=" at all: else an unclosed quote would be read as further names.
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"[^\"]*+\"|'[^']*+'|(?=>)|[^\t\n\f\r >\"'][^\t\n\f\r >]*+)"
    rb"|(?![\t\n\f\r ]*+=)))*+"
)
_OPEN = re.compile(rb"<(?=[a-zA-Z/!?])")
_TAG = re.compile(rb"</?+([a-zA-Z][^\t\n\f\r />]*+)" + _ATTRIBUTES + rb">")
_COMMENT = re.compile(rb"<!--(?:-?+>|(?s:.*?)--!?+>)")
_ATTRIBUTE = re.compile(
    rb"[\t\n\f\r /]*+([^\t\n\f\r />][^\t\n\f\r />=]*+)"
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+(?:\"([^\"]*+)\"|'([^']*+)'|(?=>)|([^\t\n\f\r >\"'][^\t\n\f\r >]*+)))?+"
)

RAW_TEXT = frozenset(
    (b"script", b"style", b"title", b"textarea", b"xmp", b"iframe", b"noembed", b"noframes", b"noscript")
)
"""Elements whose content is not markup (outside foreign content; ``noscript`` as in a browser that runs scripts)."""

_RAW_END = {name: re.compile(rb"</(?i:" + name + rb")(?=[\t\n\f\r />])") for name in RAW_TEXT}
# Script data, escaped, double escaped (13.2.5.15 ff.): what each state has to watch for.
_SCRIPT = (
    re.compile(rb"<!--|</(?i:script)(?=[\t\n\f\r />])"),
    re.compile(rb"-->|</?+(?i:script)(?=[\t\n\f\r />])"),
    re.compile(rb"-->|</(?i:script)(?=[\t\n\f\r />])"),
)


def attributes(tag: bytes) -> dict[bytes, bytes]:
    """The attributes of a start tag's bytes: lower-case name → raw value; of duplicates the first counts."""
    found: dict[bytes, bytes] = {}
    name_end = re.match(rb"<[^\t\n\f\r />]*+", tag)
    position = name_end.end() if name_end else 0
    while (match := _ATTRIBUTE.match(tag, position)) is not None:
        name, double, single, bare = match.groups()
        found.setdefault(name.lower(), double or single or bare or b"")
        position = match.end()
    return found


def script_end(data: bytes, position: int) -> int:
    """Where the ``</script`` that ends the script element begins, or -1 when it is not there (yet)."""
    state = 0
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
            return match.start()
    return -1


class Tokenizer:
    """Tokens of a buffer that may grow. ``position`` is the first byte not yet told."""

    __slots__ = ("foreign", "markup", "position", "raw")

    def __init__(self) -> None:
        self.position = 0
        self.raw = b""
        """The raw-text element that is open, else empty."""
        self.foreign = False
        """Set by the consumer: the current node is SVG or MathML that holds no HTML, so CDATA sections exist."""
        self.markup = False
        """Set by the consumer: the start tag just told is one of SVG or MathML, so its content is markup."""

    def tokens(self, data: bytes) -> Iterator[Token]:
        """Every finished token from ``position`` on. Text before an unfinished token counts as finished.

        One loop because it is the hot path of a cold page: each call saved is about a tenth of its time.
        """
        while True:
            if self.raw and not (yield from self._raw_text(data)):
                return
            start = self.position
            opening = _OPEN.search(data, start)
            if opening is None:
                # A lone "<" at the very end may yet become a tag when more bytes come.
                end = len(data) - data.endswith(b"<")
                if end > start:
                    self.position = end
                    yield Token(TEXT, start, end, b"")
                return
            at = opening.start()
            if at > start:
                self.position = at
                yield Token(TEXT, start, at, b"")
            tag = _TAG.match(data, at)
            if tag is None:
                end = self._other_end(data, at)
                if end < 0:
                    return
                self.position = end
                yield Token(OTHER, at, end, b"")
                continue
            self.position = end = tag.end()
            name = tag[1].lower()
            if data[at + 1] == 0x2F:
                yield Token(END, at, end, name)
                continue
            yield Token(START, at, end, name)
            if self.markup:
                continue
            if name in RAW_TEXT:
                self.raw = name
            elif name == b"plaintext":
                yield Token(RAW, end, len(data), name)
                self.position = len(data)
                self.raw = name

    def _raw_text(self, data: bytes) -> Generator[Token, None, bool]:
        """Tell the open element's content; returns whether its end tag was found."""
        name, start = self.raw, self.position
        if name == b"plaintext":
            return False
        if name == b"script":
            end = script_end(data, start)
        else:
            match = _RAW_END[name].search(data, start)
            end = -1 if match is None else match.start()
        if end < 0:
            return False
        self.position, self.raw = end, b""
        yield Token(RAW, start, end, name)
        return True

    def _other_end(self, data: bytes, at: int) -> int:
        """The end of a comment, doctype, CDATA section or bogus comment; -1 while it is not finished."""
        if data.startswith(b"<!--", at):
            match = _COMMENT.match(data, at)
            return -1 if match is None else match.end()
        if self.foreign and data.startswith(b"<![CDATA[", at):
            return _after(data, b"]]>", at)
        following = data[at + 1 : at + 3]
        if following[:1] in (b"!", b"?") or (following[:1] == b"/" and not following[1:].isalpha()):
            return _after(data, b">", at)
        return -1


def _after(data: bytes, what: bytes, at: int) -> int:
    found = data.find(what, at)
    return -1 if found < 0 else found + len(what)
