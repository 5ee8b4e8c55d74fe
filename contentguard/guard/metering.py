"""What readers have opened, held against what they may: the ledger's meters, as the guard asks them.

Strategy: a meter kept in this process answers at once; only one that machines share is waited for. Where the ledger
fails, nothing counts.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from math import inf
from typing import NamedTuple

from contentguard.admission.maturity import Metering, Quota, Trust, matures_in, quota, trust
from contentguard.backends import MOST_ARTICLES, Admitting
from contentguard.backends.memory import MemoryStore
from contentguard.guard.visits import Visit

_REMEMBERED, _LONG = 4096, 512
"""Numbers of articles, and readers over their meter, that are remembered; articles' names up to so many characters."""
_REVOKED = 1.0
"""Seconds to wait for who comes with a pass that was revoked: the next request is anybody's."""
_MATURED = Trust.MATURED


class Reader(NamedTuple):
    """Whose meter it is."""

    key: str
    allowed: Quota
    stands: Trust
    """How the client stands with the governor."""
    grows: float = inf
    """Seconds after which the meter may be another one, with more room."""


class Meters:
    """The meters of one site. ``secret`` keys accounts' names.

    ``broken`` is called where the ledger fails, ``revoked`` where it says that a pass (its id, at a moment) is none.
    """

    def __init__(
        self,
        options: Metering,
        ledger: Admitting,
        secret: bytes,
        *,
        broken: Callable[[], None],
        revoked: Callable[[str, float], object],
    ) -> None:
        self._options, self._ledger, self._secret = options, ledger, secret
        self._broken, self._revoked = broken, revoked
        self._meter_now = ledger.meter_now if isinstance(ledger, MemoryStore) else None
        self.waits = self._meter_now is None
        """Whether an answer may have to come from another machine."""
        self._grown, self._young = (held(*quota(stands, options)) for stands in (_MATURED, Trust.YOUNG))
        self._numbers: dict[str, int] = {}
        self._over: dict[str, float] = {}
        """Readers who are over their meter, and until when."""

    def reader(self, visit: Visit, now: float) -> Reader:
        """Whose articles these are; for who has an account or a pass."""
        if visit.account:
            name = blake2b(visit.account.encode("utf-8", "surrogatepass"), digest_size=12, key=self._secret)
            return Reader(name.hexdigest(), self._grown, _MATURED)
        given = visit.given
        assert given is not None
        stands = trust(given, now, self._options)
        if stands is _MATURED:
            return Reader(given.id, self._grown, stands)
        return Reader(given.id, self._young, stands, max(1.0, matures_in(given, now, self._options)))

    def count_now(self, reader: Reader, article: str, now: float) -> float:
        """Count an article; seconds to wait where there is no room for it. Only where nothing ``waits``."""
        assert self._meter_now is not None
        try:
            wait = self._meter_now(reader.key, self._number(article), reader.allowed, now)
        except Exception:
            self._broken()
            return 0.0
        return self._noted(reader, wait, now) if wait > 0.0 else 0.0

    async def count(self, reader: Reader, article: str, now: float) -> float:
        """The same, wherever the meters are."""
        try:
            wait = await self._ledger.meter(reader.key, self._number(article), reader.allowed, now)
        except Exception:
            self._broken()
            return 0.0
        return self._noted(reader, wait, now) if wait > 0.0 else 0.0

    def is_over(self, key: str, now: float) -> bool:
        """Whether a reader was told to wait, and still has to, as far as is remembered."""
        return self._over.get(key, 0.0) > now

    def left(self, key: str, now: float) -> float:
        """Seconds that such a reader still has to wait, as far as is remembered."""
        return max(0.0, self._over.get(key, now) - now)

    def _noted(self, reader: Reader, wait: float, now: float) -> float:
        if wait == inf:
            self._revoked(reader.key, now)
            wait = _REVOKED
        wait = min(wait, reader.grows)
        if len(self._over) >= _REMEMBERED:
            self._over.clear()
        self._over[reader.key] = now + wait
        return wait

    def _number(self, article: str) -> int:
        """What an article counts as."""
        found = self._numbers.get(article)
        if found is None:
            found = number_of(article)
            if len(article) <= _LONG:
                if len(self._numbers) >= _REMEMBERED:
                    self._numbers.clear()
                self._numbers[article] = found
        return found


def held(hour: int, day: int) -> Quota:
    """The quota nearest to this that a meter can hold: one that holds nothing, or more than there is room for, would
    fail each time, and what fails counts for nothing."""
    return Quota(*(min(max(1, number), MOST_ARTICLES) for number in (hour, day)))


def number_of(article: str) -> int:
    """What meters know an article as, by what names it."""
    return int.from_bytes(blake2b(article.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")
