"""How much is opened and earned from one line by all its passes: neither dropping nor hoarding them brings more.

Strategy: a pass has a meter, but costs a program next to nothing, so those that have not matured also share the budget
of the line they come from, whatever headers are sent with each: one grown reader's meter, and as much again for each
reader who stays. An office, a household or a carrier has readers who stay; a program that begins anew for each article
has none, and so no more than one reader. Passes that have matured, which a program can bring about for any number of
them by fetching one style sheet with each and keeping it for a while, share a larger budget. What everybody reads
counts for nothing here, nor does reading an article again.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from contentguard.addresses import neighbourhood
from contentguard.admission.maturity import Metering, Quota, Trust, seen_lately
from contentguard.backends import MOST_ARTICLES, Admitting, Store
from contentguard.detect.sessions import Sessions
from contentguard.guard.metering import held, number_of
from contentguard.guard.staying import Staying
from contentguard.guard.visits import Visit
from contentguard.limits import Limit
from contentguard.model import Facts

CROWD = 240
"""Seldom-read articles an hour from one line, at the most, for all whose passes have not matured, however many readers
stay there."""
GROWN = Limit(480, 3600.0, 60)
"""The same for all passes on one line that have matured, beside those that have not. It needs no number of readers:
each has a meter, so that few of them open less than this together."""
PASSES = Limit(600, 3600.0, 120)
"""Passes an hour that are earned from one line."""
LONERS = 2
"""New readers, of whose meters all that looks like programs on one line has the sum, out of what the line has."""
_SHIFT = 3 * 3600.0
_REMEMBERED = 4096
_MATURED = Trust.MATURED


class Crowds:
    """The lines of one site. ``broken`` is called where the store fails; then nobody waits."""

    def __init__(
        self, options: Metering, sessions: Sessions, store: Store, ledger: Admitting, broken: Callable[[], None]
    ) -> None:
        self._options, self._sessions, self._store, self._ledger = options, sessions, store, ledger
        self._broken = broken
        hour, day = options.articles_per_hour, options.articles_per_day
        self._loners = held(LONERS * options.new_reader_articles_per_hour, day)
        self._lone = held(min(hour, CROWD), day)
        """What a line has on which nobody stays."""
        self._staying = Staying(-(-CROWD // self._lone.hour) - 1)
        self._read: set[int] = set()
        """What was opened by whom of late, as hashes of both."""

    def is_again(self, reader: str, article: str) -> bool:
        """Whether this process remembers that this reader has opened this article."""
        return hash((reader, article)) in self._read

    async def opens(self, visit: Visit, facts: Facts, reader: str, article: str, stands: Trust, *, hot: bool) -> float:
        """Seconds until a client may open another article; 0: it may, and this one counts.

        ``reader``: whose article it is, as a meter knows them; empty for who has no pass. ``stands``: how far its pass
        has come. ``hot``: whether it is what everybody reads, which does not count where a browser shows.
        """
        line, now, wait = _line(facts), facts.now, 0.0
        if not self._shows(visit, facts):
            wait = await self._metered(f"l{line}", article, self._loners, now)
        if not wait and not hot:
            wait = await (self._grown(line, reader, now) if stands is _MATURED else self._crowd(line, article, now))
        if reader and not wait:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            self._read.add(hash((reader, article)))
        return wait

    async def is_full(self, facts: Facts) -> bool:
        """Whether who has a matured pass would have to wait for what is seldom read."""
        try:
            return not (await self._store.peek(f"g{_line(facts)}", GROWN, facts.now)).allowed
        except Exception:
            self._broken()
            return False

    async def earns(self, facts: Facts) -> float:
        """Seconds until a pass may be earned from this line; 0: it may, and counts."""
        return await self._turn(f"e{_line(facts)}", PASSES, facts.now)

    def _shows(self, visit: Visit, facts: Facts) -> bool:
        """Whether a client fetches what pages are made of, as far as anybody knows: a program seldom does."""
        if visit.given is not None and seen_lately(visit.given, facts.now, self._options):
            return True
        session = self._sessions.read(visit.key, facts.now)
        if session is None:
            return False
        fetched = session.styles + session.scripts + session.images
        return fetched > 0 and fetched >= session.dry

    async def _grown(self, line: str, reader: str, now: float) -> float:
        wait = await self._turn(f"g{line}", GROWN, now)
        if not wait:
            self._staying.note(line, reader, now)
        return wait

    async def _crowd(self, line: str, article: str, now: float) -> float:
        """What readers who stay have brought comes first, so that it does not use up the day of a line without any."""
        first = await self._brought(line, article, now)
        return first and min(first, await self._metered(f"y{line}", article, self._lone, now))

    async def _brought(self, line: str, article: str, now: float) -> float:
        readers = self._staying.count(line, now)
        if not readers:
            return inf
        more = held(min(readers * self._lone.hour, CROWD - self._lone.hour), MOST_ARTICLES)
        for key in _shifts(line, now):
            if wait := await self._metered(key, article, more, now):
                return wait
        return 0.0

    async def _metered(self, key: str, article: str, allowed: Quota, now: float) -> float:
        try:
            return await self._ledger.meter(key, number_of(article), allowed, now)
        except Exception:
            self._broken()
            return 0.0

    async def _turn(self, key: str, limit: Limit, now: float) -> float:
        try:
            decision = await self._store.take(key, limit, now)
        except Exception:
            self._broken()
            return 0.0
        return 0.0 if decision.allowed else max(decision.retry_after, 0.001)


def _shifts(line: str, now: float) -> list[str]:
    """The meters of what a line's readers have brought: each counts for a shift, and for the hour after it beside the
    next one, so that any hour stands in one of them and none has more in its day than a meter can hold."""
    shift, since = divmod(now, _SHIFT)
    return [f"c{line}/{shift - back:.0f}" for back in ((1, 0) if since < 3600.0 else (0,))]


def _line(facts: Facts) -> str:
    """Whose line a client is on: its address, or the /48 of an IPv6 address, within which anybody has plenty."""
    client = facts.client
    return neighbourhood(client) if client is None or ":" in client else client
