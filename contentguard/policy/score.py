"""What signals add up to.

Weights are log-likelihoods, and what tells the same thing twice must not count twice: signals are summed inside
their group, each group counts no more than its cap in either direction, and the groups are added.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from contentguard.model import Signal

DEFAULT_CAP = 4.0
"""The cap of a group that has none of its own."""

NO_CAPS: Mapping[str, float] = MappingProxyType({})


class Tally(NamedTuple):
    """What one group of signals comes to."""

    group: str
    total: float
    """The sum of its weights."""
    cap: float
    counts: float
    """What of the sum counts: within ``-cap`` and ``cap``."""


def tally(signals: Iterable[Signal], caps: Mapping[str, float] = NO_CAPS) -> list[Tally]:
    """What each group comes to, in the order of its first signal."""
    totals = _totals(signals)
    return [Tally(group, total, cap := caps.get(group, DEFAULT_CAP), _within(total, cap)) for group, total in totals]


def score(signals: Iterable[Signal], caps: Mapping[str, float] = NO_CAPS) -> float:
    """The sum over the groups of ``min(cap, max(-cap, sum of weights))``, in nats."""
    counts = 0.0
    for group, total in _totals(signals):
        cap = caps.get(group, DEFAULT_CAP)
        counts += total if -cap <= total <= cap else _within(total, cap)
    return counts


def _totals(signals: Iterable[Signal]) -> ItemsView[str, float]:
    """The sum of each group's weights."""
    totals: dict[str, float] = {}
    for signal in signals:
        group = signal.group
        totals[group] = totals[group] + signal.weight if group in totals else signal.weight
    return totals.items()


def _within(total: float, cap: float) -> float:
    # A sum that is no number, as of weights of both infinities, tells nothing.
    return max(-cap, min(cap, total)) if total == total else 0.0
