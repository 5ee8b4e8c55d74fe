from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.policy.networks import interval, number
from tests.policy.naive import client_in


@given(st.ip_addresses(), st.ip_addresses(), st.integers(0, 128))
def test_a_network_is_an_interval(address: object, other: object, length: int) -> None:
    text, client = str(other), str(address)
    prefix = min(length, 32) if ":" not in text else length
    low, high = interval(f"{text}/{prefix}")
    network = str(ipaddress.ip_network(f"{text}/{prefix}", strict=False))
    assert (low <= number(client) < high) is client_in(network, client)


def test_one_address_in_two_forms_is_one() -> None:
    assert number("::ffff:192.0.2.1") == number("192.0.2.1") != -1
    assert number("fe80::1%eth0") == number("fe80::1")


@pytest.mark.parametrize("client", [None, "", "testclient", "192.0.2", "1" * 100, "unix:"])
def test_what_is_no_address_is_in_no_network(client: str | None) -> None:
    assert number(client) == -1


@pytest.mark.parametrize("text", ["", "news.example", "10.0.0.0/33", "1.2.3.4.5"])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(ValueError, match="192"):
        interval(text)
