"""Key directories of signing robots: fetched in the background, remembered, and never a way into the house.

By default only directories of known agents are fetched; the address comes from the client, so everything about
fetching it is bounded: one fetch per directory at a time, a rate over all, a number of directories remembered. Keys
belong to the directory they came from (a stranger may list somebody else's public key). A failed fetch leaves what
was known; a successful one replaces it, so that a withdrawn key is gone.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from contentguard.backends.fetching import Fetched, FetchError, PublicFetcher
from contentguard.crawlers.agents import WELL_KNOWN
from contentguard.crawlers.identity import origin_of
from contentguard.crawlers.keys import CryptographyMissingError, PublicKey, read_directory
from contentguard.crawlers.message import SignedRequest, SignedResponse
from contentguard.crawlers.possession import possesses
from contentguard.limits import Limit, gcra

MEDIA_TYPE = "application/http-message-signatures-directory+json"
_JSON = (MEDIA_TYPE, "application/jwk-set+json", "application/json")
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=\"?([0-9]{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DirectoryLimits:
    """How long directories are kept (seconds), and how much is fetched."""

    shortest: float = 300.0
    longest: float = 86400.0
    """Bounds on what a directory's own Cache-Control says."""
    failed: float = 300.0
    """How long a directory that was not to be had, or lacked a key, is not asked again."""
    kept: float = 7 * 86400.0
    """How long keys outlive the last successful fetch while the directory is not to be had."""
    entries: int = 1000
    fetches: Limit = field(default_factory=lambda: Limit(5, 1.0))
    """All directories together."""


@dataclass(slots=True)
class _Directory:
    keys: Mapping[str, PublicKey] | None = None
    fetched: float = float("-inf")
    fresh_until: float = float("-inf")
    ask_again: float = float("-inf")
    task: asyncio.Task[None] | None = None


class Directories:
    """Keys by directory. For one event loop.

    ``agents``: origins (``https://chatgpt.com``) whose directories may be fetched; with ``discover``, any may.
    ``possession``: take only keys that have signed the directory's response.
    """

    def __init__(
        self,
        agents: Iterable[str] = (),
        *,
        discover: bool = False,
        possession: bool = False,
        fetcher: PublicFetcher | None = None,
        limits: DirectoryLimits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._agents = frozenset(agents)
        self._discover = discover
        self._possession = possession
        self._fetcher = fetcher or PublicFetcher()
        self._limits = limits or DirectoryLimits()
        self._clock = clock
        self._known: OrderedDict[str, _Directory] = OrderedDict()
        self._tat = 0.0

    def allows(self, agent: str) -> bool:
        """Whether the directory at the address ``agent`` may be fetched."""
        return self._discover or origin_of(agent) in self._agents

    async def keys(self, agent: str, keyid: str, budget: float = 0.0) -> Mapping[str, PublicKey] | None:
        """The keys of the directory at ``agent``; None when there are none (yet). Never raises.

        Answers at once from memory; only when ``keyid`` is not there, waits for a fetch for at most ``budget``
        seconds.
        """
        if not self.allows(agent):
            return None
        directory = self._recall(agent)
        now = self._clock()
        missing = directory.keys is None or keyid not in directory.keys
        if directory.task is None and now >= directory.ask_again and (missing or now >= directory.fresh_until):
            self._begin(agent, directory, now)
        if missing and directory.task is not None and budget > 0:
            await asyncio.wait({directory.task}, timeout=budget)
        if directory.keys is not None and now > directory.fetched + self._limits.kept:
            directory.keys = None
        return directory.keys

    async def aclose(self) -> None:
        """End what is under way and close the connections."""
        tasks = [directory.task for directory in self._known.values() if directory.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._fetcher.aclose()

    def _recall(self, agent: str) -> _Directory:
        directory = self._known.get(agent)
        if directory is None:
            directory = self._known[agent] = _Directory()
            self._make_room()
        self._known.move_to_end(agent)
        return directory

    def _make_room(self) -> None:
        while len(self._known) > self._limits.entries:
            _, dropped = self._known.popitem(last=False)
            if dropped.task is not None:
                dropped.task.cancel()

    def _begin(self, agent: str, directory: _Directory, now: float) -> None:
        admitted = gcra(self._tat, self._limits.fetches, now)
        if not admitted.allowed:
            return
        self._tat = admitted.tat
        directory.task = asyncio.get_running_loop().create_task(self._refresh(agent, directory))

    async def _refresh(self, agent: str, directory: _Directory) -> None:
        try:
            fetched = await self._fetcher.get(agent, ", ".join((MEDIA_TYPE, "application/json")))
            keys = self._read(agent, fetched)
            now = self._clock()
            directory.keys, directory.fetched = keys, now
            directory.fresh_until = now + self._lasts(fetched.header("cache-control"))
        except (FetchError, ValueError, CryptographyMissingError):
            pass  # what was known stays
        finally:
            directory.ask_again = self._clock() + self._limits.failed
            directory.task = None

    def _read(self, agent: str, fetched: Fetched) -> Mapping[str, PublicKey]:
        kind = fetched.header("content-type").partition(";")[0].strip().lower()
        if kind not in _JSON:
            raise ValueError(f"a directory of type {kind!r}")
        keys = read_directory(fetched.body)
        if not self._possession:
            return keys
        origin = origin_of(agent)
        request = SignedRequest("GET", "https", origin.removeprefix("https://"), WELL_KNOWN, ())
        proved = possesses(SignedResponse(200, fetched.headers, request), keys, fetched.body, self._clock())
        return {name: key for name, key in keys.items() if name in proved}

    def _lasts(self, cache_control: str) -> float:
        """Seconds for which a directory is fresh by its Cache-Control, within our bounds."""
        told = _MAX_AGE.search(cache_control[:1024])
        age = float(told[1]) if told else self._limits.longest
        if "no-store" in cache_control or "no-cache" in cache_control:
            age = 0.0
        return min(max(age, self._limits.shortest), self._limits.longest)
