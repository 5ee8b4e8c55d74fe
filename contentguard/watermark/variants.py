"""Variants: one of two ways of writing that mean the same, the only marks that outlive a reduction to ASCII.

Strategy: a slot is a place with two texts, the first of them as the author wrote it. Typography is found by itself;
contractions and the serial comma only where the editor allows it; wording is the editor's own: ``[[a|b]]`` in the
source. Nothing inside a quotation is touched, because that is somebody else's word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from html import unescape
from itertools import islice
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
_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
"""After these an ellipsis is as wide as they are, and often twice."""
_PATTERNS = {
    Kind.APOSTROPHE: re.compile(rf"(?<=[^\W\d_])(?:{_APOSTROPHES})(?=[^\W\d_])"),
    Kind.DASH: re.compile(rf"(?<=\S )(?:{_EN}|{_EM})(?= \S)"),
    # A hyphen between digits may be part of a number that is none of ours to write otherwise.
    Kind.RANGE: re.compile(rf"(?<=\d)(?:{_EN})(?=\d)"),
    Kind.ELLIPSIS: re.compile(rf"(?<![…⋯{_WIDE}])(?:…|&hellip;|&#8230;|(?<!\.)\.\.\.(?!\.))(?=\s|$)"),
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
_FORMS = {
    "“": "&ldquo;|&#8220;|&#[xX]201[cC];",
    "”": "&rdquo;|&#8221;|&#[xX]201[dD];",
    "„": "&bdquo;|&#8222;|&#[xX]201[eE];",
    "«": "&laquo;|&#171;|&#[xX][aA][bB];",
    "»": "&raquo;|&#187;|&#[xX][bB][bB];",
    "‹": "&lsaquo;|&#8249;|&#[xX]2039;",
    "›": "&rsaquo;|&#8250;|&#[xX]203[aA];",
    "‚": "&sbquo;|&#8218;|&#[xX]201[aA];",
    '"': "&quot;|&#34;|&#[xX]22;",
    "‘": "&lsquo;|&#8216;|&#[xX]2018;",
    "’": "&rsquo;|&#8217;|&#[xX]2019;",
    "'": "&apos;|&#39;|&#[xX]27;",
    **dict.fromkeys("‟「」『』〝〞〟"),
}
_QUOTES = re.compile("|".join(f"{mark}|{forms}" if forms else mark for mark, forms in _FORMS.items()))
_CLOSES = {
    "“": "”",
    "„": "“”‟",
    "”": "”",
    "«": "»",
    # Swedes and Finns write »so», Danes and Germans »so«.
    "»": "«»",
    "‹": "›",
    "›": "‹›",
    "‚": "‘’",
    '"': '"',
    "‘": "’",
    "'": "'",
    "「": "」",
    "『": "』",
    "〝": "〞〟",
}
"""By which marks a quotation ends that one began."""
_SINGLE = "‘’'"
"""Which may be an apostrophe."""


_ANY_DASH = (
    frozenset(("the", "and", "to", "that", "with", "from", "by", "of", "which", "this")),
    frozenset(("les", "des", "et", "une", "du", "dans", "est", "pour", "qui", "sur")),
)
"""Frequent words of English and French, which set either dash between spaces. Germans and Scandinavians know but the
short one, Russians but the long one, and Spaniards close it up."""
_FREQUENT, _FIRST = 0.06, 2_000
"""What part of so many words, at the most, they are."""
_LETTERS = re.compile(r"[^\W\d_]+")


def any_dash(texts: Iterable[str]) -> bool:
    """Whether an article is in a language in which a dash between spaces may be short or long. It is told by its first
    words: what pages say of their language is wrong too often, and the log that a copy is read by has only the text."""
    every = (match[0].lower() for text in texts for match in _LETTERS.finditer(text))
    words = list(islice(every, _FIRST))
    return any(sum(word in frequent for word in words) > _FREQUENT * len(words) for frequent in _ANY_DASH)


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
    """The stretches of a text that are quotations, in any language's marks. Where it cannot be told, more is taken for
    one. ``inside``: the mark that was open before the text, and the one that is open after it; empty for none."""
    stretches: list[tuple[int, int]] = []
    start = 0
    for match in _QUOTES.finditer(text):
        mark = unescape(match[0])
        if mark in _SINGLE and not _is_quote(text, match, opens=not inside):
            continue
        if inside:
            if mark in _CLOSES[inside]:
                stretches.append((start, match.end()))
                inside = ""
        elif mark in _CLOSES:
            inside, start = mark, match.start()
    if inside:
        stretches.append((start, len(text)))
    return stretches, inside


def _is_quote(text: str, mark: re.Match[str], *, opens: bool) -> bool:
    """Whether what may be an apostrophe begins a quotation, or ends one."""
    before, after = text[mark.start() - 1 : mark.start()], text[mark.end() : mark.end() + 1]
    if opens:
        return after.isalnum() and not before.isalnum()
    return not after.isalnum()
