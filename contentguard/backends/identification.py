"""Who asks: the catalogue's word put to the test by address lists, DNS and signatures, in this order of cost.

A browser costs one look at its headers' names. Who says to be a robot costs a look into the address lists; only if
that proves nothing, DNS and key directories are asked, in the background, and waited for only as long as a robot
may be made to wait. Nothing here can fail a request: whatever goes wrong, the standing is *unknown*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from contentguard.backends import Store
from contentguard.backends.directories import Directories
from contentguard.backends.dns import HostNames
from contentguard.backends.fetching import is_public
from contentguard.backends.ranges import RangesFile
from contentguard.crawlers.hosts import HostAnswer
from contentguard.crawlers.identity import identify, origin_of
from contentguard.crawlers.message import SignedRequest
from contentguard.crawlers.options import Identification
from contentguard.crawlers.ranges import Place, Ranges
from contentguard.crawlers.signatures import (
    BAD_SIGNATURE,
    LEEWAY,
    Claim,
    SignatureResult,
    SignatureRules,
    Signed,
    conclude,
    examine,
    explained,
)
from contentguard.limits import Limit
from contentguard.model import Crawler, Identity, Purpose, Standing


@dataclass(frozen=True, slots=True)
class Answered:
    """Who asks, as far as it was found out."""

    crawler: Crawler | None
    """What the User-Agent says, or the signature where that says nothing."""
    identity: Identity | None
    """None for who does not say to be a robot."""
    signature: SignatureResult | None = None


class Identifier:
    """Finds out who asks. ``spent`` remembers nonces: a Store of its own, so that nothing else can crowd them out."""

    def __init__(
        self,
        crawlers: Sequence[Crawler],
        ranges: Callable[[], Ranges],
        hosts: HostNames | None,
        directories: Directories | None,
        spent: Store | None,
        *,
        agents: Mapping[str, Purpose] = MappingProxyType({}),
        rules: SignatureRules | None = None,
        wait: float = 0.2,
    ) -> None:
        self._ranges = ranges
        self._hosts = hosts
        self._directories = directories
        self._spent = spent
        self._rules = rules or SignatureRules()
        self._wait = wait
        listed = {agent: crawler for crawler in reversed(crawlers) for agent in crawler.agents}
        self._by_agent = {**listed, **{agent: _agent(agent, purpose) for agent, purpose in agents.items()}}

    async def answer(
        self, crawler: Crawler | None, client: str | None, request: SignedRequest | None, now: float
    ) -> Answered:
        """Who asks.

        ``crawler``: what the catalogue makes of the User-Agent. ``client``: the address, None where it is not
        certain (a proxy that is not trusted stands between). ``request``: what was signed, None where nothing was.
        """
        signature = None
        if request is not None and self._directories is not None:
            signature = await self._signature(request, client or "", now)
        if crawler is None:
            crawler = self._signer(signature)
            if crawler is None:
                return Answered(None, None, signature)
        address = client if client is not None and _is_public(client) else None
        place = self._ranges().place(crawler.ranges, address, now) if crawler.ranges else None
        identity = identify(crawler, place, None, signature)
        if crawler.hosts and identity.standing is not Standing.VERIFIED:
            identity = identify(crawler, place, await self._host(crawler, address, place), signature)
        return Answered(crawler, identity, signature)

    async def aclose(self) -> None:
        """End what is under way."""
        for part in (self._hosts, self._directories):
            if part is not None:
                await part.aclose()

    async def _host(self, crawler: Crawler, address: str | None, place: Place | None) -> HostAnswer | None:
        if address is None or self._hosts is None:
            return None
        return await self._hosts.settle(address, crawler.hosts, self._wait)

    async def _signature(self, request: SignedRequest, client: str, now: float) -> SignatureResult:
        """The best of the request's signatures."""
        examined = examine(request, self._rules, now)
        claims = [one for one in examined if isinstance(one, Claim)]
        # Verifying costs a third of a millisecond, and anybody can ask for it.
        if claims and not await self._admits(f"v{client}", _ATTEMPTS, now):
            return SignatureResult(Signed.UNVERIFIED, "too-many-signatures")
        results = [one for one in examined if isinstance(one, SignatureResult)]
        for claim in claims:
            results.append(await self._concluded(claim, request, now))
            if results[-1].outcome is Signed.VERIFIED:
                break
        return min(results, key=lambda result: _BEST.index(result.outcome))

    async def _concluded(self, claim: Claim, request: SignedRequest, now: float) -> SignatureResult:
        assert self._directories is not None
        keys = await self._directories.keys(claim.agent, str(claim.parameter("keyid")), self._wait)
        result = conclude(claim, request, keys, now)
        if result.reason == BAD_SIGNATURE and keys is not None and await self._admits("e", _EXPLAINED, now):
            return explained(result, claim, request, keys)
        if result.outcome is Signed.VERIFIED and not await self._is_first(result, now):
            return replace(result, outcome=Signed.INVALID, reason="replayed")
        return result

    async def _is_first(self, result: SignatureResult, now: float) -> bool:
        """Whether this nonce is seen for the first time; a signature without one may come again until it expires."""
        once = Limit(1, max(result.expires - now, 0.0) + 2 * LEEWAY)
        return not result.has_nonce or await self._admits(f"n{result.once.hex()}", once, now)

    async def _admits(self, key: str, limit: Limit, now: float) -> bool:
        if self._spent is None:
            return True
        try:
            return (await self._spent.take(key, limit, now)).allowed
        except Exception:  # a store that fails protects from nothing, and must not lock anybody out either
            return True

    def _signer(self, signature: SignatureResult | None) -> Crawler | None:
        """The robot behind a signature that holds, when the User-Agent names none."""
        if signature is None or signature.outcome is not Signed.VERIFIED:
            return None
        origin = origin_of(signature.agent)
        return self._by_agent.get(origin) or _agent(origin, Purpose.TOOL)


def identifier(options: Identification, crawlers: Sequence[Crawler], spent: Store | None) -> Identifier:
    """An Identifier as ``options`` want it. ``spent``: see there."""
    listed = (agent for crawler in crawlers for agent in crawler.agents)
    directories = Directories([*listed, *options.agents], discover=options.discover) if options.signatures else None
    return Identifier(
        crawlers,
        RangesFile(options.ranges),
        HostNames() if options.dns else None,
        directories,
        spent,
        agents=options.agents,
        wait=options.wait,
    )


_ATTEMPTS = Limit(10, 1.0, 50)
"""Signatures of one address that are verified."""
_EXPLAINED = Limit(1, 60.0, 1)
"""Bad signatures that are looked into: for the log, in which the same signer's mistake stands often enough."""
_BEST = (Signed.VERIFIED, Signed.INVALID, Signed.UNVERIFIED, Signed.UNSIGNED)


@lru_cache(maxsize=1024)
def _is_public(client: str) -> bool:
    return is_public(client)


@lru_cache(maxsize=256)
def _agent(origin: str, purpose: Purpose) -> Crawler:
    """A signing agent that the catalogue does not list."""
    host = origin.removeprefix("https://")
    return Crawler(name=host, token=host, operator=host, purpose=purpose, agents=(origin,))
