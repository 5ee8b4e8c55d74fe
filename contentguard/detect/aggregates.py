"""What clients of one fingerprint do together: the only thing that shows a crawler with one request per address.

Readers of one browser fetch the style sheet of nearly every page, day after day. A crawler that wears the same headers
adds pages without style sheets, so the cluster's follow rate falls below its own past; one that goes through the
archive raises its share of cold pages. Strategy: for each cluster and window of ten minutes a handful of counters,
compared with the cluster's own mean and variance when the window is over (and its late style sheets are in).

Not every fall is a crawler. More readers (a link that goes round) and other readers (a browser's new version) change no
rate. A broken style sheet lowers the rate too, but then there are *fewer parts*, not *more pages*: where parts are
missing against the last windows, nothing is raised and the new rate is learned. No address counts for more than four
pages in a window, so one busy client cannot speak for its browser. New fingerprints share one cluster, "strangers",
until they have a past, and start from its rate, so inventing fingerprints gains nothing.
"""

from __future__ import annotations

from array import array
from math import inf, sqrt

from contentguard.detect.sketches import CELLS, REGISTERS, Prefixes, Warmth, estimate
from contentguard.model import Cluster

STRANGERS, EVERYBODY = 0, 1
"""The places of all fingerprints without a past, and of all together."""

ALARM = 5.0
"""Standard deviations."""

_WAYS = 4
_LATE = 15.0
"""Seconds for which a window waits for style sheets after its end."""

_PER_PREFIX = 4
_ENOUGH = 30
"""Pages below which a window is not judged but counted into the next."""

_STALE = 6
"""Windows after which a judgement says nothing any more, and for which a broken site excuses everybody."""

_PREFIXES = 20
"""An alarm needs so many different prefixes: fewer are for the signals about single clients."""

_PACE, _LEAK, _RECENT = 0.1, 0.005, 0.3
"""How fast a cluster's past follows it; how fast while it is alarmed; and how fast where its parts broke."""

_WARM = 6
"""Windows before coldness is judged: at first the warmth of pages is itself unknown."""

_FLOOR = 0.004
"""Standard deviation of a rate between windows that is always granted."""

_NEW_FLOOR = 0.04
# Columns of one cluster's numbers.
(
    _WINDOW, _OPEN, _VIEWS, _FOLLOWS, _COLDS, _OLD_VIEWS, _OLD_FOLLOWS, _OLD_COLDS, _SEEN, _MEAN, _VAR, _COLD_MEAN,
    _COLD_VAR, _PARTS, _PAGES, _Z, _COLD_Z, _ALARMED, _LAST_VIEWS, _LAST_PREFIXES,
    _JUDGED,
) = range(21)  # fmt: skip
_COLUMNS = 21


class Aggregates:
    """Clusters in a memory settled when they are made: about 1.5 MiB for 4,096 of them.

    ``secret`` (at least 16 bytes) keys all hashes. ``window`` is in seconds. For one event loop; nothing here waits.
    ValueError when a bound makes no sense.
    """

    __slots__ = (
        "_broken",
        "_counts",
        "_follows",
        "_now",
        "_numbers",
        "_old_prefixes",
        "_prefixes",
        "_raised",
        "_rows",
        "_secret",
        "_tags",
        "_warmth",
        "window",
    )

    def __init__(self, clusters: int = 4096, *, secret: bytes, window: float = 600.0) -> None:
        if len(secret) < 16:
            raise ValueError(f"the secret of the aggregates needs at least 16 bytes, not {len(secret)}")
        if clusters < _WAYS or window < 2 * _LATE:
            raise ValueError(f"{clusters} clusters and windows of {window} s leave nothing to compare")
        self.window = window
        self._rows = clusters // _WAYS
        size = 2 + self._rows * _WAYS
        self._secret = secret.hex()
        self._tags = array("Q", bytes(8 * size))
        self._numbers = array("d", bytes(8 * size * _COLUMNS))
        self._prefixes, self._old_prefixes = Prefixes(size), Prefixes(size)
        self._warmth = Warmth()
        self._counts, self._follows = bytearray(CELLS), bytearray(CELLS)
        self._now = self._broken = -9
        self._raised = -inf

    @property
    def bytes_used(self) -> int:
        """Bytes held; all of them from the beginning."""
        size = len(self._tags)
        return size * (8 + 8 * _COLUMNS + 2 * REGISTERS) + 4 * CELLS + 4096

    @property
    def alarms(self) -> bool:
        """Whether any cluster may be alarmed; where none is, ``read`` tells nothing that would decide."""
        return self._now - self._raised <= _STALE + 1

    def view(self, cluster: int, prefix: str, page: str, now: float) -> None:
        """Count a page (``page``: what names it) that a client of ``cluster`` in ``prefix`` asked for at ``now``."""
        self._turn(now)
        source = hash(self._secret + prefix)
        cell = (source ^ cluster) & (CELLS - 1)
        if self._counts[cell] >= _PER_PREFIX:
            return
        self._counts[cell] += 1
        cold = self._warmth.look(hash(self._secret + page))
        self._roll(EVERYBODY, now)
        self._numbers[EVERYBODY * _COLUMNS + _VIEWS] += 1.0
        place = self._place(cluster, now)
        self._count(place, source, cold, now)
        if place != STRANGERS and not self._numbers[place * _COLUMNS + _SEEN]:
            self._count(STRANGERS, source, cold, now)

    def follow(self, cluster: int, prefix: str, viewed: float, now: float) -> None:
        """Count the first style sheet (script, picture) after a page that was ``viewed`` then, by the same client."""
        self._turn(now)
        cell = (hash(self._secret + prefix) ^ cluster) & (CELLS - 1)
        if self._follows[cell] >= _PER_PREFIX:
            return
        self._follows[cell] += 1
        self._followed(EVERYBODY, viewed, now)
        place = self._find(cluster)
        self._followed(place, viewed, now)
        if place != STRANGERS and not self._numbers[place * _COLUMNS + _SEEN]:
            self._followed(STRANGERS, viewed, now)

    def read(self, cluster: int, now: float) -> Cluster:
        """How the cluster did in the last window that was judged; one without a past as strangers do."""
        place = self._find(cluster)
        if place != STRANGERS and not self._numbers[place * _COLUMNS + _SEEN]:
            place = STRANGERS
        self._roll(EVERYBODY, now)
        self._roll(place, now)
        n, at = self._numbers, place * _COLUMNS
        if now // self.window - n[at + _JUDGED] > _STALE:
            return Cluster()
        alarmed = n[at + _ALARMED] > 0.0
        return Cluster(int(n[at + _LAST_VIEWS]), int(n[at + _LAST_PREFIXES]), n[at + _Z], n[at + _COLD_Z], alarmed)

    def _turn(self, now: float) -> None:
        """With a new window, what each prefix has used up is forgotten and pages cool."""
        number = int(now // self.window)
        if number != self._now:
            self._now = number
            self._warmth.cool()
            self._counts, self._follows = bytearray(CELLS), bytearray(CELLS)

    def _find(self, cluster: int) -> int:
        tag = cluster & 0xFFFFFFFFFFFFFFFF or 1
        start = 2 + tag % self._rows * _WAYS
        row = self._tags[start : start + _WAYS]
        return start + row.index(tag) if tag in row else STRANGERS

    def _place(self, cluster: int, now: float) -> int:
        """The cluster's place; one without a place takes that of the least in its row, if that has no past."""
        place = self._find(cluster)
        if place != STRANGERS:
            return place
        tag = cluster & 0xFFFFFFFFFFFFFFFF or 1
        start = 2 + tag % self._rows * _WAYS
        place = min(range(start, start + _WAYS), key=lambda p: self._worth(p, now))
        if self._worth(place, now) >= 1.0:
            return STRANGERS
        at = place * _COLUMNS
        self._tags[place] = tag
        self._numbers[at : at + _COLUMNS] = array("d", bytes(8 * _COLUMNS))
        self._numbers[at + _WINDOW] = now // self.window
        self._prefixes.take(place)
        self._old_prefixes.take(place)
        return place

    def _worth(self, place: int, now: float) -> float:
        """Pages in a usual window, fading while nobody comes."""
        at = place * _COLUMNS
        idle = now // self.window - self._numbers[at + _WINDOW]
        return self._numbers[at + _PAGES] * 0.9 ** min(max(idle, 0.0), 500.0) if self._tags[place] else -1.0

    def _count(self, place: int, source: int, cold: bool, now: float) -> None:
        self._roll(place, now)
        n, at = self._numbers, place * _COLUMNS
        n[at + _VIEWS] += 1.0
        if cold:
            n[at + _COLDS] += 1.0
        self._prefixes.add(place, source)

    def _followed(self, place: int, viewed: float, now: float) -> None:
        self._roll(place, now)
        n, at = self._numbers, place * _COLUMNS
        if viewed // self.window >= n[at + _WINDOW]:
            n[at + _FOLLOWS] += 1.0
        elif n[at + _OPEN]:
            n[at + _OLD_FOLLOWS] += 1.0

    def _roll(self, place: int, now: float) -> None:
        """Put a window that is over aside, and judge the one that was put aside once nothing is due for it."""
        n, at = self._numbers, place * _COLUMNS
        number = now // self.window
        if number > n[at + _WINDOW]:
            if n[at + _OPEN]:
                self._judge(place)
            n[at + _OLD_VIEWS : at + _OLD_COLDS + 1] = n[at + _VIEWS : at + _COLDS + 1]
            n[at + _VIEWS : at + _COLDS + 1] = array("d", (0.0, 0.0, 0.0))
            n[at + _WINDOW], n[at + _OPEN] = number, 1.0
            self._old_prefixes.take(place)
            self._old_prefixes.put(place, self._prefixes.take(place))
        if n[at + _OPEN] and now - number * self.window >= _LATE:
            self._judge(place)

    def _judge(self, place: int) -> None:
        """Compare a window with the cluster's past, and learn from it."""
        n, at = self._numbers, place * _COLUMNS
        n[at + _OPEN] = 0.0
        views, follows, colds = n[at + _OLD_VIEWS : at + _OLD_COLDS + 1]
        if views < _ENOUGH:
            # Too few to say anything: they wait for more.
            n[at + _VIEWS] += views
            n[at + _FOLLOWS] += follows
            n[at + _COLDS] += colds
            self._prefixes.put(place, self._old_prefixes.take(place))
            return
        rate, coldness = min(follows / views, 1.0), colds / views
        prefixes = estimate(self._old_prefixes.take(place))
        n[at + _LAST_VIEWS], n[at + _LAST_PREFIXES], n[at + _JUDGED] = views, prefixes, n[at + _WINDOW]
        if n[at + _SEEN] or n[STRANGERS * _COLUMNS + _SEEN]:
            self._compare(place, views, follows, rate, coldness, prefixes)
        else:
            self._learn(place, rate, coldness, 1.0)
        calm = not n[at + _ALARMED]
        pace = _RECENT if n[at + _SEEN] else 1.0
        n[at + _PARTS] += pace * (follows - n[at + _PARTS]) if calm or not n[at + _SEEN] else 0.0
        n[at + _PAGES] += pace * (views - n[at + _PAGES])
        n[at + _SEEN] += 1.0

    def _compare(self, place: int, views: float, follows: float, rate: float, coldness: float, prefixes: int) -> None:
        n, at = self._numbers, place * _COLUMNS
        if not n[at + _SEEN]:  # what is new starts from what strangers do
            n[at + _MEAN : at + _COLD_VAR + 1] = n[_MEAN : _COLD_VAR + 1]
            n[at + _VAR] += _NEW_FLOOR**2
            n[at + _COLD_VAR] += _NEW_FLOOR**2
            n[at + _PARTS] = follows
        mean, cold_mean = n[at + _MEAN], n[at + _COLD_MEAN]
        short = (mean - rate) / _deviation(mean, n[at + _VAR], views)
        if min(short, n[at + _Z]) > ALARM / 2:
            short = max(short, (short + n[at + _Z]) / sqrt(2.0))  # two windows in a row say more than either
        colder = (coldness - cold_mean) / _deviation(cold_mean, n[at + _COLD_VAR], views)
        # Fewer parts, or more pages? Half-way between what either would leave; small falls are not told apart.
        broken = short > 2.0 and rate < 0.7 * mean and self._parts_missing(place, follows, rate / mean)
        excused = broken or self._now - self._broken <= _STALE
        fewer = short > ALARM and mean >= 0.5 and not excused
        alarmed = prefixes >= _PREFIXES and (fewer or (colder > ALARM and n[at + _SEEN] >= _WARM))
        n[at + _Z], n[at + _COLD_Z], n[at + _ALARMED] = short, colder, float(alarmed)
        if alarmed:
            self._raised = float(self._now)
        self._learn(place, rate, coldness, _LEAK if alarmed else _RECENT if broken else self._pace(place))

    def _parts_missing(self, place: int, follows: float, fall: float) -> bool:
        """Whether there are fewer parts than usual: past the middle between none missing and all of the fall."""
        # Who strangers are changes from window to window, so their number tells nothing.
        missing = place != STRANGERS and follows < self._numbers[place * _COLUMNS + _PARTS] * (1.0 + fall) / 2.0
        if missing and place == EVERYBODY:
            self._broken = self._now
        return missing

    def _pace(self, place: int) -> float:
        """The first ten windows count alike."""
        return max(_PACE, 1.0 / (self._numbers[place * _COLUMNS + _SEEN] + 1.0))

    def _learn(self, place: int, rate: float, coldness: float, pace: float) -> None:
        """Move the past towards what was seen; the variance is what sampling alone does not explain."""
        n, at = self._numbers, place * _COLUMNS
        views = n[at + _OLD_VIEWS]
        for mean, var, value in ((_MEAN, _VAR, rate), (_COLD_MEAN, _COLD_VAR, coldness)):
            off = value - n[at + mean]
            n[at + mean] += pace * off
            if mean == _COLD_MEAN and n[at + _SEEN] < _WARM:
                n[at + var] = 0.0
            elif n[at + _SEEN] and pace > _LEAK:
                sampling = n[at + mean] * (1.0 - n[at + mean]) / views
                n[at + var] += pace * (off * off - sampling - n[at + var])


def _deviation(mean: float, between: float, views: float) -> float:
    """Of a rate seen in so many views: what windows differ by, and what drawing them does."""
    spread = min(max(mean, 0.02), 0.98)
    return sqrt(max(between, 0.0) + _FLOOR**2 + spread * (1.0 - spread) / views)
