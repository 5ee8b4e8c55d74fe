"""What the site's policy says to machines, in the page itself: it is still there when the page has been saved.

Strategy: the words come from outside, ready-made; a name that the page's own head speaks of is left to the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contentguard.rewrite.page import Fragment, Page, Slot, ascii_html

Notices = Sequence[tuple[str, str]]
"""Name and content of ``meta`` elements."""


def notices(page: Page, said: Notices) -> Iterator[Fragment]:
    """The ``meta`` elements that the page does not have itself, for the end of its head."""
    tags = [_tag(name, content) for name, content in said if name not in page.metas]
    if tags:
        yield Fragment(Slot.HEAD, (b"".join(tags),))


def _tag(name: str, content: str) -> bytes:
    return b'<meta name="%s" content="%s">' % (ascii_html(name), ascii_html(content))
