"""The site's own order of its pages, learned from its sitemap: who walks it page by page is no reader.

Only what the app itself serves is read (sitemaps.org 0.9, ``<loc>``), within bounds; a page is known by 32 bits of its
path's hash, so 50,000 pages take about 5 MiB.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import unquote, urlsplit

MAX_BYTES = 1_048_576
"""Of a sitemap no more is read: a millisecond or two."""
MAX_PAGES = 50_000
"""What one sitemap may hold (sitemaps.org), and what is remembered of all together."""
_LOC = re.compile(rb"<loc>\s*+([^<>\s]{1,2048}+)\s*+</loc>")


class SiteOrder:
    """Path → its place in the site's list."""

    __slots__ = ("_places", "_sources")

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._sources: dict[str, int] = {}

    def learn(self, source: str, body: bytes) -> None:
        """Take in a sitemap that the app has served at path ``source``; one that has not changed costs a hash."""
        text = body[:MAX_BYTES]
        mark = hash(text)
        if self._sources.get(source) == mark or b"<urlset" not in text:
            return
        if len(self._sources) >= 64 or len(self._places) >= MAX_PAGES:
            self._sources.clear()
            self._places.clear()
        self._sources[source] = mark
        # A gap between two lists, so that the last of one and the first of the other are no neighbours.
        start = len(self._places) + 2 * len(self._sources)
        for number, match in enumerate(_LOC.finditer(text)):
            if len(self._places) >= MAX_PAGES:
                break
            self._places[_key(_path(match[1]))] = start + number

    def ordinal(self, path: str) -> int:
        """A page's place in the list, counted from 1; 0 where it is not in it."""
        return self._places.get(_key(path), 0) if self._places else 0

    def __len__(self) -> int:
        return len(self._places)


def _path(location: bytes) -> str:
    try:
        return unquote(urlsplit(unescape(location.decode("utf-8", "replace"))).path) or "/"
    except ValueError:
        return "/"


def _key(path: str) -> int:
    return hash(path) & 0xFFFFFFFF
