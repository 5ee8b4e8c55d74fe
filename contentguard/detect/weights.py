"""What each signal weighs: ``data/weights.toml``, read once and checked.

A weight is a log-likelihood ratio in nats: how much more often scrapers show the signal than readers. Signals of one
group are evidence of one thing and count for no more than the group's cap; the groups that a reader's surroundings can
bring about by themselves (``soft``: a proxy that strips headers, a blocker, a shared address) share one more cap,
below the threshold of refusal. That is what keeps a real browser from being refused, whatever was done to it on the
way, and it does not depend on any single weight.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from contentguard.data import text
from contentguard.model import Signal


class Group(NamedTuple):
    """How much the signals of one group may count together."""

    cap: float
    floor: float
    """How far below zero the group may go: evidence for a reader."""
    soft: bool
    """Whether a reader's surroundings alone can bring its signals about."""


_UNKNOWN = Group(0.0, 0.0, soft=True)


class Weights(NamedTuple):
    """The data file, checked."""

    signals: Mapping[str, Signal]
    groups: Mapping[str, Group]
    soft_cap: float
    thresholds: Mapping[str, float]

    def total(self, signals: Iterable[Signal]) -> float:
        """The sum of all signals after every cap. One whose group is unknown counts for nothing."""
        sums: dict[str, float] = {}
        for signal in signals:
            group = signal.group
            sums[group] = sums[group] + signal.weight if group in sums else signal.weight
        hard = soft = 0.0
        for name, value in sums.items():
            cap, floor, is_soft = self.groups.get(name, _UNKNOWN)
            capped = cap if value > cap else floor if value < floor else value
            if is_soft:
                soft += capped
            else:
                hard += capped
        return hard + (soft if soft < self.soft_cap else self.soft_cap)


@cache
def document() -> Mapping[str, Any]:
    """The data file as it stands."""
    return tomllib.loads(text("weights.toml"))


@cache
def weights() -> Weights:
    """The packaged weights. ValueError when the file contradicts itself."""
    return parse(document())


def parse(data: Mapping[str, Any]) -> Weights:
    """Weights from a document of the data file's form; ValueError when it contradicts itself."""
    groups = {
        name: Group(float(row["cap"]), float(row.get("floor", 0.0)), bool(row["soft"]))
        for name, row in data["groups"].items()
    }
    signals = {name: Signal(name, float(row["weight"]), row["group"]) for name, row in data["signals"].items()}
    for signal in signals.values():
        if signal.group not in groups:
            raise ValueError(f"signal {signal.name!r} is of group {signal.group!r}, which there is not")
    thresholds = {name: float(value) for name, value in data["thresholds"].items()}
    soft_cap = float(data["soft_cap"])
    if soft_cap >= thresholds["refuse"]:
        raise ValueError(f"soft_cap {soft_cap} reaches the threshold of refusal, {thresholds['refuse']}")
    return Weights(signals, groups, soft_cap, thresholds)
