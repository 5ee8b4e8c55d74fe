"""A page token by token, with the elements that are open at each: for what is asked of a page once, not of every one.

Strategy: the scanner's own reading (``scan.py``) spelt out as a generator. It is several times slower than the loop
there, because it says everything and decides nothing; whoever walks does so on a cold path, and mostly over a part of a
page. The same caps hold: ``TooDeepError`` for what is nested too deep, and no token is read twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from contentguard.rewrite.scan import TooDeepError
from contentguard.rewrite.tokenizer import RAW_TEXT, TOKEN, RawText, other_end
from contentguard.rewrite.tree import MAX_DEPTH, OpenElements

_OWN_END = (b"xmp", b"plaintext")
"""Raw text whose start tag does to the tree what that of a block does."""


class Kind(Enum):
    """What a token is."""

    TEXT = "text"
    START = "start"
    END = "end"
    RAW_START = "raw-start"
    """The start tag of a script, a style sheet or the like: it opens nothing that other tags stand in."""
    RAW = "raw"
    """What such an element holds."""
    RAW_END = "raw-end"
    OTHER = "other"
    """A comment, a doctype, a CDATA section."""
    UNFINISHED = "unfinished"
    """A tag or comment that the page ends in."""


class Token(NamedTuple):
    """The bytes ``[begin, end)`` of a page."""

    kind: Kind
    begin: int
    end: int
    name: bytes
    """The element's name in lower case; empty for what has none."""


def walk(data: bytes, opened: OpenElements, at: int = 0) -> Iterator[Token]:
    """The tokens of ``data`` from the offset ``at`` on, which stands between two.

    ``opened`` are the elements open there; when a token is handed out it has already done to them what it does. Raises
    ``TooDeepError``.
    """
    names = opened.names
    while True:
        match = TOKEN.search(data, at)
        begin = match.start() if match else len(data)
        if begin > at:
            if opened.pending:
                opened.text(blank=data[at:begin].isspace())
            yield Token(Kind.TEXT, at, begin, b"")
        if match is None:
            return
        if len(names) > MAX_DEPTH:
            raise TooDeepError
        kind = match.lastindex
        if kind == 3:
            at, name = match.end(), match[3].lower()
            opened.end(name)
            yield Token(Kind.END, begin, at, name)
        elif kind is None:
            ended, _ = other_end(data, begin, 0, foreign=bool(names) and names[-1][0] == 0x20)
            at = len(data) if ended < 0 else ended
            yield Token(Kind.UNFINISHED if ended < 0 else Kind.OTHER, begin, at, b"")
        else:
            at, name = match.end() if kind == 1 else match.start(2), match[1].lower()
            if _raw(data, opened, name, begin, at):
                yield Token(Kind.RAW_START, begin, at, name)
                for token in _content(data, name, at):
                    yield token
                    at = token.end
            else:
                yield Token(Kind.START, begin, at, name)


def _raw(data: bytes, opened: OpenElements, name: bytes, begin: int, end: int) -> bool:
    """Open an element; whether what follows is raw text."""
    if name in RAW_TEXT and name not in _OWN_END and not opened.foreign:
        return True
    if not opened.start(name, data[begin:end]) or name not in _OWN_END or opened.names[-1] != name:
        return False
    opened.drop()
    return True


def _content(data: bytes, name: bytes, at: int) -> Iterator[Token]:
    """What a raw-text element holds and its end tag, as far as they are there."""
    end, found = RawText(name).end(data, at)
    match = TOKEN.match(data, end) if found else None
    closed = match is not None and match.lastindex == 3
    end = end if closed else len(data)
    if end > at:
        yield Token(Kind.RAW, at, end, name)
    if match is not None and closed:
        yield Token(Kind.RAW_END, end, match.end(), name)
