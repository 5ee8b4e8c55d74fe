"""Variants: one of two ways of writing that mean the same, the only marks that outlive a reduction to ASCII.

Strategy: a slot is a place with two texts, the first of them as the author wrote it. Typography is found by itself;
contractions and the serial comma only where the editor allows it; wording is the editor's own: ``[[a|b]]`` in the
source. Nothing inside a quotation is touched, because that is somebody else's word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from html import unescape
from typing import NamedTuple

OPENING, CLOSING = "[[", "]]"


class Kind(StrEnum):
    """What two texts differ in."""

    APOSTROPHE = "apostrophe"
    DASH = "dash"
    RANGE = "range"
    ELLIPSIS = "ellipsis"
    COMMA = "comma"
    CONTRACTION = "contraction"
    WORDING = "wording"

    @property
    def typographic(self) -> bool:
        """Whether a cleaner may change all of its kind at once."""
        return self in _TYPOGRAPHIC


_TYPOGRAPHIC = (Kind.APOSTROPHE, Kind.DASH, Kind.RANGE, Kind.ELLIPSIS)


class Variant(NamedTuple):
    """A place with two texts."""

    kind: Kind
    start: int
    end: int
    texts: tuple[str, str]
    """The author's own first; as they stand in HTML."""

    @property
    def settled(self) -> Variant:
        """The same place with nothing but the author's own."""
        return self._replace(texts=(self.texts[0], self.texts[0]))

    @property
    def differs(self) -> bool:
        """Whether copies differ here."""
        return self.texts[0] != self.texts[1]


_APOSTROPHES, _EN, _EM = "’|'|&rsquo;|&#8217;|&#x2019;|&#39;|&#x27;|&apos;", "–|&ndash;|&#8211;", "—|&mdash;|&#8212;"
_PATTERNS = {
    Kind.APOSTROPHE: re.compile(rf"(?<=[^\W\d_])(?:{_APOSTROPHES})(?=[^\W\d_])"),
    Kind.DASH: re.compile(rf"(?<=\S )(?:{_EN}|{_EM})(?= \S)"),
    # A hyphen between digits may be part of a number that is none of ours to write otherwise.
    Kind.RANGE: re.compile(rf"(?<=\d)(?:{_EN})(?=\d)"),
    Kind.ELLIPSIS: re.compile(r"(?:…|&hellip;|&#8230;|(?<!\.)\.\.\.(?!\.))(?=\s|$)"),
}
_BOTH = {Kind.APOSTROPHE: ("’", "'"), Kind.DASH: ("–", "—"), Kind.RANGE: ("–", "-"), Kind.ELLIPSIS: ("…", "...")}
"""Both ways of writing it; the author's is the one that is found."""

_VERBS = ("is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "could", "should", "would", "must")
_CONTRACTIONS = {f"{verb} not": f"{verb}n’t" for verb in _VERBS} | {
    "cannot": "can’t",
    "it is": "it’s",
    "that is": "that’s",
    "they are": "they’re",
    "we are": "we’re",
}
_CONTRACTION = re.compile(r"(?<![\w’'])(" + "|".join(sorted(_CONTRACTIONS, key=len, reverse=True)) + r")(?![\w’'])")
_COMMA = re.compile(r"(?<=[^\W\d_]), (?:[^\W\d_]+ ){0,2}[^\W\d_]+(?P<place>,?) (?:and|or) (?=[^\W\d_])")
_WORDING = re.compile(r"\[\[([^\[\]|<>]{0,200})\|([^\[\]|<>]{0,200})\]\]")
_QUOTES = re.compile('“|”|&ldquo;|&rdquo;|&#8220;|&#8221;|«|»|&laquo;|&raquo;|"|&quot;')
_OPENS, _CLOSES = ("“", "«"), ("”", "»")


def found(text: str, *, contractions: bool = False, serial_comma: bool = False) -> list[Variant]:
    """All slots of one text as it stands in HTML, in order and apart from each other; quotations are for the caller."""
    every = sorted(_found(text, contractions=contractions, serial_comma=serial_comma), key=_order)
    kept: list[Variant] = []
    for one in every:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def _order(one: Variant) -> tuple[int, int]:
    # Wording goes before whatever begins inside it.
    return one.start, -one.end


def wordings(text: str) -> Iterator[Variant]:
    """The editor's own."""
    for match in _WORDING.finditer(text):
        yield Variant(Kind.WORDING, match.start(), match.end(), (match[1], match[2]))


def _found(text: str, *, contractions: bool, serial_comma: bool) -> Iterator[Variant]:
    yield from wordings(text)
    for kind, pattern in _PATTERNS.items():
        one, other = _BOTH[kind]
        for match in pattern.finditer(text):
            written = unescape(match[0])
            yield Variant(kind, match.start(), match.end(), (match[0], one if written == other else other))
    if contractions:
        for match in _CONTRACTION.finditer(text):
            yield Variant(Kind.CONTRACTION, match.start(), match.end(), (match[0], _CONTRACTIONS[match[0]]))
    if serial_comma:
        for match in _COMMA.finditer(text):
            comma = match["place"]
            yield Variant(Kind.COMMA, *match.span("place"), (comma, "" if comma else ","))


def quoted(text: str, inside: str) -> tuple[list[tuple[int, int]], str]:
    """The stretches of a text that are quotations. ``inside``: the quotation mark that was open before it, and the one
    that is open after it; empty for none."""
    stretches: list[tuple[int, int]] = []
    start = 0
    for match in _QUOTES.finditer(text):
        mark = unescape(match[0])
        if inside:
            if mark == inside or (mark in _CLOSES and inside in _OPENS):
                stretches.append((start, match.end()))
                inside = ""
        elif mark not in _CLOSES:
            inside, start = mark, match.start()
    if inside:
        stretches.append((start, len(text)))
    return stretches, inside
