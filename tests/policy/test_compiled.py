"""The compiled policy means what the plain one means, whatever the policy and whatever the request."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from contentguard import Crawler, Facts, Policy, Purpose, Signal, Verdict
from contentguard.model import Action, Standing
from contentguard.policy import Header, Rule, Score, When, decide, decide_article
from contentguard.policy.compiled import REMEMBERED
from contentguard.policy.conditions import Question
from tests.policy import generated, naive


def outcome(verdict: Verdict) -> naive.Outcome:
    return naive.Outcome(
        verdict.action,
        verdict.rendition,
        verdict.rule,
        verdict.retry_after,
        verdict.score,
        verdict.shadow,
        tuple(pace.rule for pace in verdict.paces),
    )


@settings(max_examples=400)
@given(generated.policies(), st.lists(generated.facts, min_size=1, max_size=8), generated.signals)
@example(Policy(rules=(Rule("r", Action.DENY, When(path=("/A/",))),)), [Facts("GET", "/a/x", (), None)], ())
def test_the_compiled_policy_decides_like_the_plain_one(
    policy: Policy, requests: list[Facts], signals: tuple[Signal, ...]
) -> None:
    caps = {"session": 2.0}
    for facts in requests:
        assert outcome(decide(policy, facts, signals, caps)) == naive.decided(policy, facts, signals, caps)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(generated.PLAIN_PATTERNS), min_size=20, max_size=60),
    st.lists(
        st.tuples(st.sampled_from(generated.NAMES), st.sampled_from(generated.NETWORKS)), min_size=20, max_size=20
    ),
    st.lists(generated.facts, min_size=1, max_size=5),
)
def test_many_rules_keep_their_order(patterns: list[str], others: list[tuple[str, str]], requests: list[Facts]) -> None:
    rules = [
        Rule(f"p{n}", Action.DENY if n % 2 else Action.HEAD, When(path=(p,), method=("POST",) if n % 5 == 0 else ()))
        for n, p in enumerate(patterns)
    ]
    mixed = [
        Rule(f"o{n}", Action.CHARGE, When(crawler=(name,), client=(network,)) if n % 2 else When(client=(network,)))
        for n, (name, network) in enumerate(others)
    ]
    policy = Policy(rules=tuple(rule for pair in zip(mixed, rules, strict=False) for rule in pair))
    for facts in requests:
        assert outcome(decide(policy, facts)) == naive.decided(policy, facts)


any_facts = st.builds(
    Facts,
    method=st.text(),
    path=st.text() | st.text().map(lambda text: "/" + text),
    headers=st.lists(st.tuples(st.binary(), st.binary())).map(tuple),
    client=st.none() | st.text() | st.ip_addresses().map(str),
    scheme=st.text(),
    now=st.floats(),
    crawler=st.none()
    | st.builds(Crawler, st.text(), st.text(), st.text(), st.sampled_from(Purpose), st.none() | st.text()),
    identity=st.sampled_from(Standing),
    wait=st.floats(),
    waits=st.lists(st.tuples(st.text(), st.floats())).map(tuple),
)
any_signals = st.lists(st.builds(Signal, st.text(), st.floats(), st.text())).map(tuple)


@given(generated.policies(), any_facts, any_signals)
def test_deciding_is_pure_and_total(policy: Policy, facts: Facts, signals: tuple[Signal, ...]) -> None:
    before = deepcopy(facts)
    verdict = decide(policy, facts, signals)
    assert decide(policy, facts, signals) == verdict
    assert facts == before
    assert verdict.score == verdict.score
    assert decide_article(facts, verdict).action in (Action.ALLOW, *naive.REFUSED)


@given(generated.policies(), any_facts, st.lists(st.tuples(st.binary(), st.binary())).map(tuple))
def test_a_policy_without_header_conditions_believes_no_header(
    policy: Policy, facts: Facts, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    """CVE-2026-48710 (BadHost), GHSA-6wcg-mqvh-fcvg (Anubis): no header says what the path is."""
    rules = [rule for rule in policy.rules if "header" not in set(rule.when.used())]
    plain = Policy(rights=policy.rights, rules=tuple(rules))
    told = ((b"host", b"x/robots.txt"), (b"x-original-uri", b"/robots.txt"), (b"x-rewrite-url", b"/"), *headers)
    changed = Facts(**{name: getattr(facts, name) for name in Facts.__slots__} | {"headers": told})
    assert decide(plain, changed) == decide(plain, facts)


@given(generated.policies(), generated.facts, generated.signals)
def test_a_verdict_with_signals_is_the_same_with_all_its_parts(
    policy: Policy, facts: Facts, signals: tuple[Signal, ...]
) -> None:
    bare = policy.compiled.judge(facts, (), 5.0)
    told = policy.compiled.judge(facts, (Signal("x"), *signals), 5.0)
    assert told == replace(bare, signals=(Signal("x"), *signals), score=5.0)


def test_what_is_remembered_of_robots_is_bounded() -> None:
    """A robot's name may be one that the client has made up."""
    policy = Policy()
    for number in range(REMEMBERED + 10):
        robot = Crawler(f"Bot{number}", "x", "", Purpose.AI_TRAINING)
        assert decide(policy, Facts("GET", "/", (), None, crawler=robot)).private_reason.count(f"Bot{number}") == 1
    assert len(policy.compiled._known) <= REMEMBERED


def test_two_robots_of_one_name_are_told_apart() -> None:
    policy = Policy()
    verdicts = [
        decide(policy, Facts("GET", "/", (), None, crawler=Crawler("Twin", "x", "", purpose), identity=identity)).rule
        for purpose in (Purpose.SEO, Purpose.SEARCH)
        for identity in (Standing.UNKNOWN, Standing.SPOOFED)
    ]
    assert verdicts == ["rights.seo", "spoofed", "rights.search", "spoofed"]


def test_rules_that_a_request_has_no_key_of_are_not_tried() -> None:
    """Flat from ten rules to a thousand: counted, not timed."""
    kinds: dict[str, Callable[[int], When]] = {
        "path": lambda n: When(path=(f"/section-{n}/",)),
        "exact path": lambda n: When(path=(f"/page-{n}$",)),
        "suffix": lambda n: When(path=(f"/*.x{n}$",)),
        "crawler": lambda n: When(crawler=(f"Bot{n}",)),
        "client": lambda n: When(client=(f"10.{n % 250}.{n // 250}.0/24",)),
        "header": lambda n: When(header=(Header("x-key", equals=f"key-{n}"),)),
        "score": lambda n: When(score=Score(5.0 + n)),
        "two": lambda n: When(crawler=("GPTBot",), path=(f"/section-{n}/",)),
        "any": lambda n: When(any=(When(path=(f"/a-{n}",)), When(client=(f"10.{n % 250}.{n // 250}.0/24",)))),
    }
    facts = Facts("GET", "/news/a", ((b"x-key", b"key-none"),), "192.0.2.1", crawler=generated.ROBOTS[0])
    for name, condition in kinds.items():
        policy = Policy(rules=tuple(Rule(f"r{n}", Action.DENY, condition(n)) for n in range(1000)))
        table = policy.compiled._exact
        question = Question(facts, facts.path, 0.0, "ai-training", "gptbot")
        tried = [place for look in table._lookups for place in look(question)]
        assert len(tried) + len(table._always) == 0, name
