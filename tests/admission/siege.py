"""A simulated site under siege, for judging the governor: readers, crawlers, the door they come through, and a ledger.

Readers come at random, read after Zipf's law and wear the fingerprints of a readership: one that 30 % wear, and 20
others. Most have no pass; who is made to wait earns one. Crawlers use an address for every request and read anything
but what is hot. Draws are independent, which real traffic is not: the figures are those of the model. The door does
what the guard will do: first the meter, then the governor.
"""

from __future__ import annotations

from bisect import bisect, bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from heapq import merge
from itertools import accumulate, count
from math import pi, sin
from operator import itemgetter
from random import Random
from typing import NamedTuple

from contentguard.admission.governor import Governor
from contentguard.admission.maturity import Level, Metering, Trust, quota, trust
from contentguard.admission.passes import Pass
from contentguard.backends.steps import meter

START = 1_800_000_000.0
ARTICLES = 20_000
HOT = 100
COMMON = 7
OTHERS = range(100, 120)
_KNOWN = Pass("f" * 16, level=Level.KNOWN)
_ZIPF = list(accumulate(1.0 / n for n in range(1, ARTICLES + 1)))


class Given(NamedTuple):
    """A cold article that a client without a matured pass got."""

    now: float
    article: int


class Ledger:
    """What was given, and what may have been: the guarantee, counted without looking into the governor."""

    def __init__(self) -> None:
        self.given: list[Given] = []
        self.passes: list[float] = []
        self.budgets: list[tuple[float, float]] = []
        """When budget and burst changed, and what they are together."""

    def note(self, governor: Governor, now: float) -> None:
        """Note the budget, if it is another one."""
        together = governor.budget + governor.burst
        if not self.budgets or self.budgets[-1][1] != together:
            self.budgets.append((now, together))

    def forget(self, before: float) -> None:
        """What happened before that is not asked for any more."""
        self.given = [one for one in self.given if one.now >= before]
        self.passes = [now for now in self.passes if now >= before]
        first = bisect_right(self.budgets, before, key=itemgetter(0)) - 1
        self.budgets = self.budgets[max(first, 0) :]

    def worst(self, trial: float, young: int) -> float:
        """Of all hours that begin with a gift, the largest ratio of articles given to the bound."""
        held: Counter[int] = Counter()
        last, worst = 0, 0.0
        for begin, article in self.given:
            while last < len(self.given) and self.given[last].now < begin + HOUR:
                held[self.given[last].article] += 1
                last += 1
            worst = max(worst, len(held) / self.bound(begin, trial, young))
            held[article] -= 1
            if not held[article]:
                del held[article]
        return worst

    def bound(self, begin: float, trial: float, young: int) -> float:
        """B + burst + P * Q for the hour that begins then."""
        first = max(bisect_right(self.budgets, begin, key=itemgetter(0)) - 1, 0)
        end = bisect_left(self.budgets, begin + HOUR, key=itemgetter(0))
        together = max(both for _, both in self.budgets[first : end + 1])
        passes = bisect_left(self.passes, begin + HOUR) - bisect_left(self.passes, begin - trial)
        return together + passes * young


@dataclass
class Client:
    """One client, as the server can tell clients apart."""

    cluster: int
    prefix: str
    given: Pass | None = None


HOUR = 3600


@dataclass
class Door:
    """What the guard does with a view of an article."""

    governor: Governor
    reading: Metering = field(default_factory=Metering)
    ledger: Ledger = field(default_factory=Ledger)
    meters: dict[str, bytes] = field(default_factory=dict)
    ids: Iterator[int] = field(default_factory=count)

    def open(self, client: Client, article: int, now: float, late: float = 0.0) -> float:
        """Seconds to wait; 0: the article was given. ``late``: how old the time is that the governor is told."""
        given = client.given
        standing = trust(given, now, self.reading)
        if given is not None and standing is not Trust.STRANGER:
            state = self.meters.get(given.id, b"")
            self.meters[given.id], wait = meter(state, article, quota(standing, self.reading), now)
            if wait:
                return wait
        ruling = self.governor.view(str(article), client.cluster, client.prefix, standing, now - late)
        self.ledger.note(self.governor, now)
        if ruling.cold and not ruling.wait and standing is not Trust.MATURED:
            self.ledger.given.append(Given(now, article))
        return ruling.wait

    def earn(self, client: Client, now: float) -> float:
        """The client has waited, or solved its proof: seconds until it gets the pass for that; 0: now."""
        wait = self.governor.issue(now)
        if not wait:
            client.given = Pass(f"{next(self.ids):016x}", level=Level.WAITED, issued=int(now))
            self.ledger.passes.append(now)
        return wait

    def worst(self) -> float:
        """The largest part of the bound that any hour has seen."""
        return self.ledger.worst(self.reading.new_reader_for, self.reading.new_reader_articles_per_hour)


class Views(NamedTuple):
    """What became of readers' views."""

    views: int = 0
    waited: int = 0
    """Told to wait, and so to earn a pass."""
    kept: int = 0
    """Of these, told to wait for the pass, too."""


Wears = Callable[[Random], int]


def worn(dice: Random) -> int:
    """The fingerprint of some reader."""
    return COMMON if dice.random() < 0.3 else dice.choice(OTHERS)


def commonest(_dice: Random) -> int:
    """The fingerprint of a crawler that knows what it does."""
    return COMMON


def invented(dice: Random) -> int:
    """A fingerprint never seen before."""
    return dice.getrandbits(64)


@dataclass
class Site:
    """A site with its readers; ``attack`` adds crawlers."""

    door: Door
    seed: int = 1
    per_minute: float = 50.0
    without_pass: float = 0.65
    tide: float = 0.0
    """How far a day's busiest hour lies above the mean, as a share of it."""
    patient: bool = True
    """Whether readers who are told to wait do so, and earn a pass."""
    now: float = START

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)
        self.taken: set[int] = set()
        """What crawlers got."""

    def calm(self, hours: float) -> Views:
        """Readers only."""
        return self._play(hours, iter(()))

    def attack(self, addresses: int, wears: Wears = commonest, *, solves: bool = False, hours: float = 1.0) -> Views:
        """So many addresses in each hour, one request each; if they solve, each then uses up its pass."""
        dice = Random(self.seed + 1000)
        end = self.now + hours * HOUR
        times = self._times(dice, lambda _now: addresses / HOUR, self.now, end)
        return self._play(hours, ((now, Client(wears(dice), _prefix(dice)), solves) for now in times))

    def copied(self) -> Site:
        """The same site once more, to be attacked in another way."""
        self.door.ledger.forget(self.now - 2 * HOUR)
        return deepcopy(self)

    def _play(self, hours: float, crawlers: Iterator[tuple[float, Client, bool]]) -> Views:
        begin, end = self.now, self.now + hours * HOUR
        readers = ((now, None, False) for now in self._times(self.dice, self._rate, begin, end))
        views = waited = kept = 0
        for now, crawler, solves in merge(readers, crawlers, key=lambda event: event[0]):
            if crawler is not None:
                self._crawl(crawler, now, solves=solves)
                continue
            views += 1
            one, two = self._read(now)
            waited, kept = waited + one, kept + two
        self.now = end
        return Views(views, waited, kept)

    def _times(self, dice: Random, rate: Callable[[float], float], now: float, end: float) -> Iterator[float]:
        while (now := now + dice.expovariate(rate(now))) < end:
            yield now

    def _rate(self, now: float) -> float:
        return self.per_minute / 60.0 * (1.0 + self.tide * sin(2.0 * pi * (now - START) / 86400.0))

    def _read(self, now: float) -> tuple[bool, bool]:
        """A reader's view; whether they had to wait, and whether they then had to wait for the pass."""
        dice = self.dice
        # Every reader comes once.
        known = _KNOWN._replace(id=f"{next(self.door.ids):016x}") if dice.random() >= self.without_pass else None
        client = Client(worn(dice), _prefix(dice), known)
        article = bisect(_ZIPF, dice.random() * _ZIPF[-1])
        waited = self.door.open(client, article, now) > 0.0
        if not waited or not self.patient:
            return waited, False
        kept = self.door.earn(client, now + 2.0) > 0.0
        assert kept or not self.door.open(client, article, now + 2.0), "who has waited reads on"
        return waited, kept

    def _crawl(self, client: Client, now: float, *, solves: bool) -> None:
        if not self._crawled(client, now) and solves and not self.door.earn(client, now):
            while self._crawled(client, now):
                pass

    def _crawled(self, client: Client, now: float) -> bool:
        """Whether a crawler got a cold article."""
        article = self.dice.randrange(HOT, ARTICLES)
        got = not self.door.open(client, article, now)
        if got:
            self.taken.add(article)
        return got


def _prefix(dice: Random) -> str:
    return f"{dice.getrandbits(24):x}"
