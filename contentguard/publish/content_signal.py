"""Content signals (contentsignals.org, policy text of 2025-09-24): what a page may be used for.

The line in robots.txt speaks of the whole site: a use that is granted only in places is left unstated there, and one
that is refused only in places too; the header on each page says it exactly.
"""

from __future__ import annotations

from collections.abc import Iterable

from contentguard.publish.dialect import Headers, Publication
from contentguard.terms import Site, Terms, Use, Uses

# CC0; it has an effect only in these words.
POLICY = (
    "As a condition of accessing this website, you agree to abide by the following content signals:",
    "(a)  If a content-signal = yes, you may collect content for the corresponding use.",
    "(b)  If a content-signal = no, you may not collect content for the corresponding use.",
    "(c)  If the website operator does not include a content signal for a corresponding use, the website"
    " operator neither grants nor restricts permission via content signal with respect to the"
    " corresponding use.",
    "The content signals and their meanings are:",
    "search: building a search index and providing search results (e.g., returning hyperlinks and short"
    " excerpts from your website's contents).  Search does not include providing AI-generated search"
    " summaries.",
    "ai-input: inputting content into one or more AI models (e.g., retrieval augmented generation, grounding,"
    " or other real-time taking of content for generative AI search answers).",
    "ai-train: training or fine-tuning AI models.",
    "ANY RESTRICTIONS EXPRESSED VIA CONTENT SIGNALS ARE EXPRESS RESERVATIONS OF RIGHTS UNDER ARTICLE 4 OF"
    " THE EUROPEAN UNION DIRECTIVE 2019/790 ON COPYRIGHT AND RELATED RIGHTS IN THE DIGITAL SINGLE MARKET.",
)


def line(terms: Terms) -> list[str]:
    """The line of robots.txt, if there is anything to state."""
    stated = {use: granted for use, granted in terms.uses.items() if not (granted and _refused(use, terms))}
    return [f"Content-Signal: {_signals(stated)}"] if stated else []


def _refused(use: Use, terms: Terms) -> bool:
    return any(uses.get(use) is False for _, uses in terms.places)


def _signals(uses: Uses) -> str:
    return ", ".join(f"{use.value}={'yes' if uses[use] else 'no'}" for use in Use if use in uses)


def _headers(terms: Terms, uses: Uses, site: Site) -> Headers:
    return [(b"content-signal", _signals(uses).encode("ascii"))] if uses else []


PUBLICATION = Publication(headers=_headers)


def comment() -> Iterable[str]:
    """The policy text that gives the signals their effect, as lines of comment."""
    return (f"# {text}" for text in POLICY)
