"""What would change a verdict: the same request judged again with one thing about it changed.

Strategy: nothing is reasoned out. Every condition that the policy has names something that could be different (an
identity, a score on the other side of a bound, a path, an address, a header, a limit); each is tried, and what comes to
another outcome is told. So an explanation cannot say what is not so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from contentguard.model import Facts, Signal, Standing, Verdict
from contentguard.policy.conditions import bounds
from contentguard.policy.decide import decide, over
from contentguard.policy.networks import interval, number
from contentguard.policy.paths import parse_pattern
from contentguard.policy.policy import Policy
from contentguard.policy.rules import Header, Rule, When
from contentguard.policy.score import NO_CAPS, score
from contentguard.policy.words import outcome

MOST = 64
"""How many changes of one kind are tried."""

_ELSEWHERE = "/elsewhere-that-no-rule-names"


class Change(NamedTuple):
    """One thing that would change the verdict."""

    kind: str
    """``identity``, ``crawler``, ``score``, ``signal``, ``path``, ``client``, ``header``, ``method``, ``limit`` or
    ``shadow``."""
    what: str
    verdict: Verdict
    """The verdict that would be given then."""


def changes(
    policy: Policy, facts: Facts, signals: Sequence[Signal] = (), caps: Mapping[str, float] = NO_CAPS
) -> list[Change]:
    """All single changes that come to another outcome, by kind; of each kind at most ``MOST`` are tried."""
    told = tuple(signals)
    now = decide(policy, facts, told, caps)
    found = [change for make in _KINDS for change in islice(make(policy, facts, told, caps), MOST)]
    return [change for change in found if outcome(change.verdict) != outcome(now)]


def whens(policy: Policy) -> Iterator[tuple[Rule, When]]:
    """Every table of conditions of a policy, with its rule."""
    for rule in policy.effective_rules():
        tables = [rule.when]
        while tables:
            when = tables.pop()
            yield rule, when
            tables += when.parts()


_Caps = Mapping[str, float]
_Signals = tuple[Signal, ...]


def _identity(policy: Policy, facts: Facts, signals: _Signals, caps: _Caps) -> Iterator[Change]:
    for identity in Standing if facts.crawler is not None else ():
        if identity is not facts.identity:
            verdict = decide(policy, replace(facts, identity=identity), signals, caps)
            yield Change("identity", f"identity {identity.value}", verdict)


def _crawler(policy: Policy, facts: Facts, signals: _Signals, caps: _Caps) -> Iterator[Change]:
    if facts.crawler is not None:
        other = replace(facts, crawler=None, identity=Standing.UNKNOWN)
        yield Change("crawler", "a User-Agent that declares no robot", decide(policy, other, signals, caps))


def _score(policy: Policy, facts: Facts, signals: _Signals, caps: _Caps) -> Iterator[Change]:
    """Every stretch of scores between two bounds that the rules name; neighbours of one outcome are told once."""
    now = score(signals, caps)
    edges = sorted({edge for _, when in whens(policy) if when.score for edge in bounds(when.score, _named(policy))})
    known = decide(policy, facts, signals, caps)
    for edge in reversed([edge for edge in edges if -1e300 < edge <= now]):
        verdict = policy.compiled.judge(facts, signals, _just_below(edge))
        if outcome(verdict) != outcome(known):
            yield Change("score", f"a score below {edge:g}", verdict)
        known = verdict
    known = decide(policy, facts, signals, caps)
    for edge in (edge for edge in edges if now < edge < 1e300):
        verdict = policy.compiled.judge(facts, signals, edge)
        if outcome(verdict) != outcome(known):
            yield Change("score", f"a score of {edge:g} or more", verdict)
        known = verdict


def _named(policy: Policy) -> dict[str, float]:
    return policy.effective_thresholds()


def _just_below(edge: float) -> float:
    return edge - max(1e-9, abs(edge) * 1e-9)


def _signal(policy: Policy, facts: Facts, signals: _Signals, caps: _Caps) -> Iterator[Change]:
    for place, signal in enumerate(signals):
        rest = signals[:place] + signals[place + 1 :]
        yield Change("signal", f"without {signal.name}", decide(policy, facts, rest, caps))


def _path(policy: Policy, facts: Facts, signals: _Signals, caps: _Caps) -> Iterator[Change]:
    texts = dict.fromkeys(text for _, when in whens(policy) for text in when.path)
    if texts:
        elsewhere = replace(facts, path=_ELSEWHERE)
        yield Change("path", "a path that no rule names", decide(policy, elsewhere, signals, caps))
    for text in texts:
        pattern = parse_pattern(text)
        example = "x".join(pattern.parts)
        if not pattern.matches(facts.path):
            yield Change("path", f"path {text}", decide(policy, replace(facts, path=example), signals, caps))


def _client(policy: Policy, facts: Facts, signals: _Signals, caps: _Caps) -> Iterator[Change]:
    networks = dict.fromkeys(text for _, when in whens(policy) for text in when.client)
    if networks:
        unknown = decide(policy, replace(facts, client=None), signals, caps)
        yield Change("client", "an address that no rule names", unknown)
    for text in networks:
        first, end = interval(text)
        if not first <= number(facts.client) < end:
            address = text.partition("/")[0]
            yield Change("client", f"client in {text}", decide(policy, replace(facts, client=address), signals, caps))


def _header(policy: Policy, facts: Facts, signals: _Signals, caps: _Caps) -> Iterator[Change]:
    for header in dict.fromkeys(header for _, when in whens(policy) for header in when.header):
        rest = tuple(pair for pair in facts.headers if pair[0].lower() != header.name.lower().encode())
        if rest != facts.headers:
            without = decide(policy, replace(facts, headers=rest), signals, caps)
            yield Change("header", f"without header {header.name}", without)
        told = replace(facts, headers=(*rest, (header.name.lower().encode(), _value(header))))
        yield Change("header", f"header {header.name} as the rule wants it", decide(policy, told, signals, caps))


def _value(header: Header) -> bytes:
    return (header.equals or header.contains or "x").encode("ascii")


def _method(policy: Policy, facts: Facts, signals: _Signals, caps: _Caps) -> Iterator[Change]:
    named = [method.upper() for _, when in whens(policy) for method in when.method]
    for method in dict.fromkeys((*named, "GET", "POST") if named else ()):
        if method != facts.method:
            yield Change("method", f"method {method}", decide(policy, replace(facts, method=method), signals, caps))


def _limit(policy: Policy, facts: Facts, signals: _Signals, caps: _Caps) -> Iterator[Change]:
    if facts.wait > 0:
        yield Change("limit", "within the limit", decide(policy, replace(facts, wait=0.0), signals, caps))
    known = dict(facts.waits)
    for rule in policy.effective_rules():
        if rule.is_paced and known.get(rule.name, 0.0) > 0:
            rest = tuple((name, seconds) for name, seconds in facts.waits if name != rule.name)
            within = decide(policy, replace(facts, waits=rest), signals, caps)
            yield Change("limit", f"within the limit of {rule.name}", within)
        elif rule.is_paced:
            beyond = decide(policy, over(facts, {rule.name: 1.0}), signals, caps)
            yield Change("limit", f"over the limit of {rule.name}", beyond)


def _shadow(policy: Policy, facts: Facts, signals: _Signals, caps: _Caps) -> Iterator[Change]:
    for name in decide(policy, facts, signals, caps).shadow:
        # All rules as the site's own, in their order: a preset's may be in shadow of itself.
        rules = tuple(replace(rule, shadow=rule.shadow and rule.name != name) for rule in policy.effective_rules())
        live = replace(policy, rules=rules, shadow=())
        yield Change("shadow", f"rule {name} out of shadow", decide(live, facts, signals, caps))


_KINDS = (_identity, _crawler, _score, _signal, _path, _client, _header, _method, _limit, _shadow)
