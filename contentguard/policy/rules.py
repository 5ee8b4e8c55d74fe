"""A rule: under what conditions, what is done.

Strategy: rules are plain values, as a person writes them; nothing here judges a request. What one table names must
all hold; of several values under one name any will do; ``all``, ``any`` and ``not`` combine tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from contentguard.limits import Limit
from contentguard.model import Action, Purpose

READER = "reader"
"""The class of whoever declares no robot (or a browser without a screen, whose name decides nothing)."""
ROBOT = "robot"
"""Every class but ``reader``."""

READERS_PACE = "30/minute burst 1"
"""The pace of a ``wait`` rule that names none: one article in two seconds."""

_PACED = {Action.THROTTLE: "requests", Action.WAIT: "articles"}
"""Actions that hold a client to a limit, and what counts where the rule does not say."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score from ``at_least`` up to, but not including, ``below``; numbers or names of thresholds."""

    at_least: float | str | None = None
    below: float | str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """A request header that is there and, where that is given, equals or contains a text.

    ``equals`` heeds letter case and ``contains`` does not. A header that came several times counts if one of them does.
    """

    name: str
    equals: str | None = None
    contains: str | None = None


@dataclass(frozen=True, slots=True)
class When:
    """Conditions, of which all that are given must hold; without any they always do."""

    path: tuple[str, ...] = ()
    """Path patterns as in robots.txt: ``/archive/`` (all below), ``/*.pdf$``, ``/about$`` (this one alone)."""
    purpose: tuple[str, ...] = ()
    """Purposes of declared robots; ``robot`` for any of them, ``reader`` for who declares nothing."""
    crawler: tuple[str, ...] = ()
    """Robots by their names in the catalogue."""
    identity: tuple[str, ...] = ()
    """``verified``, ``spoofed``, ``unverifiable`` or ``unknown``."""
    score: Score | None = None
    client: tuple[str, ...] = ()
    """Addresses and networks."""
    header: tuple[Header, ...] = ()
    """Unlike elsewhere, all of several headers must hold."""
    method: tuple[str, ...] = ()
    """HTTP methods. HEAD is what GET would answer, so ``GET`` means both."""
    all: tuple[When, ...] = ()
    any: tuple[When, ...] = ()
    not_: When | None = None
    """Written ``not``."""

    def __post_init__(self) -> None:
        for name in ("path", "purpose", "crawler", "identity", "client", "method", "header", "all", "any"):
            value = getattr(self, name)
            if not isinstance(value, tuple):
                object.__setattr__(self, name, tuple(value) if isinstance(value, list) else (value,))
        object.__setattr__(self, "purpose", tuple(map(_canonical, self.purpose)))

    def used(self) -> Iterator[str]:
        """The names of the conditions that are given here or further inside, as they are written."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value not in ((), None) and field.name not in ("all", "any", "not_"):
                yield field.name
        for part in self.parts():
            yield from part.used()

    def parts(self) -> Iterator[When]:
        """The tables inside this one."""
        yield from self.all
        yield from self.any
        if self.not_ is not None:
            yield self.not_


def _canonical(purpose: str) -> str:
    """A purpose's own name, of one that another vocabulary uses (``ai-train``); what is none stays as it is."""
    try:
        return Purpose(purpose).value
    except ValueError:
        return purpose


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done ``when`` its conditions hold. Of all rules in their order, the first that holds decides."""

    name: str
    action: Action
    when: When = When()
    limit: str = ""
    """For ``throttle`` and ``wait``: how much a client may ask for, e.g. ``10/minute``. Such a rule holds only while
    the client is over it, and lets everything else go on to the next rules."""
    counts: str = ""
    """What counts for that limit: ``requests`` or ``articles``. By default ``throttle`` counts the requests that the
    rule is about, and ``wait`` the articles."""
    shadow: bool = False
    """Try it: where it would decide that is counted and logged, and the next rules go on as if it were not there."""

    @property
    def is_paced(self) -> bool:
        """Whether it holds a client to a limit."""
        return self.action in _PACED

    @property
    def pace(self) -> Limit | None:
        """The limit that it holds a client to; None for rules that know none. ValueError when it cannot be read."""
        if not self.is_paced:
            return None
        return Limit.parse(self.limit or READERS_PACE)

    @property
    def counts_articles(self) -> bool:
        """Whether only articles count for its limit."""
        return (self.counts or _PACED.get(self.action)) == "articles"
