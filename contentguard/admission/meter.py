"""How many different articles a pass may open: exact sliding windows over a few bytes.

A state is the articles counted within the last day, oldest first: for each four bytes that stand for the article and
four of the second in which it was first opened. An article that is in it costs nothing, however often it is read
again; any other is admitted while fewer than ``hour`` articles were first opened within the last hour and fewer than
``day`` within the last day, and then takes its place. A step is pure, so any store that keeps a few bytes per pass can
hold a meter, and two stores that follow these rules agree to the second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

HOUR, DAY = 3600, 86400
_ENTRY = Struct(">II")
SIZE = _ENTRY.size
"""Bytes of one article."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Different articles within any hour and within any day. ValueError when a number makes no sense."""

    hour: int
    day: int

    def __post_init__(self) -> None:
        """Refuse a quota that never admits anything."""
        if not 1 <= self.hour <= self.day:
            raise ValueError(f"want 1 <= articles an hour <= articles a day, not {self.hour} and {self.day}")


def step(state: bytes, article: int, now: float, quota: Quota) -> tuple[bytes, float]:
    """The state after ``article`` (32 bits) was asked for at ``now`` (seconds), and for how many seconds it must wait.

    0 seconds: it was admitted, and is counted. A state that is no whole number of entries is read as far as it goes.
    """
    second = int(now)
    # Of a clock that was ahead: what is counted for a time to come is counted for now.
    held = [(name, min(at, second)) for name, at in _ENTRY.iter_unpack(state[: len(state) // SIZE * SIZE])]
    kept = [entry for entry in held if entry[1] > second - DAY]
    if any(name == article for name, _ in kept):
        return _packed(kept), 0.0
    wait = max(_wait(kept, second, HOUR, quota.hour, now), _wait(kept, second, DAY, quota.day, now))
    if wait > 0.0:
        return _packed(kept), wait
    return _packed([*kept, (article, second)]), 0.0


def _wait(entries: list[tuple[int, int]], second: int, window: int, most: int, now: float) -> float:
    """Seconds until fewer than ``most`` articles lie within ``window``."""
    inside = sorted(at for _, at in entries if at > second - window)
    return max(inside[-most] + window - now, 0.001) if len(inside) >= most else 0.0


def _packed(entries: list[tuple[int, int]]) -> bytes:
    return b"".join(_ENTRY.pack(name, at) for name, at in sorted(entries, key=_second))


def _second(entry: tuple[int, int]) -> int:
    return entry[1]


def articles(state: bytes) -> Iterator[int]:
    """The articles in a state, the first opened first."""
    return (name for name, _ in _ENTRY.iter_unpack(state))
