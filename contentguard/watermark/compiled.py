"""An article as its marks see it: where they may stand, and what each copy has there.

Strategy: compiled once for each revision. Frames stand after sentences, and after commas where the last one is nine
words away; gaps after words of five letters or more, of four where those are rare, and no more of them than a fragment
needs; both only where nothing an extractor, a search index or a line break goes by is changed (jusText rejects articles
with a mark in every gap). The slots of all channels are in the order of the text, so a copy is made by one look-up for
each and a join.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from itertools import accumulate
from operator import itemgetter
from typing import Any, ClassVar, NamedTuple

from contentguard.watermark import gaps
from contentguard.watermark.code import seed, stream
from contentguard.watermark.frames import carries_manifest, encoded
from contentguard.watermark.keys import Keys
from contentguard.watermark.token import write
from contentguard.watermark.variants import Kind, Variant, found, quoted
from contentguard.watermark.words import Word, words

_SPACES = "nbsp|ensp|emsp|thinsp|hairsp|#160|#[xX]0*[aA]0"
_TOKEN = re.compile(rf"(?:(?!&(?:{_SPACES});)\S)++")
_ENDS = re.compile(r"[.!?…](?:[\"'”’)\]»]|&(?:rdquo|rsquo|quot|raquo|#8221|#8217);)*+$")
_PAUSES = re.compile(r"[,:;]$")
_REFERENCE = re.compile(r"&#?\w+;$")
_LONG = re.compile(r"[^\W\d_]{4,}+$")
_GOOD = 5
"""Letters of a word after which a gap had best stand."""
MOST = 4096
"""Slots of one article; what comes after them is the same for everybody."""
_APART = 9
"""Words between a frame and one after a pause."""
_RARE, _COMMON = 54, 202
"""Of 256: .2113 and .7887, the two biases of Nuida et al. (2009) for four who compare their copies."""


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
    collusion: int = 2
    """How many readers may compare their copies and still be told: 2, or 4, which costs a quarter of what each slot of
    wording says."""

    def __post_init__(self) -> None:
        if self.collusion not in (2, 4):
            raise ValueError(f"collusion is 2 or 4, not {self.collusion}")


class Place(StrEnum):
    """The channel of a slot."""

    FRAME = "frame"
    GAP = "gap"
    VARIANT = "variant"


class Slot(NamedTuple):
    """Where something differs from copy to copy."""

    place: Place
    run: int
    """Which of the article's texts."""
    start: int
    end: int
    """Where in it, in characters; the same where something is only inserted."""
    number: int
    """Which one of its channel."""
    variant: Variant | None = None


class Compiled:
    """One revision of an article. ``paragraphs``: for each the texts between its tags, as they stand in HTML.

    ``wide``: whether any character may be put in; else no more than wording, in ASCII.
    """

    def __init__(self, paragraphs: Sequence[Sequence[str]], channels: Channels, *, wide: bool = True) -> None:
        self.paragraphs = tuple(tuple(paragraph) for paragraph in paragraphs)
        self.texts = [text for paragraph in paragraphs for text in paragraph]
        whole = "\0".join(self.texts)
        self.revision = blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        """Names this state of the article."""
        self.collusion = channels.collusion
        if not wide:
            channels = replace(channels, frames=False, gaps=False)
        self.channels = channels
        """Which marks it can carry: whoever compiles it again by these has the same slots."""
        self.slots: list[Slot] = [] if carries_manifest(whole) else list(_bounded(self._slots(paragraphs, channels)))
        self.gaps = sum(slot.place is Place.GAP for slot in self.slots)
        self.variants = [slot.variant for slot in self.slots if slot.variant is not None]
        written = "utf-8" if wide else "ascii"
        self._texts = [tuple(text.encode(written, "xmlcharrefreplace") for text in one.texts) for one in self.variants]
        self.plain = [b"" if one.variant is None else self._texts[one.number][0] for one in self.slots]
        """What stands in each slot where nobody is named."""
        self._order = self._ordered()
        self.size = gaps.BYTES_EACH * self.gaps + len(self.variants)
        """Bytes of a reader's code."""

    def _slots(self, paragraphs: Sequence[Sequence[str]], channels: Channels) -> Iterator[Slot]:
        numbers = dict.fromkeys(Place, 0)
        for run, places in enumerate(_thinned(list(_places(paragraphs, channels)))):
            for place, start, variant in places:
                yield Slot(place, run, start, variant.end if variant else start, numbers[place], variant)
                numbers[place] += 1

    def _ordered(self) -> Callable[[list[bytes]], Sequence[bytes]]:
        """For each slot its mark, out of all frames, gaps and variants one after the other."""
        starts = {Place.FRAME: 0, Place.GAP: 1, Place.VARIANT: 1 + self.gaps}
        order = [starts[slot.place] + (slot.number if slot.place is not Place.FRAME else 0) for slot in self.slots]
        # One look-up for all, twice as fast as one for each; it answers with a tuple only where there are two or more.
        return itemgetter(*order) if len(order) > 1 else lambda every: [every[place] for place in order]

    @cached_property
    def words(self) -> list[Word]:
        """The article's words as its author wrote them; needed only by who compares a copy with it."""
        return [word for own in self._own_words for word in own]

    @cached_property
    def at_word(self) -> list[int]:
        """For each slot the word that it follows, or in or after which it begins; -1 before the first."""
        starts = [[word.start for word in own] for own in self._own_words]
        before = list(accumulate(map(len, starts), initial=0))
        return [before[slot.run] + bisect_left(starts[slot.run], slot.start) - 1 for slot in self.slots]

    @cached_property
    def _own_words(self) -> list[list[Word]]:
        variants: list[list[Variant]] = [[] for _ in self.texts]
        for slot in self.slots:
            if slot.variant is not None:
                variants[slot.run].append(slot.variant)
        return [words(text, own) for text, own in zip(self.texts, variants, strict=True)]

    def odds(self, start: bytes) -> bytes:
        """For each variant how many of 256 copies have the second text. ``start``: see ``code.seed``."""
        if self.collusion == 2:
            return b"\x80" * len(self.variants)
        drawn = stream(start + b"odds", 0, len(self.variants))
        return bytes(_RARE if byte & 1 else _COMMON for byte in drawn)

    def marks(self, keys: Keys, article: bytes, serial: int) -> Sequence[bytes]:
        """What one copy has in each slot, as UTF-8. ``article`` names it, whatever its revision."""
        start = seed(keys, article, self.revision)
        code = stream(start, serial, self.size)
        chosen = [
            texts[byte < odd]
            for texts, byte, odd in zip(self._texts, code[gaps.BYTES_EACH * self.gaps :], self.odds(start), strict=True)
        ]
        run = encoded(keys.epoch, write(keys, serial, article))
        return self._order([run, *gaps.marks(code, self.gaps), *chosen])

    def copy(self, keys: Keys, article: bytes, serial: int) -> list[str]:
        """The article's texts in one copy, as they stand in HTML."""
        return self.filled([mark.decode() for mark in self.marks(keys, article, serial)])

    def filled(self, marks: Sequence[str]) -> list[str]:
        """The article's texts with these marks."""
        pieces: list[list[str]] = [[] for _ in self.texts]
        ends = [0] * len(self.texts)
        for slot, mark in zip(self.slots, marks, strict=True):
            pieces[slot.run] += (self.texts[slot.run][ends[slot.run] : slot.start], mark)
            ends[slot.run] = slot.end
        return ["".join(parts) + text[end:] for parts, text, end in zip(pieces, self.texts, ends, strict=True)]


def _bounded(slots: Iterator[Slot]) -> Iterator[Slot]:
    """The first ``MOST``, and wherever else an editor's wording has to be settled."""
    number = 0
    for count, slot in enumerate(slots):
        variant = slot.variant
        if count < MOST:
            number += variant is not None
            yield slot
        elif variant is not None and variant.kind is Kind.WORDING:
            yield slot._replace(variant=variant.settled, number=number)
            number += 1


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


def _thinned(texts: Sequence[tuple[list[Found], list[After]]]) -> Iterator[list[Found]]:
    """The slots of each text, in order, with as many gaps as are needed."""
    chosen = gaps.chosen([rank for _, places in texts for _, _, rank in places])
    number = 0
    for variants, places in texts:
        marks: list[Found] = []
        for place, end, _ in places:
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
