"""Addresses as numbers: the same as the standard library's, and sets of them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.crawlers.addresses import V6, AddressSet, collapse, read_address


def reference(text: str) -> int | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return V6 + int(address) if address.ipv4_mapped is None else int(address.ipv4_mapped)
    return int(address)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "192.0.2.1",
            "0.0.0.0",
            "255.255.255.255",
            "256.0.0.1",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            " 1.2.3.4",
            "1.2.3.4\n",
        ),
        *("+1.2.3.4", "1_0.2.3.4", "١.2.3.4", "0x7f.1.1.1", "2130706433", "", ".", "...", "a.b.c.d"),
        *("::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "2001:DB8::A", "2001:db8::1"),
        *("1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7:8:9", "1::2::3", ":::", ":1", "1:", "12345::", "g::", "1:2:3:4:5:6:7"),
        *("::ffff:192.0.2.1", "::ffff:c000:201", "::192.0.2.1", "64:ff9b::192.0.2.1", "::1%eth0", "fe80::1%1", "[::1]"),
        *("::ffff:1.2.3.4.5", "_::1", "+1::", " ::1", "::1 ", "1" * 100, ":" * 100, "１::"),
    ],
)
def test_spellings(text: str) -> None:
    assert read_address(text) == reference(text)


@given(st.ip_addresses())
def test_every_address(address: IPv4Address | IPv6Address) -> None:
    spellings = [str(address)]
    if isinstance(address, IPv6Address):
        spellings += [address.exploded, str(address).upper()]
    for text in spellings:
        assert read_address(text) == reference(text) is not None


@given(st.text(alphabet="0123456789abcdefF:.%x_ -", max_size=50))
def test_any_text(text: str) -> None:
    assert read_address(text) == reference(text)


@given(
    st.lists(st.ip_addresses(v=4).flatmap(lambda a: st.integers(8, 32).map(lambda n: (a, n))), max_size=12), st.data()
)
def test_sets(pairs: list[tuple[IPv4Address, int]], data: st.DataObject) -> None:
    networks = [IPv4Network((int(address), length), strict=False) for address, length in pairs]
    known = AddressSet(networks)
    edges = [edge for n in networks for edge in (int(n[0]) - 1, int(n[0]), int(n[-1]), int(n[-1]) + 1)]
    number = data.draw(st.sampled_from(edges) if edges else st.integers(0, 2**32 - 1))
    inside = any(int(n[0]) <= number <= int(n[-1]) for n in networks)
    assert (number in known) is inside
    assert number + V6 not in known, "an IPv4 network holds no IPv6 address"
    assert len(known) <= len(networks)


def test_neighbours_are_joined() -> None:
    assert len(AddressSet([ip_network("192.0.2.0/25"), ip_network("192.0.2.128/25"), ip_network("2001:db8::/32")])) == 2


def test_collapse_keeps_both_families() -> None:
    networks = [ip_network(text) for text in ("2001:db8::/33", "192.0.2.0/25", "2001:db8:8000::/33", "192.0.2.128/25")]
    assert [str(network) for network in collapse(networks)] == ["192.0.2.0/24", "2001:db8::/32"]
