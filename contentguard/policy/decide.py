"""Facts and signals → Verdict: pure functions, so that any decision can be replayed from its Facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from contentguard.model import Action, Facts, Rendition, Signal, Verdict
from contentguard.policy.policy import Policy
from contentguard.policy.score import NO_CAPS, score
from contentguard.policy.verdicts import NOT_THE_ARTICLE, throttled


def decide(
    policy: Policy, facts: Facts, signals: Iterable[Signal] = (), caps: Mapping[str, float] = NO_CAPS
) -> Verdict:
    """What a request may have, before the app is asked: pure and total, replayable from its Facts.

    ``caps`` are the groups' caps. Where the verdict names ``paces``, the store has to be asked for them; see ``over``.
    """
    if not signals:
        return policy.compiled.judge(facts, (), 0.0)
    told = tuple(signals)
    return policy.compiled.judge(facts, told, score(told, caps))


def decide_article(facts: Facts, verdict: Verdict) -> Verdict:
    """What becomes of a request whose response holds an article: ``verdict``, unless that refuses articles."""
    if verdict.action is Action.ALLOW and verdict.rendition is Rendition.NONE:
        return replace(verdict, action=Action.DENY, public_reason=verdict.public_reason or NOT_THE_ARTICLE)
    if facts.wait > 0 and verdict.action is Action.ALLOW:
        waiting = throttled(facts, "limits.articles")
        return replace(waiting, signals=verdict.signals, score=verdict.score, shadow=verdict.shadow)
    return verdict


def over(facts: Facts, waits: Mapping[str, float]) -> Facts:
    """These facts with the rules (name → seconds to wait, above 0) whose limits the client turned out to be over.

    Judge them again: a rule with a limit holds only once the facts say that the client is over it.
    """
    known = dict(facts.waits)
    return replace(facts, waits=tuple({**known, **{name: s for name, s in waits.items() if s > 0}}.items()))
