"""What every benchmark shares: the figure, the options of a run, and how time is taken.

Strategy: nothing is compared with a number of another run. What is compared is timed in alternation (A B A B …), a
ratio is formed inside each round, and the median of the rounds is the figure, so that other load on the machine hits
both sides alike.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple


class MeasureError(RuntimeError):
    """What was about to be measured is not what the figure says; `str()` tells why."""


class Figure(NamedTuple):
    """A number, and what a reader has to know of it."""

    value: float
    unit: str
    """``×`` for a ratio."""
    meaning: str


Figures = dict[str, Figure]


@dataclass(frozen=True, slots=True)
class Options:
    """How long to measure."""

    rounds: int = 5
    quick: bool = False
    """Short runs: the machinery is exercised, the figures are rough."""


Benchmark = Callable[[Options], Figures]


def progress(text: str) -> None:
    """Say on stderr where the run is."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def seconds_per_call(work: Callable[[], object], budget: float) -> float:
    """Seconds of one call: the first one tells how many fit into ``budget`` seconds, and those are timed."""
    once = _timed(work, 1)
    return _timed(work, max(1, int(budget / max(once, 1e-7)))) if once < budget else once


def _timed(work: Callable[[], object], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


Series = Mapping[str, list[float]]
"""Name → one value for each round."""


def alternated(works: Mapping[str, Callable[[], object]], rounds: int, budget: float) -> Series:
    """Seconds per call of every piece of work, round by round; the first call of each is not counted."""
    for work in works.values():
        work()
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(seconds_per_call(work, budget))
    return taken


def ratio(series: Series, over: str, under: str) -> float:
    """The median of ``over / under``, each taken inside one round."""
    return median(a / b for a, b in zip(series[over], series[under], strict=True))
