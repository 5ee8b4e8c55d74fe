"""What each client has done lately, in a table whose size is settled when it is made.

The table works like a processor's cache: a keyed hash of the client's key names a row of 16 places, and a client lives
in one place of its row or nowhere. A place is 52 bytes in three flat arrays (hash, record, rank), so no flood of keys
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

RETURNED, NONE, BARE = 1, 2, 4
"""Flags of an article: our cookie came back; Sec-Fetch-Site was none; it was not, and no Referer came either."""

STYLE, SCRIPT, IMAGE = 0, 1, 2
"""Kinds of what is fetched after an article."""

_WAYS = 16
_HASH = 8
_RECORD = Struct("<dfffIH10B")
"""last, mean and variance of the gaps, last gap, bitmap of articles, last ordinal; then one byte each: views, flags,
styles, scripts, images, dry, nones, bare, run, traps."""

_TIME = Struct("<d")
_VIEWS, _FLAGS, _FETCHED, _DRY, _TRAPS, _REPORT = 26, 27, 28, 31, 35, 36
_PLACE = 40
"""The record, its report in two bytes, and two to spare."""

_RETURNED_FLAG, _FRESH = 1, 2
_FORGOTTEN = 12 * 3600.0
"""Seconds after which a client that stayed away starts anew."""

_HELD = 3600
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
        self._ranks = array("I", bytes(4 * self.max_entries))
        self._secret = secret.hex()
        self._cache: dict[str, tuple[bytes, int, int]] = {}

    @property
    def max_entries(self) -> int:
        """How many clients fit."""
        return self._rows * _WAYS

    @property
    def bytes_used(self) -> int:
        """Bytes held, as an upper bound."""
        return self.max_entries * (_HASH + _PLACE + 4) + _CACHED * 512

    def article(self, key: str, now: float, flags: int = 0, page: int = 0, ordinal: int = 0) -> None:
        """Count an article. ``page`` is any number that stands for it, ``ordinal`` its place in the site's own list.

        ``now`` is in seconds; ``ordinal`` counts from 1 (0: unknown, above 65,535 it wraps).
        """
        place = self._place(key, now)
        at, records = place * _PLACE, self._records
        (
            last, mean, variance, _, seen, before, views, state,
            styles, scripts, images, dry, nones, bare, run, traps,
        ) = _RECORD.unpack_from(records, at)  # fmt: skip
        gap = now - last
        if not 0.0 <= gap <= _FORGOTTEN:
            gap, mean, variance, views = 0.0, 0.0, 0.0, views and 1
        if views:
            if not state & _FRESH and dry < 255:
                dry += 1
            # Exponential mean and variance (West 1979); the first gap starts them.
            share = 1.0 / views if views < 8 else 0.125
            off = gap - mean
            mean += share * off
            variance = (1.0 - share) * (variance + share * off * off)
        ordinal &= 0xFFFF
        run = (run + (run < 255) or 1) if ordinal and abs(ordinal - before) == 1 else 0
        _RECORD.pack_into(
            records,
            at,
            now,
            mean,
            variance,
            gap if views else 0.0,
            seen | 1 << (page & 31),
            ordinal,
            views + (views < 255),
            state & ~_FRESH | flags & RETURNED,
            styles,
            scripts,
            images,
            dry,
            nones + (flags & NONE > 0 and nones < 255),
            bare + (flags & BARE > 0 and bare < 255),
            run,
            traps,
        )
        evidence = traps * 2 + (dry if dry > styles + scripts + images else 0)
        self._ranks[place] = int(now) + _HELD * (evidence if evidence < 8 else 8)

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
        at = place * _PLACE + _TRAPS
        if self._records[at] < 255:
            self._records[at] += 1
        self._ranks[place] = int(now) + _HELD * min(8, 2 * self._records[at])

    def reported(self, key: str, flags: int, now: float) -> None:
        """Keep the browser's report: every flag it ever raised."""
        place = self._place(key, now)
        at = place * _PLACE + _REPORT
        kept = int.from_bytes(self._records[at : at + 2], "little") | flags & 0xFFFF
        self._records[at : at + 2] = kept.to_bytes(2, "little")

    def read(self, key: str, now: float) -> Session | None:
        """What is known of a client; None for a stranger."""
        place = self._find(key)
        if place < 0:
            return None
        at, records = place * _PLACE, self._records
        last, mean, variance, gap, seen, _, views, state, *counts = _RECORD.unpack_from(records, at)
        if not now - last <= _FORGOTTEN:
            return None
        styles, scripts, images, dry, nones, bare, run, traps = counts
        return Session(
            views,
            gap,
            mean,
            variance**0.5 / mean if mean > 0.0 else 0.0,
            bool(state & _RETURNED_FLAG),
            styles,
            scripts,
            images,
            dry,
            nones,
            bare,
            _distinct(seen),
            run,
            traps,
            records[at + _REPORT] | records[at + _REPORT + 1] << 8,
        )

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
        """The client's place; the least of its row is cleared for a newcomer."""
        digest, start, end = self._cache.get(key) or self._locate(key)
        found = self._hashes.find(digest, start, end)
        if found >= 0:
            return found >> 3
        row = start >> 3
        ranks = self._ranks[row : row + _WAYS]
        place = row + ranks.index(min(ranks))
        self._hashes[place * _HASH : place * _HASH + _HASH] = digest
        self._records[place * _PLACE : place * _PLACE + _PLACE] = _EMPTY
        self._ranks[place] = int(now)
        return place


_EMPTY = bytes(_PLACE)
_ESTIMATES = (0, *(round(-32.0 * log(1 - n / 32.0)) for n in range(1, 32)), 128)
"""Bits set in a bitmap of 32 → different articles (linear counting, Whang et al. 1990)."""


def _distinct(bitmap: int) -> int:
    return _ESTIMATES[bitmap.bit_count()]
