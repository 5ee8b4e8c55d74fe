"""By what the command line knows a request: who it says it is, and what is noticed about it.

Strategy: one value, given to ``main``, so that whoever judges by hand judges by the same means as the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from contentguard.crawlers import CATALOGUE
from contentguard.model import Facts, Signal
from contentguard.policy.score import NO_CAPS

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


SENSES = Senses()
"""What the command line uses where nothing else is given."""
