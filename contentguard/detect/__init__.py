"""What is noticed about a request: pure functions from Facts to Signals, one file for each kind of evidence.

    from contentguard.detect import signals, total
    noticed = signals(facts)
    score = total(noticed)

Strategy: detectors name what they see, ``data/weights.toml`` says what it weighs. Whatever follows from headers alone
is kept by the headers' shape, so that a reader's second request costs a look-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from contentguard.detect import accept, behaviour, course, fetchmeta, hints, honeylinks, network, report, tools, wire
from contentguard.detect.agent import Agent
from contentguard.detect.shape import TOLD, Key, Shape, fingerprint, is_prefetch, key, manner, shape
from contentguard.detect.weights import weights
from contentguard.model import Facts, Purpose, Session, Signal

__all__ = [
    "DETECTORS",
    "HEADER_DETECTORS",
    "TOLD",
    "Known",
    "examine",
    "fingerprint",
    "is_prefetch",
    "key",
    "look",
    "manner",
    "noticed_in",
    "prefetched",
    "signals",
    "total",
]

HeaderDetector = Callable[[Shape], Iterable[str]]
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

_HEADER_DETECTORS = tuple(HEADER_DETECTORS.values())

_SHAPES = 1024
"""How many verdicts on shapes are kept, of at most 2 KiB of key each."""


class Known(NamedTuple):
    """What headers alone say."""

    names: tuple[str, ...]
    """Of the signals, in their order."""
    signals: tuple[Signal, ...]
    agent: Agent
    """The browser they claim."""
    fingerprint: int
    """64 bits that a page's request and those for its parts share."""


_known = tuple.__new__
"""A third faster than ``Known(...)``."""
_shapes: dict[Key, Known] = {}


def _named(facts: Facts, agent: Agent) -> Iterator[str]:
    if facts.crawler is not None and facts.crawler.purpose is Purpose.TOOL and not agent.headless:
        yield "tool-name"


def _session(facts: Facts, agent: Agent) -> Iterator[str]:
    if facts.session is not None:
        yield from _in_session(facts.session, agent)


def _in_session(session: Session, agent: Agent) -> list[str]:
    found = behaviour.detect(session, browser=agent.browser)
    # Few have come so far, and each of these would only say no.
    if session.views > course.ENOUGH or session.run:
        found += course.detect(session)
    if session.traps:
        found += honeylinks.detect(session)
    if session.report:
        found += report.detect(session)
    return found


_CALM = (((), ("parts-fetched",)), (("report-clean",), ("parts-fetched", "report-clean")))
"""What is noticed in a session of few pages without a fault: by its report, and by whether parts were fetched."""


def noticed_in(session: Session, agent: Agent) -> tuple[str, ...]:
    """The names of signals in a session. ``agent``: the claimed browser."""
    quiet = session.report <= report.RAN and not (session.dry or session.run or session.traps)
    if quiet and session.views <= course.ENOUGH:
        # Nearly every reader: all that is asked otherwise would only say no.
        return _CALM[session.report][bool(session.styles or session.scripts or session.images)]
    return tuple(_in_session(session, agent))


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


def signals(facts: Facts, known: Known | None = None) -> tuple[Signal, ...]:
    """All that is noticed about a request. Pure: the same facts give the same signals.

    ``known``: what ``look`` said of these headers, where it was asked already.
    """
    _, found, agent, _ = known or look(facts)
    if facts.crawler is None and facts.session is None and facts.network is None and facts.cluster is None:
        return found
    weighed = weights().signals
    named = [name for detect in DETECTORS.values() for name in detect(facts, agent)]
    return (*found, *[weighed[name] for name in named]) if named else found


def total(noticed: tuple[Signal, ...]) -> float:
    """What signals count for together, after every cap: the score."""
    return weights().total(noticed) if noticed else 0.0


def examine(facts: Facts, values: Mapping[bytes, bytes] | None = None) -> Known:
    """What a request's headers alone say, worked out anew: for who remembers it by a key of their own.

    ``values``: the first value of each header, where that is known.
    """
    seen, found = shape(facts, values), list[str]()
    for detect in _HEADER_DETECTORS:
        found += detect(seen)
    names = tuple(found)
    return _known(Known, (names, _weighed(names) if names else (), seen.agent, fingerprint(seen.agent, seen.values)))


def _weighed(names: tuple[str, ...]) -> tuple[Signal, ...]:
    signals = weights().signals
    return tuple([signals[name] for name in names])


def look(facts: Facts) -> Known:
    """What a request's headers alone say; a look-up for every shape but a new one."""
    remembered = key(facts)
    known = None if remembered is None else _shapes.get(remembered)
    if known is None:
        known = examine(facts)
        if remembered is not None:
            if len(_shapes) >= _SHAPES:
                _shapes.clear()
            _shapes[remembered] = known
    return known


def prefetched(facts: Facts) -> bool:
    """Whether a browser asked ahead of its reader: such a request counts as no view and no honeylink."""
    return is_prefetch(dict(facts.headers))
