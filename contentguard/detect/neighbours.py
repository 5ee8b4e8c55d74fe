"""How many clients one /24 or /48 has sent lately, and how many of them looked suspicious, in 384 KiB.

A place for each network and hour, found by a keyed hash; in it two bitmaps of 32, one for all clients and one for the
suspicious. A network that finds its place taken by another one of this hour goes uncounted: what is lost is a hint.
"""

from __future__ import annotations

from array import array
from math import log

PLACES = 16_384
_HOUR = 3600.0


class Neighbours:
    """Networks of the present hour. ``secret`` (at least 16 bytes) keys the hashes; ValueError when it is shorter."""

    __slots__ = ("_bad", "_hours", "_secret", "_seen", "_tags")

    def __init__(self, *, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError(f"the secret of the neighbourhoods needs at least 16 bytes, not {len(secret)}")
        self._secret = secret.hex()
        self._tags = array("Q", bytes(8 * PLACES))
        self._hours, self._seen, self._bad = (array("I", bytes(4 * PLACES)) for _ in range(3))

    @property
    def bytes_used(self) -> int:
        """Bytes held; all of them from the beginning."""
        return PLACES * (8 + 3 * 4)

    def note(self, network: str, client: str, suspicious: bool, now: float) -> None:
        """Count a client of ``network`` (what names its /24 or /48)."""
        tag, hour = self._tag(network), int(now // _HOUR)
        place = tag % PLACES
        if self._hours[place] != hour:
            self._tags[place], self._hours[place], self._seen[place], self._bad[place] = tag, hour, 0, 0
        elif self._tags[place] != tag:
            return
        bit = 1 << (hash(self._secret + client) & 31)
        self._seen[place] |= bit
        if suspicious:
            self._bad[place] |= bit

    def read(self, network: str, client: str, now: float) -> tuple[int, int]:
        """Other clients of ``network`` in this hour, and how many of them were suspicious; estimates, up to 128."""
        tag = self._tag(network)
        place = tag % PLACES
        if self._tags[place] != tag or self._hours[place] != int(now // _HOUR):
            return 0, 0
        others = ~(1 << (hash(self._secret + client) & 31))
        return _ESTIMATES[(self._seen[place] & others).bit_count()], _ESTIMATES[(self._bad[place] & others).bit_count()]

    def _tag(self, network: str) -> int:
        return hash(self._secret + network) & 0xFFFFFFFFFFFFFFFF or 1


_ESTIMATES = (0, *(round(-32.0 * log(1 - n / 32.0)) for n in range(1, 32)), 128)
"""Bits set in a bitmap of 32 → different clients (linear counting, Whang et al. 1990)."""
