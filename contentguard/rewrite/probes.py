"""What shows whether a browser has read a page: a sheet that it fetches each time, its report, a link no reader meets.

None of them may cost people anything. The sheet is for print, so browsers fetch it last and wait for it with nothing;
it works without scripts. The report runs when the page is done, and says yes or no a few times. The honeylink is
``hidden`` and ``inert``, which keeps it from the eye, the pointer, the tab key, find-in-page and from assistive
technology with any style sheet or none; ``aria-hidden`` and ``tabindex`` say the same to older software; ``nofollow``
and the guard's robots.txt say it to robots, so that only a program that asks nobody follows it. It holds no text:
reader modes, snippets, extractors and text browsers have nothing to show. It stands in article pages only, never in
feeds or cards. Report and honeylink carry this reader's own tokens, so a page that holds them must not be kept in a
shared cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from contentguard.assets import PRINT, REPORT
from contentguard.rewrite.page import Field, Fragment, Page, Part, Slot, ascii_html

HONEYLINKS = "/more/"
"""Where honeylinks lead, below the guard's own routes; a token follows."""
REPORTS = "/report"
"""Where the browser's report goes, below the guard's own routes."""


@dataclass(frozen=True, slots=True)
class Probes:
    """What is put into articles to tell browsers from programs."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    sheet: bool = True
    """A small print style sheet that browsers fetch with every article, scripts or no scripts."""
    report: bool = True
    """A script that reports signs of automation: yes or no, no values."""
    honeylinks: bool = True
    """A link in every article that no reader meets."""


NONE = Probes(sheet=False, report=False, honeylinks=False)
"""Nothing is put in."""


def probes(page: Page, *, options: Probes) -> Iterator[Fragment]:
    """The tags for the head, and the link at the article's end."""
    head: list[Part] = []
    if shows(page, options):
        head += [b'<link rel="stylesheet" media="print" href="', *PRINT.named(page.routes), Field.NONCE, b">"]
    if options.report and page.scripts_allowed:
        told = ascii_html(page.routes + REPORTS)
        head += [b'<script src="', *REPORT.named(page.routes), b' defer data-cg-report="', told, b" ", Field.REPORT]
        head += [b'"', Field.NONCE, b"></script>"]
    if head:
        yield Fragment(Slot.HEAD, tuple(head))
    if options.honeylinks:
        before = (
            b'<div class="cg-footer" hidden inert aria-hidden="true" data-nosnippet>'
            b'<a rel="nofollow" tabindex="-1" href="' + ascii_html(page.routes + HONEYLINKS)
        )
        yield Fragment(Slot.ARTICLE_END, (before, Field.HONEYLINK, b'"></a></div>'))


def shows(page: Page, options: Probes) -> bool:
    """Whether a browser that reads this page will show it by fetching the sheet."""
    return options.sheet and page.styles_allowed
