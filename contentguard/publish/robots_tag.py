"""``X-Robots-Tag`` and ``<meta name="robots">``: what an index may do with a page that it has read.

``noarchive`` keeps Bing from using a page in answers and for training, and costs nothing elsewhere; ``noai`` and
``noimageai`` are a declaration that no operator has promised to obey. What would cost readers is only said where the
policy says so: ``noindex`` where search is refused, ``max-snippet`` where a length is set (it also bounds what Google
takes for its AI answers).
"""

from __future__ import annotations

from contentguard.publish.dialect import Headers, Publication
from contentguard.terms import Site, Terms, Use, Uses


def directives(terms: Terms, uses: Uses) -> list[str]:
    """The directives for a page for which ``uses`` are granted; an unstated use asks for nothing."""
    said = []
    if uses.get(Use.SEARCH) is False:
        said.append("noindex")
    if False in (uses.get(Use.AI_INPUT), uses.get(Use.AI_TRAIN)):
        said.append("noarchive")
    if uses.get(Use.AI_TRAIN) is False:
        said += ["noai", "noimageai"]
    if terms.max_snippet >= 0:
        said.append(f"max-snippet:{terms.max_snippet}")
    return said


def _headers(terms: Terms, uses: Uses, site: Site) -> Headers:
    said = directives(terms, uses)
    return [(b"x-robots-tag", ", ".join(said).encode("ascii"))] if said else []


def _meta(terms: Terms, uses: Uses, site: Site) -> list[tuple[str, str]]:
    said = directives(terms, uses)
    return [("robots", ", ".join(said))] if said else []


PUBLICATION = Publication(headers=_headers, meta=_meta)
