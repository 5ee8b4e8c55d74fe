"""Where in an article marks may stand, and of which channel.

Strategy: frames stand after sentences, and after commas where the last one is nine words away; gaps after words of five
letters or more, of four where those are rare, and no more of them than a fragment needs; both only where nothing an
extractor, a search index or a line break goes by is changed (jusText rejects articles with a mark in every gap). An
article has only so many slots; behind the last of them nothing is looked for but editors' wording, which nobody is to
read as it stands in the source.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import inf
from typing import Any, ClassVar, NamedTuple

from contentguard.turns import Turns
from contentguard.watermark import gaps
from contentguard.watermark.variants import Kind, Variant, any_dash, found, quoted, wordings

_SPACES = "nbsp|ensp|emsp|thinsp|hairsp|#160|#[xX]0*[aA]0"
_TOKEN = re.compile(rf"(?:(?!&(?:{_SPACES});)\S)++")
_ENDS = re.compile(r"[.!?…։؟۔।॥።](?:[\"'”’)\]»]|&(?:rdquo|rsquo|quot|raquo|#8221|#8217);)*+$")
_PAUSES = re.compile(r"[,:;]$")
_REFERENCE = re.compile(r"&#?\w+;$")
_LONG = re.compile(r"[^\W\d_]{4,}+$")
_GOOD = 5
"""Letters of a word after which a gap had best stand."""
_APART = 9
"""Words between a frame and one after a pause."""
_TURN = 64
"""Words, and texts, that are looked at in one turn."""


@dataclass(frozen=True, slots=True)
class Channels:
    """Which marks articles carry."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    enabled: bool = False
    """Mark every copy. Off, no article is changed, not even where its source has ``[[a|b]]``."""
    frames: bool = True
    """After sentences; each names its copy by itself."""
    gaps: bool = True
    """After long words; for fragments."""
    typography: bool = True
    """Apostrophes, dashes and ellipses in one of two forms."""
    wording: bool = True
    """``[[a|b]]`` in the source. Where this is off, readers get the first."""
    contractions: bool = False
    """“do not” or “don’t”; English."""
    serial_comma: bool = False
    """“a, b and c” or “a, b, and c”; English."""
    html: bool = True
    """The order of attributes, and a class of the guard's own elements; for whoever takes pages as they stand."""
    collusion: int = 2
    """How many readers may compare their copies and still be told: 2, or 4, which costs a quarter of what each slot of
    wording says."""

    buckets: int = 0
    """How many copies of an article shared caches may keep instead of one for each reader: 16 to 256, or 0 for none."""

    def __post_init__(self) -> None:
        if self.buckets and not 16 <= self.buckets <= 256:
            raise ValueError(f"buckets is 0 or between 16 and 256, not {self.buckets}")
        if self.collusion not in (2, 4):
            raise ValueError(f"collusion is 2 or 4, not {self.collusion}")


class Place(StrEnum):
    """The channel of a slot."""

    FRAME = "frame"
    GAP = "gap"
    VARIANT = "variant"


Found = tuple[Place, int, Variant | None]
_FRAME = 3
"""What stands for a frame beside ``gaps.GOOD`` and ``gaps.FAIR``; 0 for nothing."""


class _Words(NamedTuple):
    """The words of a text: two numbers for each, for there are many, and each thing more is one to be collected."""

    ends: list[int]
    after: bytearray
    """What may stand there."""


_NONE = _Words([], bytearray())


class _Search:
    """The texts that have been looked through, and what was found in them."""

    def __init__(self, paragraphs: Sequence[Sequence[str]], channels: Channels, most: int) -> None:
        self._paragraphs, self._channels, self._most = paragraphs, channels, most
        self._inside, self._since = "", _APART
        self._choice = gaps.Choice()
        self._texts: list[tuple[list[Found], _Words]] = []
        self._others = self._words = 0
        self._enough = inf

    @property
    def done(self) -> bool:
        """Whether the first ``most`` slots are known, whatever follows."""
        return self._words >= self._enough + gaps.WINDOW

    @cached_property
    def _any_dash(self) -> bool:
        """Whether dashes may be short or long in its language, as its beginning tells."""
        return any_dash(text for paragraph in self._paragraphs for text in paragraph)

    def begin(self) -> None:
        """A paragraph begins."""
        self._inside, self._since = "", _APART

    def take(self, text: str) -> Turns[None]:
        """Look through a text."""
        kept, self._inside = _variants(text, self._inside, self._channels)
        kept = [one for one in kept if one.kind is not Kind.DASH or self._any_dash]
        yield
        words, self._since = yield from _words(text, self._since, self._channels)
        _stay_outside(words, kept)
        for number, rank in enumerate(words.after):
            if not number % _TURN:
                yield
            self._choice.take(rank if rank != _FRAME else 0)
        self._words += len(words.ends)
        self._others += len(kept) + words.after.count(_FRAME)
        if self._enough == inf and self._others + len(self._choice.chosen) >= self._most:
            # In words that are so near there may still be more gaps, before what was counted.
            self._enough = self._words
        self._texts.append(([(Place.VARIANT, one.start, one) for one in kept], words))

    def skim(self, text: str) -> None:
        """A text behind the last slot."""
        self._texts.append(([(Place.VARIANT, one.start, one.settled) for one in wordings(text)], _NONE))

    def finish(self) -> Turns[list[list[Found]]]:
        """The slots of each text, in order."""
        chosen, number = self._choice.finish(), 0
        found: list[list[Found]] = []
        for variants, words in self._texts:
            if not len(found) % _TURN:
                yield
            marks: list[Found] = []
            for end, rank in zip(words.ends, words.after, strict=True):
                if rank == _FRAME:
                    marks.append((Place.FRAME, end, None))
                elif number in chosen:
                    marks.append((Place.GAP, end, None))
                number += 1
            found.append(sorted((*marks, *variants), key=lambda one: one[1]))
        return found


def places(paragraphs: Sequence[Sequence[str]], channels: Channels, most: int) -> Turns[list[list[Found]]]:
    """The slots of each text, in order, with as many gaps as are needed.

    After the first ``most`` of them there may be more, or not.
    """
    search, texts = _Search(paragraphs, channels, most), 0
    for paragraph in paragraphs:
        search.begin()
        for text in paragraph:
            texts += 1
            if not search.done:
                yield from search.take(text)
                continue
            search.skim(text)
            if not texts % _TURN:
                yield
    return (yield from search.finish())


def _variants(text: str, inside: str, channels: Channels) -> tuple[list[Variant], str]:
    """The slots of wording in a text, and the quotation that is open after it. In quotations nothing is changed."""
    stretches, inside = quoted(text, inside)
    every = found(text, contractions=channels.contractions, serial_comma=channels.serial_comma)
    ends = [end for _, end in stretches]

    def is_quoted(one: Variant) -> bool:
        at = bisect_right(ends, one.start)
        return at < len(stretches) and stretches[at][0] < max(one.end, one.start + 1)

    kept = []
    for one in every:
        if one.kind is Kind.WORDING:
            # Whatever is not to differ from copy to copy is settled: nobody is to read the brackets.
            kept.append(one if channels.wording and not is_quoted(one) else one.settled)
        elif (channels.typography or not one.kind.typographic) and not is_quoted(one):
            kept.append(one)
    return kept, inside


def _stay_outside(words: _Words, variants: Sequence[Variant]) -> None:
    """What may be another text is no place for a mark."""
    for one in variants:
        for number in range(bisect_right(words.ends, one.start), bisect_left(words.ends, one.end)):
            words.after[number] = 0


def _words(text: str, since: int, channels: Channels) -> Turns[tuple[_Words, int]]:
    """What may stand after each word of a text. ``since``: words since the last frame, before the text and after it."""
    ends: list[int] = []
    after = bytearray()
    for number, token in enumerate(_TOKEN.finditer(text)):
        if not number % _TURN:
            yield
        since += 1
        end, word = token.end(), token[0]
        rank = 0
        if channels.frames and (
            _ENDS.search(word) or (since > _APART and _PAUSES.search(word) and not _REFERENCE.search(word))
        ):
            rank, since = _FRAME, 0
        elif channels.gaps and text[end : end + 1].isspace() and (long := _LONG.search(word)):
            rank = gaps.GOOD if len(long[0]) >= _GOOD else gaps.FAIR
            if gaps.takes(word[-1]) is gaps.Takes.NOTHING:
                rank = 0
        ends.append(end)
        after.append(rank)
    return _Words(ends, after), since
