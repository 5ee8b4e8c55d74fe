"""Rules in their order, found by what a request has: as fast with a thousand rules as with ten.

Strategy: a rule is filed under the keys of one of its conditions, the one whose keys the fewest other rules share.
A request is asked for each kind of key that is in use at all, gets the few rules filed under its own, and tries them
in their order. A rule without keys is tried every time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from contentguard.model import Action, Facts, Pace, Verdict
from contentguard.policy.conditions import Anchor, Anchors, Condition, Question, Test, compile_when
from contentguard.policy.intervals import Intervals
from contentguard.policy.networks import number
from contentguard.policy.rules import Rule


class Ready(NamedTuple):
    """A rule, ready."""

    name: str
    holds: Test
    action: Action
    shadow: bool
    pace: Pace | None
    verdict: Verdict
    """What it decides; for rules with a limit, without the time to wait."""


class Found(NamedTuple):
    """What the rules say of one request."""

    rule: Ready | None
    """The rule that decides, if any does."""
    wait: float
    """Seconds to wait, where that rule has a limit."""
    shadow: tuple[str, ...]
    """Rules in shadow that would have decided before it."""
    paces: tuple[Pace, ...]
    """Limits on the way to it that are still to be asked for."""


Lookup = Callable[[Question], tuple[int, ...]]
"""A request → rules filed under what it has."""


class Table:
    """Rules in their order, for paths of one form (``loose``: that of ``paths.spellings``)."""

    def __init__(
        self,
        rules: Iterable[Rule],
        thresholds: Mapping[str, float],
        verdict: Callable[[Rule], Verdict],
        *,
        loose: bool = False,
    ) -> None:
        rules = tuple(rules)
        conditions = [compile_when(rule.when, thresholds, loose=loose) for rule in rules]
        self._rules = [_ready(rule, made, verdict(rule)) for rule, made in zip(rules, conditions, strict=True)]
        filed = _file(conditions)
        self._always = tuple(place for place, anchors in enumerate(filed) if not anchors)
        self._lookups = tuple(
            make(kept)
            for kind, make in _LOOKUPS.items()
            if (kept := [(a.key, place) for place, anchors in enumerate(filed) for a in anchors if a.kind == kind])
        )

    def first(self, question: Question) -> Found | None:
        """What the rules say; None where none holds."""
        places = self._always
        for lookup in self._lookups:
            places += lookup(question)
        return self._try(places, question) if places else None

    def _try(self, places: tuple[int, ...], question: Question) -> Found | None:
        shadow: tuple[str, ...] = ()
        paces: tuple[Pace, ...] = ()
        for place in sorted(set(places)) if len(places) > 1 else places:
            rule = self._rules[place]
            if not rule.holds(question):
                continue
            wait = 0.0
            if rule.pace is not None:
                wait = _wait(question.facts, rule.name)
                if wait <= 0.0:
                    paces += (rule.pace,)
                    continue
            if not rule.shadow:
                return Found(rule, wait, shadow, paces)
            shadow += (rule.name,)
        return Found(None, 0.0, shadow, paces) if shadow or paces else None


def _wait(facts: Facts, rule: str) -> float:
    for name, seconds in facts.waits:
        if name == rule:
            return seconds
    return 0.0


def _ready(rule: Rule, condition: Condition, verdict: Verdict) -> Ready:
    limit = rule.pace
    pace = None if limit is None else Pace(rule.name, limit, rule.counts_articles)
    return Ready(rule.name, condition.holds, rule.action, rule.shadow, pace, verdict)


def _file(conditions: Iterable[Condition]) -> list[Anchors]:
    """For each rule the set of keys under which to file it; empty for one that has to be tried always."""
    conditions = list(conditions)
    shared = Counter(anchor for made in conditions for anchors in made.anchors for anchor in anchors)
    return [min(made.anchors, key=lambda anchors: _load(anchors, shared), default=()) for made in conditions]


def _load(anchors: Anchors, shared: Counter[Anchor]) -> tuple[bool, int, int]:
    return any(anchor.broad for anchor in anchors), max(shared[anchor] for anchor in anchors), len(anchors)


def _by_word(word: Callable[[Question], Any]) -> Callable[[list[tuple[Any, int]]], Lookup]:
    def make(kept: list[tuple[Any, int]]) -> Lookup:
        found = _grouped(kept).get
        return lambda question: found(word(question), ())

    return make


def _grouped(kept: Iterable[tuple[Any, int]]) -> dict[Any, tuple[int, ...]]:
    filed: dict[Any, tuple[int, ...]] = {}
    for key, place in kept:
        filed[key] = (*filed.get(key, ()), place)
    return filed


def _by_path(kept: list[tuple[Any, int]]) -> Lookup:
    filed = Intervals(kept)
    return lambda question: filed.at(question.path)


def _by_suffix(kept: list[tuple[Any, int]]) -> Lookup:
    filed = Intervals(kept)
    return lambda question: filed.at(question.path[::-1])


def _by_score(kept: list[tuple[Any, int]]) -> Lookup:
    filed = Intervals(kept)
    return lambda question: filed.at(question.score)


def _by_client(kept: list[tuple[Any, int]]) -> Lookup:
    filed = Intervals(kept)
    return lambda question: filed.at(number(question.facts.client))


def _by_header(kept: list[tuple[Any, int]]) -> Lookup:
    filed = _grouped(kept)

    def lookup(question: Question) -> tuple[int, ...]:
        found: tuple[int, ...] = ()
        for name in filed.keys() & question.headers.keys():
            found += filed[name]
        return found

    return lookup


def _by_value(kept: list[tuple[Any, int]]) -> Lookup:
    filed = _grouped(kept)
    names = frozenset(name for name, _ in filed)

    def lookup(question: Question) -> tuple[int, ...]:
        found: tuple[int, ...] = ()
        for name in names & question.headers.keys():
            for value in question.headers[name]:
                found += filed.get((name, value), ())
        return found

    return lookup


_LOOKUPS: Mapping[str, Callable[[list[tuple[Any, int]]], Lookup]] = {
    "prefix": _by_path,
    "suffix": _by_suffix,
    "score": _by_score,
    "client": _by_client,
    "crawler": _by_word(lambda question: question.name),
    "purpose": _by_word(lambda question: question.kind),
    "identity": _by_word(lambda question: question.facts.identity._value_),
    "method": _by_word(lambda question: question.facts.method.upper()),
    "header": _by_header,
    "value": _by_value,
}
"""How the rules filed under each kind of key are found."""
