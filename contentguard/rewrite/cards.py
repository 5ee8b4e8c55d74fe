"""Link previews: the OpenGraph, Twitter-card and canonical tags a page lacks, from what the page says
anyway.

A tag that is there is left alone, a fact that is not there is not made up, and no address is ever built
from the Host header: without a configured origin there is no ``og:url`` and no canonical link. Nor where the
request has a query that may say which page is meant: search engines would take all pages at that path for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urljoin

from contentguard.rewrite.page import Fragment, Page, Slot, ascii_html


@dataclass(frozen=True, slots=True)
class Cards:
    """Options of the link previews."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    enabled: bool = True


def cards(page: Page, *, options: Cards, site_name: str) -> Iterator[Fragment]:
    """The missing preview tags, for the end of the head."""
    if not options.enabled:
        return
    tags = [_tag(key, value) for key, value in _facts(page, site_name) if value and key not in page.metas]
    if page.origin and not page.canonical and not page.queried:
        tags.append(b'<link rel="canonical" href="%s">' % ascii_html(page.url))
    if tags:
        yield Fragment(Slot.HEAD, (b"".join(tags),))


def _facts(page: Page, site_name: str) -> Iterator[tuple[str, str]]:
    image = _absolute(page.image, page)
    pictured = image or page.metas.get("og:image") or page.metas.get("twitter:image")
    yield "og:type", "article"
    yield "og:title", page.title
    yield "og:description", page.description
    yield "og:url", page.url if page.origin and (page.canonical or not page.queried) else ""
    yield "og:site_name", site_name
    yield "og:image", image
    yield "og:image:alt", page.image_alt if image and "og:image" not in page.metas else ""
    yield "twitter:card", "summary_large_image" if pictured else "summary"


def _tag(key: str, value: str) -> bytes:
    kind = b"name" if key.startswith("twitter:") else b"property"
    return b'<meta %s="%s" content="%s">' % (kind, key.encode("ascii"), ascii_html(value))


def _absolute(address: str, page: Page) -> str:
    if page.origin and address:
        address = urljoin(page.origin + page.path, address)
    return address if address.startswith(("https://", "http://")) else ""
