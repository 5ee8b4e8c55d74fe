"""Feeds and sitemaps are well formed, complete, and never carry an article's text."""

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


@pytest.mark.parametrize("write", [feeds.rss, feeds.atom, feeds.sitemap, feeds.news_sitemap])
def test_no_feed_carries_text_even_when_it_is_given(folder: Path, write: Callable[..., bytes]) -> None:
    body = write(load(folder), LINKS)
    assert b"herring" not in body
    assert b"nets" not in body


@pytest.mark.parametrize("write", [feeds.rss, feeds.atom, feeds.sitemap, feeds.news_sitemap])
def test_any_title_is_well_formed(folder: Path, write: Callable[..., bytes]) -> None:
    hostile = "]]><script>&\x00\x0b\ud800\uffff \U0001f41f"
    story = replace(load(folder)[0], title=hostile, summary=hostile, section=f"A{hostile}", author=hostile)
    text = "".join(ET.fromstring(write([story], LINKS)).itertext())
    assert "/news/story-0" in text
    assert ("]]><script>& \U0001f41f" in text) is (write is not feeds.sitemap)  # which holds no titles
    assert len(ET.fromstring(write([], LINKS))) < 7
