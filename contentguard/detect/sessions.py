"""What each client has done lately, in a table whose size is settled when it is made.

The table works like a processor's cache: a keyed hash of the client's key names a row of 16 places, and a client lives
in one place of its row or nowhere. A place is 56 bytes in three flat arrays (hash, record, rank), so no flood of keys
makes it grow. When a row is full, the place of least rank gives way. Rank is the time of the last visit, put forward
by up to an hour for each suspicious thing remembered: strangers push out strangers, and an offender stays.

What the guard does with it: it takes its own cookie's id for the key if a genuine one came back, else address prefix
and fingerprint; on an article ``article``, on a style sheet, script or picture ``fetched``, on a honeylink ``trapped``,
on the browser's report ``reported``; and ``read`` gives the ``Session`` that goes into Facts. When it hands out a
cookie it counts the same article for the new id too, and ``fetched`` with a cookie never seen back credits both.
"""

from __future__ import annotations

from array import array
from math import log
from struct import Struct

from contentguard.model import Session

RETURNED, NONE, BARE, FOLLOWED, UNSHOWN = 1, 2, 4, 8, 16
"""Flags of an article: our cookie came back; Sec-Fetch-Site was none; it was not, and no Referer came either; the
earlier pages' parts were fetched, as the cookie says (from another process, maybe); this page has no parts to fetch."""

STYLE, SCRIPT, IMAGE = 0, 1, 2
"""Kinds of what is fetched after an article."""

_WAYS = 16
_HASH = 8
_RECORD = Struct("<dfffIHH6B")
"""What an article changes: last, mean and variance of the gaps, last gap, bitmap of articles, last ordinal, last path;
then one byte each: views, flags, dry, nones, bare, run."""

_unpack, _pack = _RECORD.unpack_from, _RECORD.pack_into

_REST = Struct("<4BH")
"""What it leaves alone: styles, scripts, images, traps; and the report."""

_TIME = Struct("<d")
_VIEWS, _FLAGS, _DRY, _FETCHED, _TRAPS, _REPORT = 28, 29, 30, 34, 37, 38
_PLACE = 40
"""Both."""

_RETURNED_FLAG, _FRESH, _WENT_ON = 1, 2, 4
_FORGOTTEN = 12 * 3600.0
"""Seconds after which a client that stayed away starts anew."""

_HELD = 3600.0
"""Seconds by which each suspicious thing puts an entry's rank forward; at most eight count."""

_CACHED, _CACHED_KEY = 1024, 64


class Sessions:
    """Records of at most ``max_entries`` clients. For one event loop; nothing here waits.

    ``secret`` (at least 16 bytes) keys the hash, so that nobody outside can aim at one row. ValueError when it is
    shorter, or when the table would hold nobody.
    """

    __slots__ = ("_cache", "_hashes", "_ranks", "_records", "_rows", "_secret")

    def __init__(self, max_entries: int = 200_000, *, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError(f"the table's secret needs at least 16 bytes, not {len(secret)}")
        if max_entries < _WAYS:
            raise ValueError(f"a table of {max_entries} entries is less than one row of {_WAYS}")
        self._rows = max_entries // _WAYS
        self._hashes = bytearray(self.max_entries * _HASH)
        self._records = bytearray(self.max_entries * _PLACE)
        self._ranks = array("d", bytes(8 * self.max_entries))
        self._secret = secret.hex()
        self._cache: dict[str, tuple[bytes, int, int]] = {}

    @property
    def max_entries(self) -> int:
        """How many clients fit."""
        return self._rows * _WAYS

    @property
    def bytes_used(self) -> int:
        """Bytes held, as an upper bound."""
        return self.max_entries * (_HASH + _PLACE + 8) + _CACHED * 512

    def article(
        self, key: str, now: float, flags: int = 0, page: int = 0, ordinal: int = 0, path: int = 0, came: int = 0
    ) -> Session:
        """Count an article; the session with it.

        ``page`` is any number that stands for it, ``ordinal`` its place in the site's own list, ``path`` a number for
        its path and ``came`` the one for the Referer's (1 to 65,535; 0: unknown).

        ``now`` is in seconds; ``ordinal`` counts from 1 (0: unknown, above 65,535 it wraps). Long because
        each call in it would cost every article a quarter of what it takes now.
        """
        digest, start, end = self._cache.get(key) or self._locate(key)
        found = self._hashes.find(digest, start, end)
        place = found >> 3 if found >= 0 else self._newcomer(digest, start, now)
        at, records = place * _PLACE, self._records
        last, mean, variance, gap, seen, before, left, views, state, dry, nones, bare, run = _unpack(records, at)
        away = now - last
        if away > _FORGOTTEN:
            mean = variance = gap = 0.0
            seen = views = state = dry = nones = bare = run = 0
            records[at + _FETCHED : at + _TRAPS] = b"\0\0\0"
        elif views:
            gap = away if away > 0.0 else 0.0
            if not (state & _FRESH or flags & FOLLOWED):
                dry += dry < 255
                if came and came == left != path:
                    state |= _WENT_ON
            # Exponential mean and variance (West 1979); the first gap starts them.
            share = 0.125 if views > 7 else 1.0 / views
            off = gap - mean
            step = share * off
            mean += step
            variance += step * (off - step) - share * variance
        if flags & NONE:
            nones += nones < 255
        elif flags & BARE:
            bare += bare < 255
        if ordinal:
            ordinal &= 0xFFFF
            run = run + (run < 255) if ordinal - before in (1, -1) else 0
        state = state & (_RETURNED_FLAG | _WENT_ON) | flags & RETURNED
        if flags & UNSHOWN:
            state |= _FRESH
        seen |= 1 << (page & 31)
        views += views < 255
        _pack(records, at, now, mean, variance, gap, seen, ordinal, path, views, state, dry, nones, bare, run)
        # Most readers have left nothing to remember.
        held = self._evidence(at, dry) * _HELD if dry or records[at + _TRAPS] else 0.0
        self._ranks[place] = now + held
        counts = views, gap, mean, variance, state, dry, nones, bare, seen, run
        return _session(*counts, *_REST.unpack_from(records, at + _FETCHED))

    def _evidence(self, at: int, dry: int) -> int:
        """How much there is against a client, from 0 to 8."""
        styles, scripts, images, traps = self._records[at + _FETCHED : at + _TRAPS + 1]
        return min(8, 2 * traps + (dry if dry > styles + scripts + images else 0))

    def fetched(self, key: str, kind: int) -> float:
        """Count a style sheet, script or picture of a client that has asked for an article; of others nothing.

        Returns when that article was asked for if this is its first part (for ``Aggregates.follow``), else 0.
        """
        place = self._find(key)
        if place < 0:
            return 0.0
        records, at = self._records, place * _PLACE
        counter = at + _FETCHED + kind
        if records[counter] < 255:
            records[counter] += 1
        if not records[at + _FLAGS] & _FRESH and records[at + _VIEWS]:
            records[at + _FLAGS] |= _FRESH
            return float(_TIME.unpack_from(records, at)[0])
        if records[at + _DRY]:
            # Several pages were opened at once; this belongs to an earlier one.
            records[at + _DRY] -= 1
        return 0.0

    def trapped(self, key: str, now: float) -> None:
        """Count a honeylink."""
        place = self._place(key, now)
        at, records = place * _PLACE, self._records
        if records[at + _TRAPS] < 255:
            records[at + _TRAPS] += 1
        self._touch(at, now)
        self._ranks[place] = now + _HELD * self._evidence(at, records[at + _DRY])

    def reported(self, key: str, flags: int, now: float) -> None:
        """Keep the browser's report: every flag it ever raised."""
        at = self._place(key, now) * _PLACE
        self._records[at + _REPORT] |= flags & 0xFF
        self._touch(at, now)

    def _touch(self, at: int, now: float) -> None:
        """A client known for something else than an article has been here too."""
        if not self._records[at + _VIEWS]:
            _TIME.pack_into(self._records, at, now)

    def read(self, key: str, now: float) -> Session | None:
        """What is known of a client; None for a stranger."""
        place = self._find(key)
        if place < 0:
            return None
        at, records = place * _PLACE, self._records
        last, mean, variance, gap, seen, _, _, views, state, dry, nones, bare, run = _unpack(records, at)
        if now - last > _FORGOTTEN:
            return None
        counts = views, gap, mean, variance, state, dry, nones, bare, seen, run
        return _session(*counts, *_REST.unpack_from(records, at + _FETCHED))

    def _locate(self, key: str) -> tuple[bytes, int, int]:
        """The key's hash, and where its row's hashes start and end."""
        # Python's own string hash is SipHash-1-3 with a key of this process; the secret covers a fixed PYTHONHASHSEED.
        number = hash(self._secret + key) & 0xFFFFFFFFFFFFFFFF
        start = number % self._rows * (_WAYS * _HASH)
        located = (number | 1 << 63).to_bytes(_HASH, "little"), start, start + _WAYS * _HASH
        if len(key) <= _CACHED_KEY:
            if len(self._cache) >= _CACHED:
                self._cache.clear()
            self._cache[key] = located
        return located

    def _find(self, key: str) -> int:
        digest, start, end = self._cache.get(key) or self._locate(key)
        found = self._hashes.find(digest, start, end)
        return found >> 3 if found >= 0 else -1

    def _place(self, key: str, now: float) -> int:
        digest, start, end = self._cache.get(key) or self._locate(key)
        found = self._hashes.find(digest, start, end)
        return found >> 3 if found >= 0 else self._newcomer(digest, start, now)

    def _newcomer(self, digest: bytes, start: int, now: float) -> int:
        """The place of least rank in a row, cleared."""
        row = start >> 3
        ranks = self._ranks[row : row + _WAYS].tolist()
        place = row + ranks.index(min(ranks))
        self._hashes[place * _HASH : place * _HASH + _HASH] = digest
        self._records[place * _PLACE : place * _PLACE + _PLACE] = _EMPTY
        self._ranks[place] = now
        return place


_EMPTY = bytes(_PLACE)
_ESTIMATES = (0, *(round(-32.0 * log(1 - n / 32.0)) for n in range(1, 32)), 128)
"""Bits set in a bitmap of 32 → different articles (linear counting, Whang et al. 1990)."""


_made = tuple.__new__
"""A third of the time of ``Session(...)``."""


def _session(
    views: int,
    gap: float,
    mean: float,
    variance: float,
    state: int,
    dry: int,
    nones: int,
    bare: int,
    seen: int,
    run: int,
    styles: int,
    scripts: int,
    images: int,
    traps: int,
    report: int,
) -> Session:
    """A record as what is told of it."""
    variation = variance**0.5 / mean if mean > 0.0 else 0.0
    returned, distinct, went_on = state & _RETURNED_FLAG > 0, _ESTIMATES[seen.bit_count()], state & _WENT_ON > 0
    parts = views, gap, mean, variation, returned, styles, scripts, images, dry, nones, bare, distinct, run, traps
    return _made(Session, (*parts, report, went_on))
