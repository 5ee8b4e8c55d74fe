"""A link that no reader meets: in the article for whoever reads markup instead of pages.

It must cost people nothing. ``hidden`` and ``inert`` keep it from the eye, the pointer, the tab key, find-in-page and
from assistive technology with any style sheet or none; ``aria-hidden`` and ``tabindex`` say the same to older software;
``nofollow`` and the guard's robots.txt say it to robots, so that only a program that asks nobody follows it. It holds
no text: reader modes, snippets, extractors and text browsers have nothing to show. It stands in article pages only,
never in feeds or cards. Its address carries this reader's own token, so it is never the same twice and a page that
holds it must not be kept in a shared cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from contentguard.rewrite.page import Field, Fragment, Page, Slot, ascii_html

ROUTE = "/more/"
"""Where honeylinks lead, below the guard's own routes; a token follows."""


@dataclass(frozen=True, slots=True)
class Honeylink:
    """Options of the honeylinks."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    plant: bool = True


def honeylink(page: Page, *, options: Honeylink) -> Iterator[Fragment]:
    """The link at the article's end."""
    if options.plant:
        before = (
            b'<div class="cg-footer" hidden inert aria-hidden="true" data-nosnippet>'
            b'<a rel="nofollow" tabindex="-1" href="' + ascii_html(page.routes + ROUTE)
        )
        yield Fragment(Slot.ARTICLE_END, (before, Field.HONEYLINK, b'"></a></div>'))
