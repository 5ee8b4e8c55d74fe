"""The Domain Name System behind two questions, answered by the system's own resolver in threads.

The system's resolver knows how this machine asks (``/etc/resolv.conf``, ``/etc/hosts``, DNS over whatever), which a
resolver of our own would have to learn. Its price is that a question cannot be taken back: so the threads are few,
and when all of them wait, the next question fails at once instead of queueing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

_T = TypeVar("_T")

_NOT_FOUND = {1, 4}
"""HOST_NOT_FOUND and NO_DATA of <netdb.h>: definite answers, unlike TRY_AGAIN and NO_RECOVERY."""


class Resolver(Protocol):
    """The Domain Name System."""

    async def reverse(self, address: str) -> Sequence[str]:
        """The names of ``address``; empty when it has none. OSError when that cannot be found out."""
        ...

    async def forward(self, name: str) -> Sequence[str]:
        """The addresses of ``name``; empty when it has none. OSError when that cannot be found out."""
        ...


class SystemResolver:
    """The system's own resolver, in ``threads`` threads; OSError at once when all of them are busy."""

    def __init__(self, threads: int = 8) -> None:
        self._pool = ThreadPoolExecutor(threads, "contentguard-dns")
        self._free = threads

    async def reverse(self, address: str) -> Sequence[str]:
        """See ``Resolver.reverse``."""
        return await self._ask(_reverse, address)

    async def forward(self, name: str) -> Sequence[str]:
        """See ``Resolver.forward``."""
        return await self._ask(_forward, name)

    async def _ask(self, question: Callable[[str], _T], about: str) -> _T:
        if self._free <= 0:
            raise BlockingIOError("all DNS threads are busy")
        self._free -= 1
        # A thread cannot be stopped: it stays taken until the system gives up, whoever has stopped waiting.
        future = self._pool.submit(question, about)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda done: _tell(loop, self._release))
        return await asyncio.wrap_future(future)

    def _release(self) -> None:
        self._free += 1

    def close(self) -> None:
        """Let the threads go; those that are waiting for an answer end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(what)
    except RuntimeError:  # the loop has ended meanwhile
        what()


def _reverse(address: str) -> list[str]:
    try:
        name, aliases, _ = socket.gethostbyaddr(address)
    except socket.herror as error:
        if error.errno in _NOT_FOUND:
            return []
        raise
    return [name, *aliases]


def _forward(name: str) -> list[str]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}:
            return []
        raise
    return [str(entry[4][0]) for entry in found]
