"""The smallest part of a page that still fails, by delta debugging (Zeller and Hildebrandt, 2002)."""

from __future__ import annotations

from collections.abc import Callable

TRIES = 4000


def minimised(page: bytes, fails: Callable[[bytes], bool], tries: int = TRIES) -> bytes:
    """``page`` with everything taken out that need not be there for it to fail; after ``tries`` as small as it got."""
    size = max(len(page) // 2, 1)
    while True:
        at, shrunk = 0, False
        while at < len(page) and tries > 0:
            shorter = page[:at] + page[at + size :]
            tries -= 1
            if fails(shorter):
                page, shrunk = shorter, True
            else:
                at += size
        if tries <= 0 or (size == 1 and not shrunk):
            return page
        # At single bytes it goes on as long as it gets anywhere: what is gone may have held others in place.
        size = max(size // 2, 1)
