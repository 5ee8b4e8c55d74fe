"""Where in an article marks may stand, and of which channel.

Strategy: frames stand after sentences, and after commas where the last one is nine words away; gaps after words of five
letters or more, of four where those are rare, and no more of them than a fragment needs; both only where nothing an
extractor, a search index or a line break goes by is changed (jusText rejects articles with a mark in every gap).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from contentguard.watermark import gaps
from contentguard.watermark.variants import Kind, Variant, found, quoted

_SPACES = "nbsp|ensp|emsp|thinsp|hairsp|#160|#[xX]0*[aA]0"
_TOKEN = re.compile(rf"(?:(?!&(?:{_SPACES});)\S)++")
_ENDS = re.compile(r"[.!?…](?:[\"'”’)\]»]|&(?:rdquo|rsquo|quot|raquo|#8221|#8217);)*+$")
_PAUSES = re.compile(r"[,:;]$")
_REFERENCE = re.compile(r"&#?\w+;$")
_LONG = re.compile(r"[^\W\d_]{4,}+$")
_GOOD = 5
"""Letters of a word after which a gap had best stand."""
_APART = 9
"""Words between a frame and one after a pause."""


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
After = tuple[Place | None, int, int]
"""What may stand after a word, where that is in its text, and how good a place for a gap it is."""


def _places(paragraphs: Sequence[Sequence[str]], channels: Channels) -> Iterator[tuple[list[Found], list[After]]]:
    """For each text its slots of wording, and what may stand after its words."""
    for paragraph in paragraphs:
        inside, since = "", _APART
        for text in paragraph:
            kept, inside = _variants(text, inside, channels)
            every, since = _afters(text, since, channels)
            # What may be another text is no place for a mark.
            yield [(Place.VARIANT, one.start, one) for one in kept], _outside(every, kept)


def places(paragraphs: Sequence[Sequence[str]], channels: Channels) -> Iterator[list[Found]]:
    """The slots of each text, in order, with as many gaps as are needed."""
    texts = list(_places(paragraphs, channels))
    chosen = gaps.chosen([rank for _, afters in texts for _, _, rank in afters])
    number = 0
    for variants, afters in texts:
        marks: list[Found] = []
        for place, end, _ in afters:
            if place is Place.FRAME or number in chosen:
                marks.append((place or Place.GAP, end, None))
            number += 1
        yield sorted((*marks, *variants), key=lambda one: one[1])


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


def _outside(every: list[After], variants: list[Variant]) -> list[After]:
    """The same, with nothing in what may be another text."""
    starts = [one.start for one in variants]
    kept: list[After] = []
    for place, end, rank in every:
        before = bisect_left(starts, end) - 1
        kept.append((place, end, rank) if before < 0 or end >= variants[before].end else (None, end, 0))
    return kept


def _afters(text: str, since: int, channels: Channels) -> tuple[list[After], int]:
    """What may stand after each word of a text. ``since``: words since the last frame, before the text and after it."""
    found: list[After] = []
    for token in _TOKEN.finditer(text):
        since += 1
        end, word = token.end(), token[0]
        place, rank = None, 0
        if channels.frames and (
            _ENDS.search(word) or (since > _APART and _PAUSES.search(word) and not _REFERENCE.search(word))
        ):
            place, since = Place.FRAME, 0
        elif channels.gaps and text[end : end + 1].isspace() and (long := _LONG.search(word)):
            rank = gaps.GOOD if len(long[0]) >= _GOOD else gaps.FAIR
        found.append((place, end, rank))
    return found, since
