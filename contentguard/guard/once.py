"""Long work done by one for all who ask for it at the same time, and without holding the event loop.

Strategy: an event for each piece of work that is under way. Who comes meanwhile waits for it, and then looks whether it
was done; only who does it hears of its errors. It is done on the event loop, a few milliseconds at a time: in a thread
it would want the interpreter for itself as long as it takes, and every request would wait its turn for each message.
What cannot be cut goes into a thread all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import TypeVar

import anyio
from anyio.lowlevel import checkpoint

from contentguard.turns import Chores

T = TypeVar("T")
_TURN = 0.001
"""Seconds for which nobody else has a turn."""


class Once:
    """What is under way."""

    def __init__(self) -> None:
        self._busy: dict[Hashable, anyio.Event] = {}

    async def waited(self, key: Hashable) -> bool:
        """Wait for who is at it; whether anybody was."""
        busy = self._busy.get(key)
        if busy is None:
            return False
        await busy.wait()
        return True

    async def done(self, key: Hashable, work: Callable[[], Chores[object]]) -> bool:
        """Have ``work`` done, or wait for who is at it; whether it was done for this caller."""
        if await self.waited(key):
            return False
        await self.result(key, work())
        return True

    async def result(self, key: Hashable, work: Chores[T]) -> T:
        """Do ``work``, which nobody is at."""
        over: anyio.Event | None = None
        try:
            began, chore = time.perf_counter(), next(work)
            over = self._busy[key] = anyio.Event()
            while True:
                if chore is not None:
                    chore = work.send(await anyio.to_thread.run_sync(chore))
                    began = time.perf_counter()
                    continue
                if time.perf_counter() - began > _TURN:
                    await checkpoint()
                    began = time.perf_counter()
                chore = next(work)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            if over is not None:
                over.set()
                if self._busy.get(key) is over:
                    del self._busy[key]
