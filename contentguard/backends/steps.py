"""One step of a meter, a counter and a set of members, as pure functions on bytes.

A state is empty or what the last step returned; any table that can keep a few bytes for each key can hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from struct import Struct

from contentguard.backends import Quota

HOUR = 3600
DAY = 86400
_ARTICLE = Struct("<QI")
_SECOND = Struct("<I").unpack_from
_COUNTER = Struct("<qd")
_MEMBER = Struct("<8sd")
ARTICLE_BYTES, COUNTER_BYTES, MEMBER_BYTES = _ARTICLE.size, _COUNTER.size, _MEMBER.size


def meter(state: bytes, article: int, quota: Quota, now: float) -> tuple[bytes, float]:
    """The new state, and what ``Meters.meter`` answers. A state: articles with the seconds when they were counted."""
    second = floor(now)
    if state and is_settled(state, article, second):
        return state, 0.0
    # Only a clock that was turned back finds times ahead of it.
    counted = [(one, min(at, second)) for one, at in _ARTICLE.iter_unpack(state) if at > second - DAY]
    opens = 0
    if all(one != article for one, _ in counted):
        times = [at for _, at in counted]
        opens = max(_opens(times, second, HOUR, quota.hour), _opens(times, second, DAY, quota.day))
        if not opens:
            counted.append((article, second))
    return b"".join(_ARTICLE.pack(one, at) for one, at in counted), opens - now if opens else 0.0


def is_settled(state: bytes, article: int, second: int) -> bool:
    """Whether a step would change nothing: the article is counted, and neither the oldest entry has ended nor is the
    newest ahead of the clock. Entries stand in the order in which they were counted."""
    if state[:8] != article.to_bytes(8, "little"):
        at = state.find(article.to_bytes(8, "little"))
        while at > 0 and at % ARTICLE_BYTES:
            at = state.find(article.to_bytes(8, "little"), at + 1)
        if at < 0:
            return False
    oldest, newest = _SECOND(state, 8)[0], _SECOND(state, len(state) - 4)[0]
    return bool(second - DAY < oldest and newest <= second)


def is_counted(state: bytes, article: int, now: float) -> bool:
    """Whether a meter has counted an article within the last day."""
    second = floor(now)
    return any(one == article and at > second - DAY for one, at in _ARTICLE.iter_unpack(state))


def _opens(times: Sequence[int], second: int, span: int, quota: int) -> int:
    """The second at which a window has room for one more; 0 when it has room now. ``times`` are in order."""
    inside = sum(at > second - span for at in times)
    return times[-quota] + span if inside >= quota else 0


def counter(state: bytes, amount: int, limit: int, until: float, now: float) -> tuple[bytes, bool]:
    """The new state, and what ``Counters.count`` answers. A state: how much, and until when."""
    total, ends = _COUNTER.unpack(state) if state else (0, until)
    if ends <= now:
        total, ends = 0, until
    if until <= now or total + amount > limit:
        return state, False
    return _COUNTER.pack(total + amount, ends), True


def counted(state: bytes) -> tuple[int, float]:
    """How much a counter holds, and until when."""
    total, ends = _COUNTER.unpack(state)
    return int(total), float(ends)


def members(state: bytes, member: bytes, most: int, until: float, now: float) -> tuple[bytes, bool]:
    """The new state, and what ``Counters.join`` answers. A state: members (8 bytes each) and until when they stay."""
    here = {one: end for one, end in _MEMBER.iter_unpack(state) if end > now}
    if member not in here and (len(here) >= most or until <= now):
        return _packed(here), False
    here[member] = max(until, here.get(member, until))
    return _packed(here), True


def last_end(state: bytes) -> float:
    """When the last member leaves a set."""
    return max((float(end) for _, end in _MEMBER.iter_unpack(state)), default=0.0)


def _packed(here: dict[bytes, float]) -> bytes:
    return b"".join(_MEMBER.pack(one, end) for one, end in here.items())
