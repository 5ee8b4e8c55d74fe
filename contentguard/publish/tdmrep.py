"""TDMRep, the reservation of text and data mining (W3C TDM Reservation Protocol, CG report of 2024-05-10).

Mining is reserved wherever training is not granted. The document names the most specific places first and the first
that matches counts (section 6.1), which is how the terms are ordered already; header and element say the same of one
page.
"""

from __future__ import annotations

import json

from contentguard.publish.dialect import Headers, Publication, absolute
from contentguard.terms import Site, Terms, Use, Uses

PATH = "/.well-known/tdmrep.json"


def document(terms: Terms, site: Site) -> str:
    """``tdmrep.json``: an array of places. It is empty where the terms say nothing of training."""
    places = [*terms.places, ("/", terms.uses)]
    stated = [(pattern, uses[Use.AI_TRAIN]) for pattern, uses in places if Use.AI_TRAIN in uses]
    return json.dumps([_place(pattern, granted, site) for pattern, granted in stated], indent=1) + "\n"


def _place(pattern: str, granted: bool, site: Site) -> dict[str, object]:
    place: dict[str, object] = {"location": pattern, "tdm-reservation": int(not granted)}
    if not granted and absolute(site.licence):
        place["tdm-policy"] = site.licence
    return place


def _said(terms: Terms, uses: Uses, site: Site) -> list[tuple[str, str]]:
    if Use.AI_TRAIN not in uses:
        return []
    place = _place("", uses[Use.AI_TRAIN], site)
    return [(name, str(value)) for name, value in place.items() if name != "location"]


def _headers(terms: Terms, uses: Uses, site: Site) -> Headers:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in _said(terms, uses, site)]


PUBLICATION = Publication(PATH, "application/json", document, _headers, _said)
