"""A text as a document writes it: what it says, and where in the document each of its characters stands.

Strategy: a text is a row of pieces. In most of them a character is written as itself, so one offset serves them all;
a reference or an escape is a piece of its own. What is found in the text is so carried back into the document, where
alone anything is changed.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from enum import Enum
from html import unescape
from typing import NamedTuple

_REFERENCE = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9A-Fa-f]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});")
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\(?:u[0-9a-fA-F]{4}|[^u])",
)
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Way(Enum):
    """How a text is written."""

    PLAIN = "plain"
    """Each character as itself: what stands in CDATA, and markup."""
    REFERENCES = "references"
    """``&``, ``<`` and ``>`` as references: text in XML."""
    ESCAPES = "escapes"
    """As in a string of JSON."""

    def write(self, text: str) -> str:
        """``text`` so written."""
        if self is Way.REFERENCES:
            return text.translate(_MARKUP)
        return json.dumps(text)[1:-1] if self is Way.ESCAPES else text


class Piece(NamedTuple):
    """Some of a text."""

    said: int
    """Where in the text it begins."""
    start: int
    end: int
    """Where in the document it stands."""
    whole: bool
    """Whether it cannot be taken apart: a reference, an escape."""
    way: Way
    behind: str = ""
    """What has to follow where the document is cut in it: the end of a CDATA section."""


class Written:
    """One text."""

    def __init__(self) -> None:
        self.said = ""
        self.pieces: list[Piece] = []
        self._parts: list[str] = []
        self._length = 0

    def add(self, document: str, start: int, end: int, way: Way = Way.PLAIN, behind: str = "") -> None:
        """The text goes on with what stands in ``document[start:end]``."""
        if way is Way.PLAIN:
            self._put(document[start:end], Piece(self._length, start, end, whole=False, way=way, behind=behind))
            return
        done, pattern = start, _REFERENCE if way is Way.REFERENCES else _ESCAPE
        for found in pattern.finditer(document, start, end):
            self._put(document[done : found.start()], Piece(self._length, done, found.start(), whole=False, way=way))
            meant = unescape(found[0]) if way is Way.REFERENCES else json.loads(f'"{found[0]}"')
            self._put(meant, Piece(self._length, *found.span(), whole=True, way=way))
            done = found.end()
        self._put(document[done:end], Piece(self._length, done, end, whole=False, way=way))

    def _put(self, text: str, piece: Piece) -> None:
        if text:
            self._parts.append(text)
            self.pieces.append(piece)
            self._length += len(text)

    def done(self) -> Written:
        """Nothing more is added; returns this."""
        self.said = "".join(self._parts)
        self._parts.clear()
        self._starts = [piece.said for piece in self.pieces]
        return self

    def behind(self, offset: int) -> tuple[int, Piece]:
        """Where in the document the first ``offset`` characters end, and the piece that holds the last of them."""
        piece = self.pieces[bisect_right(self._starts, max(0, offset - 1)) - 1]
        if offset <= 0:
            return piece.start, piece
        return (piece.end if piece.whole else piece.start + offset - piece.said), piece

    def span(self, start: int, end: int) -> tuple[int, int, Way] | None:
        """Where the characters ``[start, end)`` stand, or a place between two; None where that is not in one go."""
        to, last = self.behind(end)
        if start == end:
            return to, to, last.way
        number = bisect_right(self._starts, start) - 1
        first = one = self.pieces[number]
        at = first.start if first.whole else first.start + start - first.said
        while one is not last:
            number += 1
            before, one = one, self.pieces[number]
            if before.end != one.start or before.way is not one.way:
                return None
        return at, to, first.way
