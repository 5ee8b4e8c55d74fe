"""The vocabulary: frozen values that every room speaks.

A request becomes Facts, Facts become a Verdict, and a Verdict says what a client gets. Everything here is plain
data: nothing waits, nothing looks at a clock, and Facts can be written down as JSON and judged again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from contentguard.limits import Limit


class Purpose(StrEnum):
    """What a declared robot is for; each purpose has a right of its own in the policy.

    The short names that other vocabularies use (``ai-train``, ``ai-input``, ``preview``, ``fetch``) are understood.
    """

    SEARCH = "search"
    AI_TRAINING = "ai-training"
    AI_SEARCH = "ai-search"
    USER_FETCH = "user-agent-fetch"
    LINK_PREVIEW = "link-preview"
    FEED = "feed"
    ARCHIVE = "archive"
    SEO = "seo"
    MONITORING = "monitoring"
    TOOL = "tool"

    @classmethod
    def _missing_(cls, value: object) -> Purpose | None:
        return _ALIASES.get(value) if isinstance(value, str) else None


_ALIASES = {
    "ai-train": Purpose.AI_TRAINING,
    "ai-input": Purpose.AI_SEARCH,
    "preview": Purpose.LINK_PREVIEW,
    "fetch": Purpose.USER_FETCH,
}


class Identity(StrEnum):
    """Whether a declared robot is the one that it says it is."""

    VERIFIED = "verified"
    SPOOFED = "spoofed"
    """Its operator publishes how to tell, and this is not it: the only identity that justifies a refusal alone."""
    UNVERIFIABLE = "unverifiable"
    """Its operator publishes nothing to tell by."""
    UNKNOWN = "unknown"
    """Not looked into, or it could not be: a name server that does not answer proves nothing."""


class Right(StrEnum):
    """What a declared robot may have of the site, the widest right first."""

    ALLOW = "allow"
    """Everything, articles whole."""
    EXCERPT = "excerpt"
    """Everything, but of an article only an excerpt. Until excerpts are made this is the same as ``head``."""
    HEAD = "head"
    """Everything, but of an article only its metadata (title, description, card picture)."""
    NO_ARTICLES = "no-articles"
    """Everything but articles: in an article's place stands a refusal."""
    CHARGE = "charge"
    """Nothing without a licence (402), but what is published for robots."""
    DENY = "deny"
    """Nothing but what is published for robots (robots.txt)."""


class Action(StrEnum):
    """What is done with a request, the mildest first: the words of the policy's rules.

    A verdict holds ``allow`` or one of those that refuse; ``lead``, ``excerpt`` and ``head`` are rules' words for
    ``allow`` with a smaller rendition.
    """

    ALLOW = "allow"
    LEAD = "lead"
    """An article's first paragraphs. Until progressive reading is there, like ``head``."""
    EXCERPT = "excerpt"
    """An article's excerpt. Until excerpts are made, like ``head``."""
    HEAD = "head"
    """An article's metadata."""
    THROTTLE = "throttle"
    """429 while the client is over a limit."""
    WAIT = "wait"
    """429 with a small page that says when to come back, while the client is faster than a reader's pace."""
    CHARGE = "charge"
    """402: this needs a licence."""
    DENY = "deny"
    """403."""


class Rendition(StrEnum):
    """How much of an article leaves, if the response turns out to be one."""

    FULL = "full"
    HEAD = "head"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Crawler:
    """A robot that says who it is: one row of the catalogue in ``data/``."""

    name: str
    """The product's own name, e.g. ``GPTBot``."""
    token: str
    """What its User-Agent header holds, matched without regard to case, e.g. ``GPTBot``."""
    operator: str
    purpose: Purpose
    robots_token: str | None = None
    """The name it obeys in robots.txt (RFC 9309 product token); None when it reads no robots.txt."""
    control: bool = False
    """A name for robots.txt only (``Google-Extended``): no request ever carries it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one request before it is judged. JSON-serialisable through ``as_dict``."""

    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    """Lower-case names, raw values, in the order in which they came."""
    client: str | None
    """The client's address as we resolved it; None where the server knows none (a Unix socket)."""
    scheme: str = "http"
    http_version: str = "1.1"
    now: float = 0.0
    """Seconds since the epoch."""
    request_id: str = ""
    """Names this request in the log, in a refusal (support id) and on a printed page (copy number)."""
    crawler: Crawler | None = None
    """The declared robot, when the User-Agent names one of the catalogue."""
    identity: Identity = Identity.UNKNOWN
    """Whether that robot is who it says it is."""
    wait: float = 0.0
    """Seconds until the client's rate limit admits this request; 0 when it does already."""
    waits: tuple[tuple[str, float], ...] = ()
    """Of the policy's rules with a limit of their own, those that this client is over: name and seconds to wait."""
    policy_version: str = ""

    def header(self, name: bytes) -> bytes | None:
        """The first value of the header ``name`` (lower case), or None."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def as_dict(self) -> dict[str, Any]:
        """These facts as JSON-ready data; ``from_dict`` reads them back unchanged."""
        return {
            "method": self.method,
            "path": self.path,
            "headers": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in self.headers],
            "client": self.client,
            "scheme": self.scheme,
            "http_version": self.http_version,
            "now": self.now,
            "request_id": self.request_id,
            "crawler": None if self.crawler is None else _crawler_dict(self.crawler),
            "identity": self.identity.value,
            "wait": self.wait,
            "waits": [list(pair) for pair in self.waits],
            "policy_version": self.policy_version,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Facts:
        """Facts from what ``as_dict`` gave (or a person wrote)."""
        crawler = data.get("crawler")
        headers = tuple((k.encode("latin-1").lower(), v.encode("latin-1")) for k, v in data["headers"])
        rest = {k: v for k, v in data.items() if k not in {"headers", "crawler", "identity", "waits"}}
        return cls(
            headers=headers,
            crawler=None if crawler is None else _crawler(crawler),
            identity=Identity(data.get("identity", Identity.UNKNOWN)),
            waits=tuple((str(rule), float(seconds)) for rule, seconds in data.get("waits", ())),
            **rest,
        )


def _crawler_dict(crawler: Crawler) -> dict[str, Any]:
    return {
        "name": crawler.name,
        "token": crawler.token,
        "operator": crawler.operator,
        "purpose": crawler.purpose.value,
        "robots_token": crawler.robots_token,
        "control": crawler.control,
    }


def _crawler(data: Mapping[str, Any]) -> Crawler:
    return Crawler(**{**data, "purpose": Purpose(data["purpose"])})


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing noticed about a request, with its weight (a log-likelihood, in nats)."""

    name: str
    weight: float = 0.0
    group: str = ""
    """Signals of one group tell much the same; together they count no more than the group's cap."""


class Pace(NamedTuple):
    """A limit that a rule holds a client to, and that has to be asked of the store."""

    rule: str
    limit: Limit
    articles: bool
    """Whether only articles count, or every request that the rule is about."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided about one request, and why."""

    action: Action
    rendition: Rendition
    rule: str
    """The name of the rule that decided, as the policy names it."""
    public_reason: str = ""
    """What the client is told. It teaches a scraper nothing."""
    private_reason: str = ""
    """What the log is told."""
    retry_after: float | None = None
    """Seconds, for a client that is told to wait."""
    signals: tuple[Signal, ...] = field(default=())
    score: float = 0.0
    """What the signals add up to, each group within its cap."""
    shadow: tuple[str, ...] = ()
    """Rules in shadow that would have decided, had they been in force; in order."""
    paces: tuple[Pace, ...] = ()
    """Limits to be asked of the store. The client that is over one gets the verdict that ``decide`` gives once
    ``Facts.waits`` names the rule."""

    @property
    def status(self) -> int:
        """The HTTP status of a refusal (RFC 9110, 15.5; RFC 6585, 4); 200 where there is none."""
        return _STATUS.get(self.action, 200)

    def as_dict(self) -> dict[str, Any]:
        """What the log keeps of a verdict, as JSON-ready data."""
        return {
            "action": self.action.value,
            "rendition": self.rendition.value,
            "rule": self.rule,
            "reason": self.private_reason,
            "retry_after": self.retry_after,
            "score": round(self.score, 3),
            "signals": [[signal.name, round(signal.weight, 3), signal.group] for signal in self.signals],
            "shadow": list(self.shadow),
        }


_STATUS = {Action.THROTTLE: 429, Action.WAIT: 429, Action.CHARGE: 402, Action.DENY: 403}
