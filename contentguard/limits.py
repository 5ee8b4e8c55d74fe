"""How often is too often: a rate limit as a value, and one step of the algorithm that holds it.

The algorithm is GCRA, the Generic Cell Rate Algorithm of ATM networks (ITU-T I.371, annex A; ATM Forum TM
4.0): a client's whole history is one number, its *theoretical arrival time* (TAT), the moment at which its
bucket would be full again. A step is pure arithmetic on it, so any store that can keep one number per client
can hold a limit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import total_ordering
from typing import NamedTuple

_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_EXPECTED = 'expected something like "60/minute", "30 per 10 seconds" or "60/minute burst 20"'

_ROUNDING = 2.0**-22
"""Seconds by which one addition can be off while the clock (seconds since the epoch) is below 2**32: half an
ulp."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Limit:
    """``count`` requests per ``period`` seconds, of which ``burst`` may come at once (default: ``count``).

    In any stretch of t seconds at most ``count * t / period + burst`` requests are admitted. Limits are
    ordered by their rate, the stricter first; of one rate, the smaller burst first. ValueError when a number
    makes no sense.
    """

    count: int
    period: float
    burst: int | None = None
    """Never None once constructed: None becomes ``count``."""
    size: int = field(init=False, repr=False, compare=False)
    """The burst again, as a plain number of requests."""
    interval: float = field(init=False, repr=False, compare=False)
    """Seconds that one request costs."""
    capacity: float = field(init=False, repr=False, compare=False)
    """Seconds in which an empty bucket is full again."""
    slack: float = field(init=False, repr=False, compare=False)
    """Seconds of rounding forgiven, so that the last request of a burst is not refused for an ulp."""

    def __post_init__(self) -> None:
        size = self.count if self.burst is None else self.burst
        if self.count < 1 or size < 1:
            raise ValueError(f"a limit needs a count and a burst of at least 1, not {self.count} and {size}")
        if not (math.isfinite(self.period) and self.period > 0):
            raise ValueError(f"a limit needs a period of more than 0 seconds, not {self.period}")
        interval = self.period / self.count
        self._set("burst", size)
        self._set("size", size)
        self._set("interval", interval)
        self._set("capacity", size * interval)
        self._set("slack", min(size * _ROUNDING, interval / 2))

    def _set(self, name: str, value: float) -> None:
        object.__setattr__(self, name, value)

    def __lt__(self, other: Limit) -> bool:
        return self._rank() < other._rank()

    def _rank(self) -> tuple[float, int, int]:
        return self.count / self.period, self.size, self.count

    def __str__(self) -> str:
        unit = next((name for name, seconds in _UNITS.items() if seconds == self.period), None)
        rate = f"{self.count}/{unit}" if unit else f"{self.count} per {_number(self.period)} seconds"
        return rate if self.size == self.count else f"{rate} burst {self.size}"

    @classmethod
    def parse(cls, text: str) -> Limit:
        """The limit that ``text`` names (``str`` of a limit reads back); ValueError when it names none."""
        words = text.lower().replace("/", " per ").split()
        burst = None
        if "burst" in words[-2:-1]:
            burst = _whole(words[-1], text)
            words = words[:-2]
        if not (3 <= len(words) <= 4 and words[1] == "per"):
            raise ValueError(f"{_EXPECTED}, found {text[:80]!r}")
        times = _seconds(words[2], text) if len(words) == 4 else 1.0
        return cls(_whole(words[0], text), times * _unit(words[-1], text), burst)


class Decision(NamedTuple):
    """What became of one request."""

    allowed: bool
    tat: float
    """The bucket's new state, to be kept whether or not the request was allowed; seconds on the caller's
    clock."""
    retry_after: float
    """Seconds until the same request would be admitted; 0 when it was."""
    remaining: int
    """How many requests (of cost 1) would still be admitted now."""


_decision = tuple.__new__
"""A third faster than ``Decision(...)``, in the one place where that is a fifth of the whole step."""


def gcra(tat: float, limit: Limit, now: float, cost: int = 1) -> Decision:
    """One step: may a request of ``cost`` pass at ``now`` (seconds), given the bucket's state ``tat``?

    A client never seen has any ``tat`` up to ``now``. ValueError when ``cost`` is below 1 or above the
    burst: such a request would never pass, however long its sender waited.
    """
    if not 1 <= cost <= limit.size:
        raise ValueError(f"a cost of {cost} never fits the limit {limit}: between 1 and {limit.size} do")
    interval, capacity, slack = limit.interval, limit.capacity, limit.slack
    used = tat - now
    if used < 0.0:
        used = 0.0
    elif used > capacity:
        used = capacity  # the clock jumped back (or the limit was cut): an empty bucket is the worst there is
    wanted = used + cost * interval
    room = capacity + slack - wanted
    if room >= 0.0:
        return _decision(Decision, (True, now + wanted, 0.0, int(room / interval)))
    # The slack is waited for too, so that no rounding refuses who comes back after exactly retry_after.
    left = int((capacity + slack - used) / interval)
    return _decision(Decision, (False, now + used, slack - room, left))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _whole(word: str, text: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= 12):
        raise ValueError(f"{_EXPECTED}: {word[:40]!r} in {text[:80]!r} is no whole number")
    return int(word)


def _seconds(word: str, text: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise ValueError(f"{_EXPECTED}: {word[:40]!r} in {text[:80]!r} is no number") from None


def _unit(word: str, text: str) -> float:
    try:
        return _UNITS[word.removesuffix("s")]
    except KeyError:
        raise ValueError(f"{_EXPECTED}: {word[:40]!r} in {text[:80]!r} is none of {', '.join(_UNITS)}") from None
