"""Progressive reading on the example news server: real HTTP clients in a browser's clothes, and every representation.

Each client comes from an address of its own (all of 127.0.0.0/8 leads here) and asks for every article of the paper.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import aiohttp
import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter

from contentguard.assets import PRINT
from tests.client import CHROME, proof
from tests.servers.harness import Server, fetch, need_program, news
from tests.servers.test_scrapers import ARTICLES, EXCERPT, PIECE, holds, letters, paragraphs, pieces_of, text_of, url

CLOTHES = {**CHROME, "accept-encoding": "gzip, deflate"}


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with news(tmp_path_factory.mktemp("paper") / "log") as server:
        yield server


class From(HTTPAdapter):
    """An adapter of requests that connects from one address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: object, **options: object) -> None:
        super().init_poolmanager(*args, **options, source_address=(self._address, 0))  # type: ignore[arg-type]


def session(address: str) -> requests.Session:
    made = requests.Session()
    made.headers.clear()
    made.headers.update(CLOTHES)
    made.mount("http://", From(address))
    return made


def with_requests(server: Server, address: str, folder: Path) -> list[str]:
    with session(address) as client:
        return [client.get(url(server, article), timeout=20).text for article in ARTICLES]


def with_requests_and_no_jar(server: Server, address: str, folder: Path) -> list[str]:
    found = []
    for article in ARTICLES:
        with session(address) as client:
            found.append(client.get(url(server, article), timeout=20).text)
    return found


def with_httpx(server: Server, address: str, folder: Path) -> list[str]:
    transport = httpx.HTTPTransport(local_address=address)
    with httpx.Client(transport=transport, headers=CLOTHES, timeout=20) as client:
        return [client.get(url(server, article)).text for article in ARTICLES]


def with_aiohttp(server: Server, address: str, folder: Path) -> list[str]:
    async def run() -> list[str]:
        jar, connector = aiohttp.CookieJar(unsafe=True), aiohttp.TCPConnector(local_addr=(address, 0))
        async with aiohttp.ClientSession(headers=CLOTHES, cookie_jar=jar, connector=connector) as client:
            found = []
            for article in ARTICLES:
                async with client.get(url(server, article)) as answer:
                    found.append(await answer.text())
            return found

    return asyncio.run(run())


def with_curl(server: Server, address: str, folder: Path) -> list[str]:
    headers = [part for name, value in CHROME.items() for part in ("-H", f"{name}: {value}")]
    jar = ["-b", "jar", "-c", "jar", "--interface", address, "--compressed", "-s", "-L"]
    command = [need_program("curl"), *jar, *headers]
    return [
        subprocess.run([*command, url(server, one)], cwd=folder, capture_output=True, check=True).stdout.decode()
        for one in ARTICLES
    ]


CLIENTS: dict[str, Callable[[Server, str, Path], list[str]]] = {
    "requests with a jar": with_requests,
    "requests without": with_requests_and_no_jar,
    "httpx": with_httpx,
    "aiohttp": with_aiohttp,
    "curl with a jar": with_curl,
}


def whole(pages: list[str]) -> int:
    """How many of these pages hold their articles."""
    return sum(holds(page, article) for page, article in zip(pages, ARTICLES, strict=True))


@pytest.mark.parametrize(("number", "client"), list(enumerate(CLIENTS.values())), ids=CLIENTS)
def test_a_client_in_a_browsers_clothes_gets_two_articles_at_most(
    paper: Server, client: Callable[[Server, str, Path], list[str]], number: int, tmp_path: Path
) -> None:
    pages = client(paper, f"127.0.1.{number + 1}", tmp_path)
    assert all("<title>" in page for page in pages), "each was answered with a page"
    assert whole(pages) <= 2


def solved(server: Server, client: requests.Session) -> str:
    """One article for a client that has been taught to solve."""
    for article in ARTICLES:
        lead = client.get(url(server, article), timeout=20).text
        if (posted := proof(lead)) is not None:
            where, body = posted
            return client.post(server.url + where, data=body, timeout=20).text
    return ""


def test_one_that_solves_and_keeps_its_pass_gets_its_meter(paper: Server) -> None:
    with session("127.0.2.1") as client:
        assert solved(paper, client)
        pages = [client.get(url(paper, article), timeout=20).text for article in ARTICLES]
    assert 1 <= whole(pages) <= 5


def test_one_that_solves_each_time_anew_gets_no_more_than_a_reader(paper: Server) -> None:
    got = 0
    for article in ARTICLES * 2:
        with session("127.0.2.2") as client:
            posted = proof(client.get(url(paper, article), timeout=20).text)
            assert posted is not None
            got += client.post(paper.url + posted[0], data=posted[1], timeout=20).status_code == 200
    assert 1 <= got <= 30


def test_one_that_waits_gets_its_meter(paper: Server) -> None:
    with session("127.0.2.3") as client:
        lead = client.get(url(paper, ARTICLES[0]), timeout=20).text
        waiting = client.get(paper.url + _led("wait", lead), timeout=20)
        assert waiting.status_code == 503
        time.sleep(2.1)
        entered = client.get(paper.url + _led("enter", waiting.text), timeout=20)
        assert holds(entered.text, ARTICLES[0])
        pages = [client.get(url(paper, article), timeout=20).text for article in ARTICLES]
    assert 1 <= whole(pages) <= 5


def test_a_reader_reads_on(paper: Server) -> None:
    """The same steps as a browser takes by itself, the sheet of every page among them."""
    with session("127.0.2.4") as client:
        assert solved(paper, client)
        for _ in range(3):
            client.get(f"{paper.url}/.contentguard/{PRINT.file}", timeout=20)
        page = client.get(url(paper, ARTICLES[3]), timeout=20).text
    assert holds(page, ARTICLES[3])


def _led(way: str, page: str) -> str:
    found = re.search(rf'href="(/\.contentguard/{way}/[\w-]+)"', page)
    assert found is not None, page
    return found[1]


def test_what_a_lead_withholds_stands_nowhere_else(paper: Server) -> None:
    """Every representation that the site has of its articles, in its text and anywhere in its markup."""
    elsewhere = ["/", "/feed.xml", "/atom.xml", "/sitemap.xml", "/news-sitemap.xml", "/robots.txt"]
    elsewhere += [f"/section/{name}" for name in {article.section for article in ARTICLES}]
    heaps = {path: _heap(fetch(paper, path, CHROME).text) for path in elsewhere}
    for article in ARTICLES:
        lead = fetch(paper, f"/news/{article.slug}", CHROME).text
        shown, heap = letters(text_of(lead)), _heap(lead)
        withheld = [words for words in paragraphs(article) if words not in shown]
        assert withheld, article.slug
        pieces = [words[at : at + PIECE] for words in withheld for at in range(0, len(words) - PIECE + 1, PIECE)]
        assert not [piece for piece in pieces if piece in heap], article.slug
        word = max(re.findall(r"[a-z]+", text_of(article.html).casefold()), key=len)
        heaps["/search"] = _heap(fetch(paper, f"/search?q={word}", CHROME).text)
        for path, found in heaps.items():
            # A feed's excerpt is as long as a lead, but does not end where that does.
            some = pieces if path not in ("/feed.xml", "/atom.xml") else pieces_of(article, EXCERPT)
            assert not [piece for piece in some if piece in found], (article.slug, path)


def _heap(page: str) -> str:
    return letters(text_of(page)) + "|" + letters(page)


def test_the_cookie_of_a_pass_is_no_one_else_s_to_read(paper: Server) -> None:
    with session("127.0.2.5") as client:
        lead = client.get(url(paper, ARTICLES[0]), timeout=20)
        cookie = SimpleCookie(lead.headers["set-cookie"])["contentguard"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
