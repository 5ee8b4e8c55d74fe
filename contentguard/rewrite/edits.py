"""Changes to a page, as slices of it with something else between.

Strategy: an edit says which bytes go and what comes in their place; of the page only what is very short is copied, and
what no edit names stays as it is, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contentguard.rewrite.template import Hole, Piece
from contentguard.turns import Turns

_SHORT = 192
"""Bytes of a slice that are copied: the slice would take as much by itself, be joined slower, and be one more thing
for the garbage collector to look at."""
_TURN = 512
"""Edits that are made in one turn."""


class Edit(NamedTuple):
    """The bytes ``[start, end)`` of a page are replaced by ``parts``; where both are the same, these are put in."""

    start: int
    end: int
    parts: Sequence[bytes | Hole] = ()


def patched(page: memoryview, edits: Iterable[Edit], start: int, end: int) -> Turns[list[Piece | Hole]]:
    """The bytes ``[start, end)`` with those of ``edits`` that lie within made.

    Of two that begin at one place the earlier comes first; one that begins inside another is left out.
    """
    parts: list[Piece | Hole] = []
    done = start
    for number, edit in enumerate(sorted(edits, key=lambda edit: edit.start)):
        if not number % _TURN:
            yield
        if edit.start < done or edit.end > end:
            continue
        if edit.start > done:
            kept = page[done : edit.start]
            parts.append(kept if len(kept) > _SHORT else bytes(kept))
        parts += edit.parts
        done = edit.end
    if done < end:
        parts.append(page[done:end])
    return parts
