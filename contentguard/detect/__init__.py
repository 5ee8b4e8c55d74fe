"""What is noticed about a request: pure functions from Facts to Signals, one file for each kind of evidence.

    from contentguard.detect import score, signals
    noticed = signals(facts)
    total = score(noticed).total

Strategy: detectors name what they see, ``data/weights.toml`` says what it weighs. Whatever follows from headers alone
is kept by the headers' shape, so that a reader's second request costs a look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from contentguard.detect import accept, behaviour, course, fetchmeta, hints, honeylinks, network, report, tools, wire
from contentguard.detect.agent import Agent
from contentguard.detect.shape import Shape, fingerprint, is_prefetch, key, shape
from contentguard.detect.weights import Score, weights
from contentguard.model import Facts, Purpose, Signal

__all__ = ["DETECTORS", "HEADER_DETECTORS", "Score", "client_of", "cluster_of", "prefetched", "score", "signals"]

HeaderDetector = Callable[[Shape], Iterator[str]]
Detector = Callable[[Facts, Agent], Iterator[str]]

HEADER_DETECTORS: Mapping[str, HeaderDetector] = MappingProxyType(
    {
        "tools": tools.detect,
        "fetchmeta": fetchmeta.detect,
        "hints": hints.detect,
        "accept": accept.detect,
        "wire": wire.detect,
    }
)
"""Those that judge headers alone: shape → names of signals."""

_SHAPES = 1024
"""How many verdicts on shapes are kept, of at most 2 KiB of key each."""

_Found = tuple[tuple[Signal, ...], Agent, int]
_shapes: dict[bytes, _Found] = {}


def _named(facts: Facts, agent: Agent) -> Iterator[str]:
    if facts.crawler is not None and facts.crawler.purpose is Purpose.TOOL and not agent.headless:
        yield "tool-name"


def _session(facts: Facts, agent: Agent) -> Iterator[str]:
    if facts.session is not None:
        yield from behaviour.detect(facts.session, browser=agent.browser)
        yield from course.detect(facts.session)
        yield from honeylinks.detect(facts.session)
        yield from report.detect(facts.session)


def _network(facts: Facts, agent: Agent) -> Iterator[str]:
    if facts.network is not None:
        yield from network.detect(facts.network, agent)


def _cluster(facts: Facts, agent: Agent) -> Iterator[str]:
    """Members of an alarmed cluster, but for those who have earned a pass."""
    if facts.cluster is not None and facts.cluster.alarm and not facts.passed:
        yield "cluster-alarm"


DETECTORS: Mapping[str, Detector] = MappingProxyType(
    {"named": _named, "session": _session, "network": _network, "cluster": _cluster}
)
"""Those that judge what else is known: facts and the claimed browser → names of signals."""


def signals(facts: Facts) -> tuple[Signal, ...]:
    """All that is noticed about a request. Pure: the same facts give the same signals."""
    found, agent, _ = _by_shape(facts)
    if facts.crawler is None and facts.session is None and facts.network is None and facts.cluster is None:
        return found
    known = weights().signals
    return (*found, *[known[name] for detect in DETECTORS.values() for name in detect(facts, agent)])


def score(noticed: tuple[Signal, ...]) -> Score:
    """What signals count for together, after every cap."""
    return weights().score(noticed)


def _by_shape(facts: Facts) -> _Found:
    remembered = key(facts)
    found = _shapes.get(remembered)
    if found is None:
        seen = shape(facts)
        known = weights().signals
        names = [name for detect in HEADER_DETECTORS.values() for name in detect(seen)]
        found = tuple([known[name] for name in names]), seen.agent, fingerprint(seen)
        if remembered:
            if len(_shapes) >= _SHAPES:
                _shapes.clear()
            _shapes[remembered] = found
    return found


def cluster_of(facts: Facts) -> int:
    """The fingerprint cluster a request belongs to, for ``Aggregates``: the same for a page and for its parts."""
    number = _by_shape(facts)[2]
    return number if facts.network is None or not facts.network.ja4 else hash((number, facts.network.ja4)) & _64_BITS


def client_of(facts: Facts, prefix: str) -> str:
    """The key under which ``Sessions`` knows a client whose cookie did not come back."""
    return f"{prefix} {_by_shape(facts)[2]:x}"


_64_BITS = 0xFFFFFFFFFFFFFFFF


def prefetched(facts: Facts) -> bool:
    """Whether a browser asked ahead of its reader: such a request counts as no view and no honeylink."""
    return is_prefetch(dict(facts.headers))
