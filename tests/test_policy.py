from __future__ import annotations

import pytest

from contentguard import Limits, Policy
from contentguard.crawlers import CATALOGUE
from contentguard.model import Action, Crawler, Facts, Purpose, Rendition, Right
from contentguard.policy import DEFAULT_RIGHTS, decide, decide_article, is_open

GPTBOT = Crawler("GPTBot", "GPTBot", "OpenAI", Purpose.AI_TRAINING, "GPTBot")
CURL = Crawler("curl", "curl", "", Purpose.TOOL)
HEADLESS = Crawler("HeadlessChrome", "HeadlessChrome", "", Purpose.TOOL)


def facts(crawler: Crawler | None = None, path: str = "/news/a", wait: float = 0.0) -> Facts:
    return Facts(method="GET", path=path, headers=(), client="192.0.2.1", crawler=crawler, wait=wait)


def test_every_purpose_has_a_default() -> None:
    assert set(DEFAULT_RIGHTS) == set(Purpose)


@pytest.mark.parametrize(
    ("right", "action", "rendition", "on_article"),
    [
        (Right.ALLOW, Action.ALLOW, Rendition.FULL, Action.ALLOW),
        (Right.HEAD, Action.ALLOW, Rendition.HEAD, Action.ALLOW),
        (Right.NO_ARTICLES, Action.ALLOW, Rendition.NONE, Action.DENY),
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
