"""The catalogue as lines of text: who is known, and how each robot can be verified."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contentguard.crawlers.ranges import DAY, Ranges
from contentguard.model import Crawler


def listing(crawlers: Iterable[Crawler], ranges: Ranges, now: float, *, everything: bool = False) -> Iterator[str]:
    """One line for each robot that can be verified (with ``everything``: for each robot), and what the lists are."""
    rows = [crawler for crawler in crawlers if everything or is_verifiable(crawler)]
    for crawler in rows:
        operator = crawler.operator or "-"
        yield f"{crawler.name:26} {crawler.purpose.value:17} {operator:18} {verification(crawler)}"
    yield ""
    yield f"{len(rows)} robots. Outside what is marked *, a request is spoofed; outside the rest, only unverified."
    for name, entry in sorted(ranges.lists.items()):
        yield f"{name:26} {len(entry.networks):5} networks, {max(now - entry.fetched, 0.0) / DAY:.0f} days old"


def is_verifiable(crawler: Crawler) -> bool:
    """Whether anything is known by which this robot could be verified."""
    return bool(crawler.ranges or crawler.hosts or crawler.agents)


def verification(crawler: Crawler) -> str:
    """How a robot is verified, in words; ``*`` marks what every genuine request passes."""
    ways = (
        (crawler.ranges, "ranges", "address list"),
        (crawler.hosts, "hosts", "reverse DNS"),
        (crawler.agents, "agents", "signature"),
    )
    told = [
        f"{words} {', '.join(names)}{'*' if key in crawler.complete else ''}" for names, key, words in ways if names
    ]
    if crawler.control:
        return "a name for robots.txt only"
    return "; ".join(told) or "cannot be verified: its operator publishes nothing"
