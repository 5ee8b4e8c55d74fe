"""The governor: how fast all those who have earned nothing may together go through what is seldom read.

A crawler with an address for every request is nobody in particular, so nothing that counts clients finds it. But it has
to read what nobody else reads. So the archive itself has a budget: a cold article is given to a client without a
matured pass only as long as there is a token for it, and there are so many tokens an hour for all such clients
together. Hot articles cost nothing, and who has a matured pass never comes here.

The guarantee, for any traffic: in any hour, the cold articles given to clients without a matured pass are at most
``B + burst + P * Q``. B is the budget (of cold articles per hour) and burst what the bucket holds beyond; P are the
passes given out during that hour or within ``new_reader_for`` before it, and Q is what the meter lets one of them open
in an hour. B is three times what is normal at a busy time, never less or more than the settings say, and the most they
allow until a day was seen. It follows the normal slowly, and not at all during an alarm.

Three things keep readers out of an attack's way. An *alarm* is raised when strangers ask for twice as much as is
normal. During an alarm the budget is split between fingerprints by their usual shares, and all fingerprints that are
not usual share one small part: a crawler empties only the part of the browser it imitates. And each address prefix has
a small part at any time. Nobody is refused: where there is no token, the client is told to wait, and so earns a pass;
a young pass that finds no token spends its own quota (that is P * Q). During an alarm passes have a bucket too.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from contentguard.admission.budget import BURST_HOURS, WINDOW, Bucket, Cells, Normal
from contentguard.admission.heat import Heat
from contentguard.admission.maturity import Trust
from contentguard.admission.shares import Shares
from contentguard.limits import Decision, Limit

_LATE = 60.0
"""Seconds by which ``now`` may lie before another ``now``; more, and the clock was set back."""

_HOLD = 600.0
"""Seconds without too many questions after which an alarm ends."""

_LEAST = 10.0
"""Tokens in a full bucket, at least."""

_PREFIX_CELLS = 8192
_PREFIX_PART = 0.1
_PREFIX_LEAST = 30.0
"""An address prefix has a tenth of the budget, and never less than so much an hour."""

_STRANGE_PART = 0.02
"""What unusual fingerprints have together, at least."""

_CALM_LEAST = 20.0
_CHANGES = 256
"""Changes kept until somebody fetches them."""


@dataclass(frozen=True, slots=True)
class Archive:
    """How fast strangers may go through seldom-read articles. ValueError when numbers contradict each other."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    hot_articles: int = 100
    """So many of the most read articles are free for everybody."""
    cold_articles_per_hour: int = 300
    """Other articles per hour that clients who have earned nothing may open together, however few it used to be."""
    cold_articles_per_hour_most: int = 10_000
    """The same, however many it used to be. In force until a day was seen."""
    times_normal: float = 3.0
    """Between these two, so many times what is normal at a busy hour."""
    passes_part: float = 1.0
    """What passes given out during an alarm may open in an hour, as a multiple of that budget."""
    half_life: float = 7200.0
    """Seconds in which a view comes to count half."""
    fingerprints: int = 1024
    """How many kinds of browser are told apart."""

    def __post_init__(self) -> None:
        if not 1 <= self.cold_articles_per_hour <= self.cold_articles_per_hour_most:
            numbers = f"{self.cold_articles_per_hour} and {self.cold_articles_per_hour_most}"
            raise ValueError(f"cold articles per hour must be at least 1 and at most the most, not {numbers}")
        if self.times_normal < 1.0 or self.passes_part <= 0.0 or self.half_life < WINDOW:
            raise ValueError("times_normal must be at least 1, passes_part more than 0, half_life at least 600")


class Ruling(NamedTuple):
    """What becomes of one view."""

    wait: float = 0.0
    """Seconds to wait; 0: the article may leave whole."""
    cold: bool = False
    ask: bool = False
    """The store that holds the budget has to be asked for one of ``Governor.limit``; then ``settle`` has the word."""
    article: int = 0
    cluster: int = 0
    prefix: int = 0
    trust: Trust = Trust.MATURED


class Change(NamedTuple):
    """Something that the owner may want to be told of."""

    what: str
    """``alarm``, or the name of a bucket."""
    state: str
    """``on`` or ``off``; ``empty`` or ``full`` (half full, to be exact)."""
    now: float


class Learned(NamedTuple):
    """What a new governor can start from, so that a restart does not cost a day."""

    cold: float = 0.0
    cold_windows: int = 0
    passes: float = 0.0
    passes_windows: int = 0


_FREE = Ruling()


class Governor:
    """The governor of one process. For one event loop; nothing here waits. Its memory is settled when it is made.

    ``secret`` (at least 16 bytes) keys all hashes. ``young``: what a young pass may open in an hour. ``share``: this
    process's part of the settings' numbers, 1 / number of processes. ``shared``: a store holds the budget for all of
    them, so that views of cold articles have to be asked of it (``Ruling.ask``). ValueError when a bound makes no
    sense.
    """

    def __init__(
        self,
        options: Archive | None = None,
        *,
        secret: bytes,
        young: int = 5,
        share: float = 1.0,
        shared: bool = False,
        learned: Learned | None = None,
    ) -> None:
        if len(secret) < 16:
            raise ValueError(f"the secret of the governor needs at least 16 bytes, not {len(secret)}")
        if not 0.0 < share <= 1.0:
            raise ValueError(f"a process's share lies above 0 and is at most 1, not {share}")
        known = learned or Learned()
        self.options, self.share, self.shared = options or Archive(), share, shared
        self.counts: Counter[str] = Counter()
        """What has happened, by name."""
        self.alarmed = False
        self._secret, self._young = secret.hex(), max(young, 1)
        self._heat, self._shares = Heat(self.options.hot_articles), Shares(self.options.fingerprints)
        self._cold, self._issued = (
            Normal(known.cold, known.cold_windows),
            Normal(known.passes, known.passes_windows),
        )
        self._changes: deque[Change] = deque(maxlen=_CHANGES)
        self._now = self._end = self._since = self._quiet = 0.0
        self._disturbed, self._cooling = False, 0
        budget = self.budget
        self._all, self._strange = Bucket("all", budget, _LEAST), Bucket("strangers", budget, _LEAST)
        self._passes = Bucket("passes", budget, _LEAST)
        self._calm, self._calm_passes = Bucket("", budget, _CALM_LEAST), Bucket("", budget, _CALM_LEAST)
        self._own: dict[int, Bucket] = {}
        self._prefixes = Cells(_PREFIX_CELLS, _PREFIX_LEAST, _LEAST)
        self._split(0.0)

    # -- the budget ----------------------------------------------------------------------------------------------

    @property
    def budget(self) -> float:
        """Cold articles per hour that this process may give to clients without a matured pass."""
        least, most = self.options.cold_articles_per_hour, self.options.cold_articles_per_hour_most
        if not self._cold.known:
            return most * self.share
        return min(max(self.options.times_normal * self._cold.per_hour, least * self.share), most * self.share)

    @property
    def burst(self) -> float:
        """Cold articles that it may give at once, beyond what an hour brings."""
        return self._all.size

    @property
    def limit(self) -> Limit:
        """The budget of all processes together, for the store that holds it."""
        whole = self.budget / self.share
        return Limit(max(int(whole), 1), 3600.0, int(max(_LEAST, whole * BURST_HOURS)))

    def _split(self, now: float) -> None:
        """Give every bucket its part of the budget."""
        budget, own = self.budget, self._shares.own
        self._all.allow(budget, now)
        rest = max(1.0 - sum(own.values()), _STRANGE_PART)
        self._strange.allow(budget * rest, now)
        for cluster in self._own.keys() - own.keys():
            del self._own[cluster]
        for cluster, part in own.items():
            if cluster in self._own:
                self._own[cluster].allow(budget * part, now)
            else:
                self._own[cluster] = Bucket(f"fingerprint {cluster:x}", budget * part, _LEAST, now)
        self._prefixes.allow(max(budget * _PREFIX_PART, _PREFIX_LEAST), _LEAST)
        self._passes.allow(budget * self.options.passes_part / self._young, now)
        times = self.options.times_normal
        self._calm.allow(budget * (times + 1.0) / (2.0 * times), now)
        self._calm_passes.allow(max(2.0 * self._issued.per_hour, _PREFIX_LEAST), now)

    # -- views ---------------------------------------------------------------------------------------------------

    def view(self, article: str, cluster: int, prefix: str, trust: Trust, now: float) -> Ruling:
        """May this client have the whole of ``article`` (what names it) at ``now`` (seconds, when this is asked)?

        ``cluster``: its fingerprint's hash. ``prefix``: its /24 or /48; empty where it is not known. Robots that the
        policy lets have articles are none of the governor's business.
        """
        now = self._turn(now)
        page = hash(self._secret + article) & 0xFFFFFFFFFFFFFFFF
        if page in self._heat.hot:
            self._heat.count(page)
            return _FREE
        if trust is Trust.MATURED:
            self._heat.count(page)
            return Ruling(cold=True)
        return self._cold_view(page, cluster & 0xFFFFFFFFFFFFFFFF or 1, prefix, trust, now)

    def _cold_view(self, page: int, cluster: int, prefix: str, trust: Trust, now: float) -> Ruling:
        self._ask(cluster, now)
        client = hash(self._secret + prefix) & 0xFFFFFFFFFFFFFFFF if prefix else 0
        wait = self._prefixes.wait(client, now) if client else 0.0
        if self.alarmed:
            wait = max(wait, self._wait(self._own.get(cluster, self._strange), now))
        ruling = Ruling(wait, True, self.shared and not wait, page, cluster, client, trust)
        return ruling if ruling.ask else self._ruled(ruling, None, now)

    def settle(self, ruling: Ruling, decision: Decision | None, now: float) -> Ruling:
        """What becomes of a view after the store was asked; None: it did not answer, and this process has its part."""
        return self._ruled(ruling, decision, self._turn(now))

    def _ruled(self, ruling: Ruling, decision: Decision | None, now: float) -> Ruling:
        wait = ruling.wait
        if decision is not None:
            wait = 0.0 if decision.allowed else max(decision.retry_after, 1.0)
        elif not wait:
            wait = self._wait(self._all, now)
            if not wait:
                self._all.take()
        if not wait:
            self._drawn(ruling, now)
            self.counts["given"] += 1
        elif ruling.trust is Trust.YOUNG:
            wait = 0.0
            self.counts["given-to-young-passes"] += 1
        else:
            self.counts["told-to-wait"] += 1
        if not wait and not self.alarmed:
            self._heat.count(ruling.article)
        return ruling._replace(wait=wait, ask=False)

    def _drawn(self, ruling: Ruling, now: float) -> None:
        bucket = self._own.get(ruling.cluster, self._strange)
        bucket.wait(now)
        bucket.take()
        if ruling.prefix:
            self._prefixes.take(ruling.prefix, now)

    def _ask(self, cluster: int, now: float) -> None:
        """Count a question for a cold article, answered or not, and see whether there are too many."""
        if self._calm.wait(now):
            self._raise_alarm(now)
        else:
            self._calm.take()
        self._cold.count += 1
        if not self.alarmed:
            self._shares.count(cluster)

    # -- passes --------------------------------------------------------------------------------------------------

    def issue(self, now: float) -> float:
        """May a pass be given out that was earned by waiting or by proof? Seconds to wait; 0: it may, and counts."""
        now = self._turn(now)
        if self._issued.known and self._calm_passes.wait(now):
            self._raise_alarm(now)
        else:
            self._calm_passes.take()
        self._issued.count += 1
        wait = self._wait(self._passes, now)
        if wait and self.alarmed:
            self.counts["passes-told-to-wait"] += 1
            return wait
        self._passes.take()
        self.counts["passes"] += 1
        return 0.0

    # -- time ----------------------------------------------------------------------------------------------------

    def _turn(self, now: float) -> float:
        """Time goes on: a clock that nobody can hold back a little, and that can be set back a lot."""
        if now > self._now or now < self._now - _LATE:
            if now < self._now:
                self._end = self._quiet = now + WINDOW
                self._disturbed = True
            self._now = now
        now = self._now
        if now >= self._end:
            self._roll(now)
        if self.alarmed and now >= self._quiet:
            self.alarmed = False
            self._changes.append(Change("alarm", "off", now))
            self._look_round(now)
        return now

    def _roll(self, now: float) -> None:
        """A window is over, and perhaps some in which nobody came."""
        if self._end:
            empty = min(int((now - self._end) // WINDOW), 1008)
            learn = not self._disturbed
            for normal in (self._cold, self._issued):
                normal.close(learn=learn)
                for _ in range(empty):
                    normal.close(learn=not self.alarmed)
            self._shares.close(learn=learn)
            self._cool(1 + empty)
        self._disturbed = self.alarmed
        self._end = now + WINDOW - (now - self._end) % WINDOW if self._end else now + WINDOW
        self._split(now)
        self._look_round(now)

    def _cool(self, windows: int) -> None:
        self._cooling += windows
        life = max(round(self.options.half_life / WINDOW), 1)
        for _ in range(min(self._cooling // life, 32)):
            self._heat.halve()
        self._cooling %= life

    def _raise_alarm(self, now: float) -> None:
        self._quiet = now + _HOLD
        if not self.alarmed:
            self.alarmed = self._disturbed = True
            self._since = now
            self.counts["alarms"] += 1
            self._changes.append(Change("alarm", "on", now))

    # -- what is told --------------------------------------------------------------------------------------------

    def _wait(self, bucket: Bucket, now: float) -> float:
        wait = bucket.wait(now)
        if bucket.turned():
            self._changes.append(Change(bucket.name, "empty" if bucket.low else "full", now))
        return wait

    def _look_round(self, now: float) -> None:
        for bucket in (self._all, self._strange, self._passes, *self._own.values()):
            if bucket.low:
                self._wait(bucket, now)

    def changes(self) -> list[Change]:
        """What has changed since this was asked last; of very many changes, the latest."""
        told = list(self._changes)
        self._changes.clear()
        return told

    def learned(self) -> Learned:
        """What a governor made later can start from."""
        return Learned(self._cold.rate, self._cold.windows, self._issued.rate, self._issued.windows)

    def hot(self, article: str) -> bool:
        """Whether this article is free for everybody just now."""
        return hash(self._secret + article) & 0xFFFFFFFFFFFFFFFF in self._heat.hot

    @property
    def bytes_used(self) -> int:
        """Bytes held, as an upper bound; nearly all of them from the beginning."""
        buckets = (len(self._shares.own) + 5) * 400
        return self._heat.bytes_used + self._shares.bytes_used + self._prefixes.bytes_used + buckets + _CHANGES * 200

    def state(self, now: float) -> dict[str, Any]:
        """How things stand, as JSON-ready data."""
        now = self._turn(now)
        self._look_round(now)
        parts = {self._strange.name: self._strange, **{bucket.name: bucket for bucket in self._own.values()}}
        return {
            "alarm": self.alarmed,
            "alarm_since": self._since if self.alarmed else None,
            "normal_per_hour": round(self._cold.per_hour, 1),
            "normal_known": self._cold.known,
            "hot": len(self._heat.hot),
            "all": self._all.as_dict(),
            "passes": self._passes.as_dict(),
            "parts": {name: bucket.as_dict() for name, bucket in parts.items()},
            "counts": dict(self.counts),
            "bytes": self.bytes_used,
        }
