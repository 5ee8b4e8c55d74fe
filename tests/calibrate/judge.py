"""How good a set of weights is: recall for each family of programs, false alarms among browsers, with their bounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log, log1p

from contentguard.detect import signals
from contentguard.detect.weights import Weights, document, parse
from tests.calibrate.clients import CONDITIONS, Capture, browsers, drawn
from tests.calibrate.replay import facts_of, names, visit

PLAYINGS: Mapping[str, tuple[bool, float | None]] = {
    "direct": (False, None),
    "direct, slowly": (False, 5.0),
    "proxied": (True, None),
    "proxied, 0.7 s": (True, 0.7),
    "proxied, slowly": (True, 5.0),
}
"""Behind a proxy or not; as fast as captured, at the pace of a far server, or one page in five seconds."""


def weighed(new: Mapping[str, float]) -> Weights:
    """The packaged weights with some replaced."""
    data = dict(document())
    data["signals"] = {n: {**row, "weight": new.get(n, row["weight"])} for n, row in data["signals"].items()}
    return parse(data)


def total(found: Iterable[str], weights: Weights) -> float:
    """The score of named signals under these weights."""
    return weights.total(weights.signals[name] for name in found)


Noticed = list[frozenset[str]]


def noticed(captures: Iterable[Capture]) -> dict[str, dict[str, list[Noticed]]]:
    """Family → playing → for each capture, what was noticed at its first two articles."""
    table: dict[str, dict[str, list[Noticed]]] = defaultdict(lambda: defaultdict(list))
    for capture in captures:
        for playing, (proxied, gap) in PLAYINGS.items():
            seen = visit(capture, proxied=proxied, gap=gap)[:2]
            table[capture.stack][playing].append([frozenset(names(one)) for one in seen])
    return table


def caught(visits: Iterable[Noticed], weights: Weights) -> int:
    """How many reach the threshold of ``lead`` within these articles."""
    lead = weights.thresholds["lead-only"]
    return sum(max(total(found, weights) for found in articles) >= lead for articles in visits)


@dataclass(frozen=True, slots=True)
class Alarms:
    """What befell readers under one condition."""

    articles: int
    lead: int
    refused: int
    worst: float


def alarms(
    weights: Weights, *, rounds: int = 3, gap: float | None = None, captures: Sequence[Capture] = ()
) -> dict[str, Alarms]:
    """Condition → what browsers (``captures``, or those that are learned from) suffer in it, over ``rounds`` visits of
    two articles each.
    """
    table = {}
    for name, condition in CONDITIONS.items():
        scores = [
            total(names(seen), weights)
            for capture in captures or browsers()
            for proxied in (False, True)
            for seen in visit(capture, condition, proxied=proxied, rounds=rounds, gap=gap)
        ]
        table[name] = _alarms(scores, weights)
    return table


def drawn_alarms(weights: Weights) -> Alarms:
    """The same for the headers that the model of visitors drew, each as often as it was drawn."""
    scores: list[float] = []
    for count, lines in drawn():
        found = (s.name for s in signals(facts_of([("Host", "news.example"), *lines], proxied=True)))
        known = [name for name in found if not name.startswith(("no-fetch", "no-language"))]
        scores += [total(known, weights)] * count
    return _alarms(scores, weights)


def _alarms(scores: list[float], weights: Weights) -> Alarms:
    lead, refuse = weights.thresholds["lead-only"], weights.thresholds["refuse"]
    return Alarms(len(scores), sum(s >= lead for s in scores), sum(s >= refuse for s in scores), max(scores))


def at_most(hits: int, trials: int, confidence: float = 0.95) -> float:
    """The upper bound of a rate of which ``hits`` of ``trials`` were seen (Clopper and Pearson 1934, one-sided)."""
    if hits >= trials:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _no_more(hits, trials, middle) > 1.0 - confidence:
            low = middle
        else:
            high = middle
    return high


def _no_more(hits: int, trials: int, rate: float) -> float:
    """The chance of at most ``hits`` successes in ``trials`` (binomial)."""
    if rate <= 0.0:
        return 1.0
    if rate >= 1.0:
        return 0.0
    return sum(
        exp(lgamma(trials + 1) - lgamma(k + 1) - lgamma(trials - k + 1) + k * log(rate) + (trials - k) * log1p(-rate))
        for k in range(hits + 1)
    )
