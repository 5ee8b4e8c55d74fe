"""A policy as it is written: every fault at once, with its place and the nearest right name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard import Policy, Purpose, Right
from contentguard.model import Action
from contentguard.policy import Header, PolicyError, Rule, Score, When, read_policy


def faults(written: Any, **options: Any) -> dict[str, str]:
    with pytest.raises(PolicyError) as caught:
        read_policy(written, **options)
    return {fault.where: str(fault) for fault in caught.value.faults}


def rule(**parts: Any) -> dict[str, Any]:
    return {"rules": [{"name": "r", "action": "deny", **parts}]}


def test_everything_that_can_be_written() -> None:
    policy = read_policy(
        {
            "preset": "strict",
            "rights": {"ai-input": "charge", "tool": "deny"},
            "crawlers": {"GPTBot": "allow"},
            "unverified": {"feed": "no-articles"},
            "thresholds": {"odd": 2, "refuse": "9.5"},
            "shadow": "spoofed",
            "max_snippet": 160,
            "rules": [
                {
                    "name": "one",
                    "action": "throttle",
                    "limit": "10/minute",
                    "counts": "articles",
                    "shadow": True,
                    "when": {
                        "path": ["/a", "/b$"],
                        "purpose": "tool",
                        "crawler": "GPTBot",
                        "identity": ["unknown", "unverifiable"],
                        "score": {"at_least": "odd", "below": 4},
                        "client": "192.0.2.1",
                        "header": ["x-a", {"name": "x-b", "equals": "1"}, {"name": "x-c", "contains": "2"}],
                        "method": "GET",
                        "all": {"path": "/c"},
                        "any": [{"path": "/d"}, {"score": 3}],
                        "not": {"score": "odd"},
                    },
                }
            ],
        }
    )
    assert policy == Policy(
        rights={Purpose.AI_SEARCH: Right.CHARGE, Purpose.TOOL: Right.DENY},
        crawlers={"GPTBot": Right.ALLOW},
        preset="strict",
        unverified={Purpose.FEED: Right.NO_ARTICLES},
        thresholds={"odd": 2.0, "refuse": 9.5},
        shadow=("spoofed",),
        max_snippet=160,
        rules=(
            Rule(
                "one",
                Action.THROTTLE,
                When(
                    path=("/a", "/b$"),
                    purpose=("tool",),
                    crawler=("GPTBot",),
                    identity=("unknown", "unverifiable"),
                    score=Score("odd", 4.0),
                    client=("192.0.2.1",),
                    header=(Header("x-a"), Header("x-b", equals="1"), Header("x-c", contains="2")),
                    method=("GET",),
                    all=(When(path=("/c",)),),
                    any=(When(path=("/d",)), When(score=Score(3.0))),
                    not_=When(score=Score("odd")),
                ),
                limit="10/minute",
                counts="articles",
                shadow=True,
            ),
        ),
    )


@pytest.mark.parametrize(
    ("written", "where", "says"),
    [
        ({"preset": "pres"}, "preset", "'press'"),
        ({"preset": 3}, "preset", "a text"),
        ({"rigths": {}}, "rigths", "'rights'"),
        ({"rights": {"serch": "allow"}}, "rights.serch", "'search'"),
        ({"rights": {"search": "alow"}}, "rights.search", "'allow'"),
        ({"rights": "all"}, "rights", "a table"),
        ({"crawlers": []}, "crawlers", "a table"),
        ({"thresholds": {"a": "b"}}, "thresholds.a", "a number"),
        ({"thresholds": {"a": True}}, "thresholds.a", "a number"),
        ({"thresholds": {"a": float("nan")}}, "thresholds.a", "a number"),
        ({"thresholds": {"": 1}}, "thresholds", "a name"),
        ({"shadow": ["spofed"]}, "shadow", "'spoofed'"),
        ({"max_snippet": -2}, "max_snippet", "characters"),
        ({"max_snippet": 1.5}, "max_snippet", "whole"),
        ({"rules": 3}, "rules.0", "a table"),
        ({"rules": [{}]}, "rules.0.name", "every rule"),
        ({"rules": [{}]}, "rules.0.action", "every rule"),
        (rule(name="-"), "rules.0.name", "letters"),
        (rule(action="alow"), "rules.0.action", "'allow'"),
        (rule(shadow="yes"), "rules.0.shadow", "true or false"),
        (rule(limit="10/minute"), "rules.0.limit", "action throttle"),
        (rule(action="throttle"), "rules.0.limit", "10/minute"),
        (rule(action="throttle", limit="often"), "rules.0.limit", "60/minute"),
        (rule(action="throttle", limit="1/hour", counts="article"), "rules.0.counts", "'articles'"),
        (rule(when={"path": []}), "rules.0.when.path", "at least one"),
        (rule(when={"path": ""}), "rules.0.when.path", "starts with /"),
        (rule(when={"path": ["/a", "b"]}), "rules.0.when.path", "starts with /"),
        (rule(when={"path": 3}), "rules.0.when.path", "a text"),
        (rule(when={"purpose": "tools"}), "rules.0.when.purpose", "'tool'"),
        (rule(when={"identity": "spoofd"}), "rules.0.when.identity", "'spoofed'"),
        (rule(when={"score": "refused"}), "rules.0.when.score.at_least", "'refuse'"),
        (rule(when={"score": {}}), "rules.0.when.score", "at_least"),
        (rule(when={"score": {"above": 3}}), "rules.0.when.score.above", "one of: at_least, below"),
        (rule(when={"score": float("inf")}), "rules.0.when.score.at_least", "a number"),
        (rule(when={"client": "10.0.0.0/99"}), "rules.0.when.client", "10.0.0.0/8"),
        (rule(when={"header": {"equals": "x"}}), "rules.0.when.header.name", "header's name"),
        (rule(when={"header": "a b"}), "rules.0.when.header.name", "user-agent"),
        (rule(when={"header": {"name": "a", "equals": "é"}}), "rules.0.when.header", "ASCII"),
        (rule(when={"header": {"name": "a", "equals": "x", "contains": "y"}}), "rules.0.when.header", "one of the two"),
        (rule(when={"method": "GET POST"}), "rules.0.when.method", "a method"),
        (rule(when={"any": [{"pathh": "/a"}]}), "rules.0.when.any.0.pathh", "'path'"),
        (rule(when={"all": [{}, {"path": "a"}]}), "rules.0.when.all.1.path", "starts with /"),
        (rule(when={"not": {"path": "a"}}), "rules.0.when.not.path", "starts with /"),
        ({"rules": [{"name": "a", "action": "deny"}] * 2}, "rules", "2 rules named 'a'"),
    ],
)
def test_each_fault_has_its_place_and_its_mend(written: dict[str, Any], where: str, says: str) -> None:
    found = faults(written)
    assert says in found[where], found


def test_the_same_is_wrong_with_a_value() -> None:
    with pytest.raises(PolicyError) as caught:
        Policy(
            rules=(Rule("a", Action.DENY, When(path=("a",), score=Score("x"))), Rule("a", Action.THROTTLE)),
            preset="strict",
            shadow=("b",),
        )
    assert {fault.where for fault in caught.value.faults} == {
        "rules.0.when.path", "rules.0.when.score.at_least", "rules.1.limit", "rules", "shadow"
    }  # fmt: skip


def test_robots_are_looked_up_where_the_catalogue_is_given() -> None:
    written = {"crawlers": {"GPTBoot": "deny"}, **rule(when={"any": [{"crawler": ["curl", "Googelbot"]}]})}
    assert read_policy(written).crawlers == {"GPTBoot": Right.DENY}
    found = faults(written, crawlers=["GPTBot", "Googlebot", "curl"])
    assert "'GPTBot'" in found["crawlers.GPTBoot"]
    assert "'Googlebot'" in found["rules.0.when.crawler"]


def test_purposes_by_the_words_of_other_vocabularies() -> None:
    (written,) = read_policy(rule(when={"purpose": ["ai-train", "preview", "robot"]})).rules
    assert written.when.purpose == ("ai-training", "link-preview", "robot")


def test_conditions_may_not_be_endlessly_deep() -> None:
    when: dict[str, Any] = {"path": "/a"}
    for _ in range(5000):
        when = {"not": when}
    assert any("levels" in text for text in faults(rule(when=when)).values())


def test_a_single_text_is_a_list_of_one_in_values_too() -> None:
    assert When(path="/archive/") == When(path=("/archive/",))  # type: ignore[arg-type]
    assert Policy(rules=(Rule("r", Action.DENY, When(path="/a")),)).rules[0].when.path == ("/a",)  # type: ignore[arg-type]


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("name", "action", "when", "path", "not", "any", "score", "header", "below", "limit", "x")),
            inner,
            max_size=4,
        )
    ),
)


@given(st.dictionaries(st.sampled_from(("rules", "rights", "crawlers", "preset", "thresholds", "shadow")), json_like))
def test_whatever_is_written_is_a_policy_or_a_list_of_faults(written: dict[str, Any]) -> None:
    try:
        policy = read_policy(written)
    except PolicyError as error:
        policy, told = None, error.faults
    else:
        told = ()
    assert (policy is None) is bool(told)
