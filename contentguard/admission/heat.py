"""Which articles are hot: the most read ones of late, found in a memory that does not grow with the archive.

The hot ones are held by name, each with its count; all others share a count-min sketch (Cormode and Muthukrishnan 2005)
of two rows with conservative update (Estan and Varghese 2002). An article whose estimate reaches the bar becomes hot;
one that falls below it goes back into the sketch. So what is read a million times never blurs what is read twice. The
bar is set now and then: where the hottest hundred end, or at a share of all views if that is lower. From time to time
all counts are halved.

Articles are keyed hashes of 64 bits: nobody outside can aim at a cell.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping

CELLS = 16384
_WIDTH = 4
_VIEW = 16
"""What one view counts, so that halving leaves something to compare."""

_LEAST = 3 * _VIEW
"""Fewer views make nothing hot, however little is read."""

_MOST = 2**31 - 1
_HALF = int.from_bytes(_MOST.to_bytes(_WIDTH, "little") * (2 * CELLS), "little")
_ITEM = 200
"""Bytes of an article held by name: two numbers and their part of the dictionary (CPython 3.11, x86-64)."""


class Heat:
    """The ``top`` most read articles, and any that has at least ``share`` of the views (0: none for that).

    ValueError when that is nothing, or more than a few thousand.
    """

    __slots__ = ("_bar", "_cells", "_most", "_share", "_top", "_total", "hot")

    def __init__(self, top: int = 100, share: float = 0.0) -> None:
        if not (1 <= top <= 10_000 and (share == 0.0 or 0.0001 <= share <= 1.0)):
            raise ValueError(
                f"1 to 10,000 articles can be hot, or those with 0.0001 to 1 of the views, not {top}, {share}"
            )
        self.hot: dict[int, int] = {}
        """The hot articles and their counts. To be looked at; ``count`` writes it."""
        self._top, self._share = top, share or 1.0
        self._most = 2 * top + int(1.0 / self._share)
        self._cells = array("I", bytes(_WIDTH * 2 * CELLS))
        self._bar, self._total = _LEAST, 0

    @property
    def bytes_used(self) -> int:
        """Bytes held at most."""
        return _WIDTH * 2 * CELLS + self._most * _ITEM + 1024

    def count(self, article: int) -> None:
        """Count a view of an article."""
        self._total += _VIEW
        held = self.hot.get(article)
        if held is not None:
            self.hot[article] = held + _VIEW
            return
        one, two = article % CELLS, CELLS + (article >> 32) % CELLS
        cells = self._cells
        seen = min(cells[one], cells[two], _MOST - _VIEW) + _VIEW
        _raise(cells, one, two, seen)
        if seen >= self._bar:
            self.hot[article] = seen
            if len(self.hot) > self._most:
                self.settle()

    def start_from(self, counts: Mapping[int, int]) -> None:
        """Begin with what was hot before, and how often each was read."""
        self.hot = {article: min(max(count, 0), _MOST // 2) for article, count in counts.items()}
        self._total = sum(self.hot.values())
        self.settle()

    def settle(self) -> None:
        """Set the bar by what was counted so far. Takes less than a millisecond for a few hundred hot articles."""
        counts = sorted(self.hot.values(), reverse=True)
        end = counts[self._top - 1] if len(counts) >= self._top else 0
        self._bar = max(min(end, int(self._share * self._total)), _LEAST)
        for article, count in list(self.hot.items()):
            if count < self._bar:
                self._leave(article)
        if len(self.hot) > self._most:  # very many with the very same count
            for article in sorted(self.hot, key=self.hot.__getitem__)[: -self._top]:
                self._leave(article)

    def halve(self) -> None:
        """Let what was counted so far count half. Takes less than a millisecond."""
        # All cells as one number, shifted once: what would cross into the next cell is masked.
        number = int.from_bytes(self._cells.tobytes(), "little") >> 1 & _HALF
        self._cells = array("I", number.to_bytes(_WIDTH * 2 * CELLS, "little"))
        self.hot = {article: count >> 1 for article, count in self.hot.items()}
        self._total >>= 1
        self.settle()

    def _leave(self, article: int) -> None:
        _raise(self._cells, article % CELLS, CELLS + (article >> 32) % CELLS, min(self.hot.pop(article), _MOST))


def _raise(cells: array[int], one: int, two: int, count: int) -> None:
    """Raise what is below ``count`` to it, and nothing else."""
    if cells[one] < count:
        cells[one] = count
    if cells[two] < count:
        cells[two] = count
