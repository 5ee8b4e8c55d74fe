"""Rules and verdicts in plain words, for people who look into a policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contentguard.model import Action, Verdict
from contentguard.policy.rules import Header, Rule, Score, When

ACTIONS = {
    Action.ALLOW: "everything",
    Action.LEAD: "an article's lead, and its rest when that is earned",
    Action.EXCERPT: "an article's excerpt; until excerpts are made, its metadata only",
    Action.HEAD: "an article's metadata only (title, description, picture)",
    Action.THROTTLE: "over the limit, a refusal that says when to come back (429)",
    Action.WAIT: "over the pace, a page that says when to come back (429)",
    Action.CHARGE: "a refusal that names the licence (402)",
    Action.DENY: "a refusal (403)",
}
"""What each action of a rule comes to."""


def conditions(when: When, thresholds: Mapping[str, float]) -> str:
    """The conditions in words; ``always`` where there are none."""
    return " and ".join(_conditions(when, thresholds)) or "always"


def _conditions(when: When, thresholds: Mapping[str, float]) -> Iterator[str]:
    for name in ("path", "purpose", "crawler", "identity", "client", "method"):
        if values := getattr(when, name):
            yield f"{name} {' or '.join(values)}"
    if when.score is not None:
        yield " and ".join(_score(when.score, thresholds))
    yield from map(_header, when.header)
    yield from (f"({conditions(part, thresholds)})" for part in when.all)
    if when.any:
        yield "(" + " or ".join(conditions(part, thresholds) for part in when.any) + ")"
    if when.not_ is not None:
        yield f"not ({conditions(when.not_, thresholds)})"


def _score(score: Score, thresholds: Mapping[str, float]) -> Iterator[str]:
    for text, bound in (("score from", score.at_least), ("score below", score.below)):
        if bound is not None:
            yield f"{text} {bound} ({thresholds[bound]:g})" if isinstance(bound, str) else f"{text} {bound:g}"


def _header(header: Header) -> str:
    # What a header has to equal may be a secret between the site and a partner.
    test = "equals a given text" if header.equals is not None else ""
    return f"header {header.name} {test or (f'contains {header.contains!r}' if header.contains else 'is there')}"


def rule_in_words(rule: Rule, thresholds: Mapping[str, float]) -> str:
    """A rule in one line: its conditions, and what it comes to."""
    limit = f" {rule.pace} of {'articles' if rule.counts_articles else 'requests'}" if rule.is_paced else ""
    return f"{conditions(rule.when, thresholds)} → {rule.action.value}{limit}"


def outcome(verdict: Verdict) -> str:
    """What a client gets, in one word: a rendition of articles (``full``, ``head``, ``none``) or a refusal's action."""
    return verdict.rendition.value if verdict.action is Action.ALLOW else verdict.action.value
