"""Addresses as numbers, and sets of them that answer by bisection.

Reading an address is most of the price of looking it up, so the usual spellings are read here, without objects in
between. Whatever is spelt otherwise goes to the standard library, which is strict and slow. IPv6 numbers are
shifted above all IPv4 numbers (``V6``), so that one sorted list holds both and neither can be taken for the other.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from contentguard.addresses import address_of

Network = IPv4Network | IPv6Network

V6 = 1 << 128
LONGEST = 45
"""Letters of the longest address without a zone (RFC 4291 §2.2)."""

_OCTETS = {str(number): number for number in range(256)}
_LETTERS = "0123456789abcdef:"
_GROUPS = "%4s" * 8
_GAPS = [":" + "0:" * (8 - colons) for colons in range(8)]
"""What ``::`` stands for between groups, by the number of colons."""
_MAPPED = V6 + (0xFFFF << 32)


@lru_cache(maxsize=1024)
def read_address(text: str) -> int | None:
    """The number of the address that ``text`` spells, an IPv6 address plus ``V6``; None when it spells none.

    IPv4 inside IPv6 (``::ffff:192.0.2.1``) counts as IPv4. An address with a zone is none.
    """
    if ":" in text:
        number = _read_v6(text) if len(text) <= LONGEST else None
        return _read_slowly(text) if number is None else number
    try:
        a, b, c, d = text.split(".", 4)
        return _OCTETS[a] << 24 | _OCTETS[b] << 16 | _OCTETS[c] << 8 | _OCTETS[d]
    except (ValueError, KeyError):
        return None


def _read_v6(text: str) -> int | None:
    """RFC 5952 spelling, short of an embedded IPv4 address and of a gap at either end."""
    if text.strip(_LETTERS):
        return None
    colons = text.count(":")
    groups = (text.replace("::", _GAPS[colons], 1) if "::" in text and colons < 8 else text).split(":")
    if len(groups) != 8 or "" in groups:
        return None
    padded = (_GROUPS % tuple(groups)).replace(" ", "0")
    number = V6 + int(padded, 16)
    return number if len(padded) == 32 and number >> 32 != _MAPPED >> 32 else None


def _read_slowly(text: str) -> int | None:
    found = address_of(text) if len(text) <= LONGEST else None
    return None if found is None else found.number + (0 if found.is_v4 else V6)


class AddressSet:
    """Networks as sorted stretches of numbers; neighbours are joined."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, networks: Iterable[Network]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in sorted(map(_stretch, networks)):
            if self._ends and first <= self._ends[-1] + 1:
                self._ends[-1] = max(self._ends[-1], last)
            else:
                self._starts.append(first)
                self._ends.append(last)

    def __len__(self) -> int:
        """How many stretches there are."""
        return len(self._starts)

    def __contains__(self, number: int) -> bool:
        """Whether the address of this number, as ``read_address`` gives it, is in the set."""
        place = bisect_right(self._starts, number)
        return place > 0 and number <= self._ends[place - 1]


def collapse(networks: Iterable[Network]) -> list[Network]:
    """The same addresses in as few networks as possible, IPv4 first."""
    networks = tuple(networks)
    v4 = collapse_addresses(n for n in networks if isinstance(n, IPv4Network))
    v6 = collapse_addresses(n for n in networks if isinstance(n, IPv6Network))
    return [*v4, *v6]


def _stretch(network: Network) -> tuple[int, int]:
    above = 0 if network.version == 4 else V6
    return above + int(network.network_address), above + int(network.broadcast_address)
