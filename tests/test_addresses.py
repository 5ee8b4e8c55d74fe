"""Addresses as keys: what is read is what the standard library reads, and nothing else."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.addresses import address_of, neighbourhood, prefix

spelled = st.lists(
    st.integers(0, 300).map(str) | st.sampled_from(["", "00", "01", "١", "0x1", " 1", "1\n"]), max_size=5
)


@given(spelled.map(".".join) | st.ip_addresses().map(str) | st.text("0123456789abcdef:.%", max_size=24))
def test_an_address_is_read_as_the_standard_library_reads_it(text: str) -> None:
    found = address_of(text)
    try:
        address = ip_address(text)
    except ValueError:
        assert found is None
        return
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            assert found is None
            return
        address = address.ipv4_mapped or address
    assert found == (str(address), int(address), address.version == 4)


@pytest.mark.parametrize(
    ("text", "client", "near"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2"),
        (None, "unknown", "unknown"),
        ("1::2::3", "unknown", "unknown"),
    ],
)
def test_a_client_counts_by_its_line_and_has_neighbours(text: str | None, client: str, near: str) -> None:
    assert (prefix(text), neighbourhood(text)) == (client, near)
