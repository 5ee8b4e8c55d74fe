"""The meter: how many different articles one pass may open in an hour and in a day.

A pass's whole history is a short list of entries, one for each article that was counted, so that any store which keeps
a few bytes for each pass can hold a quota. Windows slide and are exact; nothing is estimated. An article counts once a
day however often it is read, because reading again takes nothing that was not given before.

The rules, for whoever carries them out elsewhere (a script in Redis does). All numbers in them are whole:

1. An entry is an article's hash (32 bits) and a second. A step at the time ``now`` sees it as follows: a second above
   ``ceil(now)`` (the clock was set back) becomes ``ceil(now)``; an entry whose second is at most ``floor(now) - 86400``
   is dropped. What a step leaves of the entries is kept whether or not it lets the article be opened.
2. The article has an entry: it may be opened, and its entry stays as it is, with its old second.
3. Else two windows are asked, an hour (3600) and a day (86400). A window's entries are those whose second is above
   ``floor(now) - window``; let there be n, and let its quota be q. It has room if n < q. Otherwise its wait is the
   ``window`` if q = 0, and else ``s + window - floor(now)``, where s is the (n - q + 1)th of its seconds, the least
   first.
4. Both have room: the article may be opened, and gets an entry with the second ``ceil(now)``.
5. Else it may not, and gets no entry; the wait is the longer of the two. Who comes back after it finds room.

Rounding up when an entry is made and down when it is looked at is what makes it exact: no stretch of an hour, wherever
it begins, sees more than an hour's quota of new articles.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from struct import pack, unpack
from typing import NamedTuple

HOUR, DAY = 3600, 86400
ENTRY = 8
"""Bytes of one entry: hash and second, 32 bits each, big-endian; the oldest entry comes first."""

_MOST = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Quota:
    """How many different articles may be opened within any hour and within any day. ValueError below 0."""

    hour: int = 30
    day: int = 150

    def __post_init__(self) -> None:
        if self.hour < 0 or self.day < 0:
            raise ValueError(f"a quota is 0 or more articles, not {self.hour} an hour and {self.day} a day")


class Step(NamedTuple):
    """What became of one opening."""

    state: bytes
    """To be kept whether or not the article may be opened; it can be forgotten a day after the last step."""
    wait: float
    """Whole seconds until a new article may be opened; 0: this one may be, now."""


def step(state: bytes, article: int, now: float, quota: Quota) -> Step:
    """May ``article`` (a hash of 32 bits) be opened at ``now`` (seconds since the epoch) by a pass with this history?

    A pass never seen has the history ``b""``. A history holds at most as many entries as the largest day's quota it was
    stepped with. ValueError when ``state`` is none that a step has returned, or ``article`` no hash of 32 bits.
    """
    if not 0 <= article <= _MOST:
        raise ValueError(f"an article is known by a hash of 32 bits, not by {article}")
    late, early = _second(ceil(now)), floor(now)
    numbers = _numbers(state)
    if numbers and numbers[-1] > late:
        numbers = [min(number, late) if n % 2 else number for n, number in enumerate(numbers)]
        state = pack(f">{len(numbers)}I", *numbers)
    seconds = numbers[1::2]
    lapsed = bisect_right(seconds, early - DAY)
    if lapsed:
        seconds, state = seconds[lapsed:], state[lapsed * ENTRY :]
    if article in numbers[2 * lapsed :: 2]:
        return Step(state, 0.0)
    wait = max(_wait(seconds, quota.hour, HOUR, early), _wait(seconds, quota.day, DAY, early))
    return Step(state, float(wait)) if wait else Step(state + pack(">2I", article, late), 0.0)


def _wait(seconds: Sequence[int], allowed: int, window: int, now: int) -> int:
    """Seconds until fewer than ``allowed`` of the (sorted) seconds lie within the window."""
    first = bisect_right(seconds, now - window)
    over = len(seconds) - first - allowed
    if over < 0:
        return 0
    return seconds[first + over] + window - now if allowed else window


def _numbers(state: bytes) -> Sequence[int]:
    if len(state) % ENTRY:
        raise ValueError(f"a history has {ENTRY} bytes for each article, not {len(state)} in all")
    return unpack(f">{len(state) // 4}I", state)


def _second(second: int) -> int:
    return min(max(second, 0), _MOST)
