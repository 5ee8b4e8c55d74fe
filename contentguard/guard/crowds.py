"""How much is opened and earned from one line by all its passes: neither dropping nor hoarding them brings more.

Strategy: a pass has a meter, but costs a program next to nothing, so those that have not matured also share the budget
of the line they come from, whatever headers are sent with each; and those that have, which a program can bring about
for any number of them by fetching one style sheet with each, share a larger one. Readers behind one address are many,
but seldom new all at once, and what they come for is mostly what everybody reads, which counts for nothing here.
Reading an article again never counts.
"""

from __future__ import annotations

from collections.abc import Callable

from contentguard.addresses import neighbourhood
from contentguard.admission.maturity import Metering, Quota, Trust, seen_lately
from contentguard.backends import Admitting, Store
from contentguard.detect.sessions import Sessions
from contentguard.guard.metering import number_of
from contentguard.guard.visits import Visit
from contentguard.limits import Limit
from contentguard.model import Facts

CROWD = Limit(240, 3600.0, 30)
"""Seldom-read articles an hour from one line, for many readers behind one address: browsers that fetch what pages are
made of. All on a line that looks like programs has a meter instead, of twice what one new reader has."""
GROWN = Limit(480, 3600.0, 60)
"""The same for all passes on one line that have matured, beside those that have not."""
PASSES = Limit(600, 3600.0, 120)
"""Passes an hour that are earned from one line."""
LONERS = 2
"""New readers, of whose meters all that looks like programs on one line has the sum."""
_REMEMBERED = 4096


class Crowds:
    """The lines of one site. ``broken`` is called where the store fails; then nobody waits."""

    def __init__(
        self, options: Metering, sessions: Sessions, store: Store, ledger: Admitting, broken: Callable[[], None]
    ) -> None:
        self._options, self._sessions, self._store, self._ledger = options, sessions, store, ledger
        self._broken = broken
        self._loners = Quota(max(1, LONERS * options.new_reader_articles_per_hour), options.articles_per_day)
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
        if not self._shows(visit, facts):
            return await self._metered(facts, article)
        key, limit = (_grown(facts), GROWN) if stands is Trust.MATURED else (f"y{_line(facts)}", CROWD)
        wait = 0.0 if hot else await self._turn(key, limit, facts.now)
        if reader and not wait:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            self._read.add(hash((reader, article)))
        return wait

    async def is_full(self, facts: Facts) -> bool:
        """Whether who has a matured pass would have to wait for what is seldom read."""
        try:
            return not (await self._store.peek(_grown(facts), GROWN, facts.now)).allowed
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

    async def _metered(self, facts: Facts, article: str) -> float:
        try:
            return await self._ledger.meter(f"l{_line(facts)}", number_of(article), self._loners, facts.now)
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


def _grown(facts: Facts) -> str:
    return f"g{_line(facts)}"


def _line(facts: Facts) -> str:
    """Whose line a client is on: its address, or the /48 of an IPv6 address, within which anybody has plenty."""
    client = facts.client
    return neighbourhood(client) if client is None or ":" in client else client
