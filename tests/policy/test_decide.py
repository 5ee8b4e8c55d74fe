from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from contentguard import Limits, Policy
from contentguard.crawlers import CATALOGUE
from contentguard.limits import Limit
from contentguard.model import Action, Crawler, Facts, Pace, Purpose, Rendition, Right, Signal, Standing, Verdict
from contentguard.policy import (
    DEFAULT_RIGHTS,
    PRESETS,
    Header,
    Rule,
    Score,
    When,
    decide,
    decide_article,
    is_open,
    over,
)
from contentguard.policy.verdicts import NOT_THE_ARTICLE

GPTBOT = Crawler("GPTBot", "GPTBot", "OpenAI", Purpose.AI_TRAINING, "GPTBot")
CURL = Crawler("curl", "curl", "", Purpose.TOOL)
HEADLESS = Crawler("HeadlessChrome", "HeadlessChrome", "", Purpose.TOOL)


GOOGLEBOT = Crawler("Googlebot", "Googlebot", "Google", Purpose.SEARCH, "Googlebot")


def facts(crawler: Crawler | None = None, path: str = "/news/a", wait: float = 0.0, **more: Any) -> Facts:
    return Facts(
        **{"method": "GET", "headers": (), "client": "192.0.2.1", **more}, path=path, crawler=crawler, wait=wait
    )


def scored(score: float) -> tuple[Signal, ...]:
    """Signals that come to ``score``, a group for every 4 of it."""
    return tuple(Signal("s", min(4.0, score - 4 * n), f"g{n}") for n in range(5) if score > 4 * n)


def test_every_purpose_has_a_default() -> None:
    assert set(DEFAULT_RIGHTS) == set(Purpose)


@pytest.mark.parametrize(
    ("right", "action", "rendition", "on_article"),
    [
        (Right.ALLOW, Action.ALLOW, Rendition.FULL, Action.ALLOW),
        (Right.EXCERPT, Action.ALLOW, Rendition.HEAD, Action.ALLOW),
        (Right.HEAD, Action.ALLOW, Rendition.HEAD, Action.ALLOW),
        (Right.NO_ARTICLES, Action.ALLOW, Rendition.NONE, Action.DENY),
        (Right.CHARGE, Action.CHARGE, Rendition.NONE, Action.CHARGE),
        (Right.DENY, Action.DENY, Rendition.NONE, Action.DENY),
    ],
)
def test_what_each_right_means(right: Right, action: Action, rendition: Rendition, on_article: Action) -> None:
    verdict = decide(Policy(rights={Purpose.TOOL: right}), facts(CURL))
    assert (verdict.action, verdict.rendition, verdict.rule) == (action, rendition, "rights.tool")
    assert decide_article(facts(CURL), verdict).action is on_article
    assert "curl" not in verdict.public_reason
    assert "curl" in verdict.private_reason


def test_readers_have_everything() -> None:
    verdict = decide(Policy(), facts())
    assert (verdict.action, verdict.rendition, verdict.rule) == (Action.ALLOW, Rendition.FULL, "readers")


def test_an_exception_for_one_robot_goes_first() -> None:
    policy = Policy(rights={Purpose.AI_TRAINING: Right.HEAD}, crawlers={"gptbot": Right.ALLOW})
    assert decide(policy, facts(GPTBOT)).rule == "crawlers.GPTBot"
    assert decide(policy, facts(GPTBOT)).rendition is Rendition.FULL


def test_a_browser_without_a_screen_is_not_refused_for_its_name() -> None:
    assert decide(Policy(), facts(HEADLESS)).rendition is Rendition.FULL
    assert decide(Policy(crawlers={"HeadlessChrome": Right.DENY}), facts(HEADLESS)).action is Action.DENY


@pytest.mark.parametrize("path", ["/robots.txt", "/.well-known/tdmrep.json", "/sitemap.xml"])
def test_what_is_published_for_robots_is_open_to_all_of_them(path: str) -> None:
    verdict = decide(Policy(), facts(GPTBOT, path))
    assert (verdict.action, verdict.rendition) == (Action.ALLOW, Rendition.NONE)
    assert decide_article(facts(GPTBOT, path), verdict).action is Action.DENY


@pytest.mark.parametrize("path", ["/robots.txt/x", "/x/robots.txt", "/.well-knownx", "/Robots.txt", "/a?/robots.txt"])
def test_open_paths_are_exact(path: str) -> None:
    """CVE-2025-54576 (oauth2-proxy): an exemption that matches more than the path it names."""
    assert not is_open(path)


def test_a_client_over_its_limit_waits() -> None:
    verdict = decide(Policy(), facts(wait=3.2))
    assert (verdict.action, verdict.rule, verdict.retry_after) == (Action.THROTTLE, "limits.requests", 3.2)
    verdict = decide_article(facts(wait=3.2), decide(Policy(), facts()))
    assert (verdict.action, verdict.rule, verdict.retry_after) == (Action.THROTTLE, "limits.articles", 3.2)


def test_health_checks_are_not_exempt_by_their_name() -> None:
    """CVE-2026-34457 (oauth2-proxy): a monitor's User-Agent opened every door."""
    monitors = [c for c in CATALOGUE.crawlers if c.purpose is Purpose.MONITORING and c.name != "Chrome-Lighthouse"]
    assert monitors
    assert {decide(Policy(), facts(c)).rendition for c in monitors} == {Rendition.HEAD}


@pytest.mark.parametrize("options", [{"articles": "often"}, {"requests": "1/fortnight"}, {"clients": 0}])
def test_limits_refuse_what_means_nothing(options: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own text, tested with the settings
        Limits(**options)  # type: ignore[arg-type]


# -- rules -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "verdict", "rendition", "status"),
    [
        (Action.ALLOW, Action.ALLOW, Rendition.FULL, 200),
        # Until progressive reading and excerpts are there, the metadata.
        (Action.LEAD, Action.ALLOW, Rendition.LEAD, 200),
        (Action.EXCERPT, Action.ALLOW, Rendition.HEAD, 200),
        (Action.HEAD, Action.ALLOW, Rendition.HEAD, 200),
        (Action.CHARGE, Action.CHARGE, Rendition.NONE, 402),
        (Action.DENY, Action.DENY, Rendition.NONE, 403),
    ],
)
def test_what_each_action_means(action: Action, verdict: Action, rendition: Rendition, status: int) -> None:
    found = decide(Policy(rules=(Rule("all", action),)), facts())
    assert (found.action, found.rendition, found.rule, found.status) == (verdict, rendition, "all", status)
    assert bool(found.public_reason) is (status != 200)
    assert "all" not in found.public_reason.split()


def test_the_first_rule_that_holds_decides() -> None:
    rules = (
        Rule("partner", Action.ALLOW, When(client=("192.0.2.0/24",), path=("/archive/",))),
        Rule("archive", Action.DENY, When(path=("/archive/",))),
        Rule("never", Action.CHARGE, When(path=("/archive/old/",))),
    )
    policy = Policy(rules=rules)
    assert decide(policy, facts(path="/archive/old/a")).rule == "partner"
    assert decide(policy, facts(path="/archive/old/a", client="198.51.100.1")).rule == "archive"
    assert decide(policy, facts(path="/news/a")).rule == "readers"
    assert decide(Policy(rules=rules[::-1]), facts(path="/archive/old/a")).rule == "never"


def test_own_rules_go_before_the_preset_s_and_may_take_their_place() -> None:
    trusted = Rule("trusted", Action.ALLOW, When(client=("192.0.2.0/24",)))
    assert decide(Policy(rules=(trusted,)), facts(GPTBOT, identity=Standing.SPOOFED)).rule == "trusted"
    milder = Rule("spoofed", Action.HEAD, When(identity=("spoofed",)))
    assert decide(Policy(rules=(milder,)), facts(GOOGLEBOT, identity=Standing.SPOOFED)).rendition is Rendition.HEAD
    assert [rule.name for rule in Policy(rules=(milder,)).effective_rules()] == ["spoofed", "refuse", "lead-only"]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    ("identity", "refused"),
    [
        (Standing.VERIFIED, False),
        (Standing.SPOOFED, True),
        (Standing.UNVERIFIABLE, False),
        (Standing.UNKNOWN, False),
    ],
)
def test_only_who_lies_about_its_name_is_refused_for_its_identity(
    preset: str, identity: Standing, refused: bool
) -> None:
    verdict = decide(Policy(preset=preset), facts(GOOGLEBOT, identity=identity))
    assert (verdict.action is Action.DENY) is refused
    assert "lie" not in verdict.public_reason
    assert (verdict.rendition is Rendition.FULL) is (
        identity is Standing.VERIFIED or (not refused and preset != "strict")
    )


def test_a_verified_robot_has_its_purpose_s_right_and_no_other() -> None:
    policy = Policy(rights={Purpose.SEARCH: Right.DENY}, unverified={Purpose.SEARCH: Right.HEAD})
    for identity in (Standing.VERIFIED, Standing.UNKNOWN):
        assert decide(policy, facts(GOOGLEBOT, identity=identity)).rule == "rights.search"
    strict = decide(Policy(preset="strict"), facts(GOOGLEBOT, identity=Standing.UNVERIFIABLE))
    assert (strict.rule, strict.rendition) == ("unverified.search", Rendition.HEAD)
    assert "unverifiable" in strict.private_reason


@pytest.mark.parametrize(
    ("preset", "score", "rule", "shadow"),
    [
        ("press", 0.0, "readers", ()),
        ("press", 2.99, "readers", ()),
        ("press", 3.0, "readers", ("lead-only",)),
        ("press", 7.99, "readers", ("lead-only",)),
        ("press", 8.0, "refuse", ()),
        ("press", 20.0, "refuse", ()),
        ("strict", 1.99, "readers", ()),
        ("strict", 2.0, "readers", ("lead-only",)),
        ("strict", 8.0, "refuse", ()),
        ("open", 20.0, "readers", ()),
    ],
)
def test_thresholds_of_the_presets(preset: str, score: float, rule: str, shadow: tuple[str, ...]) -> None:
    verdict = decide(Policy(preset=preset), facts(), scored(score))
    assert (verdict.rule, verdict.shadow) == (rule, shadow)
    assert verdict.score == pytest.approx(score)
    assert verdict.signals == scored(score)
    refused = rule == "refuse"
    assert (verdict.action, verdict.rendition) == (
        (Action.DENY, Rendition.NONE) if refused else (Action.ALLOW, Rendition.FULL)
    )


@pytest.mark.parametrize(("preset", "least"), [("press", 3.0), ("strict", 2.0), ("classic-wordpress", 3.0)])
def test_a_site_may_take_the_preset_s_lead_out_of_shadow(preset: str, least: float) -> None:
    rule = Rule("lead-only", Action.LEAD, When(purpose=("reader",), score=Score("lead-only", "refuse")))
    policy = Policy(preset=preset, rules=(rule,))
    found = [decide(policy, facts(), scored(score)) for score in (least - 0.01, least, 7.99, 8.0)]
    assert [verdict.rule for verdict in found] == ["readers", "lead-only", "lead-only", "refuse"]
    assert found[1].rendition is Rendition.LEAD
    assert {verdict.shadow for verdict in found} == {()}


def test_a_score_is_about_readers_and_browsers_without_a_screen() -> None:
    assert decide(Policy(), facts(HEADLESS), scored(13)).rule == "refuse"
    assert decide(Policy(), facts(CURL), scored(13)).rule == "rights.tool"
    named = Policy(crawlers={"HeadlessChrome": Right.ALLOW})
    assert decide(named, facts(HEADLESS), scored(13)).rule == "crawlers.HeadlessChrome"


def test_thresholds_are_the_site_s_to_set() -> None:
    policy = Policy(
        thresholds={"refuse": 5.0, "odd": 2.0}, rules=(Rule("odd", Action.CHARGE, When(score=Score("odd", "refuse"))),)
    )
    assert [decide(policy, facts(), scored(s)).rule for s in (1.9, 2.0, 4.9, 5.0)] == [
        "readers", "odd", "odd", "refuse"
    ]  # fmt: skip


def test_headers_come_in_any_number_and_spelling() -> None:
    rule = Rule("key", Action.ALLOW, When(header=(Header("X-Key", equals="s3cret"), Header("via"))))
    policy = Policy(rules=(rule, Rule("rest", Action.DENY)))
    several = ((b"x-key", b"wrong"), (b"via", b"1.1 a"), (b"x-key", b"s3cret"))
    assert decide(policy, facts(headers=several)).rule == "key"
    assert decide(policy, facts(headers=((b"X-KEY", b"s3cret"), (b"Via", b"")))).rule == "key"
    assert decide(policy, facts(headers=((b"x-key", b"S3CRET"), (b"via", b"")))).rule == "rest"
    assert decide(policy, facts(headers=((b"x-key", b"s3cret"),))).rule == "rest"


# -- limits of rules -------------------------------------------------------------------------------------------

SLOWLY = Rule("slowly", Action.THROTTLE, When(purpose=("tool",)), limit="10/minute")
PACED = Rule("paced", Action.WAIT, When(score=Score("suspicious")))


def test_a_throttle_holds_only_those_who_are_over_it() -> None:
    policy = Policy(rules=(SLOWLY,))
    within = decide(policy, facts(CURL))
    assert (within.rule, within.rendition) == ("rights.tool", Rendition.NONE)
    assert within.paces == (Pace("slowly", Limit.parse("10/minute"), articles=False),)
    asked = over(facts(CURL), {"slowly": 4.2, "other": 0.0})
    assert asked.waits == (("slowly", 4.2),)
    beyond = decide(policy, asked)
    assert (beyond.action, beyond.status, beyond.rule, beyond.retry_after) == (Action.THROTTLE, 429, "slowly", 4.2)
    assert beyond.paces == ()
    assert "10/minute" in beyond.private_reason
    assert "10/minute" not in beyond.public_reason
    assert decide(policy, over(facts(), {"slowly": 4.2})).rule == "readers"


def test_a_wait_holds_articles_to_a_reader_s_pace() -> None:
    policy = Policy(rules=(PACED,))
    verdict = decide(policy, facts(), scored(5))
    assert verdict.rendition is Rendition.FULL
    assert verdict.paces == (Pace("paced", Limit.parse("30/minute burst 1"), articles=True),)
    verdict = decide(policy, over(facts(), {"paced": 1.5}), verdict.signals)
    assert (verdict.action, verdict.status, verdict.retry_after, verdict.score) == (Action.WAIT, 429, 1.5, 5.0)


def test_several_limits_are_all_asked_for() -> None:
    hourly = Rule("hourly", Action.THROTTLE, When(purpose=("tool",)), limit="100/hour", counts="articles")
    verdict = decide(Policy(rules=(SLOWLY, hourly, Rule("all", Action.HEAD))), facts(CURL))
    assert [(pace.rule, pace.articles) for pace in verdict.paces] == [("slowly", False), ("hourly", True)]
    assert verdict.rule == "all"


def test_a_limit_behind_the_rule_that_decides_is_not_asked_for() -> None:
    assert decide(Policy(rules=(Rule("all", Action.HEAD), SLOWLY)), facts(CURL)).paces == ()


# -- shadow ----------------------------------------------------------------------------------------------------


def test_a_rule_in_shadow_is_noted_and_not_acted_on() -> None:
    rules = (
        Rule("tried", Action.DENY, When(path=("/archive/",)), shadow=True),
        Rule("too", Action.CHARGE, shadow=True),
        Rule("live", Action.HEAD),
        Rule("behind", Action.DENY, shadow=True),
    )
    verdict = decide(Policy(rules=rules), facts(path="/archive/a"))
    assert (verdict.rule, verdict.shadow) == ("live", ("tried", "too"))
    assert decide(Policy(rules=rules), facts()).shadow == ("too",)


def test_a_preset_s_rule_can_be_tried_by_its_name() -> None:
    policy = Policy(shadow=("refuse", "spoofed"))
    verdict = decide(policy, facts(), scored(9))
    assert (verdict.rule, verdict.rendition, verdict.shadow) == ("readers", Rendition.FULL, ("refuse", "lead-only"))
    assert decide(Policy(), facts(), scored(9)).rule == "refuse"
    assert decide(policy, facts(GOOGLEBOT, identity=Standing.SPOOFED)).rule == "rights.search"


def test_a_limit_in_shadow_is_asked_for_and_noted_once_it_is_exceeded() -> None:
    rule = Rule("tried", Action.THROTTLE, limit="1/hour", shadow=True)
    verdict = decide(Policy(rules=(rule,)), facts())
    assert ([pace.rule for pace in verdict.paces], verdict.shadow) == (["tried"], ())
    verdict = decide(Policy(rules=(rule,)), over(facts(), {"tried": 9.0}))
    assert (verdict.action, verdict.shadow, verdict.paces) == (Action.ALLOW, ("tried",), ())


def test_an_oddly_spelled_path_brings_its_limits_and_shadows_along() -> None:
    rules = (
        Rule("tried", Action.DENY, When(path=("/a/",)), shadow=True),
        Rule("slow", Action.THROTTLE, When(path=("/a/",)), limit="1/hour"),
    )
    verdict = decide(Policy(rules=rules), facts(path="/x/../a/b"))
    assert (verdict.shadow, [pace.rule for pace in verdict.paces]) == (("tried",), ["slow"])


# -- records ---------------------------------------------------------------------------------------------------


def test_what_the_log_keeps() -> None:
    policy = Policy(rules=(Rule("tried", Action.DENY, shadow=True),))
    verdict = decide(policy, facts(), (Signal("no-language", 1.23456, "headers"), Signal("odd", 6.0, "session")))
    assert verdict.as_dict() == {
        "action": "allow",
        "rendition": "full",
        "rule": "readers",
        "reason": "",
        "retry_after": None,
        "score": 5.235,
        "signals": [["no-language", 1.235, "headers"], ["odd", 6.0, "session"]],
        "shadow": ["tried", "lead-only"],
    }


def test_an_article_s_verdict_keeps_what_it_rests_on() -> None:
    verdict = decide(Policy(rules=(Rule("tried", Action.DENY, shadow=True),)), facts(), scored(3))
    waiting = decide_article(facts(wait=2.0), verdict)
    assert (waiting.rule, waiting.score, waiting.shadow) == ("limits.articles", 3.0, ("tried", "lead-only"))
    refused = decide_article(facts(CURL), decide(Policy(), facts(CURL), scored(3)))
    assert (refused.action, refused.status, refused.score) == (Action.DENY, 403, 3.0)
    assert isinstance(refused, Verdict)


def test_an_article_is_never_refused_without_a_reason() -> None:
    silent = Verdict(Action.ALLOW, Rendition.NONE, "r")
    assert decide_article(facts(), silent).public_reason == NOT_THE_ARTICLE
    assert decide_article(facts(), replace(silent, public_reason="So.")).public_reason == "So."
