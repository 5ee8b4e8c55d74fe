"""The policy's meaning, written as plainly as possible: every rule in its order, every condition from scratch."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from unicodedata import normalize
from urllib.parse import unquote

from contentguard import Facts, Policy, Right, Signal
from contentguard.model import Action, Rendition, Standing
from contentguard.policy import Rule, When, is_open
from contentguard.policy.paths import spellings

CAP = 4.0


class Outcome(NamedTuple):
    """What of a verdict is compared."""

    action: Action
    rendition: Rendition
    rule: str
    retry_after: float | None
    score: float
    shadow: tuple[str, ...]
    paces: tuple[str, ...]


def score(signals: tuple[Signal, ...], caps: Mapping[str, float]) -> float:
    groups: dict[str, list[float]] = defaultdict(list)
    for signal in signals:
        groups[signal.group].append(signal.weight)
    return sum(min(caps.get(g, CAP), max(-caps.get(g, CAP), sum(weights))) for g, weights in groups.items())


def path_matches(pattern: str, path: str, *, fold: bool) -> bool:
    if pattern.startswith("*"):
        pattern = "/" + pattern
    end = r"\Z" if pattern.endswith("$") else ""
    parts = [unquote(part) for part in pattern.removesuffix("$").split("*")]
    if fold:
        parts = [normalize("NFKC", part).casefold() for part in parts]
    return re.match(".*".join(map(re.escape, parts)) + end, path, re.DOTALL) is not None


def client_in(network: str, client: str | None) -> bool:
    try:
        address = ipaddress.ip_address((client or "").partition("%")[0])
    except ValueError:
        return False
    net = ipaddress.ip_network(network)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped and net.version == 4:
        address = address.ipv4_mapped
    if address.version == 4 and net.version == 6:
        return ipaddress.ip_address(f"::ffff:{address}") in net
    return address in net


class Asked(NamedTuple):
    facts: Facts
    path: str
    fold: bool
    kind: str
    score: float
    thresholds: Mapping[str, float]


def _bound(bound: float | str | None, asked: Asked) -> float | None:
    return asked.thresholds[bound] if isinstance(bound, str) else bound


def holds(when: When, asked: Asked) -> bool:
    return all(_parts(when, asked))


def _parts(when: When, asked: Asked) -> Iterator[bool]:
    facts, kind = asked.facts, asked.kind
    name = facts.crawler.name.lower() if facts.crawler else ""
    if when.path:
        yield any(path_matches(pattern, asked.path, fold=asked.fold) for pattern in when.path)
    if when.purpose:
        yield any(kind == purpose or (purpose == "robot" and kind != "reader") for purpose in when.purpose)
    if when.crawler:
        yield name in [crawler.lower() for crawler in when.crawler]
    if when.identity:
        yield facts.identity in when.identity
    if when.score is not None:
        low, high = (_bound(bound, asked) for bound in (when.score.at_least, when.score.below))
        yield (low is None or asked.score >= low) and (high is None or asked.score < high)
    if when.client:
        yield any(client_in(network, facts.client) for network in when.client)
    if when.method:
        methods = {method.upper() for method in when.method}
        yield facts.method.upper() in (methods | ({"HEAD"} if "GET" in methods else set()))
    for header in when.header:
        values = [v for k, v in facts.headers if k.lower() == header.name.lower().encode()]
        if header.equals is not None:
            yield header.equals.encode() in values
        elif header.contains is not None:
            yield any(header.contains.lower().encode() in value.lower() for value in values)
        else:
            yield bool(values)
    if when.all:
        yield all(holds(part, asked) for part in when.all)
    if when.any:
        yield any(holds(part, asked) for part in when.any)
    if when.not_ is not None:
        yield not holds(when.not_, asked)


REFUSED = {Action.THROTTLE, Action.WAIT, Action.CHARGE, Action.DENY}
SMALLER = {Action.EXCERPT, Action.HEAD}
STRICT = [
    (Action.ALLOW, Rendition.FULL),
    (Action.ALLOW, Rendition.LEAD),
    (Action.ALLOW, Rendition.HEAD),
    (Action.ALLOW, Rendition.NONE),
    (Action.THROTTLE, Rendition.NONE),
    (Action.WAIT, Rendition.NONE),
    (Action.CHARGE, Rendition.NONE),
    (Action.DENY, Rendition.NONE),
]


def decided(
    policy: Policy, facts: Facts, signals: tuple[Signal, ...] = (), caps: Mapping[str, float] | None = None
) -> Outcome:
    total = score(signals, caps or {})
    if facts.wait > 0 and not is_open(facts.path):
        return Outcome(Action.THROTTLE, Rendition.NONE, "limits.requests", facts.wait, total, (), ())
    kind = policy.compiled.kind_of(facts.crawler)
    forms = [(facts.path, False), *((form, True) for form in spellings(facts.path))]
    found = [
        first(policy, Asked(facts, path, fold, kind, total, policy.effective_thresholds())) for path, fold in forms
    ]
    worst = max(found, key=lambda one: STRICT.index((one.action, one.rendition)))
    shadow = tuple(dict.fromkeys(name for one in found for name in one.shadow))
    paces = tuple(dict.fromkeys(name for one in found for name in one.paces))
    worst = worst._replace(shadow=shadow, paces=paces)
    if worst.action in REFUSED and is_open(facts.path):
        worst = worst._replace(action=Action.ALLOW, rendition=Rendition.NONE, retry_after=None)
    return worst


def first(policy: Policy, asked: Asked) -> Outcome:
    waits = {name: seconds for name, seconds in asked.facts.waits if seconds > 0}
    shadow: tuple[str, ...] = ()
    paces: tuple[str, ...] = ()
    for rule in policy.effective_rules():
        if not holds(rule.when, asked):
            continue
        if rule.is_paced and rule.name not in waits:
            paces += (rule.name,)
        elif rule.shadow:
            shadow += (rule.name,)
        else:
            return Outcome(*_done(rule), waits.get(rule.name) if rule.is_paced else None, asked.score, shadow, paces)
    action, rendition, rule_name = _right(policy, asked.facts)
    return Outcome(action, rendition, rule_name, None, asked.score, shadow, paces)


def _done(rule: Rule) -> tuple[Action, Rendition, str]:
    if rule.action is Action.LEAD:
        return Action.ALLOW, Rendition.LEAD, rule.name
    if rule.action in SMALLER:
        return Action.ALLOW, Rendition.HEAD, rule.name
    return rule.action, Rendition.FULL if rule.action is Action.ALLOW else Rendition.NONE, rule.name


RIGHTS = {
    Right.ALLOW: (Action.ALLOW, Rendition.FULL),
    Right.EXCERPT: (Action.ALLOW, Rendition.HEAD),
    Right.HEAD: (Action.ALLOW, Rendition.HEAD),
    Right.NO_ARTICLES: (Action.ALLOW, Rendition.NONE),
    Right.CHARGE: (Action.CHARGE, Rendition.NONE),
    Right.DENY: (Action.DENY, Rendition.NONE),
}


def _right(policy: Policy, facts: Facts) -> tuple[Action, Rendition, str]:
    if facts.crawler is None:
        return Action.ALLOW, Rendition.FULL, "readers"
    crawler = facts.crawler
    named = {name.lower(): right for name, right in policy.crawlers.items()}
    if crawler.name.lower() in named:
        return *RIGHTS[named[crawler.name.lower()]], f"crawlers.{crawler.name}"
    if crawler.name == "HeadlessChrome":
        return Action.ALLOW, Rendition.FULL, "crawlers.HeadlessChrome"
    right = policy.effective_rights()[crawler.purpose]
    if facts.identity is not Standing.VERIFIED:
        least = policy.effective_unverified().get(crawler.purpose, right)
        if list(Right).index(least) > list(Right).index(right):
            return *RIGHTS[least], f"unverified.{crawler.purpose.value}"
    return *RIGHTS[right], f"rights.{crawler.purpose.value}"
