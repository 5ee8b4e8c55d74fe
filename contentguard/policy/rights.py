"""Who may have what: a right for each purpose of declared robots, with exceptions by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from contentguard.model import Purpose, Right

DEFAULT_RIGHTS: Mapping[Purpose, Right] = MappingProxyType(
    {
        Purpose.SEARCH: Right.ALLOW,
        Purpose.AI_TRAINING: Right.DENY,
        Purpose.AI_SEARCH: Right.HEAD,
        Purpose.USER_FETCH: Right.HEAD,
        Purpose.LINK_PREVIEW: Right.HEAD,
        Purpose.FEED: Right.HEAD,
        Purpose.ARCHIVE: Right.DENY,
        Purpose.SEO: Right.DENY,
        Purpose.MONITORING: Right.HEAD,
        Purpose.TOOL: Right.NO_ARTICLES,
    }
)
"""The press's usual wish: found by search, previewed when shared, not copied."""

DEFAULT_CRAWLERS: Mapping[str, Right] = MappingProxyType(
    dict.fromkeys(("HeadlessChrome", "HeadlessEdg", "Headless_Shell", "Chrome-Lighthouse"), Right.ALLOW)
)
"""Exceptions by name. A browser without a screen may be a scraper or a test: its name decides nothing, so it is judged
like a reader, by what it does."""

_STRICTNESS = {right: place for place, right in enumerate(Right)}


def stricter(one: Right, other: Right) -> Right:
    """The one of two rights that grants less."""
    return max(one, other, key=_STRICTNESS.__getitem__)


def refuses(right: Right) -> bool:
    """Whether a robot with this right is refused everywhere, and so has nothing to fetch."""
    return right in (Right.CHARGE, Right.DENY)
