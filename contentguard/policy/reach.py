"""On which paths a rule holds for an honest robot, as far as that can be told from its name and purpose alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from contentguard.model import Standing
from contentguard.policy.paths import Pattern, parse_pattern
from contentguard.policy.rules import ROBOT, When

_HONEST = frozenset(identity.value for identity in Standing if identity is not Standing.SPOOFED)


class Reach(NamedTuple):
    """Where a rule holds: everywhere, on the paths of some patterns, nowhere (no pattern), or it cannot be told."""

    patterns: tuple[Pattern, ...] = ()
    everywhere: bool = False
    unknown: bool = False


NOWHERE, EVERYWHERE, UNKNOWN = Reach(), Reach(everywhere=True), Reach(unknown=True)


def reach(when: When, kind: str, name: str) -> Reach:
    """Where ``when`` holds for a robot of this class and (lower-case) name that is no impostor."""
    parts = list(_own(when, kind, name))
    parts += [reach(part, kind, name) for part in when.all]
    if when.any:
        parts.append(_either(reach(part, kind, name) for part in when.any))
    if when.not_ is not None:
        parts.append(_not(reach(when.not_, kind, name)))
    found = EVERYWHERE
    for part in parts:
        found = _both(found, part)
    return found


def _own(when: When, kind: str, name: str) -> Iterator[Reach]:
    if when.purpose:
        yield _known(kind in when.purpose or (ROBOT in when.purpose and kind != "reader"))
    if when.crawler:
        yield _known(name in map(str.lower, when.crawler))
    if when.identity:
        told = _HONEST.intersection(when.identity)
        yield _known(bool(told)) if told in (frozenset(), _HONEST) else UNKNOWN
    if when.path:
        patterns = tuple(map(parse_pattern, when.path))
        yield EVERYWHERE if any(map(_is_everything, patterns)) else Reach(patterns)
    if when.method and "GET" not in map(str.upper, when.method):
        yield UNKNOWN
    if when.score is not None or when.client or when.header:
        yield UNKNOWN


def _is_everything(pattern: Pattern) -> bool:
    return pattern.is_prefix and pattern.prefix in ("", "/")


def _known(holds: bool) -> Reach:
    return EVERYWHERE if holds else NOWHERE


def _both(one: Reach, other: Reach) -> Reach:
    if NOWHERE in (one, other):
        return NOWHERE
    if one.unknown or other.unknown:
        return UNKNOWN
    if one.everywhere or other.everywhere:
        return other if one.everywhere else one
    shared: list[Pattern] = []
    for a in one.patterns:
        for b in other.patterns:
            if a.covers(b) or b.covers(a):
                shared.append(b if a.covers(b) else a)
            elif a.may_meet(b):
                # Their common paths are those of no single pattern.
                return UNKNOWN
    return Reach(tuple(shared))


def _either(parts: Iterable[Reach]) -> Reach:
    parts = list(parts)
    if any(part.everywhere for part in parts):
        return EVERYWHERE
    if any(part.unknown for part in parts):
        return UNKNOWN
    return Reach(tuple(pattern for part in parts for pattern in part.patterns))


def _not(part: Reach) -> Reach:
    if part.everywhere:
        return NOWHERE
    return EVERYWHERE if part == NOWHERE else UNKNOWN
