"""Long work in short turns, for whoever has others waiting.

Strategy: work that may take long is a generator which stops every so often, after a fraction of a millisecond, and ends
with its result. It does not know what happens meanwhile: an event loop lets others have their turn, a command goes on
at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

T = TypeVar("T")
Turns = Generator[None, None, T]
"""Work that ends with a ``T``."""
Chores = Generator[Callable[[], Any] | None, Any, T]
"""The same, which hands out what cannot be cut: a call that may be made in a thread, and whose result is sent back."""


def finished(work: Chores[T]) -> T:
    """Do some work to its end, here and now."""
    try:
        chore = next(work)
        while True:
            chore = work.send(chore() if chore else None)
    except StopIteration as stop:
        result: T = stop.value
        return result
