"""Feeds and sitemaps are well formed and complete; sitemaps never carry an article's text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from examples.news import feeds
from examples.news.content import load
from examples.news.links import Links

Fetch = Callable[..., httpx.Response]
ORIGIN = "https://gazette.example"
LINKS = Links(ORIGIN)
NS = {
    "atom": "http://www.w3.org/2005/Atom",
    "map": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "news": "http://www.google.com/schemas/sitemap-news/0.9",
}


def tree(answer: httpx.Response) -> ET.Element:
    """Parse an answer that must be XML."""
    assert answer.status_code == 200
    assert answer.headers["content-type"].endswith("+xml; charset=utf-8") or "application/xml" in str(answer.headers)
    return ET.fromstring(answer.content)


def test_rss(get: Fetch) -> None:
    channel = tree(get("/feed.xml")).find("channel")
    assert channel is not None
    own = channel.find("atom:link", NS)
    assert own is not None
    assert (own.get("rel"), own.get("href")) == ("self", f"{ORIGIN}/feed.xml")
    items = channel.findall("item")
    assert [item.findtext("guid") for item in items] == [f"{ORIGIN}/news/story-{n}" for n in range(12)]
    assert items[0].findtext("description") == "What happened in story 0."
    assert parsedate_to_datetime(items[0].findtext("pubDate") or "").isoformat() == "2026-03-20T08:30:00+00:00"
    enclosures = channel.findall("item/enclosure")
    assert len(enclosures) == 6
    assert enclosures[0].attrib == {"url": f"{ORIGIN}/images/pier.png", "length": "37", "type": "image/png"}


def test_atom(get: Fetch) -> None:
    feed = tree(get("/atom.xml"))
    entries = feed.findall("atom:entry", NS)
    assert len(entries) == 12
    assert feed.findtext("atom:updated", namespaces=NS) == "2026-03-20T08:30:00+00:00"
    for entry in entries:
        for required in ("atom:id", "atom:title", "atom:updated", "atom:author/atom:name", "atom:summary"):
            assert entry.findtext(required, namespaces=NS), required


def test_the_sitemap_names_every_page(get: Fetch) -> None:
    places = [element.text or "" for element in tree(get("/sitemap.xml")).findall("map:url/map:loc", NS)]
    assert len(places) == len(set(places)) == 1 + 3 + 12 + 3
    for place in places:
        assert get(place.removeprefix(ORIGIN)).status_code == 200


def test_the_news_sitemap_holds_the_last_two_days(get: Fetch) -> None:
    urls = tree(get("/news-sitemap.xml")).findall("map:url", NS)
    assert [url.findtext("map:loc", namespaces=NS) for url in urls] == [f"{ORIGIN}/news/story-{n}" for n in (0, 1, 2)]
    for url in urls:
        assert url.findtext("news:news/news:publication/news:name", namespaces=NS) == "The Harbour Gazette"
        assert url.findtext("news:news/news:publication/news:language", namespaces=NS) == "en"
        assert url.findtext("news:news/news:publication_date", namespaces=NS)
        assert url.findtext("news:news/news:title", namespaces=NS)


def test_the_news_sitemap_has_a_limit(folder: Path) -> None:
    story = load(folder)[0]
    many = [replace(story, slug=f"s-{n}", date=story.date - timedelta(seconds=n)) for n in range(1200)]
    assert feeds.news_sitemap(many, LINKS).count(b"<loc>") == 1000


@pytest.mark.parametrize("write", [feeds.sitemap, feeds.news_sitemap])
def test_no_sitemap_carries_text_even_when_it_is_given(folder: Path, write: Callable[..., bytes]) -> None:
    body = write(load(folder), LINKS)
    assert b"herring" not in body
    assert b"nets" not in body


@pytest.mark.parametrize(
    ("path", "kind", "number"),
    [
        ("/feed.xml", "application/rss+xml", 12),
        ("/atom.xml", "application/atom+xml", 12),
        ("/feed.json", "application/feed+json", 12),
        ("/section/harbour/feed.xml", "application/rss+xml", 4),
        ("/section/harbour/atom.xml", "application/atom+xml", 4),
        ("/section/harbour/feed.json", "application/feed+json", 4),
        ("/news/story-0/feed", "application/rss+xml", 1),
    ],
)
def test_feeds_carry_each_article_whole_and_as_it_is_known(get: Fetch, path: str, kind: str, number: int) -> None:
    answer = get(path)
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    stories = [n for n in range(12) if f"paragraph two of {n}." in answer.text]
    assert len(stories) == number
    again = get(path, if_none_match=answer.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    head = get(path, "HEAD")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", answer.headers["etag"])


def test_the_json_feed(get: Fetch) -> None:
    feed = get("/feed.json").json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["url"] for item in feed["items"]] == [f"{ORIGIN}/news/story-{n}" for n in range(12)]
    first = feed["items"][0]
    assert first["content_html"].startswith("<p>The herring")
    assert (first["image"], first["authors"]) == (f"{ORIGIN}/images/pier.png", [{"name": "Ada Quayle"}])
    assert "image" not in feed["items"][1]


@pytest.mark.parametrize("path", ["/section/none/feed.xml", "/news/none/feed", "/news/none/print", "/news/none/amp"])
def test_what_is_not_there_has_no_variants(get: Fetch, path: str) -> None:
    assert get(path).status_code == 404


@pytest.mark.parametrize("query", ["print", "print=1", "print=true", "output=print", "format=print"])
def test_the_print_view(get: Fetch, query: str) -> None:
    page = get(f"/news/story-0?{query}").text
    assert page == get("/news/story-0/print").text
    assert "<nav" not in page
    assert f'<link rel="canonical" href="{ORIGIN}/news/story-0">' in page
    assert "Nobody had nets" in page
    assert "<nav" in get("/news/story-0?print=0").text


@pytest.mark.parametrize("write", [feeds.rss, feeds.atom, feeds.sitemap, feeds.news_sitemap])
def test_any_title_is_well_formed(folder: Path, write: Callable[..., bytes]) -> None:
    hostile = "]]><script>&\x00\x0b\ud800\uffff \U0001f41f"
    story = replace(load(folder)[0], title=hostile, summary=hostile, section=f"A{hostile}", author=hostile)
    text = "".join(ET.fromstring(write([story], LINKS)).itertext())
    assert "/news/story-0" in text
    assert ("]]><script>& \U0001f41f" in text) is (write is not feeds.sitemap)  # which holds no titles
    assert len(ET.fromstring(write([], LINKS))) < 7
