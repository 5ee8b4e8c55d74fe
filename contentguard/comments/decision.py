"""What becomes of a comment, and why: reasons with points, added up.

    Reason … Reason ─┐
    Opinion … ───────┴─ decide ─▶ Decision: approve · hold · spam · discard

Strategy: each rule only says what it noticed; here is the one place where points become an action. Points are
evidence for spam: ``hold`` of them and a person looks at it, ``spam`` of them and nobody has to. Some reasons also ask
for an action by themselves (``ASKED``), which nothing that speaks for the comment outweighs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple


class CommentAction(StrEnum):
    """What is done with a comment, the mildest first."""

    APPROVE = "approve"
    """Publish it."""
    HOLD = "hold"
    """A moderator decides; until then its author alone sees it."""
    SPAM = "spam"
    """Keep it among the spam for a while."""
    DISCARD = "discard"
    """Blatant: it need not be kept."""


class Reason(NamedTuple):
    """One thing noticed about a comment."""

    name: str
    """What names it to programs, e.g. ``links``."""
    points: float
    """How much it speaks for spam; below 0 it speaks against."""
    text: str
    """What the moderator is told, in plain English."""


class Judgement(StrEnum):
    """What somebody else thinks of a comment."""

    HAM = "ham"
    SPAM = "spam"
    DISCARD = "discard"
    """Blatant spam."""
    UNKNOWN = "unknown"
    """No answer, or one that makes no sense."""


class Opinion(NamedTuple):
    """What a ``CommentClassifier`` thinks of a comment."""

    judgement: Judgement
    reasons: tuple[Reason, ...] = ()
    """Why, for the moderator. Their points count; a judgement without reasons counts as its action alone."""
    guid: str = ""
    """The classifier's own name for this comment."""
    recheck_after: float | None = None
    """Seconds after which it wants to be asked again; the comment is held until then."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one comment."""

    action: CommentAction
    score: float
    """What the reasons add up to."""
    reasons: tuple[Reason, ...]
    """The weightiest first."""
    recheck_at: float | None = None
    """When ``Comments.recheck`` should be asked, in seconds since the epoch; None for a decision that is final."""
    guid: str = ""
    """A service's name for the comment, to be kept in its submission."""
    judged: str = ""
    """What that service thought of it, a ``Judgement``, to be kept there as well; empty where it gave no verdict."""

    def as_dict(self) -> dict[str, Any]:
        """This decision as JSON-ready data; ``from_dict`` reads it back unchanged."""
        return {
            "action": self.action.value,
            "score": self.score,
            "reasons": [list(reason) for reason in self.reasons],
            "recheck_at": self.recheck_at,
            "guid": self.guid,
            "judged": self.judged,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Decision:
        """A decision from what ``as_dict`` gave."""
        reasons = tuple(Reason(*reason) for reason in data["reasons"])
        told = data.get("guid", ""), data.get("judged", "")
        return cls(CommentAction(data["action"]), data["score"], reasons, data.get("recheck_at"), *told)


class Thresholds(NamedTuple):
    """From how many points on a comment is held, is spam, is not kept."""

    hold: float = 1.0
    spam: float = 3.0
    discard: float = 10.0


_USUAL = Thresholds()
ASKED = {
    **dict.fromkeys(("honeypot", "too-fast", "disallowed-word"), CommentAction.SPAM),
    **dict.fromkeys(("fast", "links", "moderation-word", "script"), CommentAction.HOLD),
    **dict.fromkeys(("new-author", "all-held", "unchecked"), CommentAction.HOLD),
}
"""Reason → the mildest action that it leaves open, whatever else there is."""
_ORDER = tuple(CommentAction)
_OF_OPINION = {
    Judgement.HAM: CommentAction.APPROVE,
    Judgement.SPAM: CommentAction.SPAM,
    Judgement.DISCARD: CommentAction.DISCARD,
    Judgement.UNKNOWN: CommentAction.HOLD,
}


def decide(
    reasons: Iterable[Reason],
    opinions: Sequence[Opinion] = (),
    thresholds: Thresholds = _USUAL,
    now: float = 0.0,
) -> Decision:
    """What the reasons and others' opinions come to at ``now`` (seconds since the epoch)."""
    told = (*reasons, *(reason for opinion in opinions for reason in opinion.reasons))
    score = sum(reason.points for reason in told)
    asked = [ASKED[reason.name] for reason in told if reason.name in ASKED]
    action = max((_by_points(score, thresholds), *asked, *(_OF_OPINION[o.judgement] for o in opinions)), key=_rank)
    again = [opinion.recheck_after for opinion in opinions if opinion.recheck_after is not None]
    if again:
        action = max(action, CommentAction.HOLD, key=_rank)
    named = next((opinion for opinion in opinions if opinion.guid), Opinion(Judgement.UNKNOWN))
    return Decision(
        action,
        score,
        tuple(sorted(told, key=lambda reason: -abs(reason.points))),
        now + min(again) if again else None,
        named.guid,
        "" if named.judgement is Judgement.UNKNOWN else named.judgement.value,
    )


def _by_points(score: float, thresholds: Thresholds) -> CommentAction:
    if score >= thresholds.discard:
        return CommentAction.DISCARD
    if score >= thresholds.spam:
        return CommentAction.SPAM
    return CommentAction.HOLD if score >= thresholds.hold else CommentAction.APPROVE


def asks_for_spam(reasons: Iterable[Reason]) -> bool:
    """Whether it is spam whatever anybody else may think of it: then nobody else needs to be asked."""
    return any(ASKED.get(reason.name) is CommentAction.SPAM for reason in reasons)


def _rank(action: CommentAction) -> int:
    return _ORDER.index(action)
