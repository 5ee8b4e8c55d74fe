"""What every benchmark shares: the figure, the options of a run, and how time is taken.

Strategy: nothing is compared with a number of another run. What is compared is timed in alternation (A B A B …), a
ratio is formed inside each round, and the median of the rounds is the figure, so that other load on the machine hits
both sides alike. What does not do its task is not timed; the rest of the run goes on without it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple


class Figure(NamedTuple):
    """A number, and what a reader has to know of it."""

    value: float
    unit: str
    """``×`` for a ratio."""
    meaning: str


Figures = dict[str, Figure]


class MeasureError(RuntimeError):
    """What was about to be measured is not what the figure says; ``str()`` tells why.

    ``figures`` are those that could be measured all the same.
    """

    def __init__(self, message: str, figures: Figures | None = None) -> None:
        super().__init__(message)
        self.figures: Figures = figures or {}


@dataclass(frozen=True, slots=True)
class Options:
    """How long to measure."""

    rounds: int = 7
    quick: bool = False
    """Short runs: the machinery is exercised, the figures are rough."""


Benchmark = Callable[[Options], Figures]


def progress(text: str) -> None:
    """Say on stderr where the run is."""
    print(f"  … {text}", file=sys.stderr, flush=True)


def gathered(parts: Iterable[Callable[[], Figures]]) -> Figures:
    """The figures of every part. Raises one ``MeasureError`` for all that failed, after every part had its turn."""
    figures: Figures = {}
    faults: list[str] = []
    for part in parts:
        try:
            figures |= part()
        except MeasureError as fault:
            figures |= fault.figures
            faults.append(str(fault))
    if faults:
        raise MeasureError("\n".join(faults), figures)
    return figures


class Fresh:
    """Work on a thing that is new each time; the things are made before the clock starts, a bounded number at once."""

    def __init__(self, make: Callable[[], bytes], use: Callable[[bytes], object], most: int = 2**25) -> None:
        self._make, self._use, self._most = make, use, most
        self._things: list[bytes] = []

    def prepare(self, times: int) -> int:
        """Make things for up to ``times`` calls; return for how many."""
        self._things = [self._make()]
        times = min(times, max(1, self._most // len(self._things[0])))
        self._things += [self._make() for _ in range(times - 1)]
        return times

    def __call__(self) -> object:
        """One call."""
        return self._use(self._things.pop())


Work = Callable[[], object]


def seconds_per_call(work: Work, budget: float) -> float:
    """Seconds of one call: the first one tells how many fit into ``budget`` seconds, and those are timed."""
    once = _timed(work, 1)
    return _timed(work, max(1, int(budget / max(once, 1e-7)))) if once < budget else once


def least(work: Work, batches: int, each: int = 100) -> float:
    """Seconds of the processor for one call, by the fastest of many batches: what it takes where nothing disturbs.

    For a budget in microseconds on a machine that others use too; a figure of this kind is no ratio.
    """
    work()
    taken = []
    for _ in range(batches):
        start = time.thread_time()
        for _ in range(each):
            work()
        taken.append(time.thread_time() - start)
    return min(taken) / each


def _timed(work: Work, times: int) -> float:
    if isinstance(work, Fresh):
        times = work.prepare(times)
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


Series = Mapping[str, list[float]]
"""Name → one value for each round."""


def alternated(works: Mapping[str, Work], rounds: int, budget: float) -> Series:
    """Seconds per call of every piece of work, round by round; the first call of each is not counted.

    Every other round runs backwards, so that a machine that slows down or speeds up favours nobody.
    """
    for work in works.values():
        _timed(work, 1)
    taken: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        for name in there_and_back(works, number):
            taken[name].append(seconds_per_call(works[name], budget))
    return taken


def there_and_back(names: Iterable[str], number: int) -> list[str]:
    """The names in the order of round ``number``: the odd ones run backwards."""
    return [*names][:: -1 if number % 2 else 1]


def ratio(series: Series, over: str, under: str) -> float:
    """The median of ``over / under``, each taken inside one round."""
    return median(a / b for a, b in zip(series[over], series[under], strict=True))
