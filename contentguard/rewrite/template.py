"""Bytes with holes: one rendition of a page, filled in for each reader.

Strategy: the page is cut where something is inserted: a few large slices of it with the inserted markup between them,
and holes for what differs from reader to reader. Where a copy has marks, which are many, mark and text take turns in
one stretch of the parts, so that all marks go in by one strided assignment. What can be deflated once is, when somebody
first asks for gzip.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any

from contentguard.rewrite.page import Field
from contentguard.rewrite.splice import FAST, Banded, Spliced
from contentguard.turns import Turns, finished

Piece = bytes | memoryview
Hole = Field | int
"""A field, or the number of a mark."""
Values = Mapping[Any, Any]
"""What is filled in: bytes, by field; and under ``MARKS`` all marks of a copy, by number."""
MARKS = "marks"
Picking = Callable[[Sequence[bytes]], Sequence[bytes]]
_HOLES = (Field, int)
_SPLICED = 4
"""How many sets of lengths of its fields a template is kept deflated for: nonces and hosts hardly ever vary."""
_SHORT = 8192
"""Bytes behind the last mark up to which they are deflated for each reader along with the marked text: some 20 to 50 µs
against a tenth of a small page's size (measured)."""
_SLICE, _BYTES, _INNER = 192, 41, 400
"""What a slice of a page takes in memory, whatever its length; bytes besides their length; a template in another
(measured)."""
_ANYBODYS = frozenset((Field.NONCE,))
_TURN = 512
"""Parts that are looked at in one turn."""


class Template:
    """Bytes with holes, as slices of the page between the inserted markup: nothing of the page is held twice."""

    __slots__ = (
        *("_around", "_at", "_gzips", "_holes", "_inner", "_marks", "_own", "_parts"),
        *("_weight", "band", "fields", "personal", "size"),
    )

    size: int
    """Bytes of the whole, less what is filled in."""

    def __init__(self, parts: Iterable[Piece | Hole]) -> None:
        finished(self._made(list(parts)))

    @classmethod
    def in_turns(cls, parts: Iterable[Piece | Hole]) -> Turns[Template]:
        """The same, made in turns."""
        made = cls.__new__(cls)
        yield from made._made(list(parts))
        return made

    def _made(self, every: list[Piece | Hole]) -> Turns[None]:
        self.fields = tuple([part for part in every if isinstance(part, Field)])
        """In the order of the page."""
        marks = [index for index, part in enumerate(every) if isinstance(part, int)]
        self.personal = bool(marks) or not _ANYBODYS.issuperset(self.fields)
        """Whether a reader's copy is theirs alone. A nonce belongs to its response: caching it is the app's affair."""
        start, end = (marks[0], marks[-1] + 1) if marks else (0, 0)
        band, self._marks = yield from _banded(every[start:end])
        yield
        self._at = slice(start, start + len(band))
        """The parts from the first mark to the last."""
        self._inner = tuple([(start + index, part) for index, part in enumerate(band) if isinstance(part, Template)])
        fixed: list[Piece | Hole] = [b"" if isinstance(part, Template) else part for part in band]
        every[start:end] = fixed
        yield
        self._holes = tuple([(index, part) for index, part in enumerate(every) if isinstance(part, Field)])
        self._parts: list[Piece] = [b"" if isinstance(part, _HOLES) else part for part in every]
        yield
        inner = sum(part.size for _, part in self._inner)
        self.band = inner + sum(map(len, self._parts[self._at]))
        """Bytes from its first mark to its last, less what is filled in."""
        yield
        self.size = inner + sum(map(len, self._parts))
        self._own = self._at
        """The parts that are deflated for each reader."""
        if marks and sum(map(len, self._parts[self._at.stop :])) <= _SHORT:
            self._own = slice(start, len(self._parts))
        own = range(start, self._own.stop)
        self._around = tuple([hole for hole in self._holes if hole[0] not in own]) if marks else self._holes
        """The holes in all others."""
        yield
        self._weight = self._weighed() if marks else 0
        """``own``, where that is a long sum."""
        self._gzips: dict[tuple[int, ...], Spliced | Banded] = {}

    @property
    def own(self) -> int:
        """Bytes that are held besides the page, for the cache's account."""
        return self._weight or self._weighed()

    def _weighed(self) -> int:
        inner = sum(_INNER + part.own for _, part in self._inner)
        return inner + sum(len(part) + _BYTES if isinstance(part, bytes) else _SLICE for part in self._parts)

    def fill(self, values: Values) -> bytes:
        """The bytes for one reader. KeyError when a field has no value, ValueError when there are too few marks."""
        return b"".join(self._filled(values))

    def _filled(self, values: Values) -> list[Piece]:
        out = self._parts.copy()
        for index, name in self._holes:
            out[index] = values[name]
        if self._marks is not None:
            for index, inner in self._inner:
                out[index] = inner.fill(values)
            out[self._at.start : self._at.stop : 2] = self._marks(values[MARKS])
        return out

    def gzip(self, values: Values) -> bytes:
        """The same, compressed (RFC 1952); what all readers have in common was deflated the first time."""
        chosen = [values[name] for _, name in self._around]
        ready = self._ready(tuple(map(len, chosen)))
        if ready is None:
            return gzip.compress(self.fill(values), FAST, mtime=0)
        if isinstance(ready, Spliced):
            return ready.fill(chosen)
        return ready.fill(chosen, b"".join(self._filled(values)[self._own]))

    def deflated(self, values: Values) -> bool:
        """Whether ``gzip`` has already done the costly part for values of these lengths."""
        return self._lengths(values) in self._gzips

    def deflate(self, values: Values) -> None:
        """Do that part for them, if there is room for what comes of it."""
        self._ready(self._lengths(values))

    def _lengths(self, values: Values) -> tuple[int, ...]:
        return tuple([len(values[name]) for _, name in self._around])

    def _ready(self, lengths: tuple[int, ...]) -> Spliced | Banded | None:
        found = self._gzips.get(lengths)
        # A client that can choose a length (by its Host header) must not fill the memory with them.
        if found is None and len(self._gzips) < _SPLICED:
            found = self._gzips[lengths] = self._deflate(lengths)
        return found

    def _deflate(self, lengths: tuple[int, ...]) -> Spliced | Banded:
        if self._marks is None:
            return Spliced(self._pieces(0, len(self._parts)), lengths)
        start, stop = self._own.start, self._own.stop
        before = sum(index < start for index, _ in self._around)
        head, tail = self._pieces(0, start), self._pieces(stop, len(self._parts))
        return Banded((head, lengths[:before]), (tail, lengths[before:]))

    def _pieces(self, start: int, stop: int) -> list[bytes]:
        """What stands before, between and behind the holes of a stretch."""
        edges = [start - 1, *(index for index, _ in self._around if start <= index < stop), stop]
        return [b"".join(self._parts[start + 1 : end]) for start, end in pairwise(edges)]


def template(parts: Iterable[Piece | Hole]) -> Template:
    """Join neighbouring bytes that are not slices of a page; every field becomes a hole."""
    return finished(joined(parts))


def joined(parts: Iterable[Piece | Hole]) -> Turns[Template]:
    """The same, made in turns."""
    made: list[Piece | Hole] = []
    for number, part in enumerate(parts):
        if not number % _TURN:
            yield
        if type(part) is bytes and made and type(made[-1]) is bytes:
            made[-1] += part
        elif isinstance(part, _HOLES) or len(part):
            made.append(part)
    return (yield from Template.in_turns(made))


def _banded(parts: Sequence[Piece | Hole]) -> Turns[tuple[list[Piece | Template], Picking | None]]:
    """The parts from a mark to a mark as mark, text, mark, …, mark; and what picks these marks out of all."""
    band: list[Piece | Template] = []
    numbers: list[int] = []
    between: list[Piece | Field] = []
    for index, part in enumerate(parts):
        if not index % _TURN:
            yield
        if not isinstance(part, int):
            between.append(part)
            continue
        if numbers:
            band.append(_one(between))
            between = []
        band.append(b"")
        numbers.append(part)
    return band, _picking(numbers) if numbers else None


def _one(parts: Sequence[Piece | Field]) -> Piece | Template:
    if any(isinstance(part, Field) for part in parts):
        return Template(parts)
    pieces = [part for part in parts if not isinstance(part, Field)]
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _picking(numbers: Sequence[int]) -> Picking:
    first, last = numbers[0], numbers[-1]
    return itemgetter(slice(first, last + 1)) if [*range(first, last + 1)] == numbers else itemgetter(*numbers)
