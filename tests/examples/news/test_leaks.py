"""No unknown client gets an article's text by any address, method or header: every route of the example, tried.

The routes are the application's own, so one that is new and has no example here fails the test. A leak is any twelve
words in a row of any article, from beyond its lead, in whatever spelling; titles, summaries and captions may be told.
That the test can fail is seen by what the site gives without the guard, to a reader with a pass, and with feeds left
as they are.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

import pytest
from starlette.applications import Starlette

from contentguard import ContentGuardMiddleware, Settings
from contentguard.assets import ASSETS
from contentguard.crawlers import CATALOGUE
from contentguard.model import Purpose
from contentguard.rewrite.feeds import KINDS
from contentguard.rewrite.withheld import plain, untagged, words
from examples.news.app import create_app
from examples.news.content import Article, load
from examples.news.serve import CONTENT, SETTINGS_FILE
from tests.client import CHROME, CURL, FACEBOOK, FEW, KEY, earned, http_scope
from tests.guard.test_reading import GOOGLEBOT

ORIGIN = "https://news.example"
RUN = 12
ARTICLES = list(load(CONTENT))
SLUG, OTHER = ARTICLES[0].slug, ARTICLES[-1].slug
SECTION = "science"

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "/": ("/", "/?page=2", "/?page=3"),
    "/section/{name}": (f"/section/{SECTION}", f"/section/{SECTION}?page=2"),
    "/news/{slug}": (f"/news/{OTHER}", f"/news/{SLUG}"),
    "/search": ("/search", "/search?q=the", "/search?q=tide+harbour"),
    "/feed.xml": ("/feed.xml",),
    "/atom.xml": ("/atom.xml",),
    "/feed.json": ("/feed.json",),
    "/section/{name}/feed.xml": (f"/section/{SECTION}/feed.xml",),
    "/section/{name}/atom.xml": (f"/section/{SECTION}/atom.xml",),
    "/section/{name}/feed.json": (f"/section/{SECTION}/feed.json",),
    "/news/{slug}/feed": (f"/news/{SLUG}/feed",),
    "/news/{slug}/print": (f"/news/{SLUG}/print",),
    "/news/{slug}/amp": (f"/news/{SLUG}/amp",),
    "/sitemap.xml": ("/sitemap.xml",),
    "/news-sitemap.xml": ("/news-sitemap.xml",),
    "/privacy": ("/privacy",),
    "/contact": ("/contact",),
    "/licensing": ("/licensing",),
    "/static": ("/static/style.css",),
    "/images": ("/images/",),
}
"""What to ask of each route. A route that is new belongs here."""
WHOLE = (
    "/news/{slug}",
    "/news/{slug}/print",
    "/news/{slug}/amp",
    "/news/{slug}/feed",
    "/feed.xml",
    "/atom.xml",
    "/feed.json",
    "/section/{name}/feed.xml",
    "/section/{name}/atom.xml",
    "/section/{name}/feed.json",
)
"""Routes by which the site itself gives whole articles."""
OWN = (
    *("/robots.txt", "/.well-known/tdmrep.json", "/.contentguard", "/.contentguard/"),
    *("/.contentguard/rest", "/.contentguard/status", "/.contentguard/revoke", "/.contentguard/qr/x.svg"),
    *("/.contentguard/wait/x", "/.contentguard/enter/x", "/.contentguard/more/x", "/.contentguard/report"),
    *("/.contentguard/q/x", "/.contentguard/oembed", "/oembed"),
    *(f"/.contentguard/{name}" for name in ASSETS),
)
"""Routes of the guard."""

_SEARCH = next(
    one for one in CATALOGUE.crawlers
    if one.purpose is Purpose.SEARCH and not (one.ranges or one.hosts or one.agents or one.control)
)  # fmt: skip
CLIENTS: Mapping[str, Mapping[str, str]] = {
    "curl": CURL,
    "python": {"user-agent": "python-requests/2.32.3", "accept": "*/*", "accept-encoding": "gzip, deflate"},
    "nothing": {},
    "chrome without a pass": CHROME,
    "unverified search robot": {"user-agent": f"Mozilla/5.0 (compatible; {_SEARCH.token}/2.0)"},
    "who says to be Googlebot": GOOGLEBOT,
    "unfurler": FACEBOOK,
    "feed reader": {"user-agent": "Feedly/1.0 (+http://www.feedly.com/fetcher.html)", "accept-encoding": "gzip"},
    "AI": {"user-agent": "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0"},
}

QUERIES = (
    *("print", "print=1", "amp", "amp=1", "output=amp", "output=print", "output=1", "format=json", "format=print"),
    *("format=rss", "feed", "feed=rss2", "view=full", "full=1", "cg=x", "cg=", "page=1", "utm_source=x&print"),
    *("_escaped_fragment_=", "PRINT", "print%3D1", "print&print=0", "content-guard=off"),
)
SUFFIXES = (
    "/",
    "/feed",
    "/feed/",
    "/amp",
    "/print",
    "/print/",
    ";x",
    ".html",
    ".json",
    ".md",
    "%00",
    "%2F",
    "%2Fprint",
    "//",
)
HEADERS: tuple[Mapping[str, str], ...] = (
    {"range": "bytes=0-"},
    {"range": "bytes=4000-9000"},
    {"range": "bytes=0-10,4000-9000"},
    {"if-none-match": "*"},
    {"if-none-match": '"x"'},
    {"if-modified-since": "Tue, 01 Sep 2020 10:00:00 GMT"},
    {"if-range": '"x"', "range": "bytes=0-"},
    {"accept": "application/json"},
    {"accept": "application/rss+xml"},
    {"accept": "text/plain"},
    {"accept": "application/xhtml+xml"},
    {"accept-encoding": "br"},
    {"accept-encoding": "gzip;q=0, identity"},
    {"x-http-method-override": "GET"},
    {"x-contentguard": "off"},
    {"x-contentguard-verdict": "allow"},
    {"x-original-url": f"/news/{SLUG}", "x-rewrite-url": f"/news/{SLUG}"},
    {"x-forwarded-for": "66.249.66.1"},
    {"x-requested-with": "XMLHttpRequest"},
    {"sec-fetch-dest": "empty", "sec-fetch-mode": "cors"},
    {"sec-fetch-dest": "iframe"},
    {"sec-fetch-dest": "image"},
    {"sec-purpose": "prefetch;prerender"},
    {"cookie": "contentguard=x; __Host-contentguard=y"},
    {"referer": "https://www.google.com/"},
)
METHODS = ("HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get", "")


class Ask(NamedTuple):
    """One request."""

    path: str
    query: str = ""
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()


class Leaks:
    """What of all articles is beyond their leads, by its runs of words."""

    def __init__(self, articles: Iterable[Article]) -> None:
        self._of: dict[int, str] = {}
        for article in articles:
            found = words(untagged(plain(article.html)))
            start = int(1.5 * min(120, 0.25 * len(found))) + 1
            for run in _runs(found[start:]):
                self._of[run] = article.slug
        for article in articles:
            for told in (article.title, article.summary, article.image_alt):
                for run in _runs(words(told)):
                    self._of.pop(run, None)

    def found_in(self, text: str) -> set[str]:
        """The slugs of the articles of which a text tells something that it should not."""
        readings = {untagged(plain(text)), plain(untagged(text)), plain(text)}
        return {self._of[run] for reading in readings for run in _runs(words(reading)) if run in self._of}


def _runs(found: list[str]) -> Iterator[int]:
    return map(hash, zip(*(found[n:] for n in range(RUN)), strict=False))


LEAKS = Leaks(ARTICLES)
_ADDRESSES = count()


@pytest.fixture(scope="module")
def site() -> ContentGuardMiddleware:
    """The example behind its guard, for all tests that need none of their own."""
    return guarded()


def plain_site() -> Starlette:
    return create_app(ARTICLES, origin=ORIGIN, images=CONTENT / "images")


def guarded(**overrides: Any) -> ContentGuardMiddleware:
    """The example as it ships; nobody is asked for robots' names."""
    chosen = {"identification": {"dns": False}, "visits": {"clients": FEW}, "limits": {"clients": FEW}, **overrides}
    return ContentGuardMiddleware(
        plain_site(), settings=Settings.load(SETTINGS_FILE, origin=ORIGIN, secret_key=KEY, **chosen)
    )


def asked(path: str, query: str = "", method: str = "GET", **headers: str) -> Ask:
    """A request, as it is written in an URL."""
    path, _, own = path.partition("?")
    return Ask(path, "&".join(filter(None, (own, query))), method, tuple(headers.items()))


def everything(paths: Iterable[str]) -> Iterator[Ask]:
    """These paths in all variants."""
    for path in paths:
        yield asked(path)
        bare = path.partition("?")[0]
        yield from (asked(path, query) for query in QUERIES)
        yield from (asked(bare + suffix) for suffix in SUFFIXES)
        yield from (asked(path, method=method) for method in METHODS)
        yield from (asked(path, **headers) for headers in HEADERS)
        yield asked(path, method="POST", **{"x-http-method-override": "GET", "content-length": "0"})
        yield asked(bare.upper())
        yield asked("/" + bare)
        yield asked("/." + bare)
        yield asked("/x/.." + bare)
        yield asked(bare.replace("/news/", "/news%2F").replace("e", "%65"))
        yield asked(bare.replace("/", "\\"))


class _Connected:
    """A client that has sent its request, and waits."""

    told = False

    async def __call__(self) -> dict[str, Any]:
        if self.told:
            await asyncio.Event().wait()
        self.told = True
        return {"type": "http.request", "body": b"", "more_body": False}


def _sends_to(sent: list[dict[str, Any]]) -> Callable[[dict[str, Any]], Awaitable[None]]:
    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    return send


async def tell(app: Any, ask: Ask, client: Mapping[str, str]) -> tuple[int, str, Mapping[str, str]]:
    """Status, all that is told, and the headers of one answer. Each request comes from an address of its own."""
    number = next(_ADDRESSES)
    headers = {**client, **dict(ask.headers)}
    address = f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1", 4000
    path = re.sub("%([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), ask.path)
    scope = http_scope(path, headers, method=ask.method, query_string=ask.query.encode(), client=address)
    scope["raw_path"] = ask.path.encode()
    sent: list[dict[str, Any]] = []
    await asyncio.wait_for(app(scope, _Connected(), _sends_to(sent)), 30)
    start = next((message for message in sent if message["type"] == "http.response.start"), None)
    assert start is not None, ask
    body = b"".join(message.get("body", b"") for message in sent)
    found = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    if found.get("content-encoding") == "gzip" and body:
        body = zlib.decompress(body, 31)
    return start["status"], body.decode("utf-8", "replace") + "\n" + " ".join(found.values()), found


def leaks(app: Any, asks: Iterable[Ask], clients: Mapping[str, Mapping[str, str]]) -> list[tuple[str, Ask]]:
    """Who got something that they should not have, and how."""

    async def run() -> list[tuple[str, Ask]]:
        found, seen = [], dict[str, bool]()
        for ask in asks:
            for name, client in clients.items():
                _, text, _ = await tell(app, ask, client)
                # Most answers are one of a few.
                known = re.sub(r"[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}|[A-Za-z0-9_-]{19,}", "", text)
                if known not in seen:
                    seen[known] = bool(LEAKS.found_in(text))
                if seen[known]:
                    found.append((name, ask))
        return found

    return asyncio.run(run())


def routes(site: Starlette) -> list[str]:
    """The paths of all of a site's routes."""
    return [route.path for route in site.routes]  # type: ignore[attr-defined]


def test_every_route_has_an_example() -> None:
    assert set(routes(plain_site())) == set(EXAMPLES), "a new route: add what to ask of it to EXAMPLES"


@pytest.mark.parametrize("route", EXAMPLES)
def test_alternate_representations(route: str, site: ContentGuardMiddleware) -> None:
    """threats §4.1: decide on the response, whatever address, query, method and header it was asked for with."""
    assert leaks(site, map(asked, EXAMPLES[route]), CLIENTS) == []
    # In all variants, by those who differ most in what they get; where there is nothing to give, each by one of them.
    asks = list(everything(EXAMPLES[route][:1]))
    shares = (asks, asks[::2], asks[1::2]) if route in WHOLE else (asks[::3], asks[1::3], asks[2::3])
    for name, some in zip(("chrome without a pass", "curl", "feed reader"), shares, strict=True):
        assert leaks(site, some, {name: CLIENTS[name]}) == []


def test_the_guard_s_own_routes(site: ContentGuardMiddleware) -> None:
    asks = list(everything(OWN))
    assert leaks(site, asks[::4], {"curl": CURL}) + leaks(site, asks[2::4], {"chrome without a pass": CHROME}) == []


def test_a_ticket_that_was_not_earned_opens_nothing(site: ContentGuardMiddleware) -> None:
    _, lead, _ = asyncio.run(tell(site, asked(f"/news/{SLUG}"), CHROME))
    found = re.search(r"/\.contentguard/wait/([\w-]+)", lead)
    assert found is not None
    ticket = found[1]
    ways = [
        asked(f"/.contentguard/{way}/{ticket}", method=method)
        for way in ("wait", "enter", "rest")
        for method in METHODS
    ]
    assert (
        leaks(site, [*ways, asked(f"/news/{SLUG}", f"cg={ticket}"), asked("/feed.xml", f"cg={ticket}")], CLIENTS) == []
    )


@pytest.mark.parametrize(
    "path",
    [
        *("/news%2F{slug}", "/news%5C{slug}", "/news/{slug}%5Cprint"),
        *("/news/{slug}%23f", "/news/{slug}#f", "/news/{slug}/print%23"),
        *("/news/{slug};x", "/news/{slug}/print;x=1", "/news/x/..;x/{slug}", "/news/..;/news/{slug}/amp"),
        *("/news/{slug}%00", "/./news/{slug}", "/news/../news/{slug}/print", "/news/%2e%2e/news/{slug}", "*"),
        *("//news/{slug}/print", "https://news.example/news/{slug}/print", "/%6eews/{slug}/amp", "/news/{slug}%2Famp"),
    ],
    ids=lambda path: path.replace("{slug}", "a"),
)  # fmt: skip
def test_cve_2021_29492_2021_32779_2026_73551_2026_73553_2019_9900_2019_9901_2025_46821(
    path: str, site: ContentGuardMiddleware
) -> None:
    """An address spelled in another way is no other way to an article."""
    asks = [asked(path.replace("{slug}", SLUG), query) for query in ("", "print", "amp")]
    assert leaks(site, asks, CLIENTS) == []


def test_range_head_options_post_method_override(site: ContentGuardMiddleware) -> None:
    """threats §4.1: HEAD tells what GET would, and nothing that was not asked by GET or HEAD is an article."""
    for route in WHOLE:
        for path in EXAMPLES[route]:
            _, _, got = asyncio.run(tell(site, asked(path), CURL))
            status, text, head = asyncio.run(tell(site, asked(path, method="HEAD"), CURL))
            assert text.startswith("\n"), "no body"
            assert set(head) == set(got) or status == 403
            assert asyncio.run(tell(site, asked(path, method="OPTIONS"), CHROME))[0] == 405


def test_304_etag_leak() -> None:
    """threats §4.1: what a reader with a pass holds is nothing that a stranger is told to hold."""
    site = guarded()
    with_pass = {**CHROME, "cookie": earned(site, f"/news/{SLUG}")}
    for route in WHOLE:
        path = EXAMPLES[route][0]
        _, _, headers = asyncio.run(tell(site, asked(path), with_pass))
        for name, client in CLIENTS.items():
            for tag in filter(None, (headers.get("etag"), f'"{SLUG}"')):
                status, text, _ = asyncio.run(tell(site, asked(path, **{"if-none-match": tag}), client))
                assert not LEAKS.found_in(text), (name, path)
                if "news" in path and not path.endswith("/feed"):
                    assert status != 304, (name, path)


def test_cache_poisoning() -> None:
    """threats §4.1: what is one reader's own is nothing for a shared cache; a feed's excerpts are everybody's."""
    site = guarded()
    with_pass = {**CHROME, "cookie": earned(site, f"/news/{SLUG}")}
    for route in WHOLE:
        path = EXAMPLES[route][0]
        for client in (with_pass, CHROME):
            _, _, headers = asyncio.run(tell(site, asked(path), client))
            cached = headers.get("cache-control", "")
            is_feed = headers["content-type"].partition(";")[0] in KINDS
            assert ("public" in cached) == is_feed
            assert ("private" in cached) == (not is_feed)


class TestControl:
    """The test can fail."""

    @pytest.mark.parametrize("route", WHOLE)
    def test_without_the_guard_the_site_gives_everything(self, route: str) -> None:
        asks = [asked(path) for path in EXAMPLES[route]]
        assert len(leaks(plain_site(), asks, CLIENTS)) == len(asks) * len(CLIENTS)

    def test_with_it_a_reader_with_a_pass_has_every_view(self) -> None:
        site = guarded()
        with_pass = {"reader": {**CHROME, "cookie": earned(site, f"/news/{SLUG}")}}
        views = [asked(f"/news/{SLUG}{more}") for more in ("", "?print", "?output=print", "/print", "/amp", "/feed")]
        assert [ask.path + ask.query for _, ask in leaks(site, views, with_pass)] == [
            ask.path + ask.query for ask in views[:-1]
        ]

    @pytest.mark.parametrize(
        ("overrides", "route"),
        [
            ({"feeds": {"mode": "full"}}, "/feed.xml"),
            ({"feeds": {"mode": "full"}}, "/section/{name}/feed.json"),
            ({"feeds": {"words": 400, "share": 0.9}}, "/atom.xml"),
            ({"reading": {"mode": "off"}}, "/news/{slug}/print"),
            ({"policy": {"rights": {"tool": "allow"}}, "reading": {"mode": "off"}}, "/news/{slug}/amp"),
        ],
    )
    def test_what_is_switched_off_is_noticed(self, overrides: dict[str, Any], route: str) -> None:
        assert leaks(guarded(**overrides), map(asked, EXAMPLES[route]), CLIENTS)

    @pytest.mark.parametrize(
        "spell", [lambda t: t, lambda t: t.replace(" ", "&#32;"), lambda t: "".join(f"\\u{ord(c):04x}" for c in t)]
    )
    def test_a_text_is_known_in_other_spellings(self, spell: Callable[[str], str]) -> None:
        text = " ".join(ARTICLES[0].text.split()[-40:])
        assert LEAKS.found_in(f"<p>{spell(text)}</p>") == {SLUG}
        assert not LEAKS.found_in(spell(" ".join(text.split()[:8])))


class TestOneArticle:
    """Variants of an article are one article."""

    def test_they_count_once_and_open_together(self) -> None:
        site = guarded(meter={"articles_per_hour": 3, "new_reader_articles_per_hour": 3})
        cookie = earned(site, f"/news/{SLUG}")

        def is_whole(path: str) -> bool:
            _, text, _ = asyncio.run(tell(site, asked(path), {**CHROME, "cookie": cookie}))
            return bool(LEAKS.found_in(text))

        for article in ARTICLES[:3]:
            for more in ("", "?print", "/print", "/amp", "?print=1", "?utm_source=x", "/print?x=1"):
                assert is_whole(f"/news/{article.slug}{more}"), (article.slug, more)
        for more in ("", "?print", "/amp"):
            assert not is_whole(f"/news/{ARTICLES[3].slug}{more}"), "three an hour"
        assert is_whole(f"/news/{SLUG}/amp"), "to read again is free"

    def test_a_gift_opens_them_too(self) -> None:
        site = guarded()
        link = asyncio.run(site.links.gift(f"/news/{SLUG}", "ada"))
        assert link is not None
        query = link.partition("?")[2]
        assert leaks(site, [asked(f"/news/{SLUG}/print", query)], {"a friend": CHROME})
        assert not leaks(site, [asked(f"/news/{OTHER}/print", query)], {"a friend": CHROME})

    @pytest.mark.parametrize("more", ["?print", "/print", "/amp"])
    def test_each_names_the_article_and_is_not_indexed(self, more: str, site: ContentGuardMiddleware) -> None:
        for client in (CHROME, FACEBOOK):
            _, text, _ = asyncio.run(tell(site, asked(f"/news/{SLUG}{more}"), client))
            assert f'<link rel="canonical" href="{ORIGIN}/news/{SLUG}">' in text
            assert '<meta name="robots" content="noindex' in text
        _, sitemap, _ = asyncio.run(tell(site, asked("/sitemap.xml"), CURL))
        assert not re.search(r"[?/]print|/amp<|/feed", sitemap)

    def test_a_printed_page_names_its_copy(self) -> None:
        site = guarded()
        with_pass = {**CHROME, "cookie": earned(site, f"/news/{SLUG}")}
        numbers = []
        for more in ("", "?print", "/print"):
            for client in (with_pass, CHROME):
                _, text, _ = asyncio.run(tell(site, asked(f"/news/{SLUG}{more}"), client))
                found = re.search(
                    rf'data-cg-print="Printed from {ORIGIN}/news/{SLUG} on [\d-]+\. Copy no\. ([\dA-F-]+)', text
                )
                assert found is not None, more
                numbers.append(found[1])
        assert len(set(numbers)) == len(numbers)

    def test_what_the_light_page_says_of_itself_is_cut_as_well(self, site: ContentGuardMiddleware) -> None:
        _, text, _ = asyncio.run(tell(plain_site(), asked(f"/news/{SLUG}/amp"), CHROME))
        assert '"articleBody"' in text
        _, text, _ = asyncio.run(tell(site, asked(f"/news/{SLUG}/amp"), CHROME))
        assert '"articleBody"' not in text
