"""Networks: what trusted proxies report is read strictly, and never decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.detect.network import NetworkHeaders, read
from contentguard.detect.weights import weights
from contentguard.model import Cluster, Network
from tests.detect.requests import CHROME, facts, noticed

NAMES = NetworkHeaders(asn="X-ASN", country="CF-IPCountry", ja3="x-ja3", ja4="x-ja4")
BROWSER = "t13d1516h2_8daaf6152771_02713d6af862"
TOOL = "t12d180700_4b22cbed5bed_2dae41c691ec"


def test_what_a_trusted_proxy_reports() -> None:
    headers = [(b"x-asn", b"AS16509"), (b"cf-ipcountry", b"de"), (b"x-ja3", b"A" * 32), (b"x-ja4", BROWSER.encode())]
    assert read(headers, NAMES) == Network(16509, True, False, "DE", "a" * 32, BROWSER)
    assert read([(b"cf-ipcountry", b"T1")], NAMES) == Network(tor=True)
    assert read(headers, NetworkHeaders()) == Network()


def test_of_two_the_nearest_proxy_s_counts() -> None:
    assert read([(b"x-asn", b"16509"), (b"x-asn", b"3320")], NAMES) == Network(asn=3320)


@pytest.mark.parametrize("value", [b"", b"AS", b"sixteen", b"99999999999", b"-5", b"\xff" * 200])
def test_what_is_malformed_is_as_if_absent(value: bytes) -> None:
    assert (
        read([(b"x-asn", value), (b"cf-ipcountry", b"Germany"), (b"x-ja3", b"g"), (b"x-ja4", b"t13")], NAMES)
        == Network()
    )


@given(st.lists(st.tuples(st.sampled_from([b"x-asn", b"cf-ipcountry", b"x-ja3", b"x-ja4"]), st.binary())))
def test_any_headers_are_read_without_trouble(headers: list[tuple[bytes, bytes]]) -> None:
    network = read(headers, NAMES)
    assert len(network.country) in (0, 2)
    assert len(network.ja3) in (0, 32)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (Network(asn=3320, country="DE", ja4=BROWSER), set()),
        (Network(asn=16509, hosting=True), {"hosting"}),
        (Network(tor=True), {"tor"}),
        (Network(ja4=TOOL), {"tls-no-browser"}),
        (Network(neighbours=20, suspects=15), {"bad-neighbours"}),
        (Network(neighbours=5, suspects=5), set()),
    ],
)
def test_networks_as_signals(network: Network, expected: set[str]) -> None:
    assert noticed(CHROME, network=network) == expected


def test_a_network_never_decides() -> None:
    used = weights()
    group = [signal for signal in used.signals.values() if signal.group == "network"]
    assert used.total(group) < used.thresholds["lead-only"]


def test_who_holds_a_pass_does_not_answer_for_its_cluster() -> None:
    alarm = Cluster(views=500, prefixes=400, follow_z=9.0, alarm=True)
    assert noticed(CHROME, cluster=alarm) == {"cluster-alarm"}
    assert noticed(CHROME, cluster=alarm, passed=True) == set()
    assert noticed(CHROME, cluster=alarm._replace(alarm=False)) == set()
    assert facts(CHROME, cluster=alarm).as_dict()["cluster"]["alarm"] is True
