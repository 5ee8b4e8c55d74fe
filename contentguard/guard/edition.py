"""What a site's settings come to: one short name for all that shapes its pages, and what it says of itself to machines.

Strategy: pages are cached by others under a tag, so two servers that would insert the same must give them one name, and
any setting that shows in a page must change it.
"""

from __future__ import annotations

import hashlib
from urllib.parse import urljoin

from contentguard.assets import ASSETS
from contentguard.rewrite.planner import Planner
from contentguard.settings import Settings
from contentguard.terms import Site, Terms


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
