"""Taking out of a page what repeats a withheld text: in scripts, comments, attributes, hidden copies, other texts.

Strategy: nothing is taken out of the tree. A script, a comment, a value, a text is emptied where it stands, or cut
short before it gives something away, so that the page around stays what it was. This is the slow way, gone only for a
page that was found to repeat itself; whether it has helped is for the caller to find out.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from html import unescape

from contentguard.rewrite.edits import Edit
from contentguard.rewrite.linked import censored
from contentguard.rewrite.page import ascii_html
from contentguard.rewrite.tokenizer import attribute_values, attributes
from contentguard.rewrite.tree import OpenElements
from contentguard.rewrite.walk import Kind, Token, walk
from contentguard.rewrite.withheld import INLINE, Withheld, placed
from contentguard.turns import Turns

_SPOKEN = frozenset((b"content", b"alt", b"title", b"aria-label", b"aria-description"))
"""Attributes whose value is a text, and means something though it is cut short."""
_SHORTEST = 15
_TURN = 64
"""Tokens and texts that are looked at in one turn."""


def cleaned(data: bytes, withheld: Withheld, encoding: str, skip: Iterable[tuple[int, int]]) -> Turns[list[Edit]]:
    """The edits that take ``withheld`` out of ``data``; ``skip``: stretches that are taken out anyhow.

    Raises ``TooDeepError``.
    """
    edits: list[Edit] = []
    texts: list[tuple[int, int] | None] = []
    tag = b""
    for number, token in enumerate(_without(walk(data, OpenElements()), skip)):
        if not number % _TURN:
            yield
        kind, raw = token.kind, data[token.begin : token.end]
        if kind is Kind.TEXT:
            texts.append((token.begin, token.end))
            continue
        if token.name not in INLINE:
            texts.append(None)
        if kind is Kind.RAW:
            edits += yield from _in_raw(token, tag, raw, withheld, encoding)
        elif kind in (Kind.OTHER, Kind.UNFINISHED):
            edits += yield from _in_other(token, raw, withheld, encoding)
        else:
            tag = raw
            edits += _in_tag(token, raw, withheld, encoding)
    return edits + (yield from _in_texts(data, texts, withheld, encoding))


def _without(tokens: Iterator[Token], skip: Iterable[tuple[int, int]]) -> Iterator[Token]:
    stretches = iter(skip)
    start, end = next(stretches, (1 << 62, 1 << 62))
    for token in tokens:
        while token.begin >= end:
            start, end = next(stretches, (1 << 62, 1 << 62))
        if token.begin < start:
            yield token


def _in_raw(token: Token, tag: bytes, raw: bytes, withheld: Withheld, encoding: str) -> Turns[list[Edit]]:
    text = raw.decode(encoding, "replace")
    if not (yield from withheld.standing_in(text)):
        return []
    new = b""
    if token.name == b"script" and b"json" in attributes(tag).get(b"type", b"").lower():
        # What reads it expects JSON.
        new = _json(text, withheld).encode(encoding, "xmlcharrefreplace")
    elif token.name == b"title":
        new = ascii_html(withheld.cut(unescape(text)))
    return [Edit(token.begin, token.end, (new,))]


def _json(text: str, withheld: Withheld) -> str:
    try:
        json.loads(text)
        new = censored(text, withheld.cut)
    except (ValueError, RecursionError):
        new = None
    return "{}" if new is None or withheld.stands_in(new) else new


def _in_other(token: Token, raw: bytes, withheld: Withheld, encoding: str) -> Turns[list[Edit]]:
    """A comment stays one; CDATA and whatever the page ends in go. A doctype stays."""
    if raw[:9].lower() == b"<!doctype" or not (yield from withheld.standing_in(raw.decode(encoding, "replace"))):
        return []
    empty = token.kind is Kind.UNFINISHED or raw.startswith(b"<![CDATA[")
    return [Edit(token.begin, token.end, () if empty else (b"<!---->",))]


def _in_tag(token: Token, raw: bytes, withheld: Withheld, encoding: str) -> Iterator[Edit]:
    if len(raw) < _SHORTEST:
        return
    edits: list[Edit] = []
    bare: list[bytes] = []
    done = 0
    for name, start, end, quoted in attribute_values(raw):
        bare.append(raw[done:start])
        done = end
        value = raw[start:end].decode(encoding, "replace")
        if withheld.stands_in(value):
            new = ascii_html(withheld.cut(unescape(value))) if name in _SPOKEN else b""
            edits.append(Edit(token.begin + start, token.begin + end, (new if quoted else b'"%s"' % new,)))
    if withheld.stands_in(b"".join([*bare, raw[done:]]).decode(encoding, "replace")):
        # A quotation mark in a value, and what follows it are attributes without one.
        edits = [Edit(token.begin + len(token.name) + (token.kind is Kind.END) + 1, token.end - 1)]
    yield from edits


def _in_texts(
    data: bytes, texts: Sequence[tuple[int, int] | None], withheld: Withheld, encoding: str
) -> Turns[list[Edit]]:
    """Text nodes, read as one: an emphasis may stand in the middle of what they give away."""
    starts, parts, length = [], [], 0
    for number, text in enumerate(texts):
        if not number % _TURN:
            yield
        part = " " if text is None else unescape(data[text[0] : text[1]].decode(encoding, "replace"))
        starts.append(length)
        parts.append(part)
        length += len(part)
    found, places = yield from placed("".join(parts))
    guilty: set[int] = set()
    for hit in withheld.hits(found):
        first, last = places[hit], places[min(hit + withheld.size, len(found)) - 1]
        guilty.update(range(bisect_right(starts, first) - 1, bisect_right(starts, last)))
    before, edits = False, []
    for number, text in enumerate(texts):
        if text is None:
            continue
        if number in guilty:
            # White space, too, brings back what was closed too early.
            edits.append(Edit(*text, (b" " if before else b"&#8230;",)))
            before = True
        elif not data[text[0] : text[1]].isspace():
            before = False
    return edits
