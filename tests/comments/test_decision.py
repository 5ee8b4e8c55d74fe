"""What reasons and opinions come to, and that all of it can be kept as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.comments import signs
from contentguard.comments.decision import (
    ASKED,
    CommentAction,
    Decision,
    Judgement,
    Opinion,
    Reason,
    asks_for_spam,
    decide,
)
from contentguard.comments.submission import Submission

points = st.floats(-5, 15, allow_nan=False)
reasons = st.builds(Reason, st.sampled_from(["links", "honeypot", "new-author", "learned", "mine"]), points, st.text())
opinions = st.builds(
    Opinion, st.sampled_from(Judgement), st.lists(reasons, max_size=2).map(tuple), st.text(), st.none() | st.just(60.0)
)
texts = st.text(max_size=20)
submissions = st.builds(
    Submission,
    texts,
    texts,
    texts,
    client=st.none() | texts,
    now=st.floats(0, 2e9),
    headers=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    server=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    posted=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    judged=texts,
    signs=st.lists(reasons, max_size=3).map(tuple),
    honeypot=st.tuples(texts, texts),
    context=st.lists(texts, max_size=2).map(tuple),
)
RANK = {action: number for number, action in enumerate(CommentAction)}


def one(points: float) -> Reason:
    return Reason("mine", points, "Mine.")


@pytest.mark.parametrize(
    ("score", "action"), [(-1.0, "approve"), (0.99, "approve"), (1.0, "hold"), (3.0, "spam"), (10.0, "discard")]
)
def test_points_become_actions(score: float, action: str) -> None:
    assert decide([one(score)]).action == action


@pytest.mark.parametrize("name", ASKED)
def test_what_a_reason_asks_for_is_not_outweighed(name: str) -> None:
    decision = decide([Reason(name, 0.0, ""), one(-9.0)], [Opinion(Judgement.HAM)])
    assert decision.action is ASKED[name]
    assert asks_for_spam(decision.reasons) is (ASKED[name] is CommentAction.SPAM)


def test_the_signs_that_ask_are_known() -> None:
    named = {sign.name for sign in vars(signs).values() if isinstance(sign, Reason)}
    assert named <= {*ASKED, "approved-before", "moved", "sent-before", "sent-alike", "reader", "bare"}
    assert signs.quick(0.5, 1.0).name == "too-fast"
    assert signs.quick(2.5, 1.0).name == "fast"
    assert signs.client(0.4, []) is None
    told = signs.client(9.0, ["headless", "bare"])
    assert told is not None
    assert (told.points, told.text) == (2.0, "The guard's score of its sender is 9.0: headless, bare.")
    assert signs.hidden(3).points == pytest.approx(0.8)
    assert signs.hidden(300).points == 1.5


@pytest.mark.parametrize(
    ("judgement", "action"), [("ham", "approve"), ("spam", "spam"), ("discard", "discard"), ("unknown", "hold")]
)
def test_an_opinion_is_an_action(judgement: Judgement, action: str) -> None:
    assert decide([one(0.0)], [Opinion(Judgement(judgement))]).action == action


def test_whoever_wants_to_be_asked_again_has_it_held() -> None:
    soon, late = Opinion(Judgement.HAM, recheck_after=60.0, guid="g"), Opinion(Judgement.UNKNOWN, recheck_after=900.0)
    decision = decide([], [late, soon], now=1000.0)
    assert (decision.action, decision.recheck_at, decision.guid) == (CommentAction.HOLD, 1060.0, "g")
    assert decide([], [Opinion(Judgement.SPAM)], now=1000.0).recheck_at is None


@given(st.lists(reasons, max_size=5), st.lists(opinions, max_size=3))
def test_more_evidence_is_never_milder(told: list[Reason], others: list[Opinion]) -> None:
    plain, more = decide(told, others), decide([*told, one(2.0)], others)
    assert RANK[more.action] >= RANK[plain.action]
    assert plain.score == pytest.approx(sum(reason.points for reason in plain.reasons))
    assert [abs(reason.points) for reason in plain.reasons] == sorted(
        (abs(reason.points) for reason in plain.reasons), reverse=True
    )


@given(st.lists(reasons, max_size=5), st.lists(opinions, max_size=3))
def test_decisions_are_kept_as_json(told: list[Reason], others: list[Opinion]) -> None:
    decision = decide(told, others, now=5.0)
    assert Decision.from_dict(json.loads(json.dumps(decision.as_dict()))) == decision


@given(submissions)
def test_submissions_are_kept_as_json(submission: Submission) -> None:
    assert Submission.from_dict(json.loads(json.dumps(submission.as_dict()))) == submission


def test_a_submission_of_few_words() -> None:
    assert Submission.from_dict({"article": "/a", "text": "t", "author": "Ann"}) == Submission("/a", "t", "Ann")
    with pytest.raises(TypeError):
        Submission.from_dict({"article": "/a", "text": "t", "author": "Ann", "colour": "red"})
