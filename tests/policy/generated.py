"""Generated policies, requests and signals for the property tests: small pools, so that conditions often meet."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from contentguard import Crawler, Facts, Policy, Purpose, Right, Signal
from contentguard.model import Action, Standing
from contentguard.policy import PRESETS, Header, Rule, Score, When

PATTERNS = (
    "/",
    "/a",
    "/a/",
    "/A/",
    "/a$",
    "/b$",
    "/*.pdf$",
    "/a*b",
    "/archive/",
    "/b/*/a",
    "*b$",
    "/%61b",
    "/é",
    "/b/a",
)
PLAIN_PATTERNS = ("/a", "/a/", "/ab", "/b", "/b/a", "/archive/", "/archive/old/", "/a/b/")
SEGMENTS = ("a", "b", "ab", "A", "archive", "old", "x.pdf", "é", "a.b")
ODD = ("", ".", "..", "..;x", "a;x", "%61", "%2e%2e", "a\\b", "a\0", "b#x", "a?b", "%252561", "a.", "B ", "*", "ａ")
ROBOTS = (
    Crawler("GPTBot", "GPTBot", "OpenAI", Purpose.AI_TRAINING, "GPTBot"),
    Crawler("Googlebot", "Googlebot", "Google", Purpose.SEARCH, "Googlebot"),
    Crawler("curl", "curl", "", Purpose.TOOL),
    Crawler("HeadlessChrome", "HeadlessChrome", "", Purpose.TOOL),
    Crawler("Feedly", "Feedly", "Feedly", Purpose.FEED, "Feedly"),
)
NAMES = tuple(robot.name for robot in ROBOTS)
CLIENTS = (None, "192.0.2.1", "192.0.2.77", "::ffff:192.0.2.1", "2001:db8::1", "10.1.2.3", "testclient", "fe80::1%eth0")
NETWORKS = ("192.0.2.0/24", "192.0.2.77", "2001:db8::/32", "10.0.0.0/8", "0.0.0.0/0", "::/0")
GROUPS = ("headers", "session", "network")
PURPOSES = ("reader", "robot", "tool", "search", "ai-training", "feed")


def some(values: tuple[str, ...], most: int = 3) -> SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True).map(tuple)


def maybe(strategy: SearchStrategy[tuple[str, ...]]) -> SearchStrategy[tuple[str, ...]]:
    return st.one_of(st.just(()), st.just(()), strategy)


bounds = st.one_of(st.none(), st.sampled_from(("suspicious", "lead-only", "refuse")), st.integers(-3, 9).map(float))
scores = st.builds(Score, bounds, bounds).filter(lambda score: score != Score())
headers = st.builds(
    Header,
    st.sampled_from(("x-a", "User-Agent")),
    st.none() | st.sampled_from(("1", "curl/8")),
).flatmap(
    lambda h: st.just(h) if h.equals else st.builds(Header, st.just(h.name), st.none(), st.none() | st.just("CURL"))
)


def leaves(patterns: tuple[str, ...]) -> SearchStrategy[When]:
    return st.builds(
        When,
        path=maybe(some(patterns)),
        purpose=maybe(some(PURPOSES)),
        crawler=maybe(some((*NAMES, "gptbot"))),
        identity=maybe(some(tuple(Standing))),
        score=st.none() | scores,
        client=maybe(some(NETWORKS)),
        header=st.lists(headers, max_size=1).map(tuple),
        method=maybe(some(("GET", "POST", "get"))),
    )


def expressible_leaves(patterns: tuple[str, ...]) -> SearchStrategy[When]:
    """Conditions that robots.txt can say, and a few that it cannot."""
    known = st.builds(When, path=maybe(some(patterns)), purpose=maybe(some(PURPOSES)), crawler=maybe(some(NAMES)))
    return st.one_of(known, known, known, st.builds(When, path=some(patterns), client=maybe(some(NETWORKS))))


def whens(leaf: SearchStrategy[When], patterns: tuple[str, ...]) -> SearchStrategy[When]:
    tables = st.lists(leaf, min_size=1, max_size=2).map(tuple)
    combined = st.builds(When, path=maybe(some(patterns)), all=tables | st.just(()), any=tables | st.just(()))
    denied = st.builds(
        lambda when, other: When(path=when.path, purpose=when.purpose, not_=other), leaf, leaf | combined
    )
    return st.one_of(leaf, leaf, combined, denied)


def rules(when: SearchStrategy[When], most: int = 6) -> SearchStrategy[tuple[Rule, ...]]:
    def made(parts: list[tuple[Action, When, bool, str]]) -> tuple[Rule, ...]:
        return tuple(
            Rule(
                f"rule {number}",
                action,
                condition,
                limit="10/minute" if action in (Action.THROTTLE, Action.WAIT) else "",
                counts=counts if action in (Action.THROTTLE, Action.WAIT) else "",
                shadow=shadow,
            )
            for number, (action, condition, shadow, counts) in enumerate(parts)
        )

    part = st.tuples(
        st.sampled_from(Action),
        when,
        st.sampled_from((False, False, False, True)),
        st.sampled_from(("", "requests", "articles")),
    )
    return st.lists(part, max_size=most).map(made)


def policies(
    leaf: Callable[[tuple[str, ...]], SearchStrategy[When]] = leaves, patterns: tuple[str, ...] = PATTERNS
) -> SearchStrategy[Policy]:
    return st.builds(
        Policy,
        rights=st.dictionaries(st.sampled_from(Purpose), st.sampled_from(Right), max_size=4),
        crawlers=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(Right), max_size=2),
        preset=st.sampled_from(tuple(PRESETS)),
        unverified=st.dictionaries(st.sampled_from(Purpose), st.sampled_from(Right), max_size=2),
        rules=rules(whens(leaf(patterns), patterns)),
        shadow=st.sampled_from(((), (), ("spoofed",))),
    )


paths = st.lists(st.sampled_from((*SEGMENTS, *SEGMENTS, *ODD)), max_size=5).map(lambda parts: "/" + "/".join(parts))
plain_paths = st.lists(st.sampled_from(tuple(s for s in SEGMENTS if s != "A")), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
facts = st.builds(
    Facts,
    method=st.sampled_from(("GET", "HEAD", "POST", "get")),
    path=paths | st.sampled_from(("/robots.txt", "/.well-known/x", "/.well-known/../a", "", "*")),
    headers=st.lists(
        st.tuples(st.sampled_from((b"x-a", b"user-agent", b"X-A")), st.sampled_from((b"1", b"2", b"curl/8")))
    ).map(tuple),
    client=st.sampled_from(CLIENTS),
    crawler=st.none() | st.sampled_from(ROBOTS),
    identity=st.sampled_from(Standing),
    wait=st.sampled_from((0.0, 0.0, 0.0, 2.5)),
    waits=st.lists(
        st.tuples(st.sampled_from([f"rule {number}" for number in range(6)]), st.sampled_from((0.0, 3.0))),
        max_size=3,
        unique_by=lambda pair: pair[0],
    ).map(tuple),
)
signals = st.lists(
    st.builds(Signal, st.just("x"), st.sampled_from((-3.0, 0.5, 2.0, 4.5)), st.sampled_from(GROUPS)), max_size=5
).map(tuple)
