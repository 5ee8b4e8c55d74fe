"""When to stop asking somebody who does not answer, and when to try again.

A circuit breaker (Nygard, *Release It!*, 2007) as arithmetic: a few failures close together open it, or as many in a
row, however far apart; each try while it is open comes after a longer pause, and one success closes it. Pauses are
spread by chance, so that the workers of a machine do not all come back in the same moment.
"""

from __future__ import annotations

from collections import deque


class Circuit:
    """Opens after ``failures`` within ``within`` seconds or in a row; then pauses ``shortest`` to ``longest`` seconds.

    Times are seconds on any clock that does not jump.
    """

    __slots__ = ("_pause", "_recent", "_row", "_within", "is_open", "longest", "shortest")

    def __init__(self, failures: int = 5, within: float = 1.0, *, shortest: float = 0.5, longest: float = 3.0) -> None:
        self._recent: deque[float] = deque(maxlen=failures)
        self._within = within
        self._row = 0
        self.shortest, self.longest = shortest, longest
        self._pause = shortest
        self.is_open = False

    def failed(self, now: float) -> bool:
        """Count a failure; whether it has opened the circuit."""
        self._recent.append(now)
        self._row += 1
        many = len(self._recent) == self._recent.maxlen
        opens = not self.is_open and many and (now - self._recent[0] <= self._within or self._row >= len(self._recent))
        self.is_open = self.is_open or opens
        return opens

    def succeeded(self) -> None:
        """Count a success."""
        self._row = 0

    def close(self) -> None:
        """Forget the failures."""
        self._recent.clear()
        self._row = 0
        self._pause = self.shortest
        self.is_open = False

    def pause(self, chance: float) -> float:
        """Seconds until the next try; each time up to twice as long. ``chance``: between 0 and 1."""
        pause, self._pause = self._pause, min(2 * self._pause, self.longest)
        return pause * (0.5 + chance)
