"""What signals add up to.

Weights are log-likelihoods, and what tells the same thing twice must not count twice: signals are summed inside
their group, each group counts no more than its cap in either direction, and the groups are added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from contentguard.model import Signal

DEFAULT_CAP = 4.0
"""The cap of a group that has none of its own."""

SOFT = "soft groups together"
"""The group of a tally that stands for what the soft groups lose by their common cap."""


class Scale(dict[str, float]):
    """Caps of groups, with floors of their own, and one cap for all groups together that are ``soft``."""

    def __init__(
        self, caps: Mapping[str, float], floors: Mapping[str, float], soft: Iterable[str], soft_cap: float
    ) -> None:
        super().__init__(caps)
        self.floors, self.soft, self.soft_cap = floors, frozenset(soft), soft_cap

    def total(self, totals: Mapping[str, float]) -> float:
        """What the groups' sums come to together; a group that is not on the scale counts for nothing."""
        hard = soft = 0.0
        for group, total in totals.items():
            counts = self.counts(group, total)
            soft, hard = (soft + counts, hard) if group in self.soft else (soft, hard + counts)
        return hard + min(soft, self.soft_cap)

    def counts(self, group: str, total: float) -> float:
        """What of one group's sum counts, before the common cap of the soft ones."""
        if total != total:
            return 0.0  # of weights of both infinities
        return max(self.floors.get(group, 0.0), min(self.get(group, 0.0), total))

    def tally(self, totals: Mapping[str, float]) -> list[Tally]:
        """Each group by itself, and last, where the soft ones come to more than their cap, what that takes off."""
        found = [
            Tally(group, total, self.get(group, 0.0), self.counts(group, total)) for group, total in totals.items()
        ]
        soft = sum(one.counts for one in found if one.group in self.soft)
        beyond = soft - self.soft_cap
        return [*found, Tally(SOFT, soft, self.soft_cap, -beyond)] if beyond > 0 else found


NO_CAPS: Mapping[str, float] = MappingProxyType({})


class Tally(NamedTuple):
    """What one group of signals comes to."""

    group: str
    total: float
    """The sum of its weights."""
    cap: float
    counts: float
    """What of the sum counts: within ``-cap`` (on a ``Scale``, the group's floor) and ``cap``."""


def tally(signals: Iterable[Signal], caps: Mapping[str, float] = NO_CAPS) -> list[Tally]:
    """What each group comes to, in the order of its first signal; what they count adds up to the score."""
    totals = _totals(signals)
    if isinstance(caps, Scale):
        return caps.tally(totals)
    return [
        Tally(group, total, cap := caps.get(group, DEFAULT_CAP), _within(total, cap)) for group, total in totals.items()
    ]


def score(signals: Iterable[Signal], caps: Mapping[str, float] = NO_CAPS) -> float:
    """The sum over the groups of ``min(cap, max(-cap, sum of weights))``, in nats; on a ``Scale``, its total."""
    totals = _totals(signals)
    if isinstance(caps, Scale):
        return caps.total(totals)
    counts = 0.0
    for group, total in totals.items():
        cap = caps.get(group, DEFAULT_CAP)
        counts += total if -cap <= total <= cap else _within(total, cap)
    return counts


def _totals(signals: Iterable[Signal]) -> dict[str, float]:
    """The sum of each group's weights."""
    totals: dict[str, float] = {}
    for signal in signals:
        group = signal.group
        totals[group] = totals[group] + signal.weight if group in totals else signal.weight
    return totals


def _within(total: float, cap: float) -> float:
    # A sum that is no number, as of weights of both infinities, tells nothing.
    return max(-cap, min(cap, total)) if total == total else 0.0
