"""What can be wrong with a policy whose shapes are right: names that mean nothing, patterns and limits that cannot be
read, rules that can never act.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from contentguard.errors import Fault
from contentguard.limits import Limit
from contentguard.model import Purpose, Standing
from contentguard.policy.faults import shown, unknown
from contentguard.policy.networks import interval
from contentguard.policy.paths import parse_pattern
from contentguard.policy.rules import READER, READERS_PACE, ROBOT, Rule, When

CLASSES = (READER, ROBOT, *(purpose.value for purpose in Purpose))
"""What ``purpose`` may name in a rule."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,63}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")


def rule_faults(rules: Sequence[Rule | None], thresholds: Mapping[str, float]) -> Iterator[Fault]:
    """What is wrong with rules, in their order; None stands for one that could not be read."""
    for place, rule in enumerate(rules):
        if rule is None:
            continue
        where = f"rules.{place}"
        if not _NAME.fullmatch(rule.name):
            yield Fault(f"{where}.name", shown(rule.name), "a name of up to 64 letters, digits, spaces, _ . and -")
        yield from _limit_faults(rule, where)
        yield from when_faults(rule.when, f"{where}.when", thresholds)
    for name, times in Counter(rule.name for rule in rules if rule is not None).items():
        if times > 1:
            yield Fault("rules", f"{times} rules named {name!r}", "a name of its own for each rule")


def _limit_faults(rule: Rule, where: str) -> Iterator[Fault]:
    if not rule.is_paced:
        if rule.limit or rule.counts:
            given = "limit" if rule.limit else "counts"
            yield Fault(f"{where}.{given}", f"one in a rule that does {rule.action.value}", "none, or action throttle")
        return
    if rule.action.value == "throttle" and not rule.limit:
        yield Fault(f"{where}.limit", "none", "how much a client may ask for, e.g. 10/minute")
        return
    yield from _unreadable(rule.limit or READERS_PACE, f"{where}.limit", Limit.parse)
    if rule.counts not in ("", "requests", "articles"):
        yield unknown(f"{where}.counts", rule.counts, "one of", ("requests", "articles"))


def _unreadable(text: str, where: str, read: Callable[[str], object]) -> Iterator[Fault]:
    try:
        read(text)
    except ValueError as error:
        yield Fault(where, shown(text), str(error))


def when_faults(when: When, where: str, thresholds: Mapping[str, float]) -> Iterator[Fault]:
    """What is wrong with the conditions ``when``."""
    for text in when.path:
        yield from _unreadable(text, f"{where}.path", parse_pattern)
    for text in when.client:
        yield from _unreadable(text, f"{where}.client", interval)
    for condition, names, allowed in (
        ("purpose", when.purpose, CLASSES),
        ("identity", when.identity, tuple(Standing)),
    ):
        yield from (unknown(f"{where}.{condition}", n, "one of", allowed) for n in names if n not in allowed)
    yield from _text_faults(when, where)
    yield from _score_faults(when, where, thresholds)
    for name, tables in (("all", when.all), ("any", when.any), ("not", (when.not_,) if when.not_ else ())):
        for place, part in enumerate(tables):
            yield from when_faults(part, f"{where}.{name}" + ("" if name == "not" else f".{place}"), thresholds)


def _text_faults(when: When, where: str) -> Iterator[Fault]:
    for header in when.header:
        if not _TOKEN.fullmatch(header.name):
            yield Fault(f"{where}.header.name", shown(header.name), "a header's name, like user-agent")
        if header.equals is not None and header.contains is not None:
            yield Fault(f"{where}.header", "both equals and contains", "one of the two")
        if not f"{header.equals}{header.contains}".isascii():
            yield Fault(f"{where}.header", shown(header.equals or header.contains), "a text in ASCII")
    for method in when.method:
        if not _TOKEN.fullmatch(method):
            yield Fault(f"{where}.method", shown(method), "a method, like GET")


def _score_faults(when: When, where: str, thresholds: Mapping[str, float]) -> Iterator[Fault]:
    if when.score is None:
        return
    bounds = {"at_least": when.score.at_least, "below": when.score.below}
    if set(bounds.values()) == {None}:
        yield Fault(f"{where}.score", "no bound", "at_least, below or both")
    for bound, value in bounds.items():
        if isinstance(value, str) and value not in thresholds:
            yield unknown(f"{where}.score.{bound}", value, "a number or the name of a threshold", thresholds)
        elif isinstance(value, int | float) and not math.isfinite(value):
            yield Fault(f"{where}.score.{bound}", shown(value), "a number")


def threshold_faults(thresholds: Mapping[str, float]) -> Iterator[Fault]:
    """What is wrong with thresholds."""
    for name, value in thresholds.items():
        if not _NAME.fullmatch(name):
            yield Fault("thresholds", shown(name), "a name of letters, digits and -")
        if not math.isfinite(value):
            yield Fault(f"thresholds.{name}", shown(value), "a number")


def crawler_faults(rules: Sequence[Rule | None], exceptions: Collection[str], names: Iterable[str]) -> Iterator[Fault]:
    """The robots that ``rules`` and ``exceptions`` name and the catalogue (``names``) does not."""
    known = {name.lower(): name for name in names}
    for name in exceptions:
        if name.lower() not in known:
            yield unknown(f"crawlers.{name}", name, "the name of a robot in the catalogue", known.values())
    for place, rule in enumerate(rules):
        for where, name in _crawlers(rule.when, f"rules.{place}.when") if rule else ():
            if name.lower() not in known:
                yield unknown(where, name, "the name of a robot in the catalogue", known.values())


def _crawlers(when: When, where: str) -> Iterator[tuple[str, str]]:
    yield from ((f"{where}.crawler", name) for name in when.crawler)
    for part in when.parts():
        yield from _crawlers(part, where)
