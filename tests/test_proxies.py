"""The client's address: a table, forgeries by the thousand, and properties on any bytes."""

from __future__ import annotations

import random
import sys
from ipaddress import ip_address
from types import FrameType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contentguard.addresses import neighbourhood, prefix
from contentguard.proxies import Proxies

XFF = Proxies(("10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.9"))
FWD = Proxies(("10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.9"), header="forwarded")
PEER = "10.0.0.1"


def _headers(name: bytes, *values: str) -> list[tuple[bytes, bytes]]:
    sent = [(name, value.encode("latin-1")) for value in values]
    return [(b"host", b"example"), *sent, (b"accept", b"*/*")]


X_CASES: list[tuple[str, list[str], str | None]] = [
    # who connects, the header's values, the client
    ("198.51.100.7", [], "198.51.100.7"),
    ("198.51.100.7", ["1.1.1.1"], "198.51.100.7"),
    (PEER, [], PEER),
    (PEER, [""], PEER),
    (PEER, ["1.1.1.1"], "1.1.1.1"),
    (PEER, ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
    (PEER, ["6.6.6.6,1.1.1.1"], "1.1.1.1"),
    (PEER, ["6.6.6.6 \t,\t 1.1.1.1 "], "1.1.1.1"),
    (PEER, ["6.6.6.6, 1.1.1.1, 10.2.3.4"], "1.1.1.1"),
    (PEER, ["6.6.6.6, 1.1.1.1, 192.0.2.9, 10.2.3.4"], "1.1.1.1"),
    (PEER, ["6.6.6.6, 1.1.1.1, 192.0.2.8, 10.2.3.4"], "192.0.2.8"),
    (PEER, ["10.9.9.9, 10.2.3.4"], "10.9.9.9"),
    (PEER, ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
    (PEER, ["1.1.1.1", "10.2.3.4"], "1.1.1.1"),
    (PEER, ["6.6.6.6, 1.1.1.1", "", "10.2.3.4"], "1.1.1.1"),
    (PEER, ["1.1.1.1, , ,10.2.3.4,"], "1.1.1.1"),
    (PEER, [",,,"], PEER),
    (PEER, ["1.1.1.1:4711"], "1.1.1.1"),
    (PEER, ["1.1.1.1:0"], "1.1.1.1"),
    (PEER, ["1.1.1.1:65535"], "1.1.1.1"),
    (PEER, ["1.1.1.1:65536"], PEER),
    (PEER, ["1.1.1.1:"], PEER),
    (PEER, ["1.1.1.1:123456"], PEER),
    (PEER, ["1.1.1.1:-1"], PEER),
    (PEER, ["2001:db8::1"], "2001:db8::1"),
    (PEER, ["2001:DB8:0:0::1"], "2001:db8::1"),
    (PEER, ["[2001:db8::1]"], "2001:db8::1"),
    (PEER, ["[2001:db8::1]:443"], "2001:db8::1"),
    (PEER, ["[2001:db8::1]443"], PEER),
    (PEER, ["[2001:db8::1"], PEER),
    (PEER, ["2001:db8::1]"], PEER),
    (PEER, ["[1.1.1.1]"], "1.1.1.1"),
    (PEER, ["::ffff:1.1.1.1"], "1.1.1.1"),
    (PEER, ["[::ffff:101:101]:80"], "1.1.1.1"),
    (PEER, ["1.1.1.1, ::ffff:10.2.3.4"], "1.1.1.1"),
    (PEER, ["fe80::1%eth0"], PEER),
    (PEER, ["[fe80::1%eth0]:80"], PEER),
    (PEER, ["1.1.1.1, unknown"], PEER),
    (PEER, ["1.1.1.1, unknown, 10.2.3.4"], "10.2.3.4"),
    (PEER, ["1.1.1.1, _hidden, 10.2.3.4"], "10.2.3.4"),
    (PEER, ["1.1.1.1, garbage"], PEER),
    (PEER, ["1.1.1.1, <script>alert(1)</script>"], PEER),
    (PEER, ["1.1.1.1, 2.2.2.2\x00"], PEER),
    (PEER, ["1.1.1.1, 2.2.2"], PEER),
    (PEER, ["1.1.1.1, 2.2.2.2.2"], PEER),
    (PEER, ["1.1.1.1, 2.2.2.256"], PEER),
    (PEER, ["1.1.1.1, 02.2.2.2"], PEER),
    (PEER, ["1.1.1.1, 0x2.2.2.2"], PEER),
    (PEER, ["1.1.1.1, 33686018"], PEER),
    (PEER, ["1.1.1.1, 2.2.2.2/32"], PEER),
    (PEER, ["1.1.1.1 2.2.2.2"], PEER),
    (PEER, ["1.1.1.1;2.2.2.2"], PEER),
    (PEER, ['"1.1.1.1"'], PEER),
    (PEER, ["127.0.0.1"], "127.0.0.1"),
    (PEER, ["192.168.1.1"], "192.168.1.1"),
    (PEER, ["169.254.1.1, 172.16.0.1"], "172.16.0.1"),
    (PEER, ["::1"], "::1"),
    (PEER, ["\xb2.2.2.2"], PEER),
    (PEER, ["6.6.6.6, " + "1" * 9000], PEER),
    (PEER, ["6.6.6.6," * 5000 + "1.1.1.1"], "1.1.1.1"),
    (PEER, ["7" * 8180 + ".1.1.1.1"], PEER),
    (PEER, ["6.6.6.6" + ", 10.0.0.2" * 31], "6.6.6.6"),
    (PEER, ["6.6.6.6" + ", 10.0.0.2" * 32], "10.0.0.2"),
    (PEER, ["6.6.6.6" + "," * 32], PEER),
    ("::ffff:10.0.0.1", ["1.1.1.1"], "1.1.1.1"),
    ("2001:db8:ffff::5", ["1.1.1.1"], "1.1.1.1"),
    ("2001:db8:fffe::5", ["1.1.1.1"], "2001:db8:fffe::5"),
    ("2001:DB8:ffff:0::5", [], "2001:db8:ffff::5"),
    ("::1", ["1.1.1.1"], "::1"),
    ("127.0.0.1", ["1.1.1.1"], "127.0.0.1"),
]

F_CASES: list[tuple[str, list[str], str | None]] = [
    ("198.51.100.7", ["for=1.1.1.1"], "198.51.100.7"),
    (PEER, [], PEER),
    (PEER, ["for=1.1.1.1"], "1.1.1.1"),
    (PEER, ["FOR=1.1.1.1"], "1.1.1.1"),
    (PEER, ['For="[2001:db8:cafe::17]:4711"'], "2001:db8:cafe::17"),
    (PEER, ['for="1.1.1.1:80"'], "1.1.1.1"),
    (PEER, ['for="1.1.1.1:_port"'], "1.1.1.1"),
    (PEER, ["for=1.1.1.1:80"], "1.1.1.1"),
    (PEER, ["for=[2001:db8::1]:80"], "2001:db8::1"),
    (PEER, ["for=1.1.1.1;proto=http;by=203.0.113.43"], "1.1.1.1"),
    (PEER, ["by=203.0.113.43;for=1.1.1.1"], "1.1.1.1"),
    (PEER, ["for=6.6.6.6, for=1.1.1.1;by=10.0.0.1, for=10.2.3.4"], "1.1.1.1"),
    (PEER, ["for=6.6.6.6", "for=1.1.1.1", "for=10.2.3.4"], "1.1.1.1"),
    (PEER, ['for="::ffff:1.1.1.1"'], "1.1.1.1"),
    (PEER, [r'for="1.1\.1.1"'], "1.1.1.1"),
    (PEER, ["for=1.1.1.1, for=unknown"], PEER),
    (PEER, ["for=1.1.1.1, for=_hidden, for=10.2.3.4"], "10.2.3.4"),
    (PEER, ["for=1.1.1.1, for=_SEVKISEK"], PEER),
    (PEER, ['for="[fe80::1%25eth0]"'], PEER),
    (PEER, ["for=1.1.1.1, proto=https"], PEER),
    (PEER, ["for=1.1.1.1, for=2.2.2.2;for=3.3.3.3"], PEER),
    (PEER, ["for=1.1.1.1, for"], PEER),
    (PEER, ["for=1.1.1.1, for="], PEER),
    (PEER, ['for=1.1.1.1, for=""'], PEER),
    (PEER, ["for=1.1.1.1, for =2.2.2.2"], PEER),
    (PEER, ["for=1.1.1.1, 2.2.2.2"], PEER),
    (PEER, ["for=6.6.6.6, , for=1.1.1.1;"], "1.1.1.1"),
    # A client's unbalanced quote swallows nothing that stands right of it ...
    (PEER, ['for="6.6.6.6, for=1.1.1.1'], "1.1.1.1"),
    (PEER, ['for="6.6.6.6', 'for=1.1.1.1;host="a"'], "1.1.1.1"),
    (PEER, ['for="6.6.6.6\\', 'for="1.1.1.1"'], "1.1.1.1"),
    (PEER, ['x="', 'for=1.1.1.1, for="10.2.3.4"'], "1.1.1.1"),
    # ... and a quoted parameter in which a proxy repeats the client's words makes no element.
    (PEER, ['for=1.1.1.1;host="x, for=6.6.6.6"'], "1.1.1.1"),
    (PEER, ['for=1.1.1.1;host="x, for=6.6.6.6;y="'], "1.1.1.1"),
    (PEER, [r'for=1.1.1.1;host="a\", for=6.6.6.6, x=\"b"'], "1.1.1.1"),
    (PEER, [r'for=1.1.1.1;host="a\\"'], "1.1.1.1"),
    (PEER, [r'for=1.1.1.1;host="\\\", for=6.6.6.6\\"'], "1.1.1.1"),
    (PEER, ['for=1.1.1.1;host="", for="10.2.3.4"'], "1.1.1.1"),
    (PEER, ['for=1.1.1.1"'], PEER),
    (PEER, ['"'], PEER),
    (PEER, ['for="1.1.1.1" , for=10.2.3.4'], "1.1.1.1"),
    (PEER, ["for=1.1.1.1" + " " * 9000], PEER),
    (PEER, ['for=1.1.1.1;x="' + "," * 9000 + '"'], PEER),
]


@pytest.mark.parametrize(("peer", "values", "client"), X_CASES)
def test_x_forwarded_for(peer: str, values: list[str], client: str) -> None:
    assert XFF.client(peer, _headers(b"x-forwarded-for", *values)) == client


@pytest.mark.parametrize(("peer", "values", "client"), F_CASES)
def test_forwarded(peer: str, values: list[str], client: str) -> None:
    assert FWD.client(peer, _headers(b"forwarded", *values)) == client


def test_only_the_configured_header_is_read() -> None:
    headers = [(b"forwarded", b"for=6.6.6.6"), (b"x-forwarded-for", b"1.1.1.1"), (b"x-real-ip", b"7.7.7.7")]
    assert XFF.client(PEER, headers) == "1.1.1.1"
    assert FWD.client(PEER, headers) == "6.6.6.6"
    assert Proxies().client(PEER, headers) == PEER


@pytest.mark.parametrize(
    "trusted",
    [
        ("0.0.0.0/0",),
        ("::/0",),
        ("0.0.0.0/1", "128.0.0.0/1"),
        ("::ffff:0:0/96",),
        ("2000::/3",),
        ("::/1",),
        ("*",),
    ],
)
def test_cve_2026_76835_nobody_can_trust_everybody(trusted: tuple[str, ...]) -> None:
    """oauth2-proxy trusted 0.0.0.0/0 unless told otherwise, and so believed anybody's header."""
    with pytest.raises(ValueError, match="CVE-2026-76835"):
        Proxies(("10.0.0.1", *trusted))


def test_cve_2026_76835_nobody_is_trusted_by_default() -> None:
    for proxies in (Proxies(), Proxies(header="forwarded")):
        headers = _headers(b"x-forwarded-for", "6.6.6.6") + _headers(b"forwarded", "for=6.6.6.6;proto=https")
        headers.append((b"x-forwarded-proto", b"https"))
        for peer in ("127.0.0.1", "10.0.0.1", "::1", "198.51.100.7"):
            assert proxies.client(peer, headers) == peer
            assert proxies.scheme(peer, headers, "http") == "http"
        assert proxies.client(None, headers) is None


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0.5/8", "10.0.0.0/33", "fe80::1%eth0/64x", "10.0.0", "unix"])
def test_a_bad_proxy_is_named_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="an address or a CIDR") as caught:
        Proxies(("10.0.0.1", text))
    assert repr(text) in str(caught.value)


def test_a_bad_header_is_named() -> None:
    with pytest.raises(ValueError, match="x-real-ip"):
        Proxies(header="x-real-ip")  # type: ignore[arg-type]


def test_mapped_proxies_are_ipv4_proxies() -> None:
    proxies = Proxies(("::ffff:10.0.0.0/104",))
    assert proxies.client("10.1.1.1", _headers(b"x-forwarded-for", "1.1.1.1")) == "1.1.1.1"
    assert proxies.client("11.1.1.1", _headers(b"x-forwarded-for", "1.1.1.1")) == "11.1.1.1"


@pytest.mark.parametrize(
    "peer",
    [
        "garbage\x00<script>",
        "<script>",
        "",
        "unknown",
        "testclient",
        "unix:/run/x",
        "1.2.3.4\n",
        "\ud800",
        "9" * 10**6,
    ],
)
@pytest.mark.parametrize("proxies", [Proxies(), XFF, FWD, Proxies(unix=True)])
def test_uvicorn_may_hand_us_garbage_as_the_peer(peer: str, proxies: Proxies) -> None:
    """uvicorn copies an X-Forwarded-For of ``garbage\\x00<script>`` into scope["client"]: nobody, and not
    trusted."""
    headers = _headers(b"x-forwarded-for", "1.1.1.1") + _headers(b"forwarded", "for=1.1.1.1;proto=https")
    headers.append((b"x-forwarded-proto", b"https"))
    assert proxies.client(peer, headers) is None
    assert proxies.scheme(peer, headers, "http") == "http"


def test_uvicorn_keeps_ipv4_in_ipv6_and_we_do_not() -> None:
    for proxies in (Proxies(), XFF):
        assert proxies.client("::ffff:198.51.100.7", []) == "198.51.100.7"


def test_uvicorn_takes_the_leftmost_and_we_do_not() -> None:
    assert XFF.client(PEER, _headers(b"x-forwarded-for", "6.6.6.6, 1.1.1.1")) == "1.1.1.1"


def test_a_zone_is_no_part_of_the_peers_address() -> None:
    assert Proxies().client("fe80::1%eth0", []) == "fe80::1"


def test_a_unix_socket_is_trusted_only_if_told() -> None:
    headers = _headers(b"x-forwarded-for", "6.6.6.6, 1.1.1.1")
    assert XFF.client(None, headers) is None
    assert Proxies(unix=True).client(None, headers) == "1.1.1.1"
    assert Proxies(unix=True).client(None, []) is None
    assert Proxies(unix=True).client(None, _headers(b"x-forwarded-for", "unknown")) is None
    assert Proxies(unix=True).client("10.0.0.1", headers) == "10.0.0.1"
    chain = _headers(b"x-forwarded-for", "1.1.1.1,10.1.1.1")
    assert Proxies(("10.0.0.0/8",), unix=True).client(None, chain) == "1.1.1.1"


@pytest.mark.parametrize(
    ("peer", "value", "scheme"),
    [
        (PEER, "https", "https"),
        (PEER, "HTTPS ", "https"),
        (PEER, "http", "http"),
        (PEER, "http, https", "https"),
        (PEER, "https, http", "http"),
        (PEER, "javascript", "ws"),
        (PEER, "https\x00", "ws"),
        (PEER, "", "ws"),
        ("198.51.100.7", "https", "ws"),
    ],
)
def test_scheme_by_x_forwarded_proto(peer: str, value: str, scheme: str) -> None:
    assert XFF.scheme(peer, _headers(b"x-forwarded-proto", value), "ws") == scheme


@pytest.mark.parametrize(
    ("peer", "value", "scheme"),
    [
        (PEER, "for=1.1.1.1;proto=https", "https"),
        (PEER, 'for=1.1.1.1;Proto="HTTPS"', "https"),
        (PEER, "for=1.1.1.1;proto=https, for=10.2.3.4;proto=http", "https"),
        (PEER, "for=6.6.6.6;proto=https, for=1.1.1.1;proto=http", "http"),
        (PEER, "for=6.6.6.6;proto=https, for=1.1.1.1", "ws"),
        (PEER, "for=1.1.1.1;proto=gopher", "ws"),
        (PEER, "proto=https", "ws"),
        ("198.51.100.7", "for=1.1.1.1;proto=https", "ws"),
    ],
)
def test_scheme_by_forwarded(peer: str, value: str, scheme: str) -> None:
    assert FWD.scheme(peer, [*_headers(b"forwarded", value), (b"x-forwarded-proto", b"https")], "ws") == scheme


@pytest.mark.parametrize(
    ("address", "key"),
    [
        (None, "unknown"),
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("::ffff:1.1.1.1", "1.1.1.1"),
        ("no:address", "unknown"),
    ],
)
def test_prefix(address: str | None, key: str) -> None:
    assert prefix(address) == key


ANY_TEXT = st.one_of(
    st.text(st.characters(max_codepoint=255)),
    st.lists(
        st.sampled_from(
            ['"', "\\", ",", ";", "=", "for=", "6.6.6.6", "10.0.0.2", "[", "]", ":", "::1", "unknown", " "]
        ),
        max_size=30,
    ).map("".join),
)
HONEST = [
    ("for=1.1.1.1", "1.1.1.1"),
    ("for=1.1.1.1, for=10.2.3.4", "1.1.1.1"),
    ('for="[2001:db8::1]:80";proto=https, for="10.2.3.4:81"', "2001:db8::1"),
    (r'for=1.1.1.1;host="a\", for=6.6.6.6\\"', "1.1.1.1"),
]


@settings(deadline=None)
@given(ANY_TEXT, st.sampled_from(HONEST), st.booleans(), st.sampled_from([0, 8000, 20_000]))
@example('for="', HONEST[3], False, 0)
def test_nothing_a_client_writes_moves_the_result_forwarded(
    forged: str, honest: tuple[str, str], apart: bool, padding: int
) -> None:
    forged += "," * padding
    values = [forged, honest[0]] if apart else [f"{forged}, {honest[0]}"]
    headers = _headers(b"forwarded", *values)
    assert FWD.client(PEER, headers) == honest[1]
    assert FWD.scheme(PEER, headers, "ws") == ("https" if "proto" in honest[0] else "ws")


@settings(deadline=None)
@given(ANY_TEXT, st.booleans(), st.sampled_from([0, 8000, 20_000]))
def test_nothing_a_client_writes_moves_the_result_x_forwarded_for(forged: str, apart: bool, padding: int) -> None:
    forged += "," * padding
    values = [forged, "1.1.1.1, 10.2.3.4"] if apart else [f"{forged}, 1.1.1.1, 10.2.3.4"]
    assert XFF.client(PEER, _headers(b"x-forwarded-for", *values)) == "1.1.1.1"


@settings(deadline=None)
@given(
    st.sampled_from([XFF, FWD, Proxies(), Proxies(unix=True), Proxies(("10.0.0.0/8",), "forwarded", unix=True)]),
    st.none() | st.sampled_from([PEER, "::ffff:10.0.0.1"]) | st.text(),
    st.lists(
        st.tuples(
            st.sampled_from([b"x-forwarded-for", b"forwarded"]),
            st.binary() | ANY_TEXT.map(lambda t: t.encode("latin-1")),
        )
    ),
)
def test_on_any_bytes_the_result_is_an_address_or_none(
    proxies: Proxies, peer: str | None, headers: list[tuple[bytes, bytes]]
) -> None:
    client = proxies.client(peer, headers)
    assert client is None or str(ip_address(client)) == client
    assert client is None or "." not in client or ":" not in client
    assert proxies.scheme(peer, headers, "ws") in ("ws", "http", "https")
    assert prefix(client)


@settings(deadline=None)
@given(st.ip_addresses(v=4).map(str) | st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){2,4}\n?") | st.text("0123456789.٣"))
def test_the_short_way_for_plain_ipv4_is_no_other_way(peer: str) -> None:
    assert Proxies().client(peer, []) == Proxies(("192.0.2.1",)).client(peer, [])


def _forgery(rng: random.Random) -> str:
    pieces = [
        "6.6.6.6",
        "10.0.0.2",
        "unknown",
        "_x",
        "",
        " ",
        "[::1]",
        "::ffff:6.6.6.6",
        '"',
        "\\",
        "for=6.6.6.6",
        "\x00",
        "for=",
        ";",
        '"10.0.0.2"',
    ]
    return rng.choice([", ", ",", " ", ""]).join(rng.choices(pieces, k=rng.randrange(1, 40)))


@pytest.mark.parametrize("proxies", [XFF, FWD], ids=["x-forwarded-for", "forwarded"])
def test_ten_thousand_forgeries(proxies: Proxies) -> None:
    rng = random.Random(76835)
    forwarded = proxies.header == "forwarded"
    for _ in range(10_000):
        client = str(
            ip_address(rng.choice([rng.randrange(11 << 24, 100 << 24), (0x20010DB9 << 96) + rng.getrandbits(90)]))
        )
        hops = [client, *(f"10.{rng.randrange(256)}.0.{rng.randrange(256)}" for _ in range(rng.randrange(5)))]
        shown = [f"[{hop}]:{rng.randrange(65536)}" if ":" in hop else hop for hop in hops]
        honest = ", ".join(f'for="{hop}"' for hop in shown) if forwarded else ", ".join(shown)
        forged = _forgery(rng)
        values = [forged, honest] if rng.random() < 0.5 else [f"{forged}, {honest}"]
        assert proxies.client(PEER, _headers(proxies.header.encode(), *values)) == client, values


@pytest.mark.parametrize(
    "value",
    [
        '"' * 10**5,
        '="' * 10**5,
        '\\"' * 10**5,
        '",' * 10**5,
        "," * 10**5,
        "a=" * 10**5,
        ":" * 10**5,
        'for="' + "\\" * 10**5 + '"',
    ],
)
def test_work_is_bounded(value: str) -> None:
    """Only the last 8 KiB of a list are read, of these 32 hops, and of one hop one KiB."""
    for proxies in (XFF, FWD):
        headers = _headers(proxies.header.encode(), value)
        assert _steps(proxies, headers) < 2000
        assert proxies.client(PEER, headers) == PEER


def _steps(proxies: Proxies, headers: list[tuple[bytes, bytes]]) -> int:
    """How many calls, of Python's own functions and methods too, finding the client takes."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        proxies.client(PEER, headers)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2"),
        ("2001:db8:1:2::7", "2001:db8:1::/48"),
        ("::ffff:192.0.2.7", "192.0.2"),
        (None, "unknown"),
        ("testclient", "unknown"),
        ("a:b", "unknown"),
    ],
)
def test_neighbourhoods(address: str | None, network: str) -> None:
    assert neighbourhood(address) == network


def test_only_our_proxies_may_tell_of_a_client() -> None:
    assert not Proxies().trusts("192.0.2.1")
    assert not Proxies().trusts(None)
    named = Proxies(trusted=("10.0.0.0/8",))
    assert named.trusts("10.1.2.3")
    assert not named.trusts("192.0.2.1")
    assert not named.trusts("testclient")
    assert Proxies(unix=True).trusts(None)
