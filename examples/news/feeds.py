"""What machines read: RSS, Atom, JSON Feed and the two sitemaps, each a pure function from articles to bytes.

Built with ElementTree so that escaping is nobody's job. Feeds carry each article whole, as a publisher's own system
writes them for its readers; how much of that leaves is the guard's affair.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Final
from xml.etree import ElementTree as ET

from .content import Article
from .links import LANGUAGE, SITE, TAGLINE, Links, section_path
from .pictures import media_type

_ATOM: Final = "http://www.w3.org/2005/Atom"
_CONTENT: Final = "http://purl.org/rss/1.0/modules/content/"
_SITEMAP: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS: Final = "http://www.google.com/schemas/sitemap-news/0.9"
_NEWS_DAYS: Final = timedelta(days=2)  # Google reads no older news and no more than a thousand
_NEWS_MOST: Final = 1000
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
FIXED_PAGES: Final = ("/licensing", "/contact", "/privacy")


def rss(articles: Sequence[Article], links: Links) -> bytes:
    """Return the RSS 2.0 feed: headline, summary, text, picture."""
    root = ET.Element("rss", {"version": "2.0", "xmlns:atom": _ATOM, "xmlns:content": _CONTENT})
    channel = ET.SubElement(root, "channel")
    _add(channel, "title", SITE)
    _add(channel, "link", links.to("/"))
    _add(channel, "description", TAGLINE)
    _add(channel, "language", LANGUAGE)
    own = {"href": links.to("/feed.xml"), "rel": "self", "type": "application/rss+xml"}
    _add(channel, "atom:link", **own)
    if articles:
        _add(channel, "lastBuildDate", format_datetime(articles[0].date))
    for article in articles:
        _rss_item(ET.SubElement(channel, "item"), article, links)
    return _bytes(root)


def atom(articles: Sequence[Article], links: Links) -> bytes:
    """Return the Atom feed."""
    root = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": LANGUAGE})
    _add(root, "title", SITE)
    _add(root, "subtitle", TAGLINE)
    _add(root, "id", links.to("/"))
    _add(root, "updated", _iso(articles[0].date if articles else datetime(1970, 1, 1, tzinfo=UTC)))
    _add(root, "link", rel="self", type="application/atom+xml", href=links.to("/atom.xml"))
    _add(root, "link", rel="alternate", type="text/html", href=links.to("/"))
    for article in articles:
        _atom_entry(ET.SubElement(root, "entry"), article, links)
    return _bytes(root)


def json_feed(articles: Sequence[Article], links: Links) -> bytes:
    """Return the JSON Feed, version 1.1."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": SITE,
        "description": TAGLINE,
        "language": LANGUAGE,
        "home_page_url": links.to("/"),
        "feed_url": links.to("/feed.json"),
        "items": [_json_item(article, links) for article in articles],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def sitemap(articles: Sequence[Article], links: Links) -> bytes:
    """Return the sitemap: the front page, the sections, the articles, the fixed pages."""
    root = ET.Element("urlset", {"xmlns": _SITEMAP})
    newest: dict[str, datetime] = {}
    for article in articles:  # newest first, so the first of a section is its date
        newest.setdefault(section_path(article.section), article.date)
    _url(root, links.to("/"), articles[0].date if articles else None)
    for path, date in sorted(newest.items()):
        _url(root, links.to(path), date)
    for article in articles:
        _url(root, links.article(article), article.date)
    for path in FIXED_PAGES:
        _url(root, links.to(path), None)
    return _bytes(root)


def news_sitemap(articles: Sequence[Article], links: Links) -> bytes:
    """Return the Google News sitemap: the last two days up to the newest article, at most 1,000."""
    root = ET.Element("urlset", {"xmlns": _SITEMAP, "xmlns:news": _NEWS})
    # Measured from the newest article and not from the clock: a demo whose articles stand still would
    # otherwise have an empty file, and a paper that publishes daily sees no difference.
    since = max((article.date for article in articles), default=datetime.now(UTC)) - _NEWS_DAYS
    for article in [article for article in articles if article.date >= since][:_NEWS_MOST]:
        url = _url(root, links.article(article), None)
        news = ET.SubElement(url, "news:news")
        publication = ET.SubElement(news, "news:publication")
        _add(publication, "news:name", SITE)
        _add(publication, "news:language", LANGUAGE)
        _add(news, "news:publication_date", _iso(article.date))
        _add(news, "news:title", article.title)
    return _bytes(root)


def _rss_item(item: ET.Element, article: Article, links: Links) -> None:
    _add(item, "title", article.title)
    _add(item, "link", links.article(article))
    _add(item, "guid", links.article(article), isPermaLink="true")
    _add(item, "pubDate", format_datetime(article.date))
    _add(item, "category", article.section)
    _add(item, "description", article.summary)
    if article.html:
        _add(item, "content:encoded", article.html)
    if enclosure := _enclosure(article, links):
        _add(item, "enclosure", **enclosure)


def _atom_entry(entry: ET.Element, article: Article, links: Links) -> None:
    _add(entry, "title", article.title)
    _add(entry, "id", links.article(article))
    _add(entry, "published", _iso(article.date))
    _add(entry, "updated", _iso(article.date))
    _add(entry, "link", rel="alternate", type="text/html", href=links.article(article))
    _add(ET.SubElement(entry, "author"), "name", article.author or SITE)
    _add(entry, "category", term=article.section)
    _add(entry, "summary", article.summary)
    if article.html:
        _add(entry, "content", article.html, type="html")
    if enclosure := _enclosure(article, links):
        url = enclosure.pop("url")
        _add(entry, "link", rel="enclosure", href=url, **enclosure)


def _json_item(article: Article, links: Links) -> dict[str, object]:
    item: dict[str, object] = {
        "id": links.article(article),
        "url": links.article(article),
        "title": article.title,
        "summary": article.summary,
        "content_html": article.html,
        "content_text": article.text,
        "date_published": _iso(article.date),
        "authors": [{"name": article.author or SITE}],
        "tags": [article.section],
    }
    if article.image is not None:
        item["image"] = links.picture(article).url
    return item


def _enclosure(article: Article, links: Links) -> dict[str, str]:
    if article.image is None:
        return {}
    kind = media_type(article.image) or "application/octet-stream"
    return {"url": links.picture(article).url, "length": str(article.image_bytes), "type": kind}


def _url(root: ET.Element, address: str, date: datetime | None) -> ET.Element:
    url = ET.SubElement(root, "url")
    _add(url, "loc", address)
    if date is not None:
        _add(url, "lastmod", _iso(date))
    return url


def _add(parent: ET.Element, tag: str, text: str | None = None, /, **attributes: str) -> None:
    child = ET.SubElement(parent, tag, {name: _xml(value) for name, value in attributes.items()})
    child.text = None if text is None else _xml(text)


def _xml(value: str) -> str:
    """Drop the few characters that XML 1.0 cannot hold, not even escaped."""
    return _NOT_XML.sub("", value)


def _iso(date: datetime) -> str:
    return date.isoformat(timespec="seconds")


def _bytes(root: ET.Element) -> bytes:
    ET.indent(root)
    document: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}\n'.encode()
