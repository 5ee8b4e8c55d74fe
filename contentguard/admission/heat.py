"""Which articles are hot: the most read ones of late, found in a memory that does not grow with the archive.

The hottest are held by name, each with its count; all others share a count-min sketch (Cormode and Muthukrishnan 2005)
of two rows with conservative update (Estan and Varghese 2002). An article whose estimate outgrows the least of the
hottest takes its place, and the other's count goes back into the sketch; so what is read millions of times never blurs
what is read twice. From time to time all counts are halved.

Numbers of articles are keyed hashes of 64 bits: nobody outside can aim at a cell.
"""

from __future__ import annotations

from array import array

CELLS = 16384
_WIDTH = 4
_VIEW = 16
"""What one view counts, so that halving leaves something to compare."""

_LEAST = 3 * _VIEW
"""Fewer views make nothing hot, however little is read."""

_MOST = 2**31 - 1
_HALF = int.from_bytes(_MOST.to_bytes(_WIDTH, "little") * (2 * CELLS), "little")
_ITEM = 200
"""Bytes of an article held by name: two numbers and their share of the dictionary (CPython 3.11, x86-64)."""


class Heat:
    """The at most ``size`` hottest articles. ValueError when it would hold none."""

    __slots__ = ("_cells", "_least", "hot", "size")

    def __init__(self, size: int = 100) -> None:
        if size < 1:
            raise ValueError(f"at least 1 article has to be hot, not {size}")
        self.size = size
        self.hot: dict[int, int] = {}
        """The hot articles and their counts. To be looked at; ``count`` writes it."""
        self._cells = array("I", bytes(_WIDTH * 2 * CELLS))
        self._least = _LEAST - 1

    @property
    def bytes_used(self) -> int:
        """Bytes held, as an upper bound."""
        return _WIDTH * 2 * CELLS + self.size * _ITEM + 1024

    def count(self, article: int) -> None:
        """Count a view of an article."""
        held = self.hot.get(article)
        if held is not None:
            self.hot[article] = held + _VIEW
            return
        one, two = article % CELLS, CELLS + (article >> 32) % CELLS
        cells = self._cells
        seen = min(cells[one], cells[two], _MOST - _VIEW) + _VIEW
        _raise(cells, one, two, seen)
        if seen > self._least:
            self._enter(article, seen)

    def _enter(self, article: int, seen: int) -> None:
        """An article that is hotter than the least, if what was noted of the least still holds."""
        hot = self.hot
        if len(hot) >= self.size:
            coldest = min(hot, key=hot.__getitem__)
            if seen <= hot[coldest]:
                self._least = hot[coldest]
                return
            self._leave(coldest)
        hot[article] = seen
        self._note_least()

    def _leave(self, article: int) -> None:
        _raise(self._cells, article % CELLS, CELLS + (article >> 32) % CELLS, min(self.hot.pop(article), _MOST))

    def _note_least(self) -> None:
        full = len(self.hot) >= self.size
        self._least = min(self.hot.values()) if full else _LEAST - 1

    def halve(self) -> None:
        """Let what was counted so far count half. Takes less than a millisecond."""
        # All cells as one number, shifted once: what would cross into the next cell is masked.
        number = int.from_bytes(self._cells.tobytes(), "little") >> 1 & _HALF
        self._cells = array("I", number.to_bytes(_WIDTH * 2 * CELLS, "little"))
        for article, count in list(self.hot.items()):
            self.hot[article] = count >> 1
            if count >> 1 < _LEAST:
                self._leave(article)
        self._note_least()


def _raise(cells: array[int], one: int, two: int, count: int) -> None:
    """Raise what is below ``count`` to it, and nothing else."""
    if cells[one] < count:
        cells[one] = count
    if cells[two] < count:
        cells[two] = count
