"""What is said to change a verdict does change it, and nothing that would is left out."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard import Facts, Policy, Signal
from contentguard.model import Action, Standing
from contentguard.policy import Header, Rule, Score, When, decide
from contentguard.policy.whatif import MOST, changes
from contentguard.policy.words import conditions, outcome, rule_in_words
from tests.policy import generated
from tests.policy.test_decide import GPTBOT, facts, scored

LEAD = Policy(
    rules=(Rule("lead-only", Action.LEAD, When(purpose=("reader",), score=Score("lead-only", "refuse"))),),
)


def told(policy: Policy, asked: Facts, signals: tuple[Signal, ...] = ()) -> dict[str, str]:
    return {change.what: outcome(change.verdict) for change in changes(policy, asked, signals)}


def test_what_would_change_the_default_for_a_reader() -> None:
    assert told(Policy(), facts(), scored(7)) == {
        "a score of 8 or more": "deny",
        "rule lead-only out of shadow": "lead",
    }
    # With signals of groups that have caps of their own: 5 + 4 without them, 5 + 2.5 with them.
    signals = (Signal("a", 5.0, "a"), Signal("b", 4.0, "b"))
    found = {change.what: outcome(change.verdict) for change in changes(LEAD, facts(), signals, {"a": 5.0, "b": 2.5})}
    assert found == {"a score below 3": "full", "a score of 8 or more": "deny", "without a": "full"}


def test_what_would_change_for_one_of_two_rules_in_shadow() -> None:
    assert told(Policy(shadow=("refuse",)), facts(), scored(9)) == {
        "rule refuse out of shadow": "deny",
        "rule lead-only out of shadow": "lead",
    }


def test_what_would_change_it_for_a_robot() -> None:
    policy = Policy(
        rules=(
            Rule("partner", Action.ALLOW, When(client=("198.51.100.0/24",))),
            Rule("key", Action.ALLOW, When(header=(Header("x-key", equals="k"),))),
            Rule("posts", Action.CHARGE, When(method=("POST",))),
            Rule("press", Action.HEAD, When(path=("/press/", "/about$"))),
            Rule("slowly", Action.THROTTLE, When(path=("/news/",)), limit="1/minute"),
            Rule("tried", Action.CHARGE, shadow=True),
        )
    )
    assert told(policy, facts(GPTBOT, identity=Standing.VERIFIED)) == {
        "a User-Agent that declares no robot": "full",
        "path /press/": "head",
        "path /about$": "head",
        "client in 198.51.100.0/24": "full",
        "header x-key as the rule wants it": "full",
        "method POST": "charge",
        "over the limit of slowly": "throttle",
        "rule tried out of shadow": "charge",
    }
    keyed = facts(GPTBOT, headers=((b"X-Key", b"k"),), waits=(("slowly", 2.0),))
    assert told(policy, keyed)["without header x-key"] == "throttle"
    slow = facts(waits=(("slowly", 2.0),))
    found = told(policy, slow)
    assert (found["within the limit of slowly"], found["a path that no rule names"]) == ("full", "full")
    assert told(Policy(), facts(wait=2.0)) == {"within the limit": "full"}


@settings(max_examples=150)
@given(generated.policies(), generated.facts, generated.signals)
def test_every_change_is_one_and_explaining_never_fails(
    policy: Policy, asked: Facts, signals: tuple[Signal, ...]
) -> None:
    now = decide(policy, asked, signals)
    found = changes(policy, asked, signals)
    assert all(outcome(change.verdict) != outcome(now) for change in found)
    for change in found:
        if change.kind == "identity":
            identity = Standing(change.what.removeprefix("identity "))
            assert decide(policy, replace(asked, identity=identity), signals) == change.verdict
    assert {change.kind for change in found} <= {
        "identity", "crawler", "score", "signal", "path", "client", "header", "method", "limit", "shadow"
    }  # fmt: skip


@settings(max_examples=150)
@given(generated.policies(), generated.facts, st.floats(-12, 20))
def test_no_other_score_would_come_to_something_that_is_not_told(policy: Policy, asked: Facts, score: float) -> None:
    found = [change for change in changes(policy, asked) if change.kind == "score"]
    other = outcome(policy.compiled.judge(asked, (), score))
    if other != outcome(decide(policy, asked)):
        assert other in {outcome(change.verdict) for change in found}


def test_of_each_kind_only_so_many_are_tried() -> None:
    rules = tuple(Rule(f"r{n}", Action.DENY, When(path=(f"/section-{n}/",))) for n in range(1000))
    found = [change for change in changes(Policy(rules=rules), facts()) if change.kind == "path"]
    assert MOST - 1 <= len(found) <= MOST


def test_rules_in_words() -> None:
    when = When(
        path=("/a", "/b$"),
        score=Score("suspicious", 9.0),
        header=(Header("x-key", equals="secret"), Header("x-a", contains="b"), Header("via")),
        any=(When(purpose=("tool",)), When(client=("10.0.0.0/8",))),
        not_=When(method=("POST",), identity=("verified",)),
    )
    text = rule_in_words(Rule("r", Action.THROTTLE, when, "5/minute"), {"suspicious": 4.0})
    assert text == (
        "path /a or /b$ and score from suspicious (4) and score below 9 and header x-key equals a given text and "
        "header x-a contains 'b' and header via is there and (purpose tool or client 10.0.0.0/8) and "
        "not (identity verified and method POST) → throttle 5/minute of requests"
    )
    assert "secret" not in text
    assert conditions(When(), {}) == "always"
