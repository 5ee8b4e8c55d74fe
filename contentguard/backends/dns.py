"""Forward-confirmed reverse DNS that no reader ever waits for.

``verify`` answers at once: from its memory, or "pending", and then the look-up goes on in the background. Only who
claims to be a robot is looked up, each address once at a time, and never more than a fixed number at once: over
that number the answer is "failed", which means unknown. Only a definite answer refutes, and a resolver that says
"no such name" is believed only after it has shown, on an address that Google documents, that it knows the internet
at all: inside many a cluster DNS knows the cluster and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from contentguard.backends.resolver import Resolver, SystemResolver
from contentguard.crawlers.hosts import HostAnswer, in_zones

_MAX_NAMES = 8
"""Names of one address that are looked at; an attacker may give his own address thousands."""
_MAX_CONFIRMED = 2
_CANARY = ("66.249.66.1", (".googlebot.com",))
"""https://developers.google.com/search/docs/crawling-indexing/verifying-googlebot"""


@dataclass(frozen=True, slots=True)
class DnsLimits:
    """How long answers are kept (seconds), and how much is asked at once."""

    confirmed: float = 86400.0
    refuted: float = 3600.0
    failed: float = 60.0
    timeout: float = 2.0
    """For one address, all questions together."""
    entries: int = 4096
    at_once: int = 4
    waiting: int = 64
    """Look-ups under way or waiting; over it, nothing is asked."""
    per_network: int = 8
    """Of these, from one IPv4 /24 or IPv6 /48."""


_Key = tuple[str, tuple[str, ...]]


class HostNames:
    """Which addresses have names in which zones, as far as it is known. For one event loop."""

    def __init__(
        self,
        resolver: Resolver | None = None,
        limits: DnsLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolver = resolver or SystemResolver()
        self._limits = limits or DnsLimits()
        self._clock = clock
        self._known: OrderedDict[_Key, tuple[HostAnswer, float]] = OrderedDict()
        self._running: dict[_Key, asyncio.Task[HostAnswer]] = {}
        self._networks: Counter[str] = Counter()
        self._turn = asyncio.Semaphore(self._limits.at_once)
        self._sound_until = float("-inf")

    def verify(self, address: str, zones: tuple[str, ...]) -> HostAnswer:
        """What is known now; when that is nothing, PENDING, and a look-up begins if a loop is running."""
        key = (address, zones)
        known = self._recall(key)
        if known is not None:
            return known
        if key in self._running:
            return HostAnswer.PENDING
        return HostAnswer.PENDING if self._begin(key) else HostAnswer.FAILED

    async def settle(self, address: str, zones: tuple[str, ...], budget: float) -> HostAnswer:
        """``verify``, waiting for the answer for at most ``budget`` seconds. Never raises."""
        answer = self.verify(address, zones)
        task = self._running.get((address, zones))
        if answer is HostAnswer.PENDING and task is not None and budget > 0:
            done, _ = await asyncio.wait({task}, timeout=budget)
            answer = task.result() if done and not task.cancelled() else answer
        return answer

    async def aclose(self) -> None:
        """End what is under way."""
        for task in list(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        close: Any = getattr(self._resolver, "close", None)
        if close is not None:
            close()

    def _recall(self, key: _Key) -> HostAnswer | None:
        known = self._known.get(key)
        if known is None or known[1] <= self._clock():
            return None
        self._known.move_to_end(key)
        return known[0]

    def _begin(self, key: _Key) -> bool:
        """Start a look-up; False when there are too many, or no loop runs in which it could be made."""
        network = _network(key[0])
        if len(self._running) >= self._limits.waiting or self._networks[network] >= self._limits.per_network:
            return False
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        self._networks[network] += 1
        task = self._running[key] = loop.create_task(self._look_up(key))
        task.add_done_callback(lambda _: self._end(key, network))
        return True

    def _end(self, key: _Key, network: str) -> None:
        self._running.pop(key, None)
        self._networks[network] -= 1
        if self._networks[network] <= 0:
            del self._networks[network]

    async def _look_up(self, key: _Key) -> HostAnswer:
        async with self._turn:
            try:
                async with asyncio.timeout(self._limits.timeout):
                    answer = await self._ask(*key)
            except (OSError, ValueError):  # TimeoutError is an OSError, UnicodeError a ValueError
                answer = HostAnswer.FAILED
        lasts = {
            HostAnswer.CONFIRMED: self._limits.confirmed,
            HostAnswer.REFUTED: self._limits.refuted,
        }.get(answer, self._limits.failed)
        self._known[key] = (answer, self._clock() + lasts)
        while len(self._known) > self._limits.entries:
            self._known.popitem(last=False)
        return answer

    async def _ask(self, address: str, zones: tuple[str, ...]) -> HostAnswer:
        names = await self._resolver.reverse(address)
        candidates = [name for name in names[:_MAX_NAMES] if in_zones(name, zones)][:_MAX_CONFIRMED]
        for name in candidates:
            if _same(address, await self._resolver.forward(name)):
                self._sound_until = self._clock() + self._limits.refuted
                return HostAnswer.CONFIRMED
        # A name in somebody else's zone is an answer of the real DNS; silence is one only if it knows anything.
        if (names and not candidates) or await self._is_sound():
            return HostAnswer.REFUTED
        return HostAnswer.FAILED

    async def _is_sound(self) -> bool:
        """Whether the resolver knows the public DNS."""
        if self._clock() >= self._sound_until:
            address, zones = _CANARY
            names = await self._resolver.reverse(address)
            if not any(in_zones(name, zones) for name in names):
                return False
            self._sound_until = self._clock() + self._limits.refuted
        return True


def _same(address: str, found: Sequence[str]) -> bool:
    wanted = ip_address(address)
    return any(ip_address(text.partition("%")[0]) == wanted for text in found[:64])


def _network(address: str) -> str:
    return ":".join(address.split(":")[:3]) if ":" in address else address.rpartition(".")[0]
