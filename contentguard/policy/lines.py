"""Path patterns of which the first that matches decides → lines of which also the longest decides the same.

RFC 9309 (2.2.2) lets the longest pattern win, and of equally long ones the permission; a policy, like some old readers
of robots.txt, lets the first win. A pattern can be made longer without changing what it matches (``/a`` and ``/a**``
match the same), so where two lines may meet and disagree the earlier one is lengthened until it is the longest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from contentguard.policy.paths import Pattern
from contentguard.terms import Line

_EVERYTHING = Pattern(("/",), anchored=False)


class Place(NamedTuple):
    """What one rule says of the paths of one pattern."""

    rule: str
    pattern: Pattern
    granted: bool


class Said(NamedTuple):
    """Lines for robots.txt, and the rules that could not be put into any."""

    lines: tuple[Line, ...]
    unsaid: frozenset[str] = frozenset()


def ranked(places: Iterable[Place], *, granted: bool) -> Said:
    """The lines for ``places``, of which the first that matches decides, and ``granted`` for all other paths."""
    kept = _needed(_reachable(places), granted)
    lines = [Line("/", granted)]
    after: list[tuple[Place, int]] = [(Place("", _EVERYTHING, granted), 1)]
    unsaid = set()
    for place in reversed(kept):
        against = [length for later, length in after if _disagree(place, later)]
        texts = _lengthened(place.pattern, max(against, default=0) + (not place.granted))
        if not texts:
            unsaid.add(place.rule)
            continue
        lines[:0] = [Line(text, place.granted) for text in texts]
        after.append((place, max(map(_most, texts))))
    return Said(tuple(lines), frozenset(unsaid))


def _disagree(one: Place, other: Place) -> bool:
    return one.granted is not other.granted and one.pattern.may_meet(other.pattern)


def _reachable(places: Iterable[Place]) -> list[Place]:
    """Those that an earlier one does not hide."""
    kept: list[Place] = []
    for place in places:
        if not any(earlier.pattern.covers(place.pattern) for earlier in kept):
            kept.append(place)
    return kept


def _needed(places: list[Place], granted: bool) -> list[Place]:
    """Those that say something that would not hold without them."""
    kept: list[Place] = []
    for place in reversed(places):
        if place.granted is not granted or any(_disagree(place, later) for later in kept):
            kept.append(place)
    return kept[::-1]


def _lengthened(pattern: Pattern, length: int) -> list[str]:
    """``pattern`` as lines of at least ``length`` octets each; none where that is impossible.

    A pattern that ends with ``$`` speaks of the path, and robots match path and query: it takes a second line.
    """
    text = str(pattern)
    texts = [text, text[:-1] + "?"] if pattern.anchored else [text]
    made = [_stretched(one, length - len(one)) for one in texts]
    return [one for one in made if one is not None] if None not in made else []


def _stretched(text: str, missing: int) -> str | None:
    if missing <= 0:
        return text
    if not text.endswith("$"):
        return text + "*" * missing
    return text.replace("*", "*" * (missing + 1), 1) if "*" in text else None


def _most(text: str) -> int:
    """The octets of a line for readers that write what is not a letter, digit or one of ``/_.~=*-`` as ``%xx``."""
    return len(text) + 2 * sum(not (char.isalnum() or char in "/_.~=*-$%") for char in text)
