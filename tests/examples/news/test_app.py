"""Every address of the site: what it answers, and what it refuses to be talked into."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from examples.news.app import create_app
from examples.news.content import Article, load
from examples.news.headers import SECURITY
from examples.news.links import OriginError, clean_origin

Fetch = Callable[..., httpx.Response]
ORIGIN = "https://gazette.example"
PAGES = (
    "/",
    "/?page=2",
    "/section/harbour",
    "/news/story-0",
    "/news/story-1",
    "/search",
    "/search?q=herring",
)
FIXED = ("/privacy", "/contact", "/licensing")
XML = ("/feed.xml", "/atom.xml", "/sitemap.xml", "/news-sitemap.xml")
FILES = ("/static/style.css", "/static/favicon.svg", "/static/default.png", "/images/pier.png")


class Strict(HTMLParser):
    """Collect what a strict content security policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.forbidden: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append(tag)
        if tag == "script" and named.get("type") != "application/ld+json":
            self.forbidden.append(tag)
        if tag in ("style", "iframe", "object", "base"):
            self.forbidden.append(tag)
        self.forbidden += [name for name in named if name == "style" or name.startswith("on")]


def linked(page: str) -> list[dict[str, object]]:
    """Return the JSON-LD blocks of a page."""
    blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    return [json.loads(block) for block in blocks]


def meta(page: str) -> dict[str, str]:
    """Return the meta elements of a page by name or property."""
    return {
        name: unescape(text) for name, text in re.findall(r'<meta (?:name|property)="(.*?)" content="(.*?)">', page)
    }


@pytest.mark.parametrize("path", [*PAGES, *FIXED])
def test_pages_are_whole_html_without_code(get: Fetch, path: str) -> None:
    answer = get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!DOCTYPE html>")
    assert re.search(r'<html lang="en">\s*<head>\s*<meta charset="utf-8">', answer.text)
    parser = Strict()
    parser.feed(answer.text)
    assert parser.forbidden == []
    assert parser.tags.count("h1") == 1
    assert parser.tags.count("main") == 1
    assert "evil.example" not in answer.text
    assert 'type="application/rss+xml"' in answer.text


@pytest.mark.parametrize("path", [*PAGES, *FIXED, *XML, *FILES, "/nowhere", "/robots.txt"])
def test_every_answer_carries_the_security_headers(get: Fetch, path: str) -> None:
    answer = get(path)
    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/robots.txt", "/news/none", "/section/none", "/static/", "/static/x", "/news/story-0/"],
)
def test_what_is_not_there_is_a_404_in_the_design(get: Fetch, path: str) -> None:
    answer = get(path)
    assert answer.status_code == 404
    assert "Page not found" in answer.text
    assert meta(answer.text)["robots"] == "noindex"
    assert answer.headers["cache-control"] == "no-store"


def test_other_methods(get: Fetch) -> None:
    assert get("/", "HEAD").status_code == 200
    refused = get("/", "POST")
    assert refused.status_code == 405
    assert "GET" in refused.headers["allow"]


@pytest.mark.parametrize(
    ("asked", "status", "shown"),
    [
        ("1", 200, 1),
        ("2", 200, 2),
        ("3", 200, 3),
        ("4", 404, None),
        ("999", 404, None),
        ("99999999999999999999999", 200, 1),
        ("0", 200, 1),
        ("-1", 200, 1),
        ("abc", 200, 1),
        ("", 200, 1),
        ("٣", 200, 1),
        ("1.5", 200, 1),
        ("2;DROP", 200, 1),
    ],
)
@pytest.mark.parametrize("list_path", ["/"])
def test_pagination(get: Fetch, list_path: str, asked: str, status: int, shown: int | None) -> None:
    answer = get(f"{list_path}?page={asked}")
    assert answer.status_code == status
    if shown is not None:
        assert f"Page {shown} of 3" in answer.text
        canonical = ORIGIN + (list_path if shown == 1 else f"{list_path}?page={shown}")
        assert f'<link rel="canonical" href="{canonical}">' in answer.text


def test_every_story_is_on_exactly_one_page_of_the_list(get: Fetch) -> None:
    seen = [
        slug
        for number in (1, 2, 3)
        for slug in re.findall(r'class="cover" href="/news/(.*?)"', get(f"/?page={number}").text)
    ]
    assert seen == [f"story-{number}" for number in range(12)]


def test_sections(get: Fetch) -> None:
    page = get("/section/arts-books").text
    assert "<h1>Arts &amp; Books</h1>" in page
    assert re.findall(r'class="cover" href="/news/(.*?)"', page) == [f"story-{n}" for n in (2, 5, 8, 11)]
    assert get("/section/arts-books?page=2").status_code == 404


def test_the_article_page(get: Fetch) -> None:
    page = get("/news/story-0").text
    article = page[page.index("<article") : page.index("</article>")]
    assert "<h1>Story number 0</h1>" in article
    assert '<time datetime="2026-03-20T08:30:00+00:00">' in article
    assert 'alt="The pier at dawn" width="1200" height="630"' in article
    assert re.search(r'<div class="entry-content">\s*<p>The herring came early', article)
    assert "Read next" not in article
    assert "Read next" in page


@pytest.mark.parametrize(("slug", "picture"), [("story-0", "/images/pier.png"), ("story-1", "/static/default.png")])
def test_link_previews_are_complete(get: Fetch, slug: str, picture: str) -> None:
    page = get(f"/news/{slug}").text
    found = meta(page)
    number = slug[-1]
    assert found["og:title"] == found["twitter:title"] == f"Story number {number}"
    assert found["og:description"] == found["description"] == f"What happened in story {number}."
    assert found["og:url"] == f"{ORIGIN}/news/{slug}"
    assert found["og:image"] == found["twitter:image"] == ORIGIN + picture
    assert (found["og:image:width"], found["og:image:height"]) == ("1200", "630")
    assert found["og:image:alt"]
    assert (found["og:type"], found["og:locale"]) == ("article", "en_GB")
    assert found["og:site_name"] == "The Harbour Gazette"
    assert found["article:published_time"].startswith("2026-03-")
    assert found["article:author"] == "Ada Quayle"
    assert found["article:section"]
    assert found["twitter:card"] == "summary_large_image"
    assert f'<link rel="canonical" href="{ORIGIN}/news/{slug}">' in page
    assert get(picture).status_code == 200


def test_json_ld_says_everything_but_the_text(get: Fetch) -> None:
    news, crumbs = linked(get("/news/story-0").text)
    assert news["@type"] == "NewsArticle"
    assert news["headline"] == "Story number 0"
    assert news["image"] == [f"{ORIGIN}/images/pier.png"]
    assert news["author"] == [{"@type": "Person", "name": "Ada Quayle"}]
    assert {"datePublished", "dateModified", "publisher", "mainEntityOfPage", "description"} <= news.keys()
    assert "articleBody" not in news
    assert "herring" not in json.dumps(news)
    assert crumbs["@type"] == "BreadcrumbList"
    (front,) = linked(get("/").text)
    assert front["@type"] == "WebSite"
    assert "SearchAction" in json.dumps(front)


def test_search(get: Fetch) -> None:
    assert "5 stories" not in get("/search").text
    assert "12 stories for <b>herring</b>" in get("/search?q=herring").text
    assert "Nothing found for <b>xylophone</b>" in get("/search?q=xylophone").text
    assert meta(get("/search?q=herring").text)["robots"] == "noindex"


@pytest.mark.parametrize(
    "query", ['"', "%22%00", "a%20OR", "NEAR(", "text:", "%FF%FE", "*", "a" * 5000, "%F0%9F%90%9F"]
)
def test_hostile_searches_are_answered(get: Fetch, query: str) -> None:
    assert get(f"/search?q={query}").status_code == 200


XSS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "{{ 7*7 }}{% raw %}",
    "\u2028\u2029</script >",
    "javascript:alert(1)",
    "]]>&amp;<",
)


@pytest.mark.parametrize("attack", XSS)
def test_hostile_text_stays_text(folder: Path, ask: Fetch, attack: str) -> None:
    story = replace(
        load(folder)[0], title=attack, summary=attack, author=attack, section=f"S {attack}", image_alt=attack
    )
    app = create_app([story], origin=ORIGIN)
    paths = ("/", "/news/story-0", "/search?q=herring", f"/search?{httpx.QueryParams(q=attack)}")
    for path in paths:
        page = ask(app, path).text
        parser = Strict()
        parser.feed(page)
        assert parser.forbidden == [], path
    news = linked(ask(app, "/news/story-0").text)[0]
    assert news["headline"] == attack
    raw = re.search(r'ld\+json">(.*?)</script>', ask(app, "/news/story-0").text, re.S)
    assert raw
    assert not set("<>&") & set(raw[1])


@pytest.mark.parametrize(
    "name",
    [
        "../00.md",
        "..%2f00.md",
        "%2e%2e/00.md",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%5c00.md",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "//etc/passwd",
        "pier.png%00.md",
        "pier.png/",
        ".",
        "",
        "escape.png",
        "a" * 300,
    ],
)
def test_images_serves_its_folder_and_nothing_else(folder: Path, get: Fetch, name: str) -> None:
    (folder / "images" / "escape.png").symlink_to(folder / "00.md")
    answer = get(f"/images/{name}")
    assert b"herring" not in answer.content
    assert b"root:" not in answer.content
    assert answer.status_code in ((200, 404) if name == "pier.png/" else (404,))


@pytest.mark.parametrize("path", [*XML, *FILES])
def test_conditional_requests(get: Fetch, path: str) -> None:
    first = get(path)
    tag = first.headers["etag"]
    for condition in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = get(path, if_none_match=condition)
        assert again.status_code == 304, condition
        assert again.content == b""
        assert again.headers["etag"] == tag
    assert get(path, if_none_match='"other"').status_code == 200


def test_picture_types(get: Fetch) -> None:
    assert get("/images/pier.png").headers["content-type"] == "image/png"
    assert len(get("/static/default.png").content) < 30_000


def test_it_works_with_a_lifespan(site: Starlette) -> None:
    async def run() -> int:
        async with site.router.lifespan_context(site):
            transport = httpx.ASGITransport(site)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                answers = await asyncio.gather(*(client.get(path) for path in PAGES))
        return sum(answer.status_code == 200 for answer in answers)

    assert asyncio.run(run()) == len(PAGES)


def test_a_fault_of_our_own_is_a_page_too(site: Starlette, get: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_arguments: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(site.state.store, "by_slug", broken)
    answer = get("/news/story-0")
    assert answer.status_code == 500
    assert "Something broke" in answer.text
    assert "secret detail" not in answer.text
    assert answer.headers["content-security-policy"] == SECURITY["Content-Security-Policy"]


def test_a_site_without_articles_still_stands(ask: Fetch) -> None:
    app = create_app([])
    assert "Nothing has been published yet" in ask(app, "/").text
    for path in XML:
        assert ask(app, path).status_code == 200


def test_long_headlines_fit_their_title(folder: Path, ask: Fetch) -> None:
    story: Article = replace(load(folder)[0], title="A headline that goes on and on about the harbour and the tide")
    page = ask(create_app([story]), "/news/story-0").text
    assert f"<title>{story.title}</title>" in page


@pytest.mark.parametrize("origin", ["https://a.example", "http://127.0.0.1:8000", "http://[::1]:80/"])
def test_good_origins(origin: str) -> None:
    assert clean_origin(origin) == origin.rstrip("/")


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "a.example",
        "ftp://a.example",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://u@a",
        "https://a:x",
    ],
)
def test_bad_origins(origin: str) -> None:
    with pytest.raises(OriginError):
        create_app([], origin=origin)
