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


def chosen(words: Sequence[int]) -> set[int]:
    """The numbers of the words that are marked: as few as give every window its marks. ``words``: for each how good it
    is, 0 where none may stand."""
    placed: deque[int] = deque()
    found: set[int] = set()
    good: list[int] = []
    fair: list[int] = []
    for end, rank in enumerate(words):
        if rank:
            (good if rank == GOOD else fair).append(end)
        start = end + 1 - WINDOW
        if start < 0 and end + 1 < len(words):
            # The first window is not full yet.
            continue
        while placed and placed[0] < start:
            placed.popleft()
        # The last ones serve the most windows to come.
        for waiting in (good, fair):
            new: list[int] = []
            while len(placed) + len(new) < ENOUGH and waiting and waiting[-1] >= start:
                new.append(waiting.pop())
            placed = deque(sorted((*placed, *new))) if new else placed
            found.update(new)
    return found


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
