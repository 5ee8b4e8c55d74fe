"""What a site's settings come to: what its pages are planned by, one short name for all that shapes them, and what it
says of itself to machines.

Strategy: pages are cached by others under a tag, so two servers that would insert the same must give them one name, and
any setting that shows in a page must change it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urljoin

from contentguard.assets import ASSETS
from contentguard.guard.media import Media
from contentguard.guard.quotes import Quotes
from contentguard.rewrite.marking import Marker
from contentguard.rewrite.notices import Notices
from contentguard.rewrite.page import Page
from contentguard.rewrite.planner import Planner
from contentguard.rewrite.probes import Probes
from contentguard.settings import Settings
from contentguard.terms import Site, Terms


def planner_of(
    settings: Settings,
    probes: Probes,
    quotes: Quotes,
    media: Media,
    marker: Marker | None,
    *,
    qr: Callable[[Page], str],
    said: Callable[[str], Notices],
) -> Planner:
    """What a site wants inserted. ``marker``: what knows readers' marks; for ``qr`` and ``said`` see ``Planner``."""
    inserts = settings.cards, settings.copying, settings.share, settings.visible, probes
    lead = None if settings.reading.mode == "off" else settings.lead
    planner = Planner(settings.site, settings.origin, *inserts, qr=qr, said=said, lead=lead, marker=marker)
    quote = quotes.link if settings.copying.quote_link else planner.quote
    query = media.query if media.signs else None
    classed = marker is not None and settings.watermark.html
    return replace(planner, quote=quote, query=query, oembed=settings.oembed, classed=classed)


def edition(settings: Settings, planner: Planner, terms: Terms) -> str:
    """Names what shapes a page besides its own bytes: all settings that insert something, and our files."""
    inserted = planner.site, planner.origin, planner.cards, planner.copying, planner.share, planner.visible
    shaping = inserted, planner.probes, settings.watermark, settings.robots.meta, terms, settings.article
    text = repr((shaping, settings.framing, settings.media, settings.oembed, *ASSETS))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def site_of(settings: Settings) -> Site:
    """A site as machines are told of it, with absolute addresses where its origin is known."""
    base = settings.origin + "/"
    licence = urljoin(base, settings.licence_url) if settings.licence_url else ""
    sitemaps = tuple(url for path in settings.robots.sitemaps if "://" in (url := urljoin(base, path)))
    return Site(settings.site, settings.contact, licence, sitemaps)
