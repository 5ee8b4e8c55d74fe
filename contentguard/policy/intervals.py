"""Which of many intervals hold a key: one binary search, however many there are.

Strategy: all the ends cut the key line into pieces, and each piece knows its intervals beforehand. A prefix of texts
is such an interval too: every text that begins with ``p`` lies from ``p`` up to the first text that comes after all
of these.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, NamedTuple


class Span(NamedTuple):
    """All keys from ``low`` up to, but not including, ``high`` (None: without end)."""

    low: Any
    high: Any


class Intervals:
    """Numbers filed under spans of one kind of key (texts, integers or floats)."""

    __slots__ = ("_edges", "_pieces")

    def __init__(self, filed: Iterable[tuple[Span, int]]) -> None:
        begin: dict[Any, list[int]] = {}
        end: dict[Any, list[int]] = {}
        for span, number in filed:
            if span.high is not None and span.high <= span.low:
                continue
            begin.setdefault(span.low, []).append(number)
            if span.high is not None:
                end.setdefault(span.high, []).append(number)
        self._edges = sorted({*begin, *end})
        self._pieces: list[tuple[int, ...]] = [()]
        open_spans: dict[int, int] = {}
        for edge in self._edges:
            _count(open_spans, end.get(edge, ()), -1)
            _count(open_spans, begin.get(edge, ()), 1)
            self._pieces.append(tuple(sorted(open_spans)))

    def at(self, key: Any) -> tuple[int, ...]:
        """The numbers filed under every span that holds ``key``, in ascending order."""
        return self._pieces[bisect_right(self._edges, key)]


def _count(open_spans: dict[int, int], numbers: Iterable[int], step: int) -> None:
    """A number may be filed under several spans that overlap: it leaves with the last of them."""
    for number in numbers:
        left = open_spans.get(number, 0) + step
        if left:
            open_spans[number] = left
        else:
            del open_spans[number]


def beginning_with(prefix: str) -> Span:
    """The span of all texts that begin with ``prefix``."""
    stem = prefix.rstrip("\U0010ffff")
    return Span(prefix, stem[:-1] + chr(ord(stem[-1]) + 1) if stem else None)


def exactly(text: str) -> Span:
    """The span of one text."""
    return Span(text, text + "\0")
