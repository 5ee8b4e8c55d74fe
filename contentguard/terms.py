"""What the policy says to machines, in no dialect yet.

The policy computes these terms and every dialect of ``publish/`` spells them out, so that no two of them can
contradict each other or what is enforced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Use(StrEnum):
    """What machines make of a page, in the words of Content Signals (contentsignals.org)."""

    SEARCH = "search"
    AI_INPUT = "ai-input"
    AI_TRAIN = "ai-train"


Uses = Mapping[Use, bool]
"""Use → whether the policy grants it; a use that is not in it is left unstated."""


class Line(NamedTuple):
    """One path pattern (RFC 9309, 2.2.3) and whether a robot may fetch what matches it."""

    pattern: str
    allowed: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What the policy says to machines, in no dialect yet: the dialects of ``publish/`` only spell it out."""

    robots: Mapping[str, tuple[Line, ...]]
    """Product token → its lines; ``*`` speaks to every robot that is not named. The longest match and the first match
    lead to the same answer."""
    uses: Uses
    """What is granted wherever no place says otherwise."""
    places: tuple[tuple[str, Uses], ...] = ()
    """Path pattern → what is granted there; the first that matches counts."""
    max_snippet: int = -1
    """Longest snippet in characters; -1 leaves it unstated."""


@dataclass(frozen=True, slots=True)
class Site:
    """Whose terms they are. Every field may be empty; none of them can begin a line of its own anywhere."""

    name: str = ""
    contact: str = ""
    """An URL or an e-mail address."""
    licence: str = ""
    """Where a licence can be asked for; only an absolute URL is published where the dialect wants one."""
    sitemaps: tuple[str, ...] = ()
