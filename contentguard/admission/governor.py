"""The governor: how fast all those who have earned nothing may together go through what is seldom read.

A crawler with an address for every request is nobody in particular, so nothing that counts clients finds it. But it has
to read what nobody else reads. So the archive itself has a budget: a cold article is given to a client without a
matured pass only as long as there is a token for it, and there are so many tokens an hour for all such clients
together. Hot articles cost nothing, and clients with a matured pass are left alone.

The guarantee, for any traffic: in any hour, the cold articles given to clients without a matured pass are at most
``B + burst + P * Q``. B is the budget (per hour, the largest in that hour), burst what its bucket holds beyond, P the
number of passes given out in that hour or within ``new_reader_for`` before it, and Q what the meter lets one of them
open in an hour.

Nobody is refused. Where there is no token, a client is told to wait and so earns a pass, and a young pass that finds no
token spends its own quota (that is P * Q). During an alarm the passes have a bucket too, and fingerprints one each
(``treasury``); an address prefix has a small one at any time. What strangers read during an alarm makes nothing hot, so
a crawler cannot push readers' articles out; and what it makes hot before was given to it already.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from contentguard.admission.archive import Archive
from contentguard.admission.budget import WINDOW, Cells
from contentguard.admission.heat import Heat
from contentguard.admission.maturity import Trust
from contentguard.admission.treasury import LEAST, Change, Learned, Tell, Treasury
from contentguard.limits import Decision, Limit

_CELLS = 8192
_NAMED, _LONGEST = 256, 200
"""So many hot articles are remembered by name, of so many characters; what else is hot becomes so again in time."""
_NAME = 300
"""Bytes of one."""
_PREFIX_PART = 0.1
_PREFIX_LEAST = 30.0
"""An address prefix has a tenth of the budget, and never less than so much an hour."""

_MASK = 2**64 - 1


class Ruling(NamedTuple):
    """What becomes of one view."""

    wait: float = 0.0
    """0: the article may leave whole. Else the seconds until there may be a token again; who earns a pass is sooner."""
    cold: bool = False
    ask: bool = False
    """The store that holds the budget has to be asked for one of ``Governor.limit``, and ``settle`` has the word."""
    article: int = 0
    cluster: int = 0
    prefix: int = 0
    trust: Trust = Trust.MATURED


_HOT = Ruling()
_COLD = Ruling(cold=True)


class Governor:
    """The governor of one process, for one event loop: nothing here waits. Its memory is settled when it is made.

    ``secret`` (at least 16 bytes) keys all hashes. ``young``: what a young pass may open in an hour. ``share``: this
    process's part of the numbers in the options, 1 / number of processes. ``shared``: a store holds the budget for all
    of them (see ``Ruling.ask``). ``tell``: see ``Treasury``. ValueError when a bound makes no sense.
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
        tell: Tell | None = None,
    ) -> None:
        if len(secret) < 16:
            raise ValueError(f"the secret of the governor needs at least 16 bytes, not {len(secret)}")
        if not 0.0 < share <= 1.0:
            raise ValueError(f"a process's share lies above 0 and is at most 1, not {share}")
        options = options or Archive()
        self._secret, self.shared = secret.hex(), shared
        self._heat = Heat(options.hot_articles, options.hot_share)
        learned = learned or Learned()
        self._names = {hash(self._secret + name) & _MASK: name for name, _ in learned.hot}
        self._heat.start_from({hash(self._secret + name) & _MASK: count for name, count in learned.hot})
        self._treasury = Treasury(options, young=young, share=share, learned=learned, tell=tell)
        self._prefixes = Cells(_CELLS, _PREFIX_LEAST, LEAST)
        self._windows = 0
        self._life = max(round(options.half_life / WINDOW), 1)
        self._resize()

    @property
    def alarmed(self) -> bool:
        """Whether there is an alarm."""
        return self._treasury.alarmed

    @property
    def budget(self) -> float:
        """Cold articles per hour that may be given to clients without a matured pass: B."""
        return self._treasury.budget

    @property
    def burst(self) -> float:
        """How many may be given at once beyond that."""
        return self._treasury.all.size

    @property
    def limit(self) -> Limit:
        """Both for all processes together, for the store that holds the budget."""
        return self._treasury.limit

    @property
    def bytes_used(self) -> int:
        """Bytes held at most; nearly all of them from the beginning."""
        names = _NAMED * _NAME
        return self._heat.bytes_used + self._prefixes.bytes_used + self._treasury.bytes_used + names + 4096

    # -- views ---------------------------------------------------------------------------------------------------

    def view(self, article: str, cluster: int, prefix: str, trust: Trust, now: float) -> Ruling:
        """May this client have the whole of ``article`` (what names it) at ``now`` (seconds; when this is asked)?

        ``cluster``: its fingerprint's hash. ``prefix``: its /24 or /48; empty where it is not surely known. Robots that
        the policy lets have articles are none of the governor's business. A young pass is to be asked of the meter
        first.
        """
        now = self._turn(now)
        page = hash(self._secret + article) & _MASK
        if page in self._heat.hot:
            self._heat.count(page)
            if page not in self._names:
                self._name(page, article)
            return _HOT
        if trust is Trust.MATURED:
            self._heat.count(page)
            return _COLD
        return self._cold(page, cluster & _MASK or 1, prefix, trust, now)

    def _cold(self, page: int, cluster: int, prefix: str, trust: Trust, now: float) -> Ruling:
        treasury = self._treasury
        client = hash(self._secret + prefix) & _MASK or 1 if prefix else 0
        ruling = Ruling(0.0, True, self.shared, page, cluster, client, trust)
        if client and (wait := self._prefixes.wait(client, now)):
            return self._ruled(ruling, wait, now)  # and it is no question: one prefix alone raises no alarm
        treasury.asked(cluster)
        if treasury.alarmed and (wait := treasury.wait(treasury.part(cluster))):
            return self._ruled(ruling, wait, now)
        return ruling if self.shared else self._ruled(ruling, self._own_token(), now)

    def _name(self, page: int, article: str) -> None:
        """Remember what a hot article is called, for ``learned``."""
        if len(self._names) >= _NAMED:
            self._names = {page: name for page, name in self._names.items() if page in self._heat.hot}
        if len(self._names) < _NAMED:
            self._names[page] = article if len(article) <= _LONGEST else ""

    def settle(self, ruling: Ruling, decision: Decision | None, now: float) -> Ruling:
        """What becomes of a view that the store was asked about; None: it did not answer, so the own part counts.

        The store is asked by ``take(key, governor.limit, now)``, with one key for all processes.
        """
        now = self._turn(now)
        if decision is None:
            return self._ruled(ruling, self._own_token(), now)
        self._treasury.told(decision.remaining)
        return self._ruled(ruling, 0.0 if decision.allowed else max(decision.retry_after, 0.001), now)

    def _own_token(self) -> float:
        bucket = self._treasury.all
        wait = self._treasury.wait(bucket)
        if not wait:
            bucket.take()
        return wait

    def _ruled(self, ruling: Ruling, wait: float, now: float) -> Ruling:
        counts = self._treasury.counts
        if not wait:
            counts["given"] += 1
            self._treasury.part(ruling.cluster).draw(now)
            if ruling.prefix:
                self._prefixes.take(ruling.prefix, now)
        elif ruling.trust is Trust.YOUNG:
            counts["given-to-young-passes"] += 1
            wait = 0.0
        else:
            counts["told-to-wait"] += 1
        if not wait and not self._treasury.alarmed:
            self._heat.count(ruling.article)
        return Ruling(wait, True)

    def hot(self, article: str) -> bool:
        """Whether this article is free for everybody just now."""
        return hash(self._secret + article) & _MASK in self._heat.hot

    # -- passes --------------------------------------------------------------------------------------------------

    def issue(self, now: float) -> float:
        """May a pass be given out that was earned by waiting or by a proof? Seconds to wait; 0: it may, and counts."""
        self._turn(now)
        wait = self._treasury.issued()
        self._treasury.counts["passes-told-to-wait" if wait else "passes"] += 1
        return wait

    # -- time ----------------------------------------------------------------------------------------------------

    def _turn(self, now: float) -> float:
        now = self._treasury.turn(now)
        if self._treasury.windows != self._windows:
            before, self._windows = self._windows, self._treasury.windows
            for _ in range(min(self._windows // self._life - before // self._life, 32)):
                self._heat.halve()
            self._heat.settle()
            self._resize()
        return now

    def _resize(self) -> None:
        self._prefixes.allow(max(self.budget * _PREFIX_PART, _PREFIX_LEAST), LEAST)

    # -- what is told --------------------------------------------------------------------------------------------

    def changes(self) -> list[Change]:
        """What has changed since this was asked last: alarm on or off, a bucket empty or full."""
        return self._treasury.changes()

    def load(self, now: float) -> float:
        """How hard-pressed the site is: 0 not at all, 1 there is an alarm."""
        self._turn(now)
        return self._treasury.load()

    def learned(self) -> Learned:
        """What a governor made later can start from."""
        names, hot = self._names, self._heat.hot
        known = tuple((name, count) for page, count in hot.items() if (name := names.get(page)))
        return self._treasury.learned()._replace(hot=known)

    def state(self, now: float) -> dict[str, Any]:
        """How things stand, as JSON-ready data."""
        self._turn(now)
        return {**self._treasury.state(), "hot": len(self._heat.hot), "bytes": self.bytes_used}
