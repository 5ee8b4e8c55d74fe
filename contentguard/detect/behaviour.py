"""What a session does that readers do not: pages without their parts, a cookie lost, arrivals from nowhere.

A browser fetches what a page is made of; a program that wants text does not. Both can be wrong about one client (a
text browser, a blocker, a cache, a page opened in the background), so one page weighs little and the group is capped.
That a reader does not scroll, move or type weighs nothing: nothing here asks.
"""

from __future__ import annotations

from collections.abc import Iterator

from contentguard.model import Session

_AT_ONCE = 0.3
"""Seconds between two pages that no hand opens one after the other; a restored window of tabs does."""

_NEVER = 3
"""Pages without parts after which it is a habit."""


def detect(session: Session, *, browser: bool) -> list[str]:
    """The names of signals in a session. ``browser``: the client wants to be taken for one that shows pages whole."""
    fetched = session.styles + session.scripts + session.images
    if fetched and session.dry <= fetched:
        return ["parts-fetched"]
    found = []
    if browser and session.dry > 8 * fetched:
        found.append("parts-never" if session.dry >= _NEVER else "parts-missing")
    if browser and session.views >= 2 and session.dry > fetched:
        found += _again(session)
    return found


def _again(session: Session) -> Iterator[str]:
    """Arrivals, judged only where the pages' parts are missing too: many readers behind one address come alike."""
    if not session.returned:
        yield "cookie-lost"
    if session.nones >= 2:
        yield "none-again"
    elif session.bare >= 2:
        yield "bare-again"
    elif session.went_on:
        yield "went-on-unshown"
    if session.gap < _AT_ONCE:
        yield "at-once"
