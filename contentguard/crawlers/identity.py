"""Whether a declared robot is who it says: what was found out, made into one of four standings.

One proof is enough: an address on the operator's list, a host name in the operator's zone, a signature by the
operator's key. Against a claim nothing counts but a check that every genuine request passes, that was carried out,
and that failed, while no other check is left that might still succeed. Trouble of any kind is *unknown*.
"""

from __future__ import annotations

from collections.abc import Iterator

from contentguard.crawlers.hosts import HostAnswer
from contentguard.crawlers.ranges import Place
from contentguard.crawlers.signatures import SignatureResult, Signed
from contentguard.model import Crawler, Identity, Standing

RANGES, HOSTS, SIGNATURE = "ranges", "hosts", "signature"


def identify(
    crawler: Crawler,
    place: Place | None = None,
    host: HostAnswer | None = None,
    signature: SignatureResult | None = None,
) -> Identity:
    """The standing of a request that says to be ``crawler``.

    ``place``: where its address stands in the lists ``crawler.ranges``; ``host``: what DNS says of it and the zones
    ``crawler.hosts``; ``signature``: the result for its signature. None: not asked.
    """
    if signature is not None and signature.outcome is Signed.VERIFIED and signed_by(crawler, signature):
        return Identity(Standing.VERIFIED, SIGNATURE, f"signed by {signature.agent}")
    if place is Place.INSIDE and crawler.ranges:
        return Identity(Standing.VERIFIED, RANGES, f"its address is on the list {' or '.join(crawler.ranges)}")
    if host is HostAnswer.CONFIRMED and crawler.hosts:
        return Identity(Standing.VERIFIED, HOSTS, f"its host name ends in {' or '.join(crawler.hosts)}")
    failed = _failed_check(crawler, place, host)
    if failed:
        return Identity(Standing.SPOOFED, failed, "; ".join(_findings(crawler, place, host, signature)))
    if not (crawler.ranges or crawler.hosts or crawler.agents):
        return Identity(Standing.UNVERIFIABLE, "", "its operator publishes nothing to verify it by")
    standing = Standing.UNKNOWN if _is_open(crawler, place, host, signature) else Standing.UNVERIFIABLE
    return Identity(standing, "", "; ".join(_findings(crawler, place, host, signature)))


def signed_by(crawler: Crawler, signature: SignatureResult) -> bool:
    """Whether the signature's agent is one of the crawler's own."""
    return origin_of(signature.agent) in crawler.agents


def origin_of(agent: str) -> str:
    """The origin of an agent's address: ``https://chatgpt.com``."""
    scheme, _, rest = agent.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _failed_check(crawler: Crawler, place: Place | None, host: HostAnswer | None) -> str:
    """The complete check that this request fails, if no other can still succeed; else empty."""
    if HOSTS in crawler.complete and crawler.hosts and host is HostAnswer.REFUTED:
        return HOSTS
    others_failed = not crawler.hosts or host is HostAnswer.REFUTED
    if RANGES in crawler.complete and crawler.ranges and place is Place.OUTSIDE and others_failed:
        return RANGES
    return ""


def _is_open(crawler: Crawler, place: Place | None, host: HostAnswer | None, signature: SignatureResult | None) -> bool:
    """Whether more might be found out than is known now."""
    ranges = bool(crawler.ranges) and place is not Place.OUTSIDE
    hosts = bool(crawler.hosts) and host is not HostAnswer.REFUTED
    signed = signature is not None and signature.outcome is Signed.UNVERIFIED and signed_by(crawler, signature)
    return ranges or hosts or (bool(crawler.agents) and signed)


def _findings(
    crawler: Crawler, place: Place | None, host: HostAnswer | None, signature: SignatureResult | None
) -> Iterator[str]:
    if crawler.ranges:
        yield f"address list {', '.join(crawler.ranges)}: {place.value if place else 'not asked'}"
    if crawler.hosts:
        yield f"host name in {', '.join(crawler.hosts)}: {host.value if host else 'not asked'}"
    if crawler.agents or signature is not None:
        yield f"signature: {_signature(signature)}"


def _signature(signature: SignatureResult | None) -> str:
    if signature is None:
        return "none"
    return f"{signature.outcome.value} {signature.reason}".strip()
