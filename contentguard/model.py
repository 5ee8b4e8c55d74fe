"""The vocabulary: frozen values that every room speaks.

A request becomes Facts, Facts become a Verdict, and a Verdict says what a client gets. Everything here is plain
data: nothing waits, nothing looks at a clock, and Facts can be written down as JSON and judged again.

Longer than a module should be, because a vocabulary is read as one: whoever speaks a word finds its neighbours here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from enum import StrEnum
from operator import attrgetter
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
    """An article's first paragraphs at once; the rest for who has earned a pass."""
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
    SEARCH = "search"
    """All of it, with the word for search engines that readers see its rest only later."""
    LEAD = "lead"
    """Its first paragraphs, and a link by which a reader comes to the rest."""
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
    ranges: tuple[str, ...] = ()
    """Names of the published address lists that hold its addresses."""
    hosts: tuple[str, ...] = ()
    """Where its reverse DNS ends, on a label boundary: ``.googlebot.com``."""
    agents: tuple[str, ...] = ()
    """Origins whose key directory holds the keys it signs with (Web Bot Auth): ``https://chatgpt.com``."""
    complete: frozenset[str] = frozenset()
    """Of ``ranges`` and ``hosts``, what every genuine request passes: only that can show that one is spoofed."""
    source: str = ""
    date: str = ""
    """Where this row comes from (a source named in the data file), and when it was gathered."""


class Standing(StrEnum):
    """What has become of a robot's claim to be who it says it is."""

    VERIFIED = "verified"
    """Its address, its host name or its signature proves it."""
    SPOOFED = "spoofed"
    """It cannot be who it says. The only standing that justifies a refusal by itself."""
    UNVERIFIABLE = "unverifiable"
    """Nothing its operator publishes could prove it, or not for this robot."""
    UNKNOWN = "unknown"
    """Not found out: the list is missing or too old, DNS or a directory has not answered (yet)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whether a declared robot is who it says."""

    standing: Standing
    method: str = ""
    """What decided: ``ranges``, ``hosts`` or ``signature``; empty where nothing did."""
    reason: str = ""
    """For the log, never for the client."""

    def as_dict(self) -> dict[str, str]:
        """This identity as JSON-ready data; ``from_dict`` reads it back unchanged."""
        return {"standing": self.standing.value, "method": self.method, "reason": self.reason}

    @classmethod
    def from_dict(cls, data: Mapping[str, str]) -> Identity:
        """An identity from what ``as_dict`` gave."""
        return cls(Standing(data["standing"]), data.get("method", ""), data.get("reason", ""))


class Session(NamedTuple):
    """What one client has done so far, this request included. A tuple, because one is made for every request."""

    views: int = 0
    """Articles asked for."""
    gap: float = 0.0
    """Seconds between the last two of them."""
    mean: float = 0.0
    """Their mean distance, in seconds; recent ones count more."""
    variation: float = 0.0
    """Standard deviation of the distances over their mean: 0 is a clock."""
    returned: bool = False
    """Whether our cookie ever came back."""
    styles: int = 0
    scripts: int = 0
    images: int = 0
    dry: int = 0
    """Earlier articles after which neither style sheet nor script nor image was fetched."""
    nones: int = 0
    """Articles asked for with ``Sec-Fetch-Site: none``."""
    bare: int = 0
    """Articles asked for without a Referer, though nothing says that they were come to from outside."""
    distinct: int = 0
    """Different articles, estimated; up to about 100."""
    run: int = 0
    """Articles asked for in the order of the site's own list, without a break."""
    traps: int = 0
    """Honeylinks followed."""
    report: int = 0
    """The browser's own report as flags (``detect.report``); 0 where none came."""
    went_on: bool = False
    """Whether it came, by its Referer, from the article before, of which it had fetched no part."""


class Network(NamedTuple):
    """Where a request comes from, as far as our own counters and trusted proxies know."""

    asn: int = 0
    hosting: bool = False
    """Whether the address belongs to a data centre."""
    tor: bool = False
    country: str = ""
    ja3: str = ""
    ja4: str = ""
    neighbours: int = 0
    """Other clients seen lately in the same /24 or /48."""
    suspects: int = 0
    """How many of them were suspicious."""


class Cluster(NamedTuple):
    """How all clients with this request's fingerprint behave in the present window."""

    views: int = 0
    prefixes: int = 0
    """Different /24 and /48, estimated."""
    follow_z: float = 0.0
    """Standard deviations by which style sheets are missing, against the cluster's own past."""
    cold_z: float = 0.0
    """Standard deviations by which it reads more seldom-read pages than it used to."""
    alarm: bool = False


MOST_HEADERS = 400
"""Header lines of a request that are looked at. A browser with all the cookies that one site may set sends less than
half as many over HTTP/2, where each may come in a line of its own; many servers let 100 through."""


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
    identity: Standing = Standing.UNKNOWN
    """Whether that robot is who it says it is."""
    identity_reason: str = ""
    """How that was found out, for the log."""
    wait: float = 0.0
    """Seconds until the client's rate limit admits this request; 0 when it does already."""
    waits: tuple[tuple[str, float], ...] = ()
    """Of the policy's rules with a limit of their own, those that this client is over: name and seconds to wait."""
    policy_version: str = ""
    proxied: bool = False
    """Whether a proxy of ours stands in front: header order and connection then tell nothing of the client."""
    passed: bool = False
    """Whether a valid pass came along."""
    session: Session | None = None
    network: Network | None = None
    cluster: Cluster | None = None

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
            "identity_reason": self.identity_reason,
            "wait": self.wait,
            "waits": [list(pair) for pair in self.waits],
            "policy_version": self.policy_version,
            "proxied": self.proxied,
            "passed": self.passed,
            "session": None if self.session is None else self.session._asdict(),
            "network": None if self.network is None else self.network._asdict(),
            "cluster": None if self.cluster is None else self.cluster._asdict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Facts:
        """Facts from what ``as_dict`` gave (or a person wrote)."""
        crawler = data.get("crawler")
        headers = tuple((k.encode("latin-1").lower(), v.encode("latin-1")) for k, v in data["headers"])
        rest = {k: v for k, v in data.items() if k not in {"headers", "crawler", "identity", "waits", *_TUPLES}}
        rest |= {name: kind(**data[name]) for name, kind in _TUPLES.items() if data.get(name) is not None}
        return cls(
            headers=headers,
            crawler=None if crawler is None else _crawler(crawler),
            identity=Standing(data.get("identity", Standing.UNKNOWN)),
            waits=tuple((str(rule), float(seconds)) for rule, seconds in data.get("waits", ())),
            **rest,
        )


_Draft = make_dataclass(
    "_Draft",
    [(f.name, f.type, field(default=f.default, default_factory=f.default_factory)) for f in fields(Facts)],
    slots=True,
)
"""Facts that are still being written: the same fields in the same places."""


def gathered(
    method: str,
    path: str,
    headers: tuple[tuple[bytes, bytes], ...],
    client: str | None,
    scheme: str,
    http_version: str,
    now: float,
    request_id: str,
) -> Facts:
    """``Facts(...)`` of a request that nobody has looked at yet, in a fifth of the time.

    A frozen class sets each of its fields by a call; a draft is written plainly and frozen once it is whole. Every
    request comes this way, and by position, because by name it takes half as long again.
    """
    draft = _Draft(method, path, headers, client, scheme, http_version, now, request_id)
    draft.__class__ = Facts
    return draft  # type: ignore[no-any-return]


def told(facts: Facts, session: Session | None, network: Network | None, cluster: Cluster | None, passed: bool) -> None:
    """Complete facts with what is known of their client, in place: only as long as nobody has been told of them."""
    _set_session(facts, session)
    _set_network(facts, network)
    _set_cluster(facts, cluster)
    _set_passed(facts, passed)


_set_session, _set_network, _set_cluster, _set_passed = (
    getattr(Facts, name).__set__ for name in ("session", "network", "cluster", "passed")
)


_written = attrgetter(*[f.name for f in fields(Facts)])


def changed(facts: Facts, **changes: object) -> Facts:
    """``dataclasses.replace`` for facts, in a quarter of the time. AttributeError for what is no field of theirs."""
    draft = _Draft(*_written(facts))
    for name, value in changes.items():
        setattr(draft, name, value)
    draft.__class__ = Facts
    return draft  # type: ignore[no-any-return]


_TUPLES: Mapping[str, type[Session | Network | Cluster]] = {"session": Session, "network": Network, "cluster": Cluster}


def _crawler_dict(crawler: Crawler) -> dict[str, Any]:
    """A crawler without what is left at its default, sets and tuples as lists."""
    named = ((f.name, getattr(crawler, f.name), f.default) for f in fields(crawler))
    return {name: _plain(value) for name, value, default in named if value != default}


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value


def _crawler(data: Mapping[str, Any]) -> Crawler:
    lists = {name: tuple(data[name]) for name in ("ranges", "hosts", "agents") if name in data}
    complete = frozenset(data.get("complete", ()))
    return Crawler(**{**data, **lists, "purpose": Purpose(data["purpose"]), "complete": complete})


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
