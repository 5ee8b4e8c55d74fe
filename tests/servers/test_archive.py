"""An archive and those who want it: real tools, over https, under the guard's own defaults, each from its own address.

Whoever asks like a tool or in a browser's clothes, but earns nothing, gets two articles at most (and got none when this
was written). Whoever was taught to wait or to solve gets a new reader's meter, and dropping passes, changing headers or
fetching style sheets brings one address no more than is said here. Each attack that finds nothing was first seen to
find everything where there is no guard.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest

from contentguard.admission.maturity import Metering
from contentguard.guard.crowds import LONERS
from tests.client import proof
from tests.servers.archive import NAME, Archive, archive, taken
from tests.servers.harness import need_module
from tests.servers.takers import CLOTHES, TAKERS, Taker, session, trusting

METER = Metering().new_reader_articles_per_hour
LINE = LONERS * METER
ONE = Metering().articles_per_hour
_ADDRESSES = count(10)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive(tmp_path_factory.mktemp("archive")) as running:
        yield running


@pytest.fixture(scope="module")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive(tmp_path_factory.mktemp("open"), "--unguarded", size=10) as running:
        yield running


@pytest.fixture
def address() -> str:
    """An address in a network of its own."""
    return f"127.{next(_ADDRESSES)}.0.1"


# -- tools as they come, and in a browser's clothes ------------------------------------------------------------


@pytest.mark.parametrize("dressed", [False, True], ids=["as it comes", "dressed as Chrome"])
@pytest.mark.parametrize("taker", TAKERS.values(), ids=TAKERS)
def test_two_articles_at_most(guarded: Archive, taker: Taker, dressed: bool, address: str, tmp_path: Path) -> None:
    found = taker(guarded, address, dressed, tmp_path)
    assert len(found) >= 40, "it asked"
    assert len(taken(found)) <= 2


@pytest.mark.parametrize("taker", TAKERS.values(), ids=TAKERS)
def test_the_same_without_the_guard(unguarded: Archive, taker: Taker, address: str, tmp_path: Path) -> None:
    assert taken(taker(unguarded, address, True, tmp_path)) == set(range(10))


def test_an_address_for_each_request(guarded: Archive) -> None:
    """Within the governor's bound, as who earns nothing opens nothing."""
    need_module("curl_cffi")
    from curl_cffi import requests as impersonating

    found, trusted = [], cast(Any, str(guarded.certificate))
    for number, url in enumerate(guarded.urls):
        where = f"127.200.{number}.1"
        answer = impersonating.get(url, impersonate="chrome", verify=trusted, interface=where)
        found.append(answer.text)
    assert all("cg-continue" in page for page in found), "nobody in particular is taken for a reader"
    assert taken(found) == set()


# -- those that have learned -----------------------------------------------------------------------------------


class Adept:
    """A program that solves proofs."""

    def __init__(self, archive: Archive, address: str, *, keeps: bool) -> None:
        """``keeps``: its cookies."""
        self._archive, self._keeps = archive, keeps
        self._client = session(archive, address)
        self.found: list[str] = []

    def take(self, urls: list[str], headers: Mapping[str, str], *, sheets: bool = False) -> None:
        """Solve for the first article, and ask for the others with what that has brought. ``sheets``: and fetch the
        style sheets of the first."""
        if not self._keeps:
            self._client.cookies.clear()
        first = self._get(urls[0], headers)
        for sheet in re.findall(r'href="(/[^"]*\.css[^"]*)"', first) if sheets else ():
            self._client.get(self._archive.origin + sheet, headers=headers, timeout=20)
        if (posted := proof(first)) is not None:
            done = self._client.post(self._archive.origin + posted[0], data=posted[1], headers=headers, timeout=20)
            self.found.append(done.text)
        self.found += [self._get(url, headers) for url in urls[1:]]

    def _get(self, url: str, headers: Mapping[str, str]) -> str:
        page = self._client.get(url, headers=headers, timeout=20).text
        self.found.append(page)
        return page


def test_one_that_solves_and_keeps_its_pass(guarded: Archive, address: str) -> None:
    adept = Adept(guarded, address, keeps=True)
    for url in guarded.urls[:8]:
        adept.take([url], {})
    adept.take(guarded.urls, {})
    assert 1 <= len(taken(adept.found)) <= METER


@pytest.mark.parametrize(
    ("others", "varied"),
    [(0, False), (0, True), (4, False), (4, True)],
    ids=["one each", "one each, headers that change", "five each", "five each, headers that change"],
)
def test_one_that_drops_its_passes(guarded: Archive, address: str, others: int, varied: bool) -> None:
    """Passes farmed from one address: together they are one program."""
    adept = Adept(guarded, address, keeps=False)
    for number in range(14 if not others else 4):
        first = number * (1 + others)
        headers = {"accept-language": f"en-GB,en;q=0.{number % 9 + 1},x{number};q=0.1"} if varied else {}
        adept.take(guarded.urls[first : first + 1 + others], headers)
    assert 1 <= len(taken(adept.found)) <= LINE


def test_one_that_drops_its_passes_and_fetches_style_sheets(tmp_path: Path, address: str) -> None:
    """As a browser does that is started anew for each article: together they have what one grown reader has."""
    with archive(tmp_path) as alone:
        adept, asked = Adept(alone, address, keeps=False), alone.urls[:50]
        for url in asked:
            adept.take([url], {}, sheets=True)
    assert len(adept.found) == 2 * len(asked), "a lead for each, and an answer to each proof"
    assert len(taken(adept.found)) == ONE


@pytest.mark.parametrize("keeps", [True, False], ids=["keeps its pass", "a pass for each"])
def test_one_that_waits(guarded: Archive, address: str, keeps: bool) -> None:
    onward = []
    client = session(guarded, address)
    for url in guarded.urls[:12]:
        lead = client.get(url, timeout=20).text
        waiting = client.get(guarded.origin + _led("wait", lead), timeout=20)
        assert waiting.status_code == 503
        onward.append(guarded.origin + _led("enter", waiting.text))
    time.sleep(2.1)
    found = []
    for number, way in enumerate(onward):
        if not keeps:
            client.cookies.clear()
        found.append(client.get(way, timeout=20).text)
        found += [client.get(url, timeout=20).text for url in guarded.urls[20 + 3 * number : 23 + 3 * number]]
    got = len(taken(found))
    assert 1 <= got <= (METER if keeps else LINE)


def _led(way: str, page: str) -> str:
    found = re.search(rf'href="(/\.contentguard/{way}/[\w-]+)"', page)
    assert found is not None, page
    return found[1]


def test_tickets_replayed_exchanged_and_passed_on(guarded: Archive, address: str) -> None:
    client, other = session(guarded, address), session(guarded, address)
    one = proof(client.get(guarded.urls[0], timeout=20).text)
    two = proof(client.get(guarded.urls[1], timeout=20).text)
    assert one is not None
    assert two is not None
    rest = guarded.origin + one[0]
    swapped = one[1].partition(b" ")[0] + b" " + two[1].partition(b" ")[2]
    assert client.post(rest, data=swapped, timeout=20).status_code == 403, "another ticket's answers"
    assert client.post(rest, data=one[1], timeout=20).status_code == 403, "and it is spent with them"
    firefox = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    assert client.post(rest, data=two[1], headers=firefox, timeout=20).status_code == 403, "another kind of browser"
    good = client.post(rest, data=two[1], timeout=20)
    assert (good.status_code, taken([good.text])) == (200, {1})
    for again in (client, other):
        repeated = again.post(rest, data=two[1], timeout=20)
        assert (repeated.status_code, taken([repeated.text])) == (403, set())


# -- other ways of asking --------------------------------------------------------------------------------------

STORY = "/news/story-0100-of-the-archive"
PATHS = [
    *(f"{STORY}?{query}" for query in ("x=1", "amp=1", "print=1", "output=amp", "format=json", "cg=", "cg=a&cg=b", "")),
    *(f"{STORY}{end}" for end in ("/", "/amp", ".json", ".amp", "/print", "/feed", "%00", ";x=1", "%2f", "%3Fx")),
    *(STORY.replace("/news", start) for start in ("/NEWS", "//news", "/./news", "/x/../news", "/amp/news", "/%6eews")),
    *(f"{way}?url={STORY}" for way in ("/oembed", "/wp-json/oembed/1.0/embed", "/.contentguard/rest")),
    *(
        "/feed.xml",
        "/atom.xml",
        "/sitemap.xml",
        "/news-sitemap.xml",
        "/search?q=nobody+at+the+table",
        "/",
        STORY.upper(),
    ),
    *("/.contentguard/wait/x", "/.contentguard/enter/x", f"/.contentguard/..{STORY}", f"http://localhost{STORY}"),
]
LINES = [
    *(f"GET {path} HTTP/1.1" for path in PATHS),
    f"GET {STORY} HTTP/1.0",
    *(f"{method} {STORY} HTTP/1.1" for method in ("HEAD", "POST", "PUT", "PATCH", "OPTIONS", "get", "QUERY")),
]
FIELDS = [
    *("Range: bytes=0-", "Range: bytes=3000-", "Range: bytes=-4000", "Range: bytes=0-10,4000-9000"),
    *("X-ContentGuard: off", "X-ContentGuard: article", "X-HTTP-Method-Override: GET", "X-Original-URL: /robots.txt"),
    *("Purpose: prefetch", "Sec-Purpose: prefetch;prerender", "X-Moz: prefetch", "Service-Worker: script"),
    *("X-Forwarded-For: 66.249.66.1", "Forwarded: for=66.249.66.1", "X-Real-IP: 66.249.66.1", "X-Forwarded-Host: x"),
    f"Cookie: __Host-contentguard={'A' * 60}; contentguard={'A' * 60}",
    *("X-Requested-With: XMLHttpRequest", "Origin: https://evil.example", "Referer: https://www.google.com/"),
    *('If-None-Match: "x"', "If-None-Match: *", "If-Modified-Since: Sun, 06 Nov 2044 08:49:37 GMT", "Save-Data: on"),
    *(
        "Accept-Encoding: br",
        "Accept-Encoding: gzip;q=0, *;q=0",
        "Upgrade: h2c",
        "TE: trailers",
        "Expect: 100-continue",
    ),
    'Signature-Agent: "https://x.example"\r\nSignature: sig1=:AA==:\r\nSignature-Input: sig1=();keyid="x"',
]
AGENTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) "
    "Chrome/148.0.0.0 Safari/537.36",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    *("Googlebot-News", "AdsBot-Google", "Mediapartners-Google", "archive.org_bot", "Twitterbot/1.0", "Feedly/1.0"),
    *("kube-probe/1.29", "ELB-HealthChecker/2.0", "UptimeRobot/2.0", "", "Lynx/2.9", "w3m/0.5", "Dillo/3.0"),
    *("Mozilla/4.0 (compatible; MSIE 6.0)", "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0"),
]
TYPES = [
    *("*/*", "application/json", "text/plain", "text/markdown", "application/ld+json", "application/rss+xml"),
    *("text/html;q=0", "image/*", "application/xhtml+xml", ""),
]


def test_no_other_way_of_asking_gets_past_the_lead(guarded: Archive) -> None:
    """Each line, field, robot's name and media type alone, from an address of its own."""
    plain = {name: value for name, value in CLOTHES.items() if name not in ("connection", "accept-encoding")}
    asked = [(line, plain, "") for line in LINES]
    asked += [(f"GET {STORY} HTTP/1.1", plain, field) for field in FIELDS]
    asked += [(f"GET {STORY} HTTP/1.1", {"user-agent": agent, "accept": "text/html"}, "") for agent in AGENTS]
    asked += [(f"GET {STORY} HTTP/1.1", {**plain, "accept": kind}, "") for kind in TYPES]
    asked += [
        (f"GET {STORY} HTTP/1.1", {**plain, "sec-fetch-dest": wanted, "sec-fetch-mode": "no-cors"}, "")
        for wanted in ("image", "script", "style", "iframe", "empty")
    ]
    trust = trusting(guarded)
    for number, (line, headers, field) in enumerate(asked):
        fields = [f"{name}: {value}" for name, value in headers.items()] + [field] * bool(field)
        answer = _raw(guarded, trust, f"127.210.{number}.1", [line, *fields])
        assert answer.startswith("HTTP/1.1 "), (line, field)
        assert taken([answer]) == set(), (line, headers, field)


def test_the_same_sees_an_article_without_the_guard(unguarded: Archive) -> None:
    answer = _raw(unguarded, trusting(unguarded), "127.0.0.1", [f"GET {STORY.replace('0100', '0003')} HTTP/1.1"])
    assert taken([answer]) == {3}


def _raw(archive: Archive, trust: ssl.SSLContext, address: str, lines: list[str]) -> str:
    """One request as it is written here, on a connection of its own; all that comes."""
    where = ("127.0.0.1", archive.server.port)
    request = "\r\n".join([*lines, f"Host: {NAME}:{archive.server.port}", "Connection: close", "", ""])
    with (
        socket.create_connection(where, timeout=20, source_address=(address, 0)) as plain,
        trust.wrap_socket(plain, server_hostname=NAME) as line,
    ):
        line.sendall(request.encode("latin-1"))
        found = bytearray()
        while piece := line.recv(65536):
            found += piece
    return found.decode("latin-1")


def test_a_reader_of_the_same_archive_reads_on(guarded: Archive, address: str) -> None:
    """After all that, somebody whose browser does what browsers do: nobody pays for what others have done."""
    with session(guarded, address) as client:
        lead = client.get(guarded.urls[150], timeout=20).text
        for sheet in re.findall(r'href="(/[^"]+\.css[^"]*)"', lead):
            client.get(guarded.origin + sheet, timeout=20)
        posted = proof(lead)
        assert posted is not None
        rest = client.post(guarded.origin + posted[0], data=posted[1], timeout=20)
        second = client.get(guarded.urls[151], timeout=20)
    assert taken([rest.text, second.text]) == {150, 151}
