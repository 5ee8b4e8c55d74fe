"""The Reed-Solomon code of frames: 10 bytes become 16, of which any 10 suffice and any 3 may be wrong.

Strategy: systematic over GF(256) (polynomial 0x11D, first root 1). Encoding happens for every reader and is ten
look-ups; decoding happens when a copy is traced and is the textbook's: syndromes, erasures first, Berlekamp-Massey,
Forney. Source: Lin and Costello, Error Control Coding, 2nd edition, chapters 6 and 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import xor

DATA, LENGTH = 10, 16
CHECKS = LENGTH - DATA
"""A word is put right where twice its errors and its erasures come to no more than this."""

_EXP = [1] * 512
for _power in range(1, 512):
    _double = _EXP[_power - 1] << 1
    _EXP[_power] = _double ^ 0x11D if _double > 255 else _double
_LOG = [0] * 256
for _power in range(255):
    _LOG[_EXP[_power]] = _power


def encode(data: bytes) -> bytes:
    """16 bytes that begin with the 10 of ``data``. ValueError for another length."""
    if len(data) != DATA:
        raise ValueError(f"a frame holds {DATA} bytes, not {len(data)}")
    checks = 0
    for row, byte in zip(_CHECKS, data, strict=True):
        checks ^= row[byte]
    return data + checks.to_bytes(CHECKS, "big")


def decode(word: Sequence[int | None]) -> bytes | None:
    """The 10 bytes that a damaged word of 16 said; None where too much of it is lost. None in it: an erasure."""
    if len(word) != LENGTH:
        raise ValueError(f"a word has {LENGTH} bytes, not {len(word)}")
    lost = [place for place, byte in enumerate(word) if byte is None]
    if len(lost) > CHECKS:
        return None
    filled = [byte or 0 for byte in word]
    syndromes = _syndromes(filled)
    if any(syndromes):
        # Places count from the word's end, as powers of x.
        locator = _locator(syndromes, [LENGTH - 1 - place for place in lost])
        if locator is None or not _mend(filled, syndromes, locator):
            return None
    return bytes(filled[:DATA])


def _times(one: int, other: int) -> int:
    return _EXP[_LOG[one] + _LOG[other]] if one and other else 0


def _over(one: int, other: int) -> int:
    return _EXP[_LOG[one] - _LOG[other] + 255] if one else 0


def _value(polynomial: Sequence[int], point: int) -> int:
    """A polynomial, its constant first, at a point."""
    return reduce(lambda total, one: _times(total, point) ^ one, reversed(polynomial), 0)


def _product(one: Sequence[int], other: Sequence[int]) -> list[int]:
    result = [0] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            result[i + j] ^= _times(a, b)
    return result


def _syndromes(word: Sequence[int]) -> list[int]:
    backwards = word[::-1]
    return [_value(backwards, _EXP[power]) for power in range(CHECKS)]


def _locator(syndromes: list[int], lost: list[int]) -> list[int] | None:
    """The polynomial whose roots tell the places of all errors and erasures (Berlekamp-Massey from the erasures on)."""
    locator = [1]
    for place in lost:
        locator = _product(locator, [1, _EXP[place]])
    before, found = locator[:], len(lost)
    for step in range(len(lost), CHECKS):
        off = reduce(xor, (_times(c, syndromes[step - i]) for i, c in enumerate(locator) if i <= step), 0)
        before = [0, *before]
        if off == 0:
            continue
        longer = [
            (locator[i] if i < len(locator) else 0) ^ (_times(off, before[i]) if i < len(before) else 0)
            for i in range(max(len(locator), len(before)))
        ]
        if 2 * found <= step + len(lost):
            found = step + 1 + len(lost) - found
            before = [_over(c, off) for c in locator]
        locator = longer
    while locator and locator[-1] == 0:
        locator.pop()
    errors = len(locator) - 1 - len(lost)
    return None if errors < 0 or 2 * errors + len(lost) > CHECKS else locator


def _mend(word: list[int], syndromes: list[int], locator: list[int]) -> bool:
    """Put right what stands at the locator's places (Forney); whether that made a word of the code."""
    places = [place for place in range(LENGTH) if _value(locator, _EXP[255 - place]) == 0]
    if len(places) != len(locator) - 1:
        return False
    evaluator = _product(syndromes, locator)[:CHECKS]
    slope = [c if power % 2 == 0 else 0 for power, c in enumerate(locator[1:])]
    for place in places:
        inverse = _EXP[255 - place]
        by = _value(slope, inverse)
        if by == 0:
            return False
        word[LENGTH - 1 - place] ^= _times(_EXP[place], _over(_value(evaluator, inverse), by))
    return not any(_syndromes(word))


def _rows() -> list[list[int]]:
    """For each place and byte of the data, what it adds to the checks."""
    generator = [1]
    for power in range(CHECKS):
        generator = _product(generator, [_EXP[power], 1])
    rows, rest = [], generator[:CHECKS]
    for _ in range(DATA):
        rows.append(rest)
        top = rest[-1]
        rest = [a ^ _times(top, b) for a, b in zip([0, *rest[:-1]], generator[:CHECKS], strict=True)]
    return [
        [int.from_bytes(bytes(_times(byte, c) for c in reversed(row)), "big") for byte in range(256)]
        for row in reversed(rows)
    ]


_CHECKS = _rows()
