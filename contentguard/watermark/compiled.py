"""An article as its marks see it: where they may stand, and what each copy has there.

Strategy: compiled once for each revision. The slots of all channels are in the order of the text, so a copy is made by
one look-up for each and a join.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from hashlib import blake2b
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple

from contentguard.turns import Turns, finished
from contentguard.watermark import gaps
from contentguard.watermark.code import seed, stream
from contentguard.watermark.frames import carries_manifest, encoded
from contentguard.watermark.html import Opening, Orders, Tag, suffix, tags_of
from contentguard.watermark.keys import Keys
from contentguard.watermark.places import Channels, Found, Place, places
from contentguard.watermark.token import write
from contentguard.watermark.variants import Kind, Variant
from contentguard.watermark.words import Word, words

__all__ = ["MOST", "Channels", "Compiled", "Place", "Slot"]

_TURN = 256
"""Slots that are made in one turn."""
MOST = 4096
"""Slots of one article; what comes after them is the same for everybody."""
_RARE, _COMMON = 54, 202
"""Of 256: .2113 and .7887, the two biases of Nuida et al. (2009) for four who compare their copies."""


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

    ``wide``: whether the page is UTF-8; else everything is put in as ASCII, with numeric references.
    """

    def __init__(
        self,
        paragraphs: Sequence[Sequence[str]],
        channels: Channels,
        *,
        wide: bool = True,
        openings: Sequence[Opening] = (),
        tags: Sequence[Tag] = (),
    ) -> None:
        """``openings``: the article's start tags; or ``tags``, where no more is known of them."""
        finished(self._compiled(paragraphs, channels, wide, openings, tags))

    @classmethod
    def in_turns(
        cls, paragraphs: Sequence[Sequence[str]], channels: Channels, *, wide: bool, openings: Sequence[Opening]
    ) -> Turns[Compiled]:
        """The same, made in turns."""
        made = cls.__new__(cls)
        yield from made._compiled(paragraphs, channels, wide, openings, ())
        return made

    def _compiled(
        self,
        paragraphs: Sequence[Sequence[str]],
        channels: Channels,
        wide: bool,
        openings: Sequence[Opening],
        tags: Sequence[Tag],
    ) -> Turns[None]:
        """Long because it says what each of the many attributes is."""
        self.paragraphs = tuple(tuple(paragraph) for paragraph in paragraphs)
        self.texts = [text for paragraph in paragraphs for text in paragraph]
        whole = "\0".join(self.texts)
        self.revision = blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        """Names this state of the article."""
        self.collusion = channels.collusion
        self.channels = channels
        """Which marks it can carry: whoever compiles it again by these has the same slots."""
        yield
        found = [] if carries_manifest(whole) else (yield from places(paragraphs, channels, MOST))
        self.slots: list[Slot] = []
        self.bare: set[int] = set()
        """Gaps that take no format character, by their script."""
        for slot in _bounded(_slots(found)):
            if not len(self.slots) % _TURN:
                yield
            self.slots.append(slot)
            if slot.place is Place.GAP and self._takes(slot) < gaps.Takes.BOTH:
                self.bare.add(slot.number)
        self.gaps = sum(slot.place is Place.GAP for slot in self.slots)
        yield
        self.variants = [slot.variant for slot in self.slots if slot.variant is not None]
        self._wide, written = wide, "utf-8" if wide else "ascii"
        self._texts = [tuple(text.encode(written, "xmlcharrefreplace") for text in one.texts) for one in self.variants]
        self._plain = [b"" if one.variant is None else self._texts[one.number][0] for one in self.slots]
        yield
        own = openings if channels.html else ()
        self._html = Orders(own, (yield from tags_of(own)), tags)
        self.tags = self._html.tags
        """The start tags whose attributes change places,"""
        self.openings = self._html.numbers
        """and which of the openings they are."""
        self._order = self._ordered()
        self.size = gaps.BYTES_EACH * self.gaps + len(self.variants)
        """Bytes of a reader's code."""

    def _takes(self, gap: Slot) -> gaps.Takes:
        return gaps.takes(self.texts[gap.run][gap.start - 1])

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

    @property
    def plain(self) -> list[bytes]:
        """What stands in each slot, and in each tag after them, where nobody is named."""
        return [*self._plain, *self._html.plain]

    def fills(self, keys: Keys, article: bytes, serial: int) -> tuple[Sequence[bytes], bytes]:
        """What one copy has in each slot, and in each tag after them; and its class, which says it once more."""
        token = write(keys, serial, article)
        marks = self._marks(keys, article, serial, token)
        if not self.channels.html:
            return marks, b""
        if self.openings:
            marks = [*marks, *self._html.marks(seed(keys, article, self.revision), serial)]
        return marks, suffix(keys.epoch, token)

    def marks(self, keys: Keys, article: bytes, serial: int) -> Sequence[bytes]:
        """What one copy has in each slot, as UTF-8. ``article`` names it, whatever its revision."""
        return self._marks(keys, article, serial, write(keys, serial, article))

    def _marks(self, keys: Keys, article: bytes, serial: int, token: bytes) -> Sequence[bytes]:
        start = seed(keys, article, self.revision)
        code = stream(start, serial, self.size)
        chosen = [
            texts[byte < odd]
            for texts, byte, odd in zip(self._texts, code[gaps.BYTES_EACH * self.gaps :], self.odds(start), strict=True)
        ]
        return self._order(
            [
                encoded(keys.epoch, token, wide=self._wide),
                *gaps.marks(code, self.gaps, wide=self._wide, bare=self.bare),
                *chosen,
            ]
        )

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


def _slots(texts: Sequence[Sequence[Found]]) -> Iterator[Slot]:
    numbers = dict.fromkeys(Place, 0)
    for run, found in enumerate(texts):
        for place, start, variant in found:
            yield Slot(place, run, start, variant.end if variant else start, numbers[place], variant)
            numbers[place] += 1


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
