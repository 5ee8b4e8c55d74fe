"""Whose request is this: the client's address, resolved by us and by nobody else.

A forwarded header is a list to which every proxy adds what it saw, on the right; everything further left is
what the client wrote. So we read from the right, and only as long as the one who wrote an entry is a proxy
we were told to trust. Nothing left of the first stranger is ever looked at, and an entry we cannot read ends
the walk: the nearest address that we know stands. With no trusted proxy, the default, the headers are not
read at all: oauth2-proxy's default of trusting everybody became CVE-2026-76835, so trusting everybody is
refused here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Literal

from contentguard.addresses import Address, address_of, is_plain

_MAX_BYTES = 8192
_MAX_HOPS = 32
_MAX_ELEMENT = 1024
"""Characters of one forwarded-element: RFC 7239 knows four parameters."""
_MAX_NODE = 64
"""Characters of one address with its port; the longest that is valid has 47."""

_ALLOWED = 'an address or a CIDR such as "10.0.0.0/8" or "2001:db8::/32" is allowed'
_MAPPED = IPv6Network("::ffff:0:0/96")
_GLOBAL = IPv6Network("2000::/3")
"""Every public IPv6 address there is (RFC 4291 §2.4, IANA)."""

_NODE = re.compile(
    r"\[(?P<v6>[0-9A-Fa-f:.]++)\](?::(?P<port6>[0-9]{1,5}+|_[\w.-]++))?+"
    r"|(?P<v4>[0-9.]++)(?::(?P<port4>[0-9]{1,5}+|_[\w.-]++))?+"
    r"|(?P<bare>[0-9A-Fa-f:.]++)",
    re.ASCII,
)
"""RFC 7239 §6, and a v6 address without brackets, as X-Forwarded-For has it. Zone ids, ``unknown`` and
obfuscated names match nothing."""

_PAIR = re.compile(r"""([\w!#$%&'*+.^`|~-]++)=(?:([^\s",;=\\]++)|"((?:[^"\\]|\\.)*+)")(?:;|\Z)""", re.ASCII | re.S)
"""One ``name=value`` of RFC 7239 §4; an unquoted value may hold the ``:[]`` that it should have quoted."""


def _peer(text: str | None) -> Address | None:
    """The address at the other end of the connection. A server may name a zone there; it is not part of
    it."""
    if text is None or len(text) > _MAX_NODE:
        return None
    return address_of(text.partition("%")[0] if ":" in text else text)


@lru_cache(maxsize=4096)
def _short_node(text: str) -> Address | None:
    match = _NODE.fullmatch(text)
    if match is None:
        return None
    port = match["port6"] or match["port4"]
    if port and port[0] != "_" and int(port) > 65535:
        return None
    return address_of(match["v6"] or match["v4"] or match["bare"])


def _node(text: str) -> Address | None:
    """The address in ``192.0.2.1``, ``192.0.2.1:80``, ``2001:db8::1``, ``[2001:db8::1]`` or
    ``[2001:db8::1]:80``."""
    return _short_node(text) if len(text) <= _MAX_NODE else None


@dataclass(frozen=True)
class Proxies:
    """The proxies in front of us that are believed, and the one header in which they report.

    ValueError when ``trusted`` holds something that is no address or CIDR, or everybody.
    """

    trusted: tuple[str, ...] = ()
    """Addresses and CIDRs; none by default, and then forwarded headers are ignored."""
    header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    unix: bool = False
    """Whether whoever connects without an address (through a Unix socket) is a trusted proxy."""
    _masks: dict[bool, tuple[tuple[int, int], ...]] = field(init=False, repr=False, compare=False)
    """(mask, network) of the trusted, by whether they are IPv4."""

    def __post_init__(self) -> None:
        if self.header not in ("x-forwarded-for", "forwarded"):
            raise ValueError(f'header {self.header!r} is neither "x-forwarded-for" nor "forwarded"')
        networks = [_network(text) for text in self.trusted]
        v4 = list(collapse_addresses(n for n in networks if isinstance(n, IPv4Network)))
        v6 = list(collapse_addresses(n for n in networks if isinstance(n, IPv6Network)))
        if any(n.prefixlen == 0 for n in v4) or any(_GLOBAL.subnet_of(n) for n in v6):
            raise ValueError(
                f"trusting {', '.join(self.trusted)} trusts everybody, and then anybody can pass for any "
                f"address by sending {self.header} (CVE-2026-76835). Name your proxies: {_ALLOWED}"
            )
        object.__setattr__(self, "_masks", {True: _masks(v4), False: _masks(v6)})

    def client(self, peer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The client's address, normalised; None when nobody trustworthy names one.

        ``peer`` is the other end of the connection (None: a Unix socket), ``headers`` are the request's, with
        lower-case names.
        """
        if not self.trusted and not self.unix:
            return alone(peer)
        address = _peer(peer)
        for hop, _ in self._walk(peer, address, headers):
            address = hop
        return address.text if address else None

    def scheme(self, peer: str | None, headers: Iterable[tuple[bytes, bytes]], scope_scheme: str) -> str:
        """The scheme of the client's own connection: a trusted proxy's word, else ``scope_scheme``.

        Of several X-Forwarded-Proto values the right-most counts, the nearest proxy's: unlike addresses,
        they tell nothing of who wrote them.
        """
        if not self.trusted and not self.unix:
            return scope_scheme
        address = _peer(peer)
        if self.header == "x-forwarded-for":
            words = [_last(headers, b"x-forwarded-proto")] if self._trusts(peer, address) else []
        else:
            words = [proto for _, proto in self._walk(peer, address, headers)]
        known = [word for word in words if word in ("http", "https")]
        return known[-1] if known else scope_scheme

    def _walk(
        self, peer: str | None, address: Address | None, headers: Iterable[tuple[bytes, bytes]]
    ) -> Iterator[tuple[Address, str]]:
        """What trusted hops report, nearest first: (whom they saw, by which scheme)."""
        if not self._trusts(peer, address):
            return
        forwarded = self.header == "forwarded"
        split = _forwarded if forwarded else _listed
        text, cut = _joined(headers, self.header.encode())
        for hops, element in enumerate(split(text, cut)):
            if hops == _MAX_HOPS or element is None:
                return
            if not element:
                continue  # RFC 9110 §5.6.1: empty list elements are ignored
            node, proto = _element(element) if forwarded else (element, "")
            seen = _node(node)
            if seen is None:
                return
            yield seen, proto
            if not self._has(seen):
                return

    def trusts(self, peer: str | None) -> bool:
        """Whether the other end of the connection is one of our proxies, so that it may tell of the client."""
        return (bool(self.trusted) or self.unix) and self._trusts(peer, _peer(peer))

    def _trusts(self, peer: str | None, address: Address | None) -> bool:
        return self.unix if peer is None else address is not None and self._has(address)

    def _has(self, address: Address) -> bool:
        number = address.number
        return any(number & mask == network for mask, network in self._masks[address.is_v4])


def alone(peer: str | None) -> str | None:
    """The client's address where no proxy is trusted: the other end of the connection, normalised."""
    return _known(peer) if peer is not None and len(peer) <= _MAX_NODE else None


@lru_cache(maxsize=4096)
def _known(peer: str) -> str | None:
    if is_plain(peer):
        return peer
    address = _peer(peer)
    return address.text if address else None


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text)
    except ValueError as error:
        everybody = " (trusting everybody is not: see CVE-2026-76835)" if text == "*" else ""
        raise ValueError(f"trusted proxy {text!r}: {error}; {_ALLOWED}{everybody}") from None
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))
    return network


def _masks(networks: Iterable[IPv4Network | IPv6Network]) -> tuple[tuple[int, int], ...]:
    return tuple((int(network.netmask), int(network.network_address)) for network in networks)


def _joined(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> tuple[str, bool]:
    """All values of a header in order as one list, its last 8 KiB only; and whether that cut it."""
    joined = b",".join([value for key, value in headers if key == name])
    return joined[-_MAX_BYTES:].decode("latin-1"), len(joined) > _MAX_BYTES


def _last(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    return _joined(headers, name)[0].rpartition(",")[2].strip(" \t").lower()


def _listed(text: str, cut: bool) -> Iterator[str | None]:
    """The list's elements from the right; None for one that the cut went through."""
    while True:
        text, comma, element = text.rpartition(",")
        if not comma:
            yield None if cut else element.strip(" \t")
            return
        yield element.strip(" \t")


def _forwarded(text: str, cut: bool) -> Iterator[str | None]:
    """The list's elements from the right, commas within quotes respected; None for an unreadable one.

    Quotes are matched from the right too: a client's unbalanced quote cannot swallow what a proxy added
    after it.
    """
    end = len(text)
    while True:
        start = _element_start(text, end)
        if start is None or (cut and start == 0):
            yield None
            return
        yield text[start:end].strip(" \t")
        if start == 0:
            return
        end = start - 1


def _element_start(text: str, end: int) -> int | None:
    """Where the element that ends at ``end`` starts; None when a quote in it has no partner, or it is too long."""
    first = max(0, end - _MAX_ELEMENT)
    comma = text.rfind(",", first, end)
    closing = text.rfind('"', first, end)
    while closing > comma:
        opening = _opening(text, closing, first)
        if opening < first:
            return None
        if comma > opening:
            comma = text.rfind(",", first, opening)
        closing = text.rfind('"', first, opening)
    return None if comma < first and first > 0 else comma + 1


def _opening(text: str, closing: int, first: int) -> int:
    """Where the quoted string that ends at ``closing`` begins: the nearest quote that no backslash escapes; -1 where
    there is none from ``first`` on."""
    at = text.rfind('"', first, closing)
    while at > first and text[at - 1] == "\\":
        before = at
        while before > first and text[before - 1] == "\\":
            before -= 1
        if (at - before) % 2 == 0:
            break
        at = text.rfind('"', first, before)
    return at


def _element(text: str) -> tuple[str, str]:
    """The ``for`` and the ``proto`` of a forwarded-element (RFC 7239 §4); empty where it is malformed."""
    pairs: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None or match[1].lower() in pairs:
            return "", ""
        quoted = match[3]
        pairs[match[1].lower()] = match[2] if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.S)
        at = match.end()
    return pairs.get("for", ""), pairs.get("proto", "").lower()
