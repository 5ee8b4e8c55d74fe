"""What machines read of the policy: one file = one dialect, one line here = one publication.

Strategy: every dialect is given the same ``Terms`` and only spells them out. A dialect has a document at a path of its
own, headers for what is answered, elements for a page's head, or several of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from contentguard.publish import content_signal, robots, robots_tag, tdmrep
from contentguard.publish.dialect import Headers, Publication
from contentguard.publish.robots import render_robots
from contentguard.terms import Site, Terms, Uses

PUBLICATIONS: Mapping[str, Publication] = MappingProxyType(
    {
        "robots.txt": robots.PUBLICATION,
        "Content-Signal": content_signal.PUBLICATION,
        "TDMRep": tdmrep.PUBLICATION,
        "X-Robots-Tag": robots_tag.PUBLICATION,
    }
)
"""The dialects, by the name that people know them by."""


def documents(terms: Terms, site: Site) -> dict[str, tuple[str, bytes]]:
    """Path → media type and bytes of each document that is published."""
    return {
        publication.path: (publication.media_type, publication.document(terms, site).encode())
        for publication in PUBLICATIONS.values()
        if publication.document is not None
    }


def headers(terms: Terms, uses: Uses, site: Site) -> Headers:
    """The headers of an answer for whose path the policy grants ``uses``."""
    return [pair for one in PUBLICATIONS.values() if one.headers for pair in one.headers(terms, uses, site)]


def meta(terms: Terms, uses: Uses, site: Site) -> list[tuple[str, str]]:
    """Name and content of the ``meta`` elements that say in a page's head what ``headers`` say."""
    return [pair for one in PUBLICATIONS.values() if one.meta for pair in one.meta(terms, uses, site)]


__all__ = ["PUBLICATIONS", "Publication", "documents", "headers", "meta", "render_robots"]
