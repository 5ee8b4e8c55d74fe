"""The treasury: the strangers' budget of cold articles, whom it is split between, and whether there is an alarm.

The budget is a multiple of what is normal at a busy time, between a least and a most that the owner sets. Until a day
was seen it is what might turn out to be normal, and the most in the first hour. Normal is what clients without a
matured pass *ask* for, in windows of ten minutes; windows in which a bucket was empty teach nothing.

An alarm is raised when they ask for about twice the normal, or when passes are earned twice as fast as is normal, and
it ends after ten minutes in which neither happened. Until then there is one budget for all. During an alarm it is split
between fingerprints by the shares they usually have, so that a crawler empties only the part of the browser it
imitates; all that are not usual have one small part together. Nothing is split before, because fingerprints come and go
with every version of a browser, and as long as there is enough for all nobody has to wait for that.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

from contentguard.admission.archive import Archive
from contentguard.admission.budget import BURST_HOURS, LEARNING, PER_HOUR, WINDOW, Bucket, Normal
from contentguard.admission.shares import Shares
from contentguard.limits import Limit

LEAST = 10.0
"""Tokens in a full bucket, at least."""

_LATE = 60.0
"""Seconds by which ``now`` may lie before another ``now``; more, and the clock was set back."""

_HOLD = 600.0
"""Seconds without too many questions after which an alarm ends."""

_STRANGE = 0.02
"""What unusual fingerprints have together, at least."""

_CALM = 20.0
"""Questions more than the usual ones that raise no alarm, at least."""

_PASSES = 30.0
"""Passes in an hour that raise no alarm, at least."""

_UNKNOWN = 1e9
_CHANGES = 256
"""Changes kept until somebody fetches them."""


class Change(NamedTuple):
    """Something that the owner may want to be told of."""

    what: str
    """``alarm``, or the name of a bucket: ``all``, ``passes``, ``strangers`` or a fingerprint."""
    state: str
    """``on`` or ``off``; of a bucket ``empty`` or ``full`` (half full, to be exact)."""
    now: float


class Learned(NamedTuple):
    """What a new treasury can start from, so that a restart does not cost a day: what is normal in a window."""

    cold: float | None = None
    """Questions for cold articles; None: not known yet."""
    passes: float | None = None
    """Passes earned."""
    hot: tuple[tuple[str, int], ...] = ()
    """Hot articles' names, and how often each was read by ``heat``'s count."""
    shares: tuple[tuple[int, float], ...] = ()
    """Fingerprints that had a part of their own, and which."""


Tell = Callable[[Change], None]


class Treasury:
    """Buckets, normals and the alarm of one process. For one event loop; nothing here waits.

    ``young``: what a young pass may open in an hour. ``share``: this process's part of the numbers in the options.
    ``tell`` hears of each change at once, and must neither raise nor take long.
    """

    def __init__(
        self, options: Archive, *, young: int, share: float, learned: Learned, tell: Tell | None = None
    ) -> None:
        self.options, self.share, self._young = options, share, max(young, 1)
        self.counts: Counter[str] = Counter()
        """What has happened, by name."""
        self.alarm_since: float | None = None
        """When the present alarm was raised; None: there is none."""
        self.cold, self.earned = Normal(learned.cold), Normal(learned.passes)
        self.shares = Shares(options.fingerprints)
        self.shares.start_from(dict(learned.shares))
        self.windows = 0
        """How many windows are over."""
        self._now = self._end = self._quiet = 0.0
        self._disturbed = False
        self._changes: deque[Change] = deque(maxlen=_CHANGES)
        self._tell = tell
        self.all, self.passes, self.strangers = (
            Bucket(name, _UNKNOWN, LEAST) for name in ("all", "passes", "strangers")
        )
        self._asking, self._earning = (Bucket("", _UNKNOWN, least) for least in (_CALM, LEAST))
        self._parts: dict[int, Bucket] = {}
        self._split()

    @property
    def alarmed(self) -> bool:
        """Whether there is an alarm."""
        return self.alarm_since is not None

    @property
    def bytes_used(self) -> int:
        """Bytes held at most."""
        return self.shares.bytes_used + 64 * 500 + _CHANGES * 200 + 8192

    # -- the budget ----------------------------------------------------------------------------------------------

    @property
    def budget(self) -> float:
        """Cold articles per hour for clients without a matured pass."""
        least, most = self.options.cold_articles_per_hour, self.options.cold_articles_per_hour_most
        normal = self.cold.guess()
        if normal is None:
            return self.share * most
        wanted = self.options.times_normal * normal * PER_HOUR
        return min(max(wanted, self.share * least), self.share * most)

    @property
    def limit(self) -> Limit:
        """The budget of all processes together, for a store that holds it for them."""
        whole = self.budget / self.share
        return Limit(int(whole), 3600.0, int(max(LEAST, whole * BURST_HOURS)))

    def told(self, remaining: int) -> None:
        """The store that holds the budget has so many tokens left; if it fails, this process goes on from there."""
        self.all.hold(remaining * self.share, self._now)
        self._note(self.all)

    def part(self, cluster: int) -> Bucket:
        """The part of the budget that clients with this fingerprint have during an alarm."""
        return self._parts.get(cluster, self.strangers)

    def _split(self) -> None:
        """Give every bucket its part of the budget."""
        budget, own, now = self.budget, self.shares.own, self._now
        self.all.allow(budget, now)
        self.strangers.allow(budget * max(1.0 - sum(own.values()), _STRANGE), now)
        for cluster in self._parts.keys() - own.keys():
            del self._parts[cluster]
        for cluster, part in own.items():
            if cluster not in self._parts:
                self._parts[cluster] = Bucket(f"fingerprint {cluster:x}", budget * part, LEAST, now)
            self._parts[cluster].allow(budget * part, now)
        self.passes.allow(budget * self.options.passes_part / self._young, now)
        times = self.options.times_normal
        self._asking.allow(budget * (times + 1.0) / (2.0 * times), now)
        normal = self.earned.guess()
        self._earning.allow(_UNKNOWN if normal is None else max(2.0 * normal * PER_HOUR, _PASSES), now)

    # -- what happens --------------------------------------------------------------------------------------------

    def asked(self, cluster: int) -> None:
        """Somebody without a matured pass asks for a cold article, whether or not they get it."""
        self._watched(self._asking)
        self.cold.count += 1
        if not self.alarmed:
            self.shares.count(cluster)

    def issued(self) -> float:
        """Somebody has earned a pass: seconds they have to wait for it; 0: it is given out."""
        self._watched(self._earning)
        self.earned.count += 1
        if not self.alarmed:
            return 0.0
        wait = self.wait(self.passes)
        if not wait:
            self.passes.take()
        return wait

    def wait(self, bucket: Bucket) -> float:
        """Seconds until a bucket has a token; that it has become empty or full is noted."""
        wait = bucket.wait(self._now)
        if wait:
            self._disturbed = True
        self._note(bucket)
        return wait

    def _note(self, bucket: Bucket) -> None:
        if bucket.turned():
            self._changed(bucket.name, "empty" if bucket.low else "full")

    def _watched(self, bucket: Bucket) -> None:
        if not bucket.wait(self._now):
            bucket.take()
            return
        self._quiet = self._now + _HOLD
        if not self.alarmed:
            self.alarm_since = self._now
            self.counts["alarms"] += 1
            self._changed("alarm", "on")

    # -- time ----------------------------------------------------------------------------------------------------

    def turn(self, now: float) -> float:
        """Time goes on; what the time is here. It never goes back a little, and follows a clock that was set back."""
        if now > self._now:
            self._now = now
        elif now < self._now - _LATE:
            # The window that was open has no length any more, and an alarm no end.
            self._now, self._end, self._quiet, self._disturbed = now, now + WINDOW, now + _HOLD, True
        if self._now >= self._end:
            self._close()
        if self.alarmed and self._now >= self._quiet:
            self.alarm_since = None
            self._changed("alarm", "off")
            self._look_round()
        return self._now

    def _close(self) -> None:
        """A window is over, and perhaps some after it in which nobody came."""
        now = self._now
        if not self._end:
            self._end = now + WINDOW
            return
        empty = int((now - self._end) // WINDOW)
        self._end += (empty + 1) * WINDOW
        for normal in (self.cold, self.earned):
            if self._disturbed:
                normal.skip()
            for _ in range(min(empty + (not self._disturbed), LEARNING)):
                normal.close()
        if not self.alarmed:
            self.shares.close()
        self.windows += 1 + empty
        self._disturbed = False
        self._split()
        self._look_round()

    # -- what is told --------------------------------------------------------------------------------------------

    def _look_round(self) -> None:
        """See whether buckets that were empty are full again, as nobody may ask for them any more."""
        for bucket in (self.all, self.passes, self.strangers, *self._parts.values()):
            if bucket.low:
                bucket.wait(self._now)
                self._note(bucket)

    def _changed(self, what: str, state: str) -> None:
        change = Change(what, state, self._now)
        self._changes.append(change)
        if self._tell is not None:
            self._tell(change)

    def load(self) -> float:
        """How far things stand from an alarm: 0 none asks, 1 there is one."""
        if self.alarmed:
            return 1.0
        return max(1.0 - bucket.left(self._now) / bucket.size for bucket in (self._asking, self._earning))

    def changes(self) -> list[Change]:
        """What has changed since this was asked last; of very many changes, the latest."""
        told = list(self._changes)
        self._changes.clear()
        return told

    def learned(self) -> Learned:
        """What a treasury made later can start from."""
        return Learned(self.cold.rate, self.earned.rate, shares=tuple(self.shares.own.items()))

    def state(self) -> dict[str, Any]:
        """How things stand, as JSON-ready data."""
        self._look_round()
        return {
            "alarm": self.alarmed,
            "alarm_since": self.alarm_since,
            "normal_per_hour": None if self.cold.rate is None else round(self.cold.rate * PER_HOUR, 1),
            "buckets": {
                bucket.name: bucket.as_dict(self._now)
                for bucket in (self.all, self.passes, self.strangers, *self._parts.values())
            },
            "counts": dict(self.counts),
        }
