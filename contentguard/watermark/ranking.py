"""What speaks for each of many readers, a million of them within seconds.

Strategy: a reader's whole code is compared with what was seen by three operations on one large number (exclusive or,
mask, count of zero bytes), so the cost for each is little more than that of drawing the code. How many
slots of each kind agree is all that the score depends on, and there are few such counts: each is scored once. This is
``score.bits`` without the frames; whoever comes out first is to be scored again by that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import shake_256
from math import log2
from typing import NamedTuple

from contentguard.watermark.code import seed
from contentguard.watermark.compiled import Compiled
from contentguard.watermark.frames import word
from contentguard.watermark.gaps import BYTES_EACH
from contentguard.watermark.html import code as html_code
from contentguard.watermark.keys import Keys
from contentguard.watermark.observed import Observed
from contentguard.watermark.score import COMPONENTS, FORMAT, ORDERS, SELECTOR, averaged, form_bits
from contentguard.watermark.token import write

_OWN = 7 / 8
"""How likely one article of several is taken to be of the same reader as the rest."""
_FAR = 1000.0
_BELOW = {odds: bytes(255 * (byte >= odds) for byte in range(256)) for odds in (54, 202)}
"""A byte of the code → 0 for the second text of a variant, 255 for the first."""
_BIASED = tuple((odds, which) for odds in _BELOW for which in (0, 1))
"""The kinds of variants that say unlike much; each has a place of its own behind the code."""
Table = tuple[tuple[float, float], ...]


class _Count(NamedTuple):
    """Slots that say equally much."""

    table: Table
    """For each component what one adds that agrees, and one that differs."""
    slots: int
    where: slice
    """Their bytes: of the code, or behind it."""
    silent: int
    """Of those bytes so many stand for nothing that is seen."""


def scores(article: Compiled, seen: Observed, keys: Keys, name: bytes, serials: Iterable[int]) -> Iterator[float]:
    """For each serial what speaks for it, in bits, by gaps, variants and HTML. ``name``: the article's."""
    start = seed(keys, name, article.revision)
    first, odds = BYTES_EACH * article.gaps, article.odds(start)
    expected, mask, size, counts = _compared(seen, first, odds)
    biased = any(odd != 128 for odd in odds)
    whole = size + len(_BIASED) * max(0, size - first) * biased
    drawn, number = shake_256(start), int.from_bytes
    rare, common = _BELOW.values()
    places, told, nothing = [one.where for one in counts], [_told(one) for one in counts], [0.0] * len(COMPONENTS)
    known: dict[tuple[int, ...], float] = {}
    orders = _orders(seen)
    told += [_agreeing(ORDERS[number], len(own)) for number, own in orders]
    for serial in serials:
        state = drawn.copy()
        state.update(serial.to_bytes(5, "big"))
        code = state.digest(size)
        if biased:
            tail = code[first:]
            code += tail.translate(rare) * 2 + tail.translate(common) * 2
        different = ((number(code) ^ expected) & mask).to_bytes(whole)
        zeros = tuple([different[where].count(0) for where in places])
        if orders:
            tags = html_code(start, serial)
            zeros += tuple([sum(tags[place] % number == which for place, which in own) for number, own in orders])
        bits = known.get(zeros)
        if bits is None:
            every = [said[count] for said, count in zip(told, zeros, strict=True)]
            bits = known[zeros] = averaged([sum(parts) for parts in zip(nothing, *every, strict=True)])
        yield bits


def frame_scores(seen: Observed, keys: Keys, name: bytes, serials: Iterable[int]) -> Iterator[float]:
    """The same by damaged frames, which alone did not name anybody: ten times as slow."""
    for serial in serials:
        own = word(keys.epoch, write(keys, serial, name))
        agree = sum(own[place] == byte for place, byte in seen.symbols)
        yield averaged([agree * same + (len(seen.symbols) - agree) * other for same, other in SELECTOR])


def _compared(seen: Observed, first: int, odds: bytes) -> tuple[int, int, int, list[_Count]]:
    """What a reader's code is compared with and in which bits, both as one number; how many bytes of the code are
    drawn; and what is counted. ``first``: the byte with which the variants begin."""
    size = max(
        [BYTES_EACH * (place + 1) for place, _ in (*seen.bytes_at, *seen.bits_at)]
        + [first + number + 1 for number, _ in seen.chosen],
        default=0,
    )
    length = max(0, size - first)
    wanted, mask = bytearray(size + len(_BIASED) * length), bytearray(size + len(_BIASED) * length)
    for place, byte in seen.bytes_at:
        wanted[BYTES_EACH * place], mask[BYTES_EACH * place] = byte, 255
    for place, two in seen.bits_at:
        wanted[BYTES_EACH * place + 1], mask[BYTES_EACH * place + 1] = two, 3
    biased: Counter[tuple[int, int]] = Counter()
    for number, which in seen.chosen:
        at, kind = first + number, (odds[number], which)
        if kind in _BIASED:
            at = size + length * _BIASED.index(kind) + number
            biased[kind] += 1
        wanted[at], mask[at] = 0 if which else 128, 128
    fair = len(seen.chosen) - biased.total()
    gaps = min(size, first)
    counts = [
        _Count(SELECTOR, len(seen.bytes_at), slice(0, gaps, 2), (gaps + 1) // 2 - len(seen.bytes_at)),
        _Count(FORMAT, len(seen.bits_at), slice(1, gaps, 2), gaps // 2 - len(seen.bits_at)),
        _Count(form_bits(128, 0), fair, slice(gaps, size), size - gaps - fair),
    ]
    for number, kind in enumerate(_BIASED):
        where = slice(size + length * number, size + length * (number + 1))
        counts.append(_Count(form_bits(*kind), biased[kind], where, length - biased[kind]))
    if not any(odd != 128 for odd in odds):
        del wanted[size:], mask[size:]
    return int.from_bytes(wanted), int.from_bytes(mask), size, [one for one in counts if one.slots]


def _told(count: _Count) -> dict[int, list[float]]:
    """For each number of zeros what such slots say, in bits, for each component."""
    return {count.silent + agree: said for agree, said in _agreeing(count.table, count.slots).items()}


def _agreeing(table: Table, slots: int) -> dict[int, list[float]]:
    """For each number of slots that agree what all of them say, in bits, for each component."""
    return {agree: [agree * same + (slots - agree) * other for same, other in table] for agree in range(slots + 1)}


def _orders(seen: Observed) -> list[tuple[int, list[tuple[int, int]]]]:
    """The tags seen, by how many orders theirs is one of: place and which."""
    return [
        (number, own)
        for number in ORDERS
        if (own := [(order.place, order.which) for order in seen.orders if order.orders == number])
    ]


def summed(articles: Sequence[float]) -> float:
    """What several independent articles say together of one reader, in bits.

    Of some he may not be the source: those can take no more than three bits away, and the others add a fifth of a bit
    less than all they say. One article says what it says.
    """
    return articles[0] if len(articles) == 1 else sum(map(_allowing, articles))


def mean(several: Sequence[float]) -> float:
    """What several looks at the same marks come to, in bits: the logarithm of the mean of what these are logarithms of.
    It holds the bound whatever they have in common."""
    most = max(several)
    return most + log2(sum(2.0 ** (one - most) for one in several) / len(several))


def _allowing(bits: float) -> float:
    return bits + log2(_OWN) if bits > _FAR else log2(1.0 - _OWN + _OWN * 2.0**bits)
