"""Who may have what: rights per purpose, and the verdict that follows from them.

Strategy: the whole policy is one immutable value, and ``decide`` is a pure function of it and the Facts, so that any
decision can be replayed, and robots.txt, which is rendered from the same value, cannot say anything else than what
is enforced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from contentguard.limits import Limit
from contentguard.model import Action, Crawler, Facts, Purpose, Rendition, Right, Verdict

DEFAULT_RIGHTS: Mapping[Purpose, Right] = MappingProxyType(
    {
        Purpose.SEARCH: Right.ALLOW,
        Purpose.AI_TRAINING: Right.DENY,
        Purpose.AI_SEARCH: Right.HEAD,
        Purpose.USER_FETCH: Right.HEAD,
        Purpose.LINK_PREVIEW: Right.HEAD,
        Purpose.FEED: Right.HEAD,
        Purpose.ARCHIVE: Right.DENY,
        Purpose.SEO: Right.DENY,
        Purpose.MONITORING: Right.HEAD,
        Purpose.TOOL: Right.NO_ARTICLES,
    }
)
"""The press's usual wish: found by search, previewed when shared, not copied."""

DEFAULT_CRAWLERS: Mapping[str, Right] = MappingProxyType(
    dict.fromkeys(("HeadlessChrome", "HeadlessEdg", "Headless_Shell", "Chrome-Lighthouse"), Right.ALLOW)
)
"""Exceptions by name. A browser without a screen may be a scraper or a test: its name decides nothing."""

_OPEN_PATHS = frozenset(("/robots.txt", "/sitemap.xml", "/favicon.ico", "/ads.txt", "/security.txt", "/llms.txt"))
_OPEN_PREFIX = "/.well-known/"

DENIED = "This site's policy does not allow this kind of automated access."
NOT_THE_ARTICLE = "This site's articles may not be copied by automated means without a licence."
TOO_FAST = "Too many articles were asked for in a short time."


@dataclass(frozen=True, slots=True)
class Policy:
    """Rights per purpose (``rights``), with exceptions per robot (``crawlers``, by name)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    rights: Mapping[Purpose, Right] = field(default_factory=dict)
    """Purpose → right, for those that differ from the default."""
    crawlers: Mapping[str, Right] = field(default_factory=dict)
    """A robot's name in the catalogue → its right, whatever its purpose's is."""

    def effective_rights(self) -> dict[Purpose, Right]:
        """Every purpose with the right it has under this policy."""
        return {**DEFAULT_RIGHTS, **self.rights}

    def right_of(self, crawler: Crawler) -> tuple[Right, str]:
        """A robot's right, and the name of the rule that gives it."""
        wanted, purpose = crawler.name.lower(), crawler.purpose
        for table in (self.crawlers, DEFAULT_CRAWLERS):
            for name, right in table.items():
                if name.lower() == wanted:
                    return right, f"crawlers.{crawler.name}"
        return self.rights.get(purpose, DEFAULT_RIGHTS[purpose]), f"rights.{purpose.value}"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one client (an IPv4 address, an IPv6 /64) may ask for."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    articles: str = "120/minute"
    """Full articles. An empty text switches the limit off."""
    requests: str = ""
    """Requests of any kind, pictures and scripts included; off by default: many readers may share one address."""
    clients: int = 200_000
    """How many clients are remembered at once."""

    def __post_init__(self) -> None:
        for text in (self.articles, self.requests):
            if text:
                Limit.parse(text)
        if self.clients < 1:
            raise ValueError(f"clients must be at least 1, not {self.clients}")

    def parsed(self) -> tuple[Limit | None, Limit | None]:
        """The limits on articles and on requests."""
        articles, requests = (Limit.parse(text) if text else None for text in (self.articles, self.requests))
        return articles, requests


_FULL = Verdict(Action.ALLOW, Rendition.FULL, "readers")
_BY_RIGHT = {
    Right.ALLOW: (Action.ALLOW, Rendition.FULL, ""),
    Right.HEAD: (Action.ALLOW, Rendition.HEAD, ""),
    Right.NO_ARTICLES: (Action.ALLOW, Rendition.NONE, NOT_THE_ARTICLE),
    Right.DENY: (Action.DENY, Rendition.NONE, DENIED),
}


def decide(policy: Policy, facts: Facts) -> Verdict:
    """What a request may have, before the app is asked: pure, replayable from its Facts."""
    if facts.wait > 0:
        return throttled(facts, "limits.requests")
    crawler = facts.crawler
    if crawler is None:
        return _FULL
    right, rule = policy.right_of(crawler)
    if right is Right.DENY and is_open(facts.path):
        # What is published for robots is for all of them; an article found there is still none for this one.
        right = Right.NO_ARTICLES
    action, rendition, public = _BY_RIGHT[right]
    return Verdict(action, rendition, rule, public, f"declared robot {crawler.name} ({crawler.purpose.value})")


def decide_article(facts: Facts, verdict: Verdict) -> Verdict:
    """What becomes of a request whose response holds an article: ``verdict``, unless that refuses articles."""
    if verdict.rendition is Rendition.NONE and verdict.action is Action.ALLOW:
        return Verdict(Action.DENY, Rendition.NONE, verdict.rule, verdict.public_reason, verdict.private_reason)
    if facts.wait > 0:
        return throttled(facts, "limits.articles")
    return verdict


def throttled(facts: Facts, rule: str) -> Verdict:
    """The verdict on a client that has to wait for ``facts.wait`` seconds."""
    private = f"over {rule}, next request admitted in {facts.wait:.1f} s"
    return Verdict(Action.THROTTLE, Rendition.NONE, rule, TOO_FAST, private, retry_after=facts.wait)


def is_open(path: str) -> bool:
    """Whether a path is one that robots are meant to read before anything else (RFC 8615, RFC 9309)."""
    return path in _OPEN_PATHS or path.startswith(_OPEN_PREFIX)
