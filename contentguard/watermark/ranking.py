"""What speaks for each of many readers, a million of them within seconds.

Strategy: a reader's whole code is compared with what was seen by three operations on one large number (exclusive or,
mask, count of zero bytes), so the cost for each is little more than that of drawing the code. How many
slots of each kind agree is all that the score depends on, and there are few such counts: each is scored once. This is
``score.bits`` without the frames; whoever comes out first is to be scored again by that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import shake_256
from math import log2

from contentguard.watermark.code import seed
from contentguard.watermark.compiled import Compiled
from contentguard.watermark.frames import word
from contentguard.watermark.gaps import BYTES_EACH
from contentguard.watermark.keys import Keys
from contentguard.watermark.observed import Observed
from contentguard.watermark.score import COMPONENTS, FORMAT, SELECTOR, averaged, form_bits
from contentguard.watermark.token import write

_OWN = 7 / 8
"""How likely one article of several is taken to be of the same reader as the rest."""
_FAR = 1000.0
_BELOW = {odds: bytes(255 * (byte >= odds) for byte in range(256)) for odds in (54, 202)}
"""A byte of the code → 0 for the second text of a variant, 255 for the first."""
Table = tuple[tuple[float, float], ...]
Count = Callable[[bytes], int]


class _Slots:
    """What is seen where in the code: of some bits of some bytes."""

    def __init__(self) -> None:
        self.at: dict[int, tuple[int, int]] = {}
        """Byte of the code → what is seen, and which of its bits that is."""

    def __bool__(self) -> bool:
        return bool(self.at)

    def differing(self, size: int) -> Callable[[bytes], bytes]:
        """What leaves a zero where a code agrees, and where nothing is seen."""
        wanted, mask = bytearray(size), bytearray(size)
        for place, (byte, bits) in self.at.items():
            wanted[place], mask[place] = byte, bits
        expected, masked, number = int.from_bytes(wanted), int.from_bytes(mask), int.from_bytes
        return lambda code: ((number(code) ^ expected) & masked).to_bytes(size)


def scores(article: Compiled, seen: Observed, keys: Keys, name: bytes, serials: Iterable[int]) -> Iterator[float]:
    """For each serial what speaks for it, in bits, by gaps and variants. ``name``: the article's."""
    start = seed(keys, name, article.revision)
    first = BYTES_EACH * article.gaps
    drawn = shake_256(start)
    tables, size, differing, counts = _counting(seen, first, article.odds(start))
    known: dict[tuple[int, ...], float] = {}
    for serial in serials:
        state = drawn.copy()
        state.update(serial.to_bytes(5, "big"))
        code = state.digest(size)
        different = differing(code)
        agreeing = (
            different[0:first:2].count(0),
            different[1:first:2].count(0),
            different[first:].count(0),
            *[count(code) for count in counts],
        )
        bits = known.get(agreeing)
        if bits is None:
            bits = known[agreeing] = _bits(tables, agreeing)
        yield bits


def frame_scores(seen: Observed, keys: Keys, name: bytes, serials: Iterable[int]) -> Iterator[float]:
    """The same by damaged frames, which alone did not name anybody: ten times as slow."""
    for serial in serials:
        own = word(keys.epoch, write(keys, serial, name))
        agree = sum(own[place] == byte for place, byte in seen.symbols)
        yield averaged([agree * same + (len(seen.symbols) - agree) * other for same, other in SELECTOR])


_Tables = list[tuple[Table, int, int]]
"""For each count what one that agrees and one that differs add, how many slots there are, and how many zeros stand for
nothing seen."""


def _counting(seen: Observed, first: int, odds: bytes) -> tuple[_Tables, int, Callable[[bytes], bytes], list[Count]]:
    """What is counted, of how many bytes of the code. ``first``: the byte with which the variants begin."""
    even, fair, unfair = _Slots(), _Slots(), dict[tuple[int, int], _Slots]()
    even.at = {BYTES_EACH * place: (byte, 255) for place, byte in seen.bytes_at}
    even.at |= {BYTES_EACH * place + 1: (bits, 3) for place, bits in seen.bits_at}
    for number, which in seen.chosen:
        biased = odds[number] != 128
        own = unfair.setdefault((odds[number], which), _Slots()) if biased else fair
        own.at[number if biased else first + number] = (0 if which else 128, 128)
    even.at |= fair.at
    ends = [*even.at, *(first + place for slots in unfair.values() for place in slots.at)]
    size = 1 + max(ends, default=-1)
    gaps = min(size, first)
    tables: _Tables = [
        (SELECTOR, len(seen.bytes_at), (gaps + 1) // 2 - len(seen.bytes_at)),
        (FORMAT, len(seen.bits_at), gaps // 2 - len(seen.bits_at)),
        (form_bits(128, 0), len(fair.at), max(0, size - first) - len(fair.at)),
    ]
    counts = []
    for (odd, which), slots in unfair.items():
        tables.append((form_bits(odd, which), len(slots.at), size - first - len(slots.at)))
        counts.append(_tail(slots, first, size, _BELOW[odd]))
    return tables, size, even.differing(size), counts


def _tail(slots: _Slots, first: int, size: int, below: bytes) -> Count:
    differing = slots.differing(size - first)
    return lambda code: differing(code[first:].translate(below)).count(0)


def _bits(tables: _Tables, zeros: Sequence[int]) -> float:
    sums = [0.0] * len(COMPONENTS)
    for (table, slots, silent), count in zip(tables, zeros, strict=True):
        agree = count - silent
        for number, (same, other) in enumerate(table):
            sums[number] += agree * same + (slots - agree) * other
    return averaged(sums)


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
