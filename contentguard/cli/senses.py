"""By what the command line knows a request: who it says it is, and what is noticed about it.

Strategy: one value, given to ``main``, so that whoever judges by hand judges by the same means as the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from contentguard.crawlers import CATALOGUE
from contentguard.detect import signals
from contentguard.detect.weights import weights
from contentguard.model import Facts, Signal
from contentguard.policy.score import NO_CAPS, Scale

Detector = Callable[[Facts], Iterable[Signal]]


def identified(facts: Facts) -> Facts:
    """These facts with the robot that the User-Agent declares, where they do not name one yet."""
    agent = facts.header(b"user-agent") if facts.crawler is None else None
    crawler = CATALOGUE.match(agent) if agent else None
    return facts if crawler is None else replace(facts, crawler=crawler)


class Senses(NamedTuple):
    """By what requests are known."""

    identify: Callable[[Facts], Facts] = identified
    """Facts → the same with crawler and identity."""
    detectors: tuple[Detector, ...] = ()
    caps: Mapping[str, float] = NO_CAPS
    """Group of signals → the most it may count."""

    def signals(self, facts: Facts) -> tuple[Signal, ...]:
        """What is noticed about a request."""
        return tuple(signal for detect in self.detectors for signal in detect(facts))


def _scale() -> Scale:
    """The packaged weights' caps, so that what is judged by hand scores as it does in the guard."""
    known = weights()
    caps = {name: group.cap for name, group in known.groups.items()}
    floors = {name: group.floor for name, group in known.groups.items()}
    return Scale(caps, floors, (name for name, group in known.groups.items() if group.soft), known.soft_cap)


SENSES = Senses(detectors=(signals,), caps=_scale())
"""What the command line uses where nothing else is given."""
