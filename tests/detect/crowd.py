"""A simulated readership, for judging aggregate detection.

Readers come at random within a window, wear the fingerprints they are told to, read articles after Zipf's law and
fetch the style sheet of most; crawlers use one address for each page, fetch no style sheets and read anything. Draws
are independent, which real traffic is not: the figures are those of the model.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random

from contentguard.detect.aggregates import Aggregates
from contentguard.model import Cluster

WINDOW = 600.0
COMMON = 7
"""The commonest fingerprint: that of 30 % of the readers, and of a crawler that knows what it does."""

OTHERS = range(100, 120)
_ARTICLES = list(accumulate(1.0 / n for n in range(1, 5001)))


@dataclass
class Plan:
    """What happens in one window."""

    readers: int = 300
    follow: Callable[[int], float] = lambda cluster: 0.93
    """Fingerprint → the share of pages whose style sheet is fetched."""
    wears: Callable[[Random], int] | None = None
    """Which fingerprint a reader wears; by default the common one in 30 of 100 cases."""
    viral: int = 0
    """Further readers, all of one article."""
    crawled: int = 0
    crawler: Callable[[int], int] = lambda n: COMMON
    """Number of the page → the crawler's fingerprint."""
    crawler_follows: bool = False
    prefixes: Callable[[int], str] = lambda n: f"crawler {n}"


@dataclass
class Crowd:
    """Plays windows one after the other."""

    seed: int
    table: Aggregates = field(default_factory=lambda: Aggregates(secret=b"a-secret-for-the-crowd"))
    window: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def play(self, plan: Plan, *clusters: int) -> Mapping[int, Cluster]:
        """One window; how these clusters did in it (by default the common one)."""
        start = self.window * WINDOW
        for at, cluster, prefix, page, follows in sorted(self._pages(plan)):
            self.table.view(cluster, prefix, page, start + at)
            if follows:
                self.table.follow(cluster, prefix, start + at, start + at + 0.5)
        self.window += 1
        return {c: self.table.read(c, self.window * WINDOW + 20.0) for c in clusters or (COMMON,)}

    def settle(self, windows: int = 14, plan: Plan | None = None) -> None:
        """An ordinary past."""
        for _ in range(windows):
            self.play(plan or Plan())

    def _pages(self, plan: Plan) -> Iterator[tuple[float, int, str, str, bool]]:
        random = self.random
        for n in range(plan.readers + plan.viral):
            cluster = plan.wears(random) if plan.wears else self._worn()
            page = "viral" if n >= plan.readers else str(bisect(_ARTICLES, random.random() * _ARTICLES[-1]))
            yield random.random() * WINDOW, cluster, str(random.random()), page, random.random() < plan.follow(cluster)
        for n in range(plan.crawled):
            prefix = plan.prefixes(self.window * 100_000 + n)
            page = f"archive {random.randrange(20_000)}"
            yield random.random() * WINDOW, plan.crawler(n), prefix, page, plan.crawler_follows

    def _worn(self) -> int:
        return COMMON if self.random.random() < 0.3 else self.random.choice(OTHERS)
