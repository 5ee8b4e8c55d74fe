"""Gaps: one mark of two Unicode categories after long words, for fragments too short to hold a frame.

Strategy: a variation selector (8 bits, category Mn) and one of four invisible format characters (2 bits, category Cf),
both drawn by the reader's code: a cleaner that drops one category leaves the other. They say nothing by themselves;
whoever has the article and the key compares them with what each reader's copy had there.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import unpack_from

from contentguard.watermark.frames import BYTES, MARKS

FORMATS = ("\u200c", "\u200d", "\u2060", "\u2063")
"""Zero width non-joiner and joiner, word joiner, invisible separator."""
_FORMAT = {mark: number for number, mark in enumerate(FORMATS)}
BYTES_EACH = 2
"""Bytes of the code for one gap."""
_ALL = tuple(MARKS[number & 255] + FORMATS[number >> 8] for number in range(1024))
_ENCODED = tuple(mark.encode() for mark in _ALL)


def marks(code: bytes, number: int) -> Sequence[bytes]:
    """What stands in each gap, as UTF-8. ``code``: at least two bytes for each."""
    return [_ENCODED[drawn & 1023] for drawn in unpack_from(f"<{number}H", code)]


def drawn(code: bytes, place: int) -> tuple[int, int]:
    """The byte and the two bits of one gap."""
    number = code[2 * place] | code[2 * place + 1] << 8
    return number & 255, number >> 8 & 3


def seen(text: str) -> tuple[int, int]:
    """The byte and the two bits of the mark that ``text`` (what follows a word) holds; -1 for what is not there."""
    byte = next((BYTES[mark] for mark in text if mark in BYTES), -1)
    bits = next((_FORMAT[mark] for mark in text if mark in _FORMAT), -1)
    return byte, bits
