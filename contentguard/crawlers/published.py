"""What operators publish about their robots' addresses, read and mistrusted.

Google, Bing, OpenAI and others publish JSON objects with ``ipv4Prefix`` and ``ipv6Prefix``, some lists of
addresses, some plain text, and Meta a geofeed (RFC 8805). They agree in one thing: a network is a text that reads as
one. So every text in a document is tried, within bounds, and the result is refused as a whole when it could not be
what a robot's operator means: everybody, a private network, or half the internet.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from contentguard.crawlers.addresses import Network, collapse

MAX_BYTES = 8 * 2**20
MAX_NETWORKS = 20_000
MAX_V4_ADDRESSES = 2**22
"""More than any robot's operator has published so far, by a factor of four (Meta, all of AS32934)."""
_MAX_DEPTH = 8
_SHORTEST = {4: 12, 6: 28}
"""The shortest prefix that is believed: larger networks are a continent, not a robot."""


def read_published(document: bytes, service: str = "") -> list[Network]:
    """The networks in ``document``, as few as possible.

    ``service``: of objects that name a service (Amazon's ``ip-ranges.json``) only those that name this one.
    ValueError when there is none, or one that no robot's operator can mean.
    """
    if len(document) > MAX_BYTES:
        raise ValueError(f"{len(document):,} bytes are more than {MAX_BYTES:,}")
    networks = collapse(_checked(_networks(document.decode("utf-8-sig", "replace"), service)))
    if not networks:
        raise ValueError("no address in it")
    total = sum(network.num_addresses for network in networks if isinstance(network, IPv4Network))
    if total > MAX_V4_ADDRESSES:
        raise ValueError(f"{total:,} IPv4 addresses are more than {MAX_V4_ADDRESSES:,}")
    return networks


def check_shrinkage(before: Iterable[Network], after: Iterable[Network]) -> None:
    """ValueError when less than half of a list's addresses are left: more likely a broken file than the truth."""
    for version in (4, 6):
        old, new = _size(before, version), _size(after, version)
        if new * 2 < old:
            raise ValueError(f"only {new / old:.0%} of the IPv{version} addresses of the last list are left")


def _size(networks: Iterable[Network], version: int) -> int:
    return sum(network.num_addresses for network in networks if network.version == version)


def _checked(networks: Iterable[Network]) -> Iterator[Network]:
    for number, network in enumerate(networks):
        if number >= MAX_NETWORKS:
            raise ValueError(f"more than {MAX_NETWORKS:,} networks")
        if network.prefixlen < _SHORTEST[network.version]:
            raise ValueError(f"{network} is too large to be a robot's")
        if not network.is_global or network.is_multicast or network.is_reserved:
            raise ValueError(f"{network} is not public")
        yield network


def _networks(text: str, service: str) -> Iterator[Network]:
    if text.lstrip()[:1] in ("{", "["):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"not JSON: {error}") from None
        texts = _texts(document, service, 0)
    else:
        texts = (line.partition("#")[0].partition(",")[0] for line in text.splitlines())
    return (network for network in map(_network, texts) if network is not None)


def _texts(value: Any, service: str, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, service, depth + 1)
    elif isinstance(value, dict) and not (service and value.get("service", service) != service):
        for item in value.values():
            yield from _texts(item, service, depth + 1)


def _network(text: str) -> Network | None:
    text = text.strip(" \t\r\"'")
    if not 2 <= len(text) <= 49 or text[0] not in "0123456789abcdefABCDEF:":
        return None
    try:
        network: IPv4Network | IPv6Network = ip_network(text, strict=False)
    except ValueError:
        return None
    return network
