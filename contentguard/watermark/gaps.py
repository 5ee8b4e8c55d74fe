"""Gaps: one mark of two Unicode categories after long words, for fragments too short to hold a frame.

Strategy: a variation selector (8 bits, category Mn) and in every second gap one of four invisible format characters
(2 bits, category Cf), both drawn by the reader's code: a cleaner that drops one category leaves the other. They say
nothing by themselves; whoever has the article and the key compares them with what each reader's copy had there. There
are no more of them than any twenty words need to name a reader by one category alone, for chance cannot be compressed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from struct import unpack_from

from contentguard.watermark.frames import BYTES, MARKS, written

FORMATS = ("\u200c", "\u200d", "\u2060", "\u2063")
"""Zero width non-joiner and joiner, word joiner, invisible separator."""
_FORMAT = {mark: number for number, mark in enumerate(FORMATS)}
BYTES_EACH = 2
"""Bytes of the code for one gap."""
WINDOW, ENOUGH = 20, 6
"""Of so many consecutive words so many are marked: six variation selectors are 48 bits, of which 40 name one reader
among a million."""
GOOD, FAIR = 2, 1
"""How good a word is for a mark: long, or only where there are too few of those."""
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


def marks(code: bytes, number: int, *, wide: bool = True) -> Sequence[bytes]:
    """What stands in each gap, as UTF-8, or as numeric references where the page is not ``wide``. ``code``: at least
    two bytes for each."""
    made, alone, both = [b""] * number, _ALONE[wide], _BOTH[wide]
    made[::2] = [both[drawn & 1023] for drawn in unpack_from(f"<{number}H", code)[::2]]
    made[1::2] = [alone[drawn] for drawn in code[2 : 2 * number : 4]]
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
