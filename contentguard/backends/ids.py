"""Ids that must be known again until their end, in a table whose size is settled when it is made.

An id may live in either of two rows of 16 places and goes into the emptier one ("the power of two choices", Azar et
al. 1994), so that the table fills up evenly: rows begin to overflow only when nearly the whole table is full. A place
is taken over only after the end of the id in it. When both rows are full of ids that have not ended, a new id is not
taken in: for something to be spent once, not to accept it is the safe side, and giving out fewer ids than fit is what
keeps that from ever happening. Where the newer id matters more, ``insist`` takes the place of the one that ends first.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from enum import Enum
from math import inf

from contentguard.backends.names import SIZE

_WAYS = 16
_ENTRY = SIZE + 8
_OVERHEAD = 1024


class Added(Enum):
    """What became of an id."""

    NEW = "new"
    KNOWN = "known"
    FULL = "full"
    """Not known, and no room to remember it."""


class Ids:
    """At most ``entries`` ids (rounded down to whole rows, at least one), known by their names."""

    __slots__ = ("_digests", "_ends", "_rows", "displaced", "refused", "used")

    def __init__(self, entries: int) -> None:
        self._rows = max(1, entries // _WAYS)
        self._digests = bytearray(self.max_entries * SIZE)
        self._ends = array("d", [-inf]) * self.max_entries
        self.used = False
        """Whether it ever held an id."""
        self.refused = 0
        """How many ids found no room: more than 0 says that more ids are given out than fit."""
        self.displaced = 0
        """How many were forgotten before their end, to make room for others."""

    @property
    def max_entries(self) -> int:
        """How many ids fit."""
        return self._rows * _WAYS

    @property
    def bytes_used(self) -> int:
        """Bytes held, from the beginning to the end."""
        return self.max_entries * _ENTRY + _OVERHEAD

    def add(self, name: bytes, until: float, now: float) -> Added:
        """Remember an id until its end, unless it is known."""
        first, second = self._starts(name)
        place = self._find(name, first, second)
        if place >= 0 and self._ends[place] > now:
            return Added.KNOWN
        if place < 0:
            place = self._free(first, second, now)
        if place < 0:
            self.refused += 1
            return Added.FULL
        self._put(place, name, until)
        return Added.NEW

    def insist(self, name: bytes, until: float, now: float) -> None:
        """Remember an id until its end, or its later end, whoever has to give way."""
        first, second = self._starts(name)
        place = self._find(name, first, second)
        if place >= 0:
            until = max(until, self._ends[place])
        elif (place := self._free(first, second, now)) < 0:
            self.displaced += 1
            place = min((*_row(first), *_row(second)), key=self._ends.__getitem__)
            if self._ends[place] > until:
                return
        self._put(place, name, until)

    def holds(self, name: bytes, now: float) -> bool:
        """Whether an id is known and has not ended."""
        place = self._find(name, *self._starts(name))
        return place >= 0 and self._ends[place] > now

    def entries(self, now: float) -> Iterator[tuple[bytes, float]]:
        """All that is known: name and end. What is added meanwhile may be missing."""
        for place, end in enumerate(self._ends):
            if end > now:
                yield bytes(self._digests[place * SIZE : (place + 1) * SIZE]), end

    def _starts(self, name: bytes) -> tuple[int, int]:
        """The first places of the two rows. Halves of a keyed hash are two independent hashes."""
        halves = int.from_bytes(name[:8], "little"), int.from_bytes(name[8:], "little")
        return halves[0] % self._rows * _WAYS, halves[1] % self._rows * _WAYS

    def _find(self, name: bytes, first: int, second: int) -> int:
        for start in (first, second):
            found = self._digests.find(name, start * SIZE, (start + _WAYS) * SIZE)
            if found >= 0:
                return found // SIZE
        return -1

    def _free(self, first: int, second: int, now: float) -> int:
        """A place to be had in the emptier row; -1 when there is none."""
        best, most = -1, 0
        for start in (first, second):
            ends = self._ends[start : start + _WAYS]
            free = sum(map(now.__ge__, ends))
            if free > most:
                best, most = start + ends.index(min(ends)), free
        return best

    def _put(self, place: int, name: bytes, until: float) -> None:
        self._digests[place * SIZE : (place + 1) * SIZE] = name
        self._ends[place] = until
        self.used = True


def _row(start: int) -> range:
    return range(start, start + _WAYS)
