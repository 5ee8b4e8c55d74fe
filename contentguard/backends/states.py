"""Small states of different lengths, one for each key, in tables whose size is settled when they are made.

Most readers have read two articles and few have read two hundred. So there are shelves of different widths: a state
stands on the narrowest shelf that it fits and moves when it grows. A shelf is a table like that of the buckets: rows of
16 places in flat arrays, a state in its own row or nowhere. When a row is full, what has ended gives way, and then what
weighs least: strangers push out strangers, and whoever has counted much stays.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import inf

from contentguard.backends.names import SIZE

_WAYS = 16
_ENTRY = SIZE + 8 + 8 + 2
_OVERHEAD = 1024


class States:
    """Name → state. ``shelves``: pairs of places and bytes of a state, the narrowest first."""

    __slots__ = ("_shelves",)

    def __init__(self, shelves: Sequence[tuple[int, int]]) -> None:
        self._shelves = [_Shelf(places, width) for places, width in shelves]

    @property
    def max_entries(self) -> int:
        """How many states fit."""
        return sum(shelf.places for shelf in self._shelves)

    @property
    def bytes_used(self) -> int:
        """Bytes held, from the beginning to the end."""
        return sum(shelf.bytes_used for shelf in self._shelves)

    @property
    def displaced(self) -> int:
        """How many were forgotten before their end, to make room for others."""
        return sum(shelf.displaced for shelf in self._shelves)

    def get(self, name: bytes) -> bytes:
        """The state of ``name``; empty when there is none."""
        for shelf in self._shelves:
            if (place := shelf.find(name)) >= 0:
                return shelf.read(place)
        return b""

    def put(self, name: bytes, state: bytes, weight: float, until: float, now: float) -> None:
        """Keep a state that is worth nothing after ``until``. ValueError when it is wider than the widest shelf."""
        home = next((shelf for shelf in self._shelves if len(state) <= shelf.width), None)
        if home is None:
            raise ValueError(f"a state of {len(state)} bytes is wider than every shelf")
        for shelf in self._shelves:
            if shelf is not home and (place := shelf.find(name)) >= 0:
                shelf.clear(place)
        home.put(name, state, weight, until, now)


class _Shelf:
    __slots__ = ("_digests", "_ends", "_lengths", "_rows", "_states", "_weights", "displaced", "width")

    def __init__(self, places: int, width: int) -> None:
        self._rows = max(1, places // _WAYS)
        self.width = width
        self.displaced = 0
        # Allocated, but of no cost to the machine before they are written to.
        self._digests = bytearray(self.places * SIZE)
        self._states = bytearray(self.places * width)
        self._lengths = array("H", [0]) * self.places
        self._weights = array("d", [0.0]) * self.places
        self._ends = array("d", [-inf]) * self.places

    @property
    def places(self) -> int:
        return self._rows * _WAYS

    @property
    def bytes_used(self) -> int:
        return self.places * (_ENTRY + self.width) + _OVERHEAD

    def find(self, name: bytes) -> int:
        start = self._start(name)
        found = self._digests.find(name, start * SIZE, (start + _WAYS) * SIZE)
        return found // SIZE if found >= 0 and self._lengths[found // SIZE] else -1

    def read(self, place: int) -> bytes:
        start = place * self.width
        return bytes(self._states[start : start + self._lengths[place]])

    def clear(self, place: int) -> None:
        self._lengths[place], self._ends[place] = 0, -inf

    def put(self, name: bytes, state: bytes, weight: float, until: float, now: float) -> None:
        place = self.find(name)
        if place < 0:
            place = self._make_room(self._start(name), now)
            self._digests[place * SIZE : (place + 1) * SIZE] = name
        start = place * self.width
        self._states[start : start + len(state)] = state
        self._lengths[place], self._weights[place], self._ends[place] = len(state), weight, until

    def _make_room(self, start: int, now: float) -> int:
        ends = self._ends[start : start + _WAYS]
        soonest = min(ends)
        if soonest <= now:
            return start + ends.index(soonest)
        self.displaced += 1
        weights = self._weights[start : start + _WAYS]
        return start + weights.index(min(weights))

    def _start(self, name: bytes) -> int:
        return int.from_bytes(name, "little") % self._rows * _WAYS
