"""What share of the strangers' cold views each fingerprint usually makes, in a table settled when it is made.

Shares add up to one, hardly change between night and day, and move slowly, so a budget can be split by them. A
fingerprint that makes a share worth mentioning has its own part; all others, and whatever is invented, share what is
left. Nobody gains a part quickly: the share follows a mean of about a week.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping

OWN = 1.0 / 64.0
"""The least share that has a part of its own; so there are at most 64 parts."""

_WAYS = 4
_PACE = 1.0 / 1008.0
"""Of a window, once a week was seen."""

_ENOUGH = 30
"""Views below which a window says nothing; they wait for more."""

_DAY = 144
_FIRST = 6
"""Windows that are seen before anything has a part."""


class Shares:
    """The shares of ``places`` fingerprints. ValueError when there is no room for a row."""

    __slots__ = ("_counts", "_rows", "_shares", "_tags", "_total", "_windows", "own")

    def __init__(self, places: int = 1024) -> None:
        if places < _WAYS:
            raise ValueError(f"a table of {places} fingerprints is less than one row of {_WAYS}")
        self._rows = places // _WAYS
        size = self._rows * _WAYS
        self._tags = array("Q", bytes(8 * size))
        self._shares = array("d", bytes(8 * size))
        self._counts = array("L", [0]) * size
        self._total = self._windows = 0
        self.own: dict[int, float] = {}
        """Fingerprint → share, of those that have a part of their own."""

    @property
    def bytes_used(self) -> int:
        """Bytes held, as an upper bound."""
        return len(self._tags) * (16 + self._counts.itemsize) + 64 * 200 + 1024

    def start_from(self, known: Mapping[int, float]) -> None:
        """Begin with the shares that some fingerprints have had, as if a day had been seen."""
        for tag, share in known.items():
            place = self._least(tag % self._rows * _WAYS)
            self._tags[place], self._shares[place] = tag, share
        if known:
            self._windows = _DAY
            self.own = {tag: share for tag, share in known.items() if share >= OWN}

    def count(self, cluster: int) -> None:
        """Count a cold view of a stranger with this fingerprint."""
        self._total += 1
        tag = cluster & 0xFFFFFFFFFFFFFFFF or 1
        start = tag % self._rows * _WAYS
        row = self._tags[start : start + _WAYS]
        place = start + row.index(tag) if tag in row else self._least(start)
        if self._tags[place] != tag:
            if self._shares[place] >= OWN:
                return
            self._tags[place], self._shares[place], self._counts[place] = tag, 0.0, 0
        self._counts[place] += 1

    def _least(self, start: int) -> int:
        return min(range(start, start + _WAYS), key=lambda place: (self._shares[place], self._counts[place]))

    def close(self) -> None:
        """The window is over. Takes less than a millisecond for a thousand fingerprints."""
        if self._total >= _ENOUGH:
            self._windows += 1
            self._learn(max(_PACE, 1.0 / self._windows))
            self._counts = array("L", [0]) * len(self._counts)
            self._total = 0

    def _learn(self, pace: float) -> None:
        kept, gained = 1.0 - pace, pace / self._total
        pairs = zip(self._shares, self._counts, strict=True)
        self._shares = array("d", [share * kept + count * gained for share, count in pairs])
        if self._windows >= _FIRST:
            named = zip(self._tags, self._shares, strict=True)
            self.own = {tag: share for tag, share in named if share >= OWN}
