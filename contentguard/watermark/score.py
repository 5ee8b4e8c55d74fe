"""How surely a text is one reader's copy, in bits, with a bound that holds whatever was done to the text.

Strategy: for each slot the probability of what is seen if this reader's copy is the source, over that if it is not.
Averaged over how much noise there may be and how many readers may have mixed their copies, that ratio has a mean of 1
over all codes that an innocent reader might have been given, so by Markov's inequality none of N innocents reaches
``log2(N / epsilon)`` bits with a probability of more than epsilon: for any attack, any excerpt, any choice of channels.
Bits of independent articles add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import factorial, inf, log2
from typing import NamedTuple

from contentguard.watermark import gaps, html
from contentguard.watermark.compiled import Compiled
from contentguard.watermark.observed import Observed

_NOISE = {0.005: 0.6, 0.05: 0.2, 0.15: 0.1, 0.3: 0.06, 0.4: 0.04}
_READERS = {1: 0.7, 2: 0.12, 3: 0.08, 4: 0.06, 6: 0.04}
"""Shares of slots that say nothing true, and numbers of readers who have mixed their copies, with how likely we take
each to be. The bound holds whatever is put here; a copy that is as it was loses 1.3 bits by it."""
COMPONENTS = tuple((noise, 1.0 / readers) for noise in _NOISE for readers in _READERS)
"""What is averaged over: the share of noise, and the share of slots that is of one reader's copy."""
WEIGHTS = tuple(log2(one * other) for one in _NOISE.values() for other in _READERS.values())


class Bits(NamedTuple):
    """What speaks for one reader, in bits."""

    total: float
    frames: float
    gaps: float
    variants: float
    html: float = 0.0
    buckets: float = 0.0
    """By which of an article's few copies for shared caches it is."""


def needed(readers: int, epsilon: float) -> float:
    """The bits from which a reader may be named: of ``readers`` innocents none reaches them, but with ``epsilon``.

    ValueError where that is no probability.
    """
    if readers < 1 or not 0.0 < epsilon < 1.0:
        raise ValueError(f"at least one reader and a probability between 0 and 1, not {readers} and {epsilon}")
    return log2(readers / epsilon)


def uniform(forms: int) -> tuple[tuple[float, float], ...]:
    """For each component what a slot of so many forms adds, in bits, if it agrees and if it does not."""
    made = []
    for noise, own in COMPONENTS:
        mixed = (1.0 - noise) * (1.0 - own) + noise
        made.append((log2(mixed + (1.0 - noise) * own * forms), log2(mixed) if mixed > 0.0 else -inf))
    return tuple(made)


def biased(odds: float) -> tuple[tuple[float, float], ...]:
    """The same for a form that a share ``odds`` of all copies has."""
    made = []
    for noise, own in COMPONENTS:
        mixed = (1.0 - noise) * (1.0 - own) + noise
        made.append((log2(mixed + (1.0 - noise) * own / odds), log2(mixed)))
    return tuple(made)


SELECTOR, FORMAT = uniform(256), uniform(4)
ORDERS = {factorial(number): uniform(factorial(number)) for number in range(2, html.MOST_ATTRIBUTES + 1)}
"""By how many orders there are."""
_HALF = biased(0.5)
_BIASED = {odds: (biased(odds / 256.0), biased(1.0 - odds / 256.0)) for odds in (54, 202)}


def form_bits(odds: int, which: int) -> tuple[tuple[float, float], ...]:
    """What seeing one form of a variant adds. ``odds``: of 256 copies so many have the second text."""
    return _HALF if odds == 128 else _BIASED[odds][which == 0]


Sums = list[float]
"""For each component, in bits."""


def sums(
    article: Compiled, seen: Observed, code: bytes, odds: bytes, word: bytes, tags: Sequence[int] = ()
) -> tuple[Sums, Sums, Sums, Sums]:
    """What speaks for the reader of this code in each channel: frames, gaps, variants and HTML.

    ``odds``: see ``Compiled.odds``. ``word``: of the reader's frames. ``tags``: ``html.code``, where orders are seen.
    """
    in_frames = [0.0] * len(COMPONENTS)
    for place, byte in seen.symbols:
        _add(in_frames, SELECTOR, word[place] == byte)
    in_gaps = [0.0] * len(COMPONENTS)
    for place, byte in seen.bytes_at:
        _add(in_gaps, SELECTOR, gaps.drawn(code, place)[0] == byte)
    for place, two in seen.bits_at:
        _add(in_gaps, FORMAT, gaps.drawn(code, place)[1] == two)
    in_variants = [0.0] * len(COMPONENTS)
    first = gaps.BYTES_EACH * article.gaps
    for number, which in seen.chosen:
        drawn = code[first + number] < odds[number]
        _add(in_variants, form_bits(odds[number], which), drawn == bool(which))
    in_html = [0.0] * len(COMPONENTS)
    for place, orders, which in seen.orders:
        _add(in_html, ORDERS[orders], tags[place] % orders == which)
    return in_frames, in_gaps, in_variants, in_html


def added(several: Iterable[Sums]) -> Sums:
    """What several channels or articles say together, component by component: for who mixes copies in one of them does
    so in all."""
    return [sum(parts) for parts in zip(*several, strict=True)]


def bits(article: Compiled, seen: Observed, code: bytes, odds: bytes, word: bytes, tags: Sequence[int] = ()) -> Bits:
    """The same in bits; see ``sums``."""
    channels = sums(article, seen, code, odds, word, tags)
    return Bits(averaged(added(channels)), *map(averaged, channels))


def _add(sums: list[float], table: tuple[tuple[float, float], ...], same: bool) -> None:
    for number, (agrees, differs) in enumerate(table):
        sums[number] += agrees if same else differs


def averaged(sums: list[float]) -> float:
    """The logarithm of the components' mean, each by its weight, of which these are the logarithms."""
    weighed = [one + weight for one, weight in zip(sums, WEIGHTS, strict=True)]
    most = max(weighed)
    return most + log2(sum(2.0 ** (one - most) for one in weighed))
