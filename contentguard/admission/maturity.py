"""What a pass may open by now: little while it is young, as much as any reader reads once it behaves like a browser's.

A fresh identity is poor and costs a reader nothing: a browser fetches the parts of its first page by itself, and time
passes by itself. A program has to do both for every identity that it wants to use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from contentguard.admission.passes import Pass
from contentguard.admission.tickets import WAITER


@dataclass(frozen=True, slots=True)
class Quota:
    """Different articles within any hour and within any day. ValueError when a number makes no sense."""

    hour: int
    day: int

    def __post_init__(self) -> None:
        """Refuse a quota that never admits anything."""
        if not 1 <= self.hour <= self.day:
            raise ValueError(f"want 1 <= articles an hour <= articles a day, not {self.hour} and {self.day}")


PROVER = 2
"""The level of who has proved a browser's work."""
_MUST_PROVE = 5.0
"""Score from which waiting does not suffice: more than a reader's surroundings bring about."""


@dataclass(frozen=True, slots=True)
class Metering:
    """How much one reader reads. ValueError when a number makes no sense."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    hour: int = 30
    """Different articles for each reader in an hour; to read one again is free."""
    day: int = 150
    """… and in a day."""
    first_hour: int = 5
    """… in an hour, for a reader who has only just come."""
    first_day: int = 25
    """… and in a day."""
    minutes: float = 5.0
    """How long somebody has only just come."""

    def __post_init__(self) -> None:
        """Refuse quotas that admit nothing, or more at first than later."""
        if not (1 <= self.first_hour <= self.hour <= self.day and self.first_hour <= self.first_day <= self.day):
            raise ValueError("want 1 <= first_hour <= hour <= day and first_hour <= first_day <= day")
        if not 0.0 <= self.minutes <= 1440.0:
            raise ValueError(f"minutes: 0 to 1440, not {self.minutes}")


def matured(given: Pass, now: float, options: Metering) -> bool:
    """Whether a pass is a reader's by all that can be seen: earned, some minutes old, and its pages' parts fetched."""
    return given.level >= WAITER and given.seen > 0 and now - given.issued >= options.minutes * 60.0


def quota(given: Pass, now: float, options: Metering) -> Quota:
    """What a pass may open."""
    if matured(given, now, options):
        return Quota(options.hour, options.day)
    return Quota(options.first_hour, options.first_day)


def needed(score: float) -> int:
    """The level that a client of this score has to have earned."""
    return PROVER if score >= _MUST_PROVE else WAITER
