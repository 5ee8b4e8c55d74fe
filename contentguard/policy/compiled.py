"""A policy ready to judge by: rules indexed, rights looked up once, verdicts made beforehand where they can be.

Strategy: a path is judged as it came and in every plain form of it (``paths.spellings``), and the strictest of the
verdicts stands: a path that is spelled oddly can lose by that, never win. For a path that is plain, as nearly all are,
that is one look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from contentguard.model import MOST_HEADERS, Action, Crawler, Facts, Pace, Right, Signal, Standing, Verdict
from contentguard.policy.conditions import Question
from contentguard.policy.paths import is_readable, parse_pattern, spellings
from contentguard.policy.rules import READER, Rule, When
from contentguard.policy.table import Found, Table
from contentguard.policy.verdicts import (
    CROWDED,
    FULL,
    UNREADABLE,
    by_right,
    by_rule,
    is_open,
    opened,
    severity,
    throttled,
)

REMEMBERED = 4096
"""Robots whose verdict is kept: a robot's name may be one that a client has thought of."""


class Compiled:
    """What ``decide`` asks."""

    __slots__ = ("_exact", "_folds", "_known", "_loose", "_paths", "_right_of", "_screenless", "general")

    def __init__(
        self,
        rules: Sequence[Rule],
        thresholds: Mapping[str, float],
        right_of: Callable[[Crawler, Standing], tuple[Right, str]],
        screenless: frozenset[str],
    ) -> None:
        patterns = [parse_pattern(text) for rule in rules for text in _paths(rule.when)]
        self._paths = bool(patterns)
        self.general = all(_GENERAL.issuperset(rule.when.used()) and not rule.is_paced for rule in rules)
        """Whether two clients of one kind and one score get the same verdict on any request, as long as it allows."""
        self._folds = any(pattern.loosened() != pattern for pattern in patterns)
        self._exact = Table(rules, thresholds, by_rule)
        self._loose = Table(rules, thresholds, by_rule, loose=True) if self._folds else self._exact
        self._right_of = right_of
        self._screenless = screenless
        self._known: dict[str, tuple[Crawler, Standing, Verdict]] = {}

    def judge(self, facts: Facts, signals: tuple[Signal, ...], score: float) -> Verdict:
        """The verdict on a request, before it is known whether the answer holds an article."""
        path, crawler = facts.path, facts.crawler
        if facts.wait > 0.0 and not is_open(path):
            return _told(throttled(facts, "limits.requests"), signals, score)
        if crawler is None:
            kind, name, fallback = READER, "", FULL
        else:
            name, fallback = crawler.name.lower(), self._of_robot(crawler, facts.identity)
            kind = READER if name in self._screenless else crawler.purpose.value
        if len(facts.headers) > MOST_HEADERS:
            verdict = CROWDED
        elif self._paths and not is_readable(path):
            verdict = UNREADABLE
        else:
            question = Question(facts, path, score, kind, name)
            found = self._exact.first(question)
            verdict = fallback if found is None else _verdict(found, fallback, signals, score)
            forms = spellings(path) if self._paths else ()
            if forms and (self._folds or forms != (path,)):
                others = [self._loose.first(question.at(form)) for form in forms]
                verdict = _strictest(
                    verdict, [fallback if one is None else _verdict(one, fallback, signals, score) for one in others]
                )
        if verdict.action is not Action.ALLOW and is_open(path):
            verdict = opened(verdict)
        return verdict if verdict.signals is signals else _told(verdict, signals, score)

    def kind_of(self, crawler: Crawler | None) -> str:
        """The class that rules know a client by: a purpose, or ``reader``."""
        if crawler is None or crawler.name.lower() in self._screenless:
            return READER
        return crawler.purpose.value

    def _of_robot(self, crawler: Crawler, identity: Standing) -> Verdict:
        """What a robot's right comes to."""
        known = self._known.get(crawler.name)
        if known is not None and known[0] is crawler and known[1] is identity:
            return known[2]
        right, rule = self._right_of(crawler, identity)
        verdict = by_right(right, rule, crawler, identity)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[crawler.name] = crawler, identity, verdict
        return verdict


_GENERAL = frozenset(("purpose", "crawler", "identity", "score"))


def _paths(when: When) -> list[str]:
    return [*when.path, *(text for part in when.parts() for text in _paths(part))]


def _verdict(found: Found, fallback: Verdict, signals: tuple[Signal, ...], score: float) -> Verdict:
    """What the rules found comes to; ``fallback`` where none of them decides."""
    rule = found.rule
    verdict = fallback if rule is None else rule.verdict
    if not (found.shadow or found.paces or found.wait):
        return verdict
    private = verdict.private_reason
    if found.wait:
        private = f"{private}, next request admitted in {found.wait:.1f} s"
    return _made(verdict, private, found.wait or None, signals, score, found.shadow, found.paces)


def _strictest(verdict: Verdict, others: list[Verdict]) -> Verdict:
    """The strictest of several; rules in shadow and limits of all of them, each once."""
    worst = max([verdict, *others], key=severity)
    shadow = tuple(dict.fromkeys(name for one in (verdict, *others) for name in one.shadow))
    paces = tuple(dict.fromkeys(pace for one in (verdict, *others) for pace in one.paces))
    return worst if (shadow, paces) == (worst.shadow, worst.paces) else replace(worst, shadow=shadow, paces=paces)


_set = {name: Verdict.__dict__[name].__set__ for name in Verdict.__slots__}
_action, _rendition, _rule, _public, _private = (
    _set[name] for name in ("action", "rendition", "rule", "public_reason", "private_reason")
)
_retry, _signals, _score, _shadow, _paces = (
    _set[name] for name in ("retry_after", "signals", "score", "shadow", "paces")
)


def _made(
    verdict: Verdict,
    private: str,
    retry: float | None,
    signals: tuple[Signal, ...],
    score: float,
    shadow: tuple[str, ...],
    paces: tuple[Pace, ...],
) -> Verdict:
    """``verdict`` with other words for the log, another time to wait, and what it rests on.

    Every new reader comes this way, and a frozen class takes twice as long to make its own.
    """
    made: Verdict = object.__new__(Verdict)
    _action(made, verdict.action)
    _rendition(made, verdict.rendition)
    _rule(made, verdict.rule)
    _public(made, verdict.public_reason)
    _private(made, private)
    _retry(made, retry)
    _signals(made, signals)
    _score(made, score)
    _shadow(made, shadow)
    _paces(made, paces)
    return made


def _told(verdict: Verdict, signals: tuple[Signal, ...], score: float) -> Verdict:
    """``verdict`` with the signals that it rests on."""
    return _made(verdict, verdict.private_reason, verdict.retry_after, signals, score, verdict.shadow, verdict.paces)
