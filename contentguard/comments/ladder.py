"""When a comment that nobody could judge is asked about again.

Strategy: the wait is as long as the comment has waited already, so pauses double by themselves and nothing has to be
counted or kept: 20, 40, 80 … minutes after it was sent, never more than six hours apart. Where the service does not
accept our key, asking is pointless before somebody has looked: six hours at once. After 15 days nobody asks any more,
and the comment stays where it is: with the moderators. (Akismet's own plugin asks every 20 minutes.)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

SOONEST = 1200.0
"""Seconds until the first question after a failure."""
LATEST = 21_600.0
"""The longest pause, and the pause while the key is bad."""
GIVEN_UP = 1_296_000.0
"""Seconds (15 days) after which a comment is not asked about any more."""
BATCH = 100
"""Comments asked about in one go."""


def pause(sent: float, now: float, *, bad_key: bool = False) -> float | None:
    """Seconds from ``now`` until a comment sent at ``sent`` is asked about again; None for never.

    Both in seconds since the epoch. A clock that was set back makes nothing worse than a first failure.
    """
    age = now - sent
    if not age < GIVEN_UP:
        return None
    wait = LATEST if bad_key else min(max(age, SOONEST), LATEST)
    return min(wait, GIVEN_UP - age)


def batch(waiting: Iterable[tuple[T, float | None]], now: float, most: int = BATCH) -> list[T]:
    """Which comments are asked about at ``now``, the longest due first; each with its ``recheck_at``.

    Whoever asks stops at the first that fails: the service has not come back yet, and the others keep their turn.
    """
    due = [(at, number, one) for number, (one, at) in enumerate(waiting) if at is not None and at <= now]
    return [one for _, _, one in sorted(due, key=lambda entry: entry[:2])[:most]]
