"""The governor on a simulated site under siege: what leaves, and who has to wait for it.

The site has 20,000 articles and 50 views by readers a minute after Zipf's law, 65 % of them without a pass; a day of
calm for the governor to learn from, another in which nobody should have to wait, then an hour of attack. Crawlers use
an address for every request and ask for nothing but cold articles. *Common*: all wear the fingerprint of 30 % of the
readers. *Spread*: they wear all fingerprints as readers do. *Invented*: each wears one of its own. Solving crawlers
earn a pass and use it up. Where readers are impatient they do not, so that no pass stands in the bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import mean, median
from typing import NamedTuple

from contentguard.admission.archive import Archive
from contentguard.admission.governor import Governor
from contentguard.admission.maturity import Quota, Trust
from contentguard.admission.treasury import Learned
from contentguard.backends.steps import meter
from tests.admission.siege import ARTICLES, COMMON, START, Door, Site, Views, Wears, commonest, invented, worn
from tests.benchmarks.measure import Figure, Figures, MeasureError, Options, Work, alternated, progress

SIZES = (3_000, 30_000, 300_000)
_SECRET = b"the governor's benchmark"
_MOST_SEEDS = 3
CALM = (25.0, 24.0)
"""Hours to learn from, and hours in which it is counted who waits."""


class Attack(NamedTuple):
    """One way to attack."""

    wears: Wears
    addresses: int
    solves: bool = False
    patient: bool = True
    top_only: bool = False
    """Whether only the hundred most read articles are hot."""


class Outcome(NamedTuple):
    """What came of it."""

    views: Views
    taken: int
    """What crawlers got."""
    worst: float
    """The largest part of the bound that any hour has seen."""


def attacks(sizes: tuple[int, ...] = SIZES) -> dict[str, Attack]:
    """Name → attack."""
    middle, last = sizes[len(sizes) // 2], sizes[-1]
    return {
        **{f"common {size}": Attack(commonest, size) for size in sizes},
        **{f"top {size}": Attack(commonest, size, top_only=True) for size in sizes[-1:]},
        **{f"solving {size}": Attack(commonest, size, solves=True) for size in sizes},
        "invented": Attack(invented, middle),
        "spread": Attack(worn, middle),
        "spread solving": Attack(worn, last, solves=True),
        "spread impatient": Attack(worn, last, patient=False),
    }


def run(options: Options) -> Figures:
    """All of them."""
    seeds = min(options.rounds, _MOST_SEEDS)
    tried = attacks(SIZES[:1] if options.quick else SIZES)
    if options.quick:
        del tried[f"top {SIZES[0]}"]
    sieges = [Siege(seed, tried) for seed in range(1, seeds + 1)]
    return {**_leaks(sieges), **_waits(sieges), **_steps(options)}


class Siege:
    """One site and its readers, calm for two days, then attacked in every way."""

    def __init__(self, seed: int, tried: dict[str, Attack]) -> None:
        progress(f"governor: two days of calm, seed {seed}")
        sites = {top_only: _site(seed, top_only=top_only) for top_only in {one.top_only for one in tried.values()}}
        self.calm = sites[False].calm(CALM[1])
        if True in sites:
            sites[True].calm(CALM[1])
        self.budget = sites[False].door.governor.budget
        self.outcomes = {name: self._attacked(sites[one.top_only], name, one) for name, one in tried.items()}

    def _attacked(self, calm: Site, name: str, attack: Attack) -> Outcome:
        progress(f"governor: {name}")
        site = calm.copied()
        site.patient = attack.patient
        views = site.attack(attack.addresses, attack.wears, solves=attack.solves)
        return Outcome(views, len(site.taken), site.door.worst())


def _site(seed: int, *, top_only: bool) -> Site:
    archive = Archive(hot_share=0.0) if top_only else Archive()
    site = Site(Door(Governor(archive, secret=_SECRET)), seed)
    site.calm(CALM[0])
    return site


def _leaks(sieges: list[Siege]) -> Figures:
    outcomes = [outcome for siege in sieges for outcome in siege.outcomes.values()]
    impatient = [siege.outcomes["spread impatient"].worst for siege in sieges]
    shares = {
        "taken_in_an_hour": ("common", "of the archive gone to crawlers, commonest fingerprint"),
        "taken_in_an_hour_spread": ("spread", "the same, all fingerprints, the worst way"),
        "taken_in_an_hour_solving": ("solving", "the same, commonest fingerprint, by crawlers that earn passes"),
    }
    taken = {
        f"governor.{name}": Figure(
            100.0 * mean(_worst(s, kind, lambda o: o.taken) for s in sieges) / ARTICLES, "%", told
        )
        for name, (kind, told) in shares.items()
    }
    return {
        "governor.leak_over_bound": Figure(
            max(outcome.worst for outcome in outcomes), "×", "cold articles given in the worst hour : B + burst + P·Q"
        ),
        "governor.leak_over_bound_no_passes": Figure(
            max(impatient), "×", "the same where nobody earns a pass: B + burst"
        ),
        "governor.budget_per_hour": Figure(mean(siege.budget for siege in sieges), "", "B, as learned"),
        **taken,
    }


def _waits(sieges: list[Siege]) -> Figures:
    def waits(kind: str, share: Callable[[Outcome], float]) -> float:
        return 100.0 * mean(_worst(siege, kind, share) for siege in sieges)

    def told(outcome: Outcome) -> float:
        return outcome.views.waited / outcome.views.views

    def kept(outcome: Outcome) -> float:
        return outcome.views.kept / outcome.views.views

    outside = sum(siege.calm.waited for siege in sieges) / sum(siege.calm.views for siege in sieges)
    figures = {
        "waits_during": (waits("common", told), "of readers' views had to wait, the commonest fingerprint"),
        "waits_during_invented": (waits("invented", told), "the same, fingerprints never seen"),
        "waits_during_spread": (waits("spread", told), "the same, all fingerprints"),
        "kept_during": (waits("common", kept), "had to wait for the pass, too, the commonest fingerprint"),
        "kept_during_solving": (waits("solving", kept), "the same where the crawlers earn passes"),
        "waits_outside": (100.0 * outside, "of readers' views had to wait on a day without attack"),
    }
    if any(name.startswith("top") for name in sieges[0].outcomes):
        figures["waits_during_top"] = (waits("top", told), "as waits_during, where only the top hundred are hot")
    return {f"governor.{name}": Figure(value, "%", told_of) for name, (value, told_of) in figures.items()}


def _worst(siege: Siege, kind: str, value: Callable[[Outcome], float]) -> float:
    """The largest value of an attack's sizes."""
    return max(value(outcome) for name, outcome in siege.outcomes.items() if name.partition(" ")[0] == kind)


def _steps(options: Options) -> Figures:
    progress("governor: steps")
    taken = alternated(works(), options.rounds, 0.02 if options.quick else 0.1)
    told = {
        "step_us": "a view of a cold article by a stranger who is told to wait, address and fingerprint never seen",
        "given_us": "a view of a cold article that a stranger gets",
        "hot_us": "a view of a hot article",
        "meter_us": "a new article for a pass that has opened 149 that day",
    }
    figures = {f"governor.{name}": Figure(median(taken[name]) * 1e6, "µs", text) for name, text in told.items()}
    figures["governor.longest_ms"] = Figure(
        _longest() * 1e3, "ms", "the step at which a window ends and counts are halved"
    )
    figures["governor.kib"] = Figure(Governor(secret=_SECRET).bytes_used / 1024, "", "KiB held at most")
    return figures


def works() -> dict[str, Work]:
    """Name → one step."""
    rich = Governor(Archive(cold_articles_per_hour_most=10**9), secret=_SECRET)
    poor = Governor(Archive(cold_articles_per_hour_most=300), secret=_SECRET, learned=Learned(1.0))
    for n in range(400):
        poor.view(f"{n}", n, f"{n}", Trust.STRANGER, START)
        rich.view("news", n, f"{n}", Trust.MATURED, START)
    if not poor.alarmed or not rich.hot("news"):
        raise MeasureError("governor: no alarm, or nothing hot")
    state = b""
    for n in range(149):
        state, _ = meter(state, n, Quota(30, 150), START - 80_000.0 + 500.0 * n)
    numbers = iter(_endless())
    return {
        "step_us": lambda: poor.view(next(numbers), hash(next(numbers)), next(numbers), Trust.STRANGER, START),
        "given_us": lambda: rich.view(next(numbers), COMMON, next(numbers), Trust.STRANGER, START),
        "hot_us": lambda: rich.view("news", COMMON, "192.0.2", Trust.STRANGER, START),
        "meter_us": lambda: meter(state, 2**31, Quota(30, 150), START),
    }


def _endless() -> Iterator[str]:
    n = 0
    while True:
        n += 1
        yield f"{n}"


def _longest() -> float:
    governor = Governor(secret=_SECRET)
    for n in range(5000):
        governor.view(f"{n % 1500}", n % 2000, f"{n}", Trust(n % 3), START)
    start = time.perf_counter()
    governor.view("news", 1, "1", Trust.MATURED, START + 7250.0)
    return time.perf_counter() - start
