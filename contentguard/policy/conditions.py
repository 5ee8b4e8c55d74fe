"""Conditions made ready: each table of a rule as one function of what is asked, and the keys it can be found by.

Strategy: every kind of condition is one function that makes a test, and one that names its anchors: the keys of which
a request must have one, or the condition cannot hold. A rule is only looked at when a request has such a key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from contentguard.model import Facts, Purpose
from contentguard.policy.intervals import Span, beginning_with, exactly
from contentguard.policy.networks import interval, number
from contentguard.policy.paths import Pattern, parse_pattern
from contentguard.policy.rules import READER, ROBOT, Header, Score, When

ROBOTS = frozenset(purpose.value for purpose in Purpose)


class Question:
    """One request as conditions see it, under one spelling of its path."""

    __slots__ = ("_headers", "_lowered", "facts", "kind", "name", "path", "score")

    def __init__(self, facts: Facts, path: str, score: float, kind: str, name: str) -> None:
        self.facts, self.path, self.score, self.kind, self.name = facts, path, score, kind, name
        self._headers: dict[bytes, list[bytes]] | None = None
        self._lowered: dict[bytes, list[bytes]] = {}

    def at(self, path: str) -> Question:
        """The same request under another spelling of its path."""
        self.path = path
        return self

    @property
    def headers(self) -> dict[bytes, list[bytes]]:
        """Lower-case name → values in their order."""
        if self._headers is None:
            self._headers = {}
            for key, value in self.facts.headers:
                self._headers.setdefault(key.lower(), []).append(value)
        return self._headers

    def lowered(self, name: bytes) -> list[bytes]:
        """The values of one header in lower case; worked out once, for they may be long."""
        found = self._lowered.get(name)
        if found is None:
            found = self._lowered[name] = [value.lower() for value in self.headers.get(name, ())]
        return found


Test = Callable[[Question], bool]


class Anchor(NamedTuple):
    """A key that a request may have, in one of the ways in which requests are told apart."""

    kind: str
    key: Any
    broad: bool = False
    """Whether most requests have it."""


Anchors = tuple[Anchor, ...]


class Condition(NamedTuple):
    """A table of conditions, ready."""

    holds: Test
    anchors: tuple[Anchors, ...]
    """Each alone suffices to find the rule: a request for which it holds has one of that set's keys."""


def compile_when(when: When, thresholds: Mapping[str, float], *, loose: bool) -> Condition:
    """The conditions ``when``; ``loose``: for paths in the form that ``paths.spellings`` gives."""
    parts = list(_own(when, thresholds, loose))
    parts += [compile_when(part, thresholds, loose=loose) for part in when.all]
    if when.any:
        parts.append(_any([compile_when(part, thresholds, loose=loose) for part in when.any]))
    if when.not_ is not None:
        denied = compile_when(when.not_, thresholds, loose=loose).holds
        parts.append(Condition(lambda question: not denied(question), ()))
    if len(parts) == 1:
        return parts[0]
    tests = tuple(part.holds for part in parts)
    return Condition(_all(tests), tuple(anchors for part in parts for anchors in part.anchors))


def _all(tests: tuple[Test, ...]) -> Test:
    def holds(question: Question) -> bool:
        return all(test(question) for test in tests)

    return holds


def _any(parts: list[Condition]) -> Condition:
    """One of several tables: found by a key of any of them, if each has keys."""
    tests = tuple(part.holds for part in parts)
    found = tuple(anchor for part in parts for anchor in best(part.anchors)) if all(p.anchors for p in parts) else ()
    return Condition(lambda question: any(test(question) for test in tests), (found,) if found else ())


def best(anchors: tuple[Anchors, ...]) -> Anchors:
    """The set of keys that the fewest requests are likely to have one of."""
    return min(
        anchors, key=lambda one: (any(anchor.broad for anchor in one), _RANKS[one[0].kind], len(one)), default=()
    )


_RANKS = {
    kind: rank
    for rank, kind in enumerate(
        ("value", "crawler", "client", "prefix", "suffix", "score", "identity", "method", "purpose", "header")
    )
}
"""Ways to find a rule, the sharpest first."""


def _own(when: When, thresholds: Mapping[str, float], loose: bool) -> Iterator[Condition]:
    """What the table itself says, the cheapest tests first."""
    if when.identity:
        yield _words("identity", frozenset(when.identity), lambda q: q.facts.identity.value)
    if when.score is not None:
        yield _score(when.score, thresholds)
    if when.purpose:
        yield _words("purpose", frozenset(_kinds(when.purpose)), lambda q: q.kind)
    if when.crawler:
        yield _words("crawler", frozenset(map(str.lower, when.crawler)), lambda q: q.name)
    if when.method:
        yield _words("method", frozenset(_methods(when.method)), lambda q: q.facts.method.upper())
    if when.path:
        patterns = [parse_pattern(text) for text in when.path]
        yield _path([pattern.loosened() for pattern in patterns] if loose else patterns)
    if when.client:
        yield _client(when.client)
    yield from map(_header, when.header)


def _kinds(purposes: Iterable[str]) -> Iterator[str]:
    for purpose in purposes:
        yield from ROBOTS if purpose == ROBOT else (purpose,)


def _methods(methods: Iterable[str]) -> Iterator[str]:
    for method in methods:
        yield method.upper()
        if method.upper() == "GET":
            yield "HEAD"


_BROAD = frozenset({READER, "GET", "HEAD", "unknown"})


def _words(kind: str, words: frozenset[str], word: Callable[[Question], str]) -> Condition:
    anchors = tuple(Anchor(kind, one, one in _BROAD) for one in sorted(words))
    return Condition(lambda question: word(question) in words, (anchors,))


def bounds(score: Score, thresholds: Mapping[str, float]) -> tuple[float, float]:
    """The scores that ``score`` is about: from the first up to, but not including, the second."""
    low, high = (thresholds[bound] if isinstance(bound, str) else bound for bound in (score.at_least, score.below))
    return -math.inf if low is None else low, math.inf if high is None else high


def _score(score: Score, thresholds: Mapping[str, float]) -> Condition:
    low, high = bounds(score, thresholds)
    # An infinite score is above every threshold too: the last interval is open.
    span = Span(low, None if high == math.inf else high)
    if high == math.inf:
        return Condition(lambda question: low <= question.score, ((Anchor("score", span, low <= 0),),))
    return Condition(lambda question: low <= question.score < high, ((Anchor("score", span, low <= 0),),))


def _path(patterns: list[Pattern]) -> Condition:
    alone = patterns[0] if len(patterns) == 1 else None
    matches = tuple(pattern.matches for pattern in patterns)
    holds: Test = (
        (lambda question: alone.matches(question.path))
        if alone is not None
        else (lambda question: any(match(question.path) for match in matches))
    )
    prefixes = tuple(Anchor("prefix", _prefix_span(p), len(p.prefix) < 2) for p in patterns)
    suffixes = tuple(Anchor("suffix", beginning_with(p.suffix[::-1])) for p in patterns if len(p.suffix) > 1)
    return Condition(holds, (prefixes, suffixes) if len(suffixes) == len(patterns) else (prefixes,))


def _prefix_span(pattern: Pattern) -> Span:
    return exactly(pattern.prefix) if pattern.is_exact else beginning_with(pattern.prefix)


def _client(networks: Iterable[str]) -> Condition:
    spans = [Span(*interval(text)) for text in networks]

    def holds(question: Question) -> bool:
        address = number(question.facts.client)
        return any(low <= address < high for low, high in spans)

    # A sixteenth of all addresses is no way to tell requests apart.
    anchors = tuple(Anchor("client", span, span.high - span.low > 1 << 124) for span in spans)
    return Condition(holds, (anchors,))


def _header(header: Header) -> Condition:
    name = header.name.lower().encode("ascii")
    if header.equals is not None:
        value = header.equals.encode("ascii")
        return Condition(lambda q: value in q.headers.get(name, ()), ((Anchor("value", (name, value)),),))
    anchors = ((Anchor("header", name, True),),)
    if header.contains is None:
        return Condition(lambda q: name in q.headers, anchors)
    part = header.contains.lower().encode("ascii")
    return Condition(lambda q: any(part in value for value in q.lowered(name)), anchors)
