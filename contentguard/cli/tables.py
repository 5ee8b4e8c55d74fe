"""Counts of what turns up in a log, in bounded memory.

Strategy: what the policy names (rules, classes, outcomes) is few and simply counted. What clients choose (paths) is
counted in a table that is cut back to its most frequent half whenever it is full (lossy counting, Manku and Motwani
2002): a frequent path is never lost, and the error of any count is known.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Top(Generic[Key]):
    """The most frequent keys among any number, in a table of at most ``capacity`` entries."""

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = max(2, capacity)
        self._counts: dict[Key, list[int]] = {}
        self._floor = 0

    def add(self, key: Key) -> None:
        """Count ``key`` once more."""
        entry = self._counts.get(key)
        if entry is not None:
            entry[0] += 1
            return
        if len(self._counts) >= self._capacity:
            self._cut()
        self._counts[key] = [1, self._floor]

    def _cut(self) -> None:
        kept = heapq.nlargest(self._capacity // 2, self._counts.items(), key=lambda item: sum(item[1]))
        dropped = self._counts.keys() - {key for key, _ in kept}
        self._floor = max(self._floor, *(sum(self._counts[key]) for key in dropped))
        self._counts = dict(kept)

    def most(self, number: int) -> list[tuple[Key, int, int]]:
        """The ``number`` most frequent keys: key, count, and how many more there may have been."""
        found = heapq.nlargest(number, self._counts.items(), key=lambda item: item[1][0])
        return [(key, count, missed) for key, (count, missed) in found]

    def __len__(self) -> int:
        return len(self._counts)


class Grid:
    """Counts in rows and columns."""

    def __init__(self, columns: Iterable[str]) -> None:
        self.columns = tuple(columns)
        self.rows: dict[str, Counter[str]] = {}

    def add(self, row: str, column: str) -> None:
        """Count one more."""
        self.rows.setdefault(row, Counter())[column] += 1

    def lines(self, title: str) -> list[str]:
        """The grid as text, the fullest row first; columns that are empty all over are left out."""
        used = [column for column in self.columns if any(row[column] for row in self.rows.values())]
        width = max([len(title), *map(len, self.rows)])
        wide = {column: max(len(column), *(len(f"{row[column]:,}") for row in self.rows.values())) for column in used}
        heads = "  ".join(f"{column:>{wide[column]}}" for column in used)
        rows = sorted(self.rows.items(), key=lambda item: (-item[1].total(), item[0]))
        lines = [
            f"{title:<{width}}  {heads}",
            *(
                f"{name:<{width}}  {'  '.join(_cell(row[column], wide[column]) for column in used)}"
                for name, row in rows
            ),
        ]
        return [line.rstrip() for line in lines]


def _cell(count: int, width: int) -> str:
    return f"{count:>{width},}" if count else " " * width
