"""Gaps: one mark of two Unicode categories after long words, for fragments too short to hold a frame.

Strategy: a variation selector (8 bits, category Mn) and in every second gap one of four invisible format characters
(2 bits, category Cf), both drawn by the reader's code: a cleaner that drops one category leaves the other. They say
nothing by themselves; whoever has the article and the key compares them with what each reader's copy had there. There
are no more of them than any twenty words need to name a reader by one category alone, for chance cannot be compressed.

Not every script takes both. A zero width joiner would join the last letter to nothing where letters join, and a
left-to-right mark says nothing only where all go that way; a variation selector after a Chinese or a Burmese character
may ask for another way of writing it (UTS #37; StandardizedVariants.txt), of a name for one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import lru_cache
from struct import unpack_from

from contentguard.watermark.frames import BYTES, MARKS, written

FORMATS = ("\u200c", "\u200d", "\u2060", "\u200e")
"""Zero width non-joiner and joiner, word joiner, left-to-right mark: no browser adds ``letter-spacing`` to them."""
_FORMAT = {mark: number for number, mark in enumerate(FORMATS)}
BYTES_EACH = 2
"""Bytes of the code for one gap."""
WINDOW, ENOUGH = 20, 6
"""Of so many consecutive words so many are marked: six variation selectors are 48 bits, of which 40 name one reader
among a million."""
GOOD, FAIR = 2, 1
"""How good a word is for a mark: long, or only where there are too few of those."""
_PLAIN = ((0x0000, 0x058F), (0x10A0, 0x10FF), (0x1200, 0x139F), (0x1C90, 0x1CBF), (0x1E00, 0x1FFF))
"""Latin, Greek, Cyrillic, Armenian, Georgian and Ethiopic: letters side by side from left to right, and lines break at
spaces."""
_VARIED = (
    (0x1000, 0x109F),
    (0x1800, 0x18AF),
    (0x2100, 0x214F),
    (0x2E80, 0x2FFF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xA840, 0xA87F),
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),
    (0x10AC0, 0x10AFF),
    (0x13000, 0x143FF),
    (0x1D400, 0x1D7FF),
    (0x20000, 0x3FFFF),
)
"""Of which variation selectors choose a form: Burmese, Mongolian, letterlike signs, Chinese characters, Phags-pa,
Manichaean, hieroglyphs and mathematical letters."""
_ALONE = tuple(zip(*map(written, MARKS), strict=True))
"""All that may stand in a gap: as numeric references, and as UTF-8."""
_BOTH = tuple(zip(*(written(MARKS[number & 255] + FORMATS[number >> 8]) for number in range(1024)), strict=True))
"""Each as UTF-8, and as numeric references for pages in other charsets."""


class Choice:
    """Which words are marked: as few as give every window its marks. The words come one after the other."""

    def __init__(self) -> None:
        self.chosen: set[int] = set()
        """The numbers of those that are; ``WINDOW`` words later nothing changes any more."""
        self._words = 0
        self._placed: deque[int] = deque()
        self._good: list[int] = []
        self._fair: list[int] = []

    def take(self, rank: int) -> None:
        """The next word, and how good it is: 0 where no mark may stand."""
        if rank:
            (self._good if rank == GOOD else self._fair).append(self._words)
        self._words += 1
        if self._words >= WINDOW:
            self._fill()

    def finish(self) -> set[int]:
        """There are no more; their numbers."""
        if 0 < self._words < WINDOW:
            self._fill()
        return self.chosen

    def _fill(self) -> None:
        """Give the window that ends here what it lacks."""
        start, placed = self._words - WINDOW, self._placed
        while placed and placed[0] < start:
            placed.popleft()
        # The last ones serve the most windows to come.
        for waiting in (self._good, self._fair):
            new: list[int] = []
            while len(placed) + len(new) < ENOUGH and waiting and waiting[-1] >= start:
                new.append(waiting.pop())
            if new:
                self._placed = placed = deque(sorted((*placed, *new)))
                self.chosen.update(new)


class Takes(IntEnum):
    """What may stand after a letter."""

    NOTHING = 0
    SELECTOR = 1
    BOTH = 2


@lru_cache(maxsize=4096)
def takes(letter: str) -> Takes:
    """What may stand after this letter, the last one of a word."""
    point = ord(letter)
    if any(first <= point <= last for first, last in _PLAIN):
        return Takes.BOTH
    return Takes.NOTHING if any(first <= point <= last for first, last in _VARIED) else Takes.SELECTOR


def marks(code: bytes, number: int, *, wide: bool = True, bare: Iterable[int] = ()) -> Sequence[bytes]:
    """What stands in each gap, as UTF-8, or as numeric references where the page is not ``wide``. ``code``: at least
    two bytes for each. ``bare``: gaps that take nothing but a selector."""
    made, alone, both = [b""] * number, _ALONE[wide], _BOTH[wide]
    made[::2] = [both[drawn & 1023] for drawn in unpack_from(f"<{number}H", code)[::2]]
    made[1::2] = [alone[drawn] for drawn in code[2 : 2 * number : 4]]
    for one in bare:
        made[one] = alone[code[BYTES_EACH * one]]
    return made


def drawn(code: bytes, place: int) -> tuple[int, int]:
    """The byte and the two bits of one gap."""
    number = code[2 * place] | code[2 * place + 1] << 8
    return number & 255, number >> 8 & 3


def seen(text: str) -> tuple[int, int]:
    """The byte and the two bits of the mark that ``text`` (what follows a word) holds; -1 for what is not there."""
    byte = next((BYTES[mark] for mark in text if mark in BYTES), -1)
    bits = next((_FORMAT[mark] for mark in text if mark in _FORMAT), -1)
    return byte, bits
