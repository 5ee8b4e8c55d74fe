"""Many callers, one line: whatever is asked while an answer is on its way is sent together, once that has come.

A lone caller goes out at once; a thousand go out in a few writes, so a round trip costs each a fraction of one. A batch
is given the time that its longest-waiting caller has left, so nobody waits longer than ``timeout``. A loop that was
held up elsewhere for long finds the time over and the answers arrived both at once: then the answers are looked at
first, or a busy worker would take its store for broken.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import NamedTuple

from contentguard.backends import StoreError

Command = tuple[bytes | str, ...]
Send = Callable[[Sequence[Command]], Awaitable[Sequence[object]]]
"""Sends commands and returns an answer for each, an exception among them where one failed."""

_MOST = 256
"""Commands of one batch."""
_LATE = 0.005
"""Seconds by which a timer may be late before the loop is thought to have been held up, and those it then gives."""


class _Waiting(NamedTuple):
    command: Command
    answer: asyncio.Future[object]
    deadline: float


class Batches:
    """Sends commands through ``send``, each answered or failed within ``timeout`` seconds. For one event loop."""

    def __init__(self, send: Send, timeout: float) -> None:
        self._send = send
        self._timeout = timeout
        self._queue: deque[_Waiting] = deque()
        self._running: asyncio.Task[None] | None = None

    async def ask(self, command: Command) -> object:
        """The answer. Raises what came instead of it; StoreError ``timeout`` when nothing came in time."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[object] = loop.create_future()
        self._queue.append(_Waiting(command, answer, loop.time() + self._timeout))
        if self._running is None:
            self._running = loop.create_task(self._run())
        return await answer

    async def aclose(self) -> None:
        """Fail who is waiting."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while batch := self._next():
                await self._answer(batch)
        finally:
            self._running = None
            _fail(self._queue, StoreError("closed"))
            self._queue.clear()

    def _next(self) -> list[_Waiting]:
        """The next batch, without those who no longer wait."""
        batch: list[_Waiting] = []
        while self._queue and len(batch) < _MOST:
            waiting = self._queue.popleft()
            if not waiting.answer.done():
                batch.append(waiting)
        return batch

    async def _answer(self, batch: Sequence[_Waiting]) -> None:
        try:
            async with _Deadline(batch[0].deadline):
                answers = await self._send([waiting.command for waiting in batch])
        except TimeoutError:
            _fail(batch, StoreError("timeout", f"no answer within {self._timeout * 1000:g} ms"))
        except Exception as error:
            _fail(batch, error)
        except BaseException:
            _fail(batch, StoreError("closed"))
            raise
        else:
            for waiting, answer in zip(batch, answers, strict=True):
                _settle(waiting, answer)


def _fail(batch: Sequence[_Waiting] | deque[_Waiting], error: Exception) -> None:
    for waiting in batch:
        _settle(waiting, error)


def _settle(waiting: _Waiting, answer: object) -> None:
    if waiting.answer.done():
        return
    if isinstance(answer, Exception):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)


class _Deadline:
    """``asyncio.timeout_at`` that forgives a loop which was held up: see the module."""

    def __init__(self, when: float) -> None:
        self._when = when
        self._scope = asyncio.timeout(None)

    async def __aenter__(self) -> None:
        await self._scope.__aenter__()
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_at(self._when, self._due)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        await self._scope.__aexit__(kind, error, trace)

    def _due(self) -> None:
        if self._loop.time() - self._when > _LATE:
            self._timer = self._loop.call_later(_LATE, self._scope.reschedule, 0.0)
        else:
            self._scope.reschedule(0.0)
