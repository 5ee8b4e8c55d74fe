"""Host names and zones: label boundaries, and zones of robots only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.crawlers.hosts import in_zones, normal
from contentguard.data import crawlers

GOOGLE = (".googlebot.com",)
PROXIES = ("rate-limited-proxy-*.google.com",)


@pytest.mark.parametrize(
    ("name", "zones", "inside"),
    [
        ("crawl-66-249-66-1.googlebot.com", GOOGLE, True),
        ("CRAWL-66-249-66-1.GoogleBot.com.", GOOGLE, True),
        ("geo-crawl-1.geo.googlebot.com", GOOGLE, True),
        ("googlebot.com", GOOGLE, False),
        (".googlebot.com", GOOGLE, False),
        ("evil-googlebot.com", GOOGLE, False),
        ("evilgooglebot.com", GOOGLE, False),
        ("crawl-1.googlebot.com.evil.test", GOOGLE, False),
        ("x.bc.googleusercontent.com", GOOGLE, False),
        ("crawl..googlebot.com", GOOGLE, False),
        ("crawl.googlebot.com\x00.evil.test", GOOGLE, False),
        ("crawl .googlebot.com", GOOGLE, False),
        ("crawl.googlebot.com..", GOOGLE, False),
        ("crаwl.googlebot.com", GOOGLE, False),
        ("x." * 120 + "googlebot.com", GOOGLE, True),
        ("x." * 121 + "googlebot.com", GOOGLE, False),
        ("", GOOGLE, False),
        ("rate-limited-proxy-66-249-90-77.google.com", PROXIES, True),
        ("rate-limited-proxy-.google.com", PROXIES, False),
        ("rate-limited-proxy-1.evil.google.com", PROXIES, False),
        ("x.rate-limited-proxy-1.google.com", PROXIES, False),
        ("mail.google.com", PROXIES, False),
        ("crawl.googlebot.com", (), False),
    ],
)
def test_zones(name: str, zones: tuple[str, ...], inside: bool) -> None:
    assert in_zones(name, zones) is inside


def test_no_zone_of_the_catalogue_is_one_in_which_anybody_can_rent_a_machine() -> None:
    """The fault found in is-crawler 1.5.25: every machine at Google or Amazon was a Googlebot or an Amazonbot."""
    rented = (
        "1.bc.googleusercontent.com",
        "ec2-1-2-3-4.compute-1.amazonaws.com",
        "x.1e100.net",
        "x.cloudapp.azure.com",
    )
    for crawler in crawlers():
        for zone in crawler.hosts:
            assert zone.startswith(".") or zone.count("*") == 1
            assert zone == zone.lower()
        assert not any(in_zones(name, crawler.hosts) for name in rented), crawler


@given(st.text(max_size=80))
def test_any_name(name: str) -> None:
    host = normal(name)
    assert host is None or (host == host.lower() and host.isascii() and ".." not in host)
    assert in_zones(f"{name}evil.test", GOOGLE) is False
