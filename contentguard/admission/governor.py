"""The ceiling that holds however many addresses there are: unread pages of the archive leave at a settled rate.

What is read much is read by people and is no loss; who goes through the archive reads what hardly anybody reads. So a
*cold* article that goes to a client without a matured pass is drawn from buckets: one of all together, one of its
fingerprint cluster, one of its network. Fingerprints without a past share one small bucket, so inventing them mints
nothing. Where a bucket is empty the client waits; hot articles and readers with a matured pass are never touched.

Whatever the traffic, such clients together get at most ``hourly budget + burst`` cold articles in an hour (GCRA, see
``limits``). Strategy: the budget follows the site's own past (three times what is usual), between a floor and a ceiling
that the owner sets, from the ceiling downwards, and so slowly that nobody trains it up: it learns nothing from a window
in which more than half of it was used. Only what was handed out warms an article, so asking does not. All tables are
settled when they are made.

Sources: token buckets as ITU-T I.371 has them; count-min sketch with conservative update (Cormode and Muthukrishnan
2005; Estan and Varghese 2002).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from contentguard.limits import Limit, gcra

WINDOW = 600.0
"""Seconds after which warmth fades and the budget learns."""
_CELLS = 65536
_STEP = 8
"""What one reading adds to an article's warmth, of at most 255."""
_FADED = bytes(n * 7 // 8 for n in range(256))
_LEAST_WARMTH = 3 * _STEP
"""Below three readings lately an article is cold on any site."""
_CLUSTERS, _NETWORKS, _WAYS = 4096, 16384, 4
_PAST = 20
"""Readings after which a fingerprint has a past, and a bucket of its own."""
_CLUSTER_SHARE, _STRANGERS_SHARE, _NETWORK_SHARE = 0.3, 0.15, 0.05
_LEAST_SHARE = 60
"""Articles an hour of the smallest bucket, unless all together have fewer."""
_PACE, _USED = 0.005, 0.5
"""How much of a window's difference is learned; and the share of the budget beyond which nothing is."""
_BURST, _LEAST_BURST = 6, 20
"""The burst is a sixth of the hourly budget, ten minutes' worth; at least what a few readers open at once."""
_TROUBLED = 2 * WINDOW
"""Seconds for which an empty bucket is remembered as trouble."""


@dataclass(frozen=True, slots=True)
class Governing:
    """The ceiling on what strangers get of the archive. ValueError when a number makes no sense."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    cold: int = 3000
    """Cold articles an hour for all strangers together, at most."""
    least: int = 300
    """… and at least, however quiet the site usually is."""
    times: float = 3.0
    """In between: so many times what is usual."""
    hot: int = 100
    """So many of the most-read articles are hot and never counted."""
    passes: int = 1000
    """Passes an hour that are given out while there is an attack."""

    def __post_init__(self) -> None:
        """Refuse a ceiling below the floor."""
        if not 6 <= self.least <= self.cold:
            raise ValueError(f"want 6 <= least <= cold, not {self.least} and {self.cold}")
        if self.times < 1.0 or self.hot < 0 or self.passes < 1:
            raise ValueError("want times >= 1, hot >= 0 and passes >= 1")


class Governor:
    """One process's governor. ``secret`` (at least 16 bytes) keys its hashes; ``share`` is its part of the budget,
    one by the number of processes. For one event loop; nothing here waits. ValueError for a shorter secret.
    """

    def __init__(self, options: Governing, *, secret: bytes, share: float = 1.0) -> None:
        if len(secret) < 16:
            raise ValueError(f"the governor's secret needs at least 16 bytes, not {len(secret)}")
        self._options, self._secret, self._share = options, secret.hex(), share
        self._cells = bytearray(2 * _CELLS)
        self._top: dict[int, int] = {}
        self._bar = _LEAST_WARMTH
        self._tags, self._pasts = array("Q", bytes(8 * _CLUSTERS)), array("I", bytes(4 * _CLUSTERS))
        self._clusters, self._networks = array("d", bytes(8 * _CLUSTERS)), array("d", bytes(8 * _NETWORKS))
        self._all = self._strangers = self._issued = 0.0
        self._window, self._drawn = -1, 0
        # What is usual is not known yet, and a site that is new to us must not keep its readers waiting.
        self._usual = options.cold / options.times
        self._empty_at = float("-inf")
        self._changes: list[str] = []
        self.granted = self.waited = 0
        """Cold articles handed out to strangers, and how often one had to wait, since the beginning."""
        self._settle()

    # -- what is asked -----------------------------------------------------------------------------------------

    def draw(self, article: str, cluster: int, network: str, now: float, *, trusted: bool) -> float:
        """Seconds that a client must wait before ``article`` (what names it) may be handed out to it; 0: now.

        ``cluster``: its fingerprint; ``network``: its /24 or /48; ``trusted``: it holds a matured pass.
        """
        self._turn(now)
        number = hash(self._secret + article) & 0xFFFFFFFFFFFFFFFF
        place = self._place(cluster)
        if not trusted and not self.is_hot(number):
            wait = self._draw(place, hash(self._secret + network) % _NETWORKS, now)
            if wait > 0.0:
                return wait
        self._warm(number)
        self._count(cluster, place)
        return 0.0

    def issue(self, now: float, *, alarmed: bool) -> float:
        """Seconds to wait before another pass is given out; only while there is trouble is there any limit."""
        if not (alarmed or self.troubled(now)):
            return 0.0
        decision = gcra(self._issued, self._passes, now)
        self._issued = decision.tat
        return 0.0 if decision.allowed else max(decision.retry_after, 0.001)

    def troubled(self, now: float) -> bool:
        """Whether a bucket was empty lately."""
        return now - self._empty_at < _TROUBLED

    def is_hot(self, number: int) -> bool:
        """Whether an article, by its hash, is among those that are read most."""
        return self._top.get(number, 0) >= self._bar

    # -- what is told ------------------------------------------------------------------------------------------

    @property
    def budget(self) -> int:
        """Cold articles an hour that strangers get from this process."""
        return self._limit.count

    @property
    def bytes_used(self) -> int:
        """Bytes held, as an upper bound: the tables, and the list of what is hot at its longest."""
        return len(self._cells) + 20 * _CLUSTERS + 8 * _NETWORKS + 200 * 2 * max(self._options.hot, 1)

    def state(self, now: float) -> dict[str, Any]:
        """A picture of it, as JSON-ready data."""
        left = gcra(self._all, self._limit, now).remaining
        return {
            "budget_per_hour": self.budget,
            "usual_per_hour": round(self._usual * self._share, 1),
            "left": left,
            "burst": self._limit.size,
            "hot_articles": sum(count >= self._bar for count in self._top.values()),
            "granted": self.granted,
            "waited": self.waited,
            "troubled": self.troubled(now),
        }

    def changes(self) -> Sequence[str]:
        """What has changed since this was last asked, in words."""
        told, self._changes = self._changes, []
        return told

    # -- buckets -----------------------------------------------------------------------------------------------

    def _draw(self, place: int, network: int, now: float) -> float:
        """Take one from every bucket, or nothing from any."""
        own = place >= 0
        limits = self._limit, self._own if own else self._few, self._near
        tats = self._all, self._clusters[place] if own else self._strangers, self._networks[network]
        decisions = [gcra(tat, limit, now) for tat, limit in zip(tats, limits, strict=True)]
        wait = max(decision.retry_after for decision in decisions)
        if wait > 0.0:
            self.waited += 1
            if decisions[0].retry_after > 0.0 or decisions[1].retry_after > 0.0:
                if not self.troubled(now):
                    self._changes.append("strangers ask for more of the archive than its budget: they wait")
                self._empty_at = now
            return wait
        self._all, self._networks[network] = decisions[0].tat, decisions[2].tat
        if own:
            self._clusters[place] = decisions[1].tat
        else:
            self._strangers = decisions[1].tat
        self._drawn += 1
        self.granted += 1
        return 0.0

    def _place(self, cluster: int) -> int:
        """Where a fingerprint with a past has its bucket; -1 for all others."""
        at = self._find(cluster)
        return at if at >= 0 and self._pasts[at] >= _PAST else -1

    def _find(self, cluster: int) -> int:
        tag = cluster & 0xFFFFFFFFFFFFFFFF or 1
        start = tag % (_CLUSTERS // _WAYS) * _WAYS
        row = self._tags[start : start + _WAYS]
        return start + row.index(tag) if tag in row else -1

    def _count(self, cluster: int, place: int) -> None:
        """A reading by this fingerprint; one without a place takes that of the least in its row."""
        at = place if place >= 0 else self._find(cluster)
        if at < 0:
            tag = cluster & 0xFFFFFFFFFFFFFFFF or 1
            start = tag % (_CLUSTERS // _WAYS) * _WAYS
            at = min(range(start, start + _WAYS), key=self._pasts.__getitem__)
            if self._pasts[at] >= _PAST:
                return
            # Its bucket stays as it is: who comes and goes finds no full one.
            self._tags[at], self._pasts[at] = tag, 0
        if self._pasts[at] < 0xFFFFFF:
            self._pasts[at] += 1

    # -- warmth ------------------------------------------------------------------------------------------------

    def _warm(self, number: int) -> None:
        cells = self._cells
        one, two = number & (_CELLS - 1), _CELLS + (number >> 16 & (_CELLS - 1))
        raised = min(min(cells[one], cells[two]) + _STEP, 255)
        cells[one], cells[two] = max(cells[one], raised), max(cells[two], raised)
        if raised >= self._bar and self._options.hot:
            self._top[number] = raised
            if len(self._top) > 2 * self._options.hot:
                self._prune()

    def _prune(self) -> None:
        """Keep the hottest; the last of them is the bar for others."""
        ranked = sorted(self._top.items(), key=lambda pair: -pair[1])[: self._options.hot]
        self._top = dict(ranked)
        self._bar = max(ranked[-1][1], _LEAST_WARMTH)

    # -- time --------------------------------------------------------------------------------------------------

    def _turn(self, now: float) -> None:
        number = int(now // WINDOW)
        if number == self._window:
            return
        passed = number - self._window if self._window >= 0 else 0
        self._window = number
        for _ in range(max(0, min(passed, 40))):
            self._cells = self._cells.translate(_FADED)
            self._top = {key: count * 7 // 8 for key, count in self._top.items()}
        for at in range(_CLUSTERS if passed > 0 else 0):
            if self._pasts[at]:
                self._pasts[at] -= self._pasts[at] // 64
        self._bar = _LEAST_WARMTH
        if len(self._top) > self._options.hot > 0:
            self._prune()
        if passed == 1 and not self.troubled(now):
            self._learn()
        self._drawn = 0

    def _learn(self) -> None:
        """Move a little towards what this window was like, if it was like any."""
        seen = self._drawn * 3600.0 / WINDOW / self._share
        if self._drawn * 3600.0 / WINDOW <= self.budget * _USED:
            self._usual += _PACE * (seen - self._usual)
            self._settle()

    def _settle(self) -> None:
        """The buckets' sizes after what is usual."""
        chosen, share = self._options, self._share
        wanted = min(max(self._usual * chosen.times, chosen.least), chosen.cold) * share
        hourly = max(int(wanted), 6)
        self._limit = _hourly(hourly)
        self._own, self._few, self._near = (
            _hourly(min(max(int(hourly * part), _LEAST_SHARE), hourly))
            for part in (_CLUSTER_SHARE, _STRANGERS_SHARE, _NETWORK_SHARE)
        )
        self._passes = _hourly(max(int(chosen.passes * share), 1))


def _hourly(count: int) -> Limit:
    return Limit(count, 3600.0, max(count // _BURST, min(count, _LEAST_BURST)))
