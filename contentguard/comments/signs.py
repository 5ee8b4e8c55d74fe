"""What the form, the store and the guard can say of a comment: each sign with its points and its sentence.

Strategy: signs are noticed while a comment is received and kept in its submission, because they cannot be noticed
again; what follows from them stands in ``decision``.
"""

from __future__ import annotations

from collections.abc import Sequence

from contentguard.comments.decision import Reason

_SCORE, _MOST = 0.4, 2.0
"""Points for one unit of the guard's score, and at most."""
_LEAST = 0.5
"""Score below which the guard has noticed nothing worth telling."""

HONEYPOT = Reason("honeypot", 6.0, "It fills in a field that people do not see.")
NEW_AUTHOR = Reason("new-author", 0.0, "Its author has no approved comment yet.")
ALL_HELD = Reason("all-held", 0.0, "All comments wait for a moderator.")
UNCHECKED = Reason("unchecked", 0.0, "The store did not answer: whether it is a flood or a duplicate is not known.")
UNFILTERED = Reason("unchecked", 0.0, "What was learned from moderators could not be read.")
APPROVED = Reason("approved-before", -0.5, "Its author has had a comment approved.")
MOVED = Reason("moved", 0.3, "It was sent from another network than the form was asked for from.")
REPEATED = Reason("sent-before", 1.5, "The same text was sent before.")
SIMILAR = Reason("sent-alike", 1.2, "Nearly the same text was sent before.")
PASSED = Reason("reader", -0.3, "Its browser has earned a reader's pass.")
BARE = Reason("bare", 0.5, "Nothing but two presses of the button shows that a person sent it.")


def hidden(count: int) -> Reason:
    """It held characters that nobody sees."""
    return Reason("hidden-characters", min(0.5 + 0.1 * count, 1.5), f"It held {count} invisible control characters.")


def quick(seconds: float, fastest: float) -> Reason:
    """It came sooner than anybody types."""
    if seconds < fastest:
        return Reason("too-fast", 3.0, f"It was sent {seconds:.1f} seconds after its form was made.")
    return Reason("fast", 0.7, f"It was sent {seconds:.1f} seconds after its form was made.")


def client(score: float, names: Sequence[str]) -> Reason | None:
    """What the guard thinks of who sent it. ``names``: of the signals that it noticed."""
    if score < _LEAST:
        return None
    listed = ", ".join(names[:6])
    return Reason("client", min(_SCORE * score, _MOST), f"The guard's score of its sender is {score:.1f}: {listed}.")
