"""What the site's owner may say about the archive: how fast strangers may go through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from contentguard.admission.budget import WINDOW


@dataclass(frozen=True, slots=True)
class Archive:
    """How fast strangers may go through seldom-read articles. ValueError when numbers contradict each other."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    hot_articles: int = 100
    """So many of the most read articles are free for everybody."""
    hot_share: float = 0.0005
    """Free too is any article that has at least this share of all views; 0: none for that reason."""
    cold_articles_per_hour: int = 300
    """Other articles per hour that clients who have earned nothing may open together, however few it used to be."""
    cold_articles_per_hour_most: int = 10_000
    """The same, however many it used to be. In force for an hour after a start from nothing."""
    times_normal: float = 3.0
    """Between these two, so many times what is normal at a busy time."""
    passes_part: float = 2.0
    """What passes given out in an hour of alarm may open in an hour, as a multiple of that budget."""
    half_life: float = 7200.0
    """Seconds after which a view counts half."""
    fingerprints: int = 1024
    """How many kinds of browser are told apart."""
    processes: int = 0
    """How many processes serve the site, each of which sees its part; 0: as many as can be found out."""
    file: str = ""
    """Where what is learned outlasts a restart; empty: nowhere."""

    def __post_init__(self) -> None:
        if not 1 <= self.cold_articles_per_hour <= self.cold_articles_per_hour_most:
            numbers = f"{self.cold_articles_per_hour} and {self.cold_articles_per_hour_most}"
            raise ValueError(f"cold articles per hour are at least 1, and at most not fewer than at least: {numbers}")
        if not (self.times_normal >= 1.0 and self.passes_part > 0.0 and WINDOW <= self.half_life <= 31_536_000.0):
            raise ValueError("times_normal must be at least 1, passes_part more than 0, half_life 600 s to a year")
        if not 1 <= self.hot_articles <= 10_000 or not (self.hot_share == 0.0 or 0.0001 <= self.hot_share <= 1.0):
            numbers = f"{self.hot_articles} and {self.hot_share}"
            raise ValueError(f"hot_articles must be 1 to 10,000, and hot_share 0 or from 0.0001 to 1, not {numbers}")
        if not 4 <= self.fingerprints <= 1_000_000:
            raise ValueError(f"fingerprints must be 4 to 1,000,000, not {self.fingerprints}")
        if self.processes < 0:
            raise ValueError(
                f"a site is served by a number of processes, or by 0 that are to be found out: {self.processes}"
            )
