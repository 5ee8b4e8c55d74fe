"""Maturity: what a pass may have now, by what it earned and by how its browser behaved since.

A pass costs a machine next to nothing, so a new one is poor: it opens a few articles and shares the strangers' budget
of seldom-read ones. It matures when its browser does what browsers do unasked, fetching the parts of pages, for as long
as a reader takes over a first article; then it is left alone. Where no script ran the browser's style sheets have to
say it, and it takes longer. Who neither matures nor comes back to wait again becomes a stranger, so that passes cannot
be gathered for later.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import inf
from typing import Any, ClassVar, NamedTuple

from contentguard.admission.passes import Pass

DAY = 86_400


class Quota(NamedTuple):
    """Different articles within any hour and within any day of 86,400 seconds: what a meter holds a reader to."""

    hour: int
    day: int


class Level(IntEnum):
    """What a pass has earned, as it stands in the cookie."""

    VISIT = 0
    """Nothing: the visit is recognised, no more."""
    WAITED = 1
    """Somebody waited where a link told them to; no script ran."""
    PROVED = 2
    """A script ran and solved its proof."""
    KNOWN = 3
    """The application knows this reader (a subscriber): mature from the first page."""


class Trust(IntEnum):
    """How a client stands now: for the governor."""

    STRANGER = 0
    """No pass, or one that has earned nothing, or one that had its time and did not mature."""
    YOUNG = 1
    """A pass earned a short while ago."""
    MATURED = 2


@dataclass(frozen=True, slots=True)
class Metering:
    """How many articles one reader may open; reading one again never counts. Over it a reader waits, no more.

    ValueError when a number is negative, or a new reader would get more than others.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    articles_per_hour: int = 30
    """Different articles per reader within any hour."""
    articles_per_day: int = 150
    """Different articles per reader within any day."""
    new_reader_articles_per_hour: int = 5
    """The same for a reader whose pass has not matured."""
    matures_after: float = 120.0
    """Age in seconds at which a pass is mature if its browser ran our script and fetched parts of pages."""
    matures_without_script: float = 600.0
    """The same if no script ran, but parts were fetched."""
    new_reader_for: float = 3600.0
    """Seconds in which a pass has to mature; after that, it is worth no more than none until it does."""
    parts_within: float = float(DAY)
    """For how many seconds parts of a page that were fetched speak for a browser."""

    def __post_init__(self) -> None:
        if self.new_reader_articles_per_hour > self.articles_per_hour:
            most = f"at most {self.articles_per_hour}, what other readers may open,"
            raise ValueError(f"new_reader_articles_per_hour must be {most} not {self.new_reader_articles_per_hour}")
        lowest = min(
            self.new_reader_articles_per_hour,
            self.articles_per_day,
            self.matures_after,
            self.matures_without_script,
            self.new_reader_for,
            self.parts_within,
        )
        if lowest < 0:
            raise ValueError(f"none of these may be negative, and one is {lowest}")


def matured(given: Pass, now: float, options: Metering) -> bool:
    """Whether a genuine pass belongs to a browser by all that is known of it at ``now`` (seconds since the epoch)."""
    return matures_in(given, now, options) == 0.0


def matures_in(given: Pass, now: float, options: Metering) -> float:
    """Seconds until a pass will have ``matured`` if its browser goes on so; infinite where it does not seem to."""
    if given.level >= Level.KNOWN:
        return 0.0
    if given.level == Level.VISIT or not seen_lately(given, now, options):
        return inf
    needed = options.matures_without_script if given.level == Level.WAITED else options.matures_after
    return max(0.0, given.issued + needed - now)


def seen_lately(given: Pass, now: float, options: Metering) -> bool:
    """Whether its browser has fetched the parts of a page, and not too long ago."""
    return given.seen > 0 and now - given.seen <= options.parts_within


def trust(given: Pass | None, now: float, options: Metering) -> Trust:
    """How the client that sent this pass (None: none, or none that holds) stands with the governor."""
    if given is None or given.level == Level.VISIT:
        return Trust.STRANGER
    if matured(given, now, options):
        return Trust.MATURED
    return Trust.YOUNG if now - given.issued <= options.new_reader_for else Trust.STRANGER


def quota(stands: Trust, options: Metering) -> Quota:
    """How many articles may be opened with a pass that has earned something, by how its client stands."""
    hour = options.articles_per_hour if stands is Trust.MATURED else options.new_reader_articles_per_hour
    return Quota(hour, options.articles_per_day)
