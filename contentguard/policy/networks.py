"""Addresses as numbers, so that a network is an interval and finding it a search in a sorted list.

IPv4 lives where IPv6 has put it (``::ffff:0:0/96``): one number line for both, and an address that arrives in either
form is the same one.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network

_MAPPED = 0xFFFF << 32
_LONGEST = 64
"""Characters of an address; the longest that is valid has 45, and a zone may follow."""


@lru_cache(maxsize=4096)
def number(client: str | None) -> int:
    """Where ``client`` lies on the number line; -1 for what is no address (a Unix socket, a test client)."""
    if client is None or len(client) > _LONGEST:
        return -1
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return -1
    return int(address) | (_MAPPED if address.version == 4 else 0)


def interval(text: str) -> tuple[int, int]:
    """The first number of the network that ``text`` names and the first after it; ValueError when it names none."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError('an address or a network such as "192.0.2.7", "10.0.0.0/8" or "2001:db8::/32"') from None
    first = int(network.network_address) | (_MAPPED if network.version == 4 else 0)
    return first, first + network.num_addresses
