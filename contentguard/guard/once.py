"""Long work done in a thread: by one for all who ask for it at the same time.

Strategy: an event for each piece of work that is under way. Who comes meanwhile waits for it, and then looks whether it
was done; only who has it done hears of its errors.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

import anyio


class Once:
    """What is under way."""

    def __init__(self) -> None:
        self._busy: dict[Hashable, anyio.Event] = {}

    async def done(self, key: Hashable, work: Callable[[], object]) -> bool:
        """Have ``work`` done in a thread, or wait for who is at it; whether it was done for this caller."""
        busy = self._busy.get(key)
        if busy is not None:
            await busy.wait()
            return False
        over = self._busy[key] = anyio.Event()
        try:
            await anyio.to_thread.run_sync(work)
        finally:
            del self._busy[key]
            over.set()
        return True
