"""The course of a session over many articles: a clock's pace, haste, breadth without return, the site's own order."""

from __future__ import annotations

from contentguard.model import Session

ENOUGH = 8
"""Articles before a course shows."""


def detect(session: Session) -> list[str]:
    """The names of signals in a session's course."""
    found = []
    if session.run >= 5:
        found.append("site-order-long" if session.run >= ENOUGH else "site-order")
    if session.views <= ENOUGH:
        return found
    if session.mean >= 0.05 and session.variation < 0.2:
        found.append("clockwork")
    if session.mean < 1.0:
        found.append("hasty")
    if session.distinct >= 40 and session.views < 1.2 * session.distinct:
        found.append("broad")
    return found
