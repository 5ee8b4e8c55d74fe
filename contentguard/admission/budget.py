"""Budgets by the hour: a bucket of tokens, and what is normal, learned so that nobody can teach it quickly.

There are two kinds of bucket. A ``Bucket`` holds a number of tokens and gains some every second, so that in t seconds
at most ``size + rate * t`` are given out, also when its rate is changed in between. ``Cells`` are a great many buckets
of one rate, each a theoretical arrival time as in ``limits``, in a sketch instead of a table: a client has two cells,
and the fuller one is what it has.

What is normal is a quantile: that of the first day, then followed in steps of fixed size (Ma, Muthukrishnan and Sandler
2013, "Frugal streaming"). If a window saw more than normal, normal rises by a thousandth, and else it falls by a ninth
of that, until nine windows of ten are below. So only the *number* of busy windows teaches anything, never how busy they
were.
"""

from __future__ import annotations

from array import array
from math import inf

WINDOW = 600.0
"""Seconds."""

PER_HOUR = 3600.0 / WINDOW
LEARNING = 144
"""Windows of a whole day; fewer would know the night or the noon only."""

_FIRST = 6
_UNSEEN = 2.5
"""After so many windows one can guess: so many times what was seen, as it may have been night."""

_UP = 1.0 + 1.0 / 1000.0
_DOWN = 1.0 - 1.0 / 9000.0
"""A day of busy windows adds 15 %, a day of quiet ones takes 1.6 %."""

_STILL = 0.1
"""A rate is never less than so many in a window, from which it could not rise again."""

_SLACK = 1e-9
"""Of a token: what rounding may lack."""

BURST_HOURS = 1.0 / 20.0
"""How many hours' worth a full bucket holds (three minutes'), if that is not less than the least burst."""


class Bucket:
    """Tokens for something, so many per hour; full when made. ``name`` is for whoever is told of it."""

    __slots__ = ("_at", "_least", "level", "low", "name", "rate", "size")

    def __init__(self, name: str, per_hour: float, least: float, now: float = 0.0) -> None:
        self.name, self._least, self._at = name, least, now
        self.low = False
        """Whether it was empty and has not been half full since."""
        self.level = self.size = inf
        self.rate = 0.0
        """Tokens per second."""
        self.allow(per_hour, now)

    def allow(self, per_hour: float, now: float) -> None:
        """Change its rate. What is in it stays, as far as there is room."""
        self._fill(now)
        self.rate = per_hour / 3600.0
        self.size = max(self._least, per_hour * BURST_HOURS)
        self.level = min(self.level, self.size)

    def wait(self, now: float) -> float:
        """Seconds until there is a token; 0: there is one."""
        self._fill(now)
        short = 1.0 - self.level
        return 0.0 if short <= _SLACK else short / self.rate

    def left(self, now: float) -> float:
        """How many tokens there are."""
        self._fill(now)
        return self.level

    def take(self) -> None:
        """Take a token, after ``wait`` said that there is one (if not, the bucket is empty then)."""
        self.level = max(self.level - 1.0, 0.0)

    def draw(self, now: float) -> None:
        """Take a token whether or not there is one."""
        self._fill(now)
        self.take()

    def hold(self, tokens: float, now: float) -> None:
        """Somebody else counts for it, and says that there are so many."""
        self.level, self._at = min(tokens, self.size), now

    def turned(self) -> bool:
        """Whether it has just become empty, or half full after that; ``low`` tells which."""
        if self.low:
            self.low = self.level < self.size / 2.0
            return not self.low
        self.low = self.level < 1.0 - _SLACK
        return self.low

    def as_dict(self, now: float) -> dict[str, float]:
        """How it stands at ``now``, as JSON-ready data."""
        self._fill(now)
        return {"level": round(self.level, 1), "size": round(self.size, 1), "per_hour": round(self.rate * 3600.0, 1)}

    def _fill(self, now: float) -> None:
        if now > self._at:
            self.level = min(self.level + (now - self._at) * self.rate, self.size)
        self._at = now  # also if the clock was set back


class Cells:
    """A bucket for each of very many clients, in a memory that does not grow; hashes of clients are keyed."""

    __slots__ = ("_capacity", "_interval", "_one", "_two")

    def __init__(self, size: int, per_hour: float, least: float) -> None:
        self._one, self._two = array("d", bytes(8 * size)), array("d", bytes(8 * size))
        self.allow(per_hour, least)

    @property
    def bytes_used(self) -> int:
        """Bytes held; all of them from the beginning."""
        return 16 * len(self._one)

    def allow(self, per_hour: float, least: float) -> None:
        """Change the rate of all."""
        self._interval = 3600.0 / per_hour
        self._capacity = max(least, per_hour * BURST_HOURS) * self._interval

    def wait(self, client: int, now: float) -> float:
        """Seconds until this client has a token."""
        return max(self._used(client, now) + self._interval - self._capacity, 0.0)

    def take(self, client: int, now: float) -> None:
        """Take a token, after ``wait`` said that there is one (if not, the bucket is empty then)."""
        tat = now + min(self._used(client, now) + self._interval, self._capacity)
        one, two = client % len(self._one), (client >> 32) % len(self._two)
        # Raised to the client's own, and not further: what shares a cell with it is hurt as little as can be.
        self._one[one] = max(min(self._one[one], now + self._capacity), tat)
        self._two[two] = max(min(self._two[two], now + self._capacity), tat)

    def _used(self, client: int, now: float) -> float:
        tat = min(self._one[client % len(self._one)], self._two[(client >> 32) % len(self._two)])
        return min(max(tat - now, 0.0), self._capacity)


class Normal:
    """How much of something comes in a window at a busy time: what nine windows of ten stay below.

    ``rate``: what is known already; None: a day has to be seen first.
    """

    __slots__ = ("_seen", "count", "rate")

    def __init__(self, rate: float | None = None) -> None:
        self.rate = rate
        self.count = 0
        """How much came in the present window."""
        self._seen = array("d")

    def guess(self) -> float | None:
        """The rate; before a day was seen, what may turn out to be the rate of a busy time; None: no idea yet."""
        if self.rate is not None or len(self._seen) < _FIRST:
            return self.rate
        return _UNSEEN * self._quantile()

    def close(self) -> None:
        """The window is over, and was one to learn from."""
        if self.rate is not None:
            self.rate = max(self.rate * (_UP if self.count > self.rate else _DOWN), _STILL)
        else:
            self._seen.append(self.count)
            if len(self._seen) == LEARNING:
                self.rate = self._quantile()
                self._seen = array("d")
        self.count = 0

    def skip(self) -> None:
        """The window is over, and was none to learn from."""
        self.count = 0

    def _quantile(self) -> float:
        return max(sorted(self._seen)[len(self._seen) * 9 // 10], _STILL)
