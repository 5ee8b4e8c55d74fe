"""What operators publish: every format that was found, and what is refused."""

from __future__ import annotations

import json
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.crawlers.published import MAX_BYTES, MAX_NETWORKS, check_shrinkage, read_published

GOOGLE = {
    "creationTime": "2026-08-22T00:00:00",
    "prefixes": [{"ipv6Prefix": "2001:4860:4801:10::/64"}, {"ipv4Prefix": "66.249.64.0/27"}],
}
AMAZON = {
    "syncToken": "1",
    "prefixes": [
        {"ip_prefix": "15.177.0.0/18", "region": "GLOBAL", "service": "ROUTE53_HEALTHCHECKS"},
        {"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2", "service": "AMAZON"},
    ],
    "ipv6_prefixes": [{"ipv6_prefix": "2600:1f00::/40", "service": "AMAZON"}],
}


@pytest.mark.parametrize(
    ("document", "service", "networks"),
    [
        (json.dumps(GOOGLE), "", ["66.249.64.0/27", "2001:4860:4801:10::/64"]),
        ("\ufeff" + json.dumps(GOOGLE), "", ["66.249.64.0/27", "2001:4860:4801:10::/64"]),
        (json.dumps(AMAZON), "ROUTE53_HEALTHCHECKS", ["15.177.0.0/18"]),
        (json.dumps({"synthetics": {"prefixes_ipv4": ["3.1.36.99/32"], "prefixes_ipv6": []}}), "", ["3.1.36.99/32"]),
        (json.dumps(["3.1.36.99", "3.1.36.98"]), "", ["3.1.36.98/31"]),
        (json.dumps({"ips": [{"ip_address": "5.39.1.224/27"}]}), "", ["5.39.1.224/27"]),
        (
            "91.105.192.0/23\r\n91.108.4.0/22\n2001:b28:f23d::/48\n",
            "",
            ["91.105.192.0/23", "91.108.4.0/22", "2001:b28:f23d::/48"],
        ),
        (
            "# a geofeed\n31.13.24.0/21,IE,,Dublin,\n2a03:2880::/32,US,US-CA,,\n",
            "",
            ["31.13.24.0/21", "2a03:2880::/32"],
        ),
        ("3.12.251.153 # probe\n\n3.12.251.153\n", "", ["3.12.251.153/32"]),
        ("66.249.64.1/27", "", ["66.249.64.0/27"]),
    ],
)
def test_formats(document: str, service: str, networks: list[str]) -> None:
    assert [str(network) for network in read_published(document.encode(), service)] == networks


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("", "no address"),
        ("<html>404</html>", "no address"),
        ('{"prefixes":[]}', "no address"),
        ('{"prefixes":', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("0.0.0.0/0", "too large"),
        ("::/0", "too large"),
        ("8.0.0.0/8", "too large"),
        ("2000::/3", "too large"),
        ("10.0.0.0/24", "not public"),
        ("127.0.0.1", "not public"),
        ("169.254.169.254", "not public"),
        ("192.168.0.0/16\n66.249.64.0/27", "not public"),
        ("100.64.0.0/12", "not public"),
        ("224.0.0.1", "not public"),
        ("fc00::/28", "not public"),
        ("::1", "not public"),
        ("2001:db8::/32", "not public"),
        ("\n".join(f"66.{a}.0.0/16" for a in range(65)), "IPv4 addresses"),
        ("\n".join(f"66.{n // 128 % 256}.{n % 128}.{n % 7}" for n in range(MAX_NETWORKS + 1)), "networks"),
        ("1" * (MAX_BYTES + 1), "bytes"),
    ],
)
def test_what_no_operator_can_mean(document: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_published(document.encode())


def test_a_list_does_not_lose_half_of_itself() -> None:
    old, half, less = ([ip_network(n)] for n in ("66.249.64.0/24", "66.249.64.0/25", "66.249.64.0/26"))
    check_shrinkage(old, half)
    check_shrinkage([], old)
    with pytest.raises(ValueError, match="25% of the IPv4"):
        check_shrinkage(old, less)
    with pytest.raises(ValueError, match="0% of the IPv6"):
        check_shrinkage([*old, ip_network("2001:4860::/48")], old)


@given(st.binary(max_size=300) | st.text(alphabet='0123456789./:,[]{}"\n #abc', max_size=300).map(str.encode))
def test_any_document(document: bytes) -> None:
    try:
        networks = read_published(document)
    except ValueError:
        return
    assert all(network.is_global for network in networks)
