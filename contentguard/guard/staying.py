"""Which lines have readers who stay: matured passes with which something seldom read was opened there within the hour.

Strategy: that a pass matures is what a program which throws its passes away cannot bring about, while an office, a
household or a carrier does so within minutes. What is remembered are hashes that say something in this process alone,
for each line no more of them than make a difference, and none for longer than its hour. A process that has just
started knows of nobody until somebody reads on. Who opens what everybody reads is not seen here at all, because that
has to cost nothing.
"""

from __future__ import annotations

STAYS = 3600.0
"""Seconds for which a reader counts after opening an article."""
_REMEMBERED = 32_768
"""Readers that are remembered, on all lines together."""


class Staying:
    """The readers who stay. ``most``: how many of one line are told apart."""

    def __init__(self, most: int) -> None:
        self._most, self._room = most, _REMEMBERED // max(1, most)
        self._lines: dict[int, dict[int, float]] = {}
        """By line, when each reader was last seen; both in the order of that."""

    def note(self, line: str, reader: str, now: float) -> None:
        """Somebody whose pass has matured has opened what is seldom read."""
        if not self._most:
            return
        self._forget(now)
        here, one = hash(line), hash(reader)
        readers = {other: at for other, at in self._lines.pop(here, {}).items() if other != one and _stays(at, now)}
        if len(readers) >= self._most:
            del readers[next(iter(readers))]
        readers[one] = now
        if len(self._lines) >= self._room:
            del self._lines[next(iter(self._lines))]
        self._lines[here] = readers

    def count(self, line: str, now: float) -> int:
        """How many readers stay on a line, up to ``most``."""
        self._forget(now)
        return sum(_stays(at, now) for at in self._lines.get(hash(line), {}).values())

    def _forget(self, now: float) -> None:
        """Forget the lines on which nobody stays any more."""
        while self._lines:
            oldest = next(iter(self._lines))
            if _stays(next(reversed(self._lines[oldest].values())), now):
                return
            del self._lines[oldest]


def _stays(at: float, now: float) -> bool:
    # A clock may have been turned back: then what lies ahead of it ends as well.
    return abs(now - at) < STAYS
