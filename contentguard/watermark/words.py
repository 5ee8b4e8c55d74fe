"""Words, as a copy and its original are compared: without case, punctuation, accents' forms or invisible characters.

Strategy: a word keeps what stood in it and before it, so that marks and typography can be looked up once the words have
been laid side by side.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from html import unescape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from contentguard.watermark.variants import Variant

_TOKEN = re.compile(r"\S+")
_IGNORED = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2069\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]")


class Word(NamedTuple):
    """One word of a text."""

    plain: str
    """What it is compared by."""
    raw: str
    """As it stands there, with its punctuation and its invisible characters."""
    lead: str
    """What stands alone before it: a dash, mostly."""
    start: int
    """Where it begins, in characters."""


def visible(text: str) -> str:
    """A text without characters that nobody sees."""
    return _IGNORED.sub("", text)


def compared(token: str) -> str:
    """What a word is compared by; empty for what is no word."""
    # Letters and digits only: cleaners change everything else.
    folded = unicodedata.normalize("NFKD", visible(token)).casefold()
    return "".join(character for character in folded if character.isalnum())


def split(text: str) -> list[Word]:
    """The words of a text."""
    found: list[Word] = []
    lead = ""
    for token in _TOKEN.finditer(text):
        raw = token[0]
        if plain := compared(raw):
            found.append(Word(plain, raw, lead, token.start()))
            lead = ""
        else:
            lead += raw
    return found


def words(text: str, variants: Iterable[Variant] = ()) -> list[Word]:
    """The words of a text as it stands in HTML, with the author's own where there are ``variants``.

    Where a word begins is told in characters of the HTML.
    """
    shown = list(text)
    for variant in variants:
        if variant.texts[0] != text[variant.start : variant.end]:
            # Only wording stands otherwise in the source: its own words, and nothing in the rest of the place.
            own = variant.texts[0].ljust(variant.end - variant.start)
            shown[variant.start : variant.end] = own
    return [
        word._replace(plain=plain, raw=unescape(word.raw), lead=unescape(word.lead))
        for word in split("".join(shown))
        if (plain := compared(unescape(word.raw)))
    ]


def plain_words(tokens: Sequence[str]) -> list[str]:
    """What the words of some tokens are compared by."""
    return [plain for token in tokens if (plain := compared(token))]
