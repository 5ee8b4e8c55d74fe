"""Changes to a page, as slices of it with something else between.

Strategy: an edit says which bytes go and what comes in their place; the page is never copied, and what no edit names
stays as it is, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from contentguard.rewrite.template import Hole, Piece


class Edit(NamedTuple):
    """The bytes ``[start, end)`` of a page are replaced by ``parts``; where both are the same, these are put in."""

    start: int
    end: int
    parts: Sequence[bytes | Hole] = ()


def patched(page: memoryview, edits: Iterable[Edit], start: int, end: int) -> list[Piece | Hole]:
    """The bytes ``[start, end)`` with those of ``edits`` that lie within made.

    Of two that begin at one place the earlier comes first; one that begins inside another is left out.
    """
    parts: list[Piece | Hole] = []
    done = start
    for edit in sorted(edits, key=lambda edit: edit.start):
        if edit.start < done or edit.end > end:
            continue
        if edit.start > done:
            parts.append(page[done : edit.start])
        parts += edit.parts
        done = edit.end
    if done < end:
        parts.append(page[done:end])
    return parts
