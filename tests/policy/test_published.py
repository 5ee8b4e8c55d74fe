"""What is published and what is enforced agree, for every robot of the catalogue and whatever the policy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from urllib.parse import quote, unquote
from urllib.robotparser import RobotFileParser

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from protego import Protego

from contentguard import Crawler, Facts, Policy, Purpose, Right
from contentguard.crawlers import CATALOGUE
from contentguard.model import Action, Rendition, Standing
from contentguard.policy import PRESETS, Rule, Score, When, decide
from contentguard.policy.lines import Place, ranked
from contentguard.policy.paths import parse_pattern
from contentguard.policy.published import Published, Unpublished
from contentguard.policy.reach import reach
from contentguard.publish import content_signal, documents, headers
from contentguard.terms import Line, Site, Use
from tests.policy import generated

SITE = Site("The Daily", licence="https://news.example/licence")
TOLD = tuple(crawler for crawler in CATALOGUE.crawlers if crawler.robots_token is not None)
FEW = tuple(TOLD[::23]) + tuple(c for c in TOLD if c.name in ("Googlebot", "Googlebot-News", "GPTBot", "Feedly"))
REFUSED = (Action.CHARGE, Action.DENY)
HONEST = tuple(identity for identity in Standing if identity is not Standing.SPOOFED)


# -- a reader of robots.txt, after RFC 9309 and nothing else ---------------------------------------------------


def groups(text: str) -> dict[str, list[Line]]:
    """2.2.1: token in lower case → rules; groups of one token are put together, unknown lines change nothing."""
    found: dict[str, list[Line]] = {}
    current: list[str] = []
    in_rules = True
    for line in text.splitlines():
        key, _, value = (part.strip() for part in line.partition("#")[0].partition(":"))
        if key.lower() == "user-agent":
            current = [value.lower()] if in_rules else [*current, value.lower()]
            in_rules = False
            found.setdefault(value.lower(), [])
        elif key.lower() in ("allow", "disallow"):
            in_rules = True
            for token in current:
                found[token].append(Line(value, key.lower() == "allow"))
    return found


@cache
def expression(pattern: str) -> re.Pattern[str]:
    """2.2.3, on decoded texts: ``*`` and a last ``$``, everything else for itself."""
    end = r"\Z" if pattern.endswith("$") else ""
    parts = [unquote(part) for part in re.sub(r"\*+", "*", pattern.removesuffix("$")).split("*")]
    return re.compile(".*".join(map(re.escape, parts)) + end, re.DOTALL)


def allowed(rules: list[Line], url: str) -> bool:
    """2.2.2: the longest match in octets, of equally long ones the permission; without any, yes."""
    matching = [(len(line.pattern), line.allowed) for line in rules if expression(line.pattern).match(url)]
    return max(matching)[1] if matching else True


def group_of(found: dict[str, list[Line]], crawler: Crawler) -> list[Line]:
    return found.get((crawler.robots_token or "").lower(), found["*"])


# A rule holds in whatever case its path is asked for, which robots.txt cannot say: see the test about it.
EXPRESSIBLE = generated.policies(
    generated.expressible_leaves, tuple(pattern for pattern in generated.PATTERNS if pattern == pattern.lower())
)


# -- agreement -------------------------------------------------------------------------------------------------


def refused(policy: Policy, crawler: Crawler, path: str, identity: Standing) -> tuple[bool, str]:
    verdict = decide(policy, Facts("GET", path, (), None, crawler=crawler, identity=identity))
    return verdict.action in REFUSED, verdict.rule


def is_told(policy: Policy, listed: Iterable[Unpublished], crawler: Crawler, rule: str) -> bool:
    """Whether what decided is something that this robot is told of; if not, ``check`` has to list it."""
    if any(one.why.startswith(f"{crawler.name} reads what") for one in listed):
        return False
    whys = [one.why for one in listed if one.rule == rule and "reads what" not in one.why]
    made = next((one for one in policy.effective_rules() if one.name == rule), None)
    unknown = made is None or reach(made.when, policy.compiled.kind_of(crawler), crawler.name.lower()).unknown
    return not any(unknown or "contradicts" in why for why in whys)


@settings(max_examples=60)
@given(
    EXPRESSIBLE,
    st.lists(generated.plain_paths, min_size=1, max_size=4),
    st.sampled_from(HONEST),
    st.data(),
)
def test_what_is_published_is_what_is_enforced(
    policy: Policy, paths: list[str], identity: Standing, data: st.DataObject
) -> None:
    published = Published(policy, CATALOGUE.crawlers)
    listed = published.unpublished()
    found = groups(documents(published.terms, SITE)["/robots.txt"][1].decode())
    others = data.draw(st.lists(st.sampled_from(TOLD), max_size=20))
    for crawler in (*FEW, *others):
        for path in paths:
            is_refused, rule = refused(policy, crawler, path, identity)
            if is_told(policy, listed, crawler, rule):
                for url in (path, path + "?page=2"):
                    assert allowed(group_of(found, crawler), url) is not is_refused, (crawler.name, url, rule)


@settings(max_examples=5)
@given(EXPRESSIBLE, generated.plain_paths)
def test_every_robot_of_the_catalogue_is_told(policy: Policy, path: str) -> None:
    published = Published(policy, CATALOGUE.crawlers)
    listed = published.unpublished()
    found = groups(documents(published.terms, SITE)["/robots.txt"][1].decode())
    for crawler in TOLD:
        is_refused, rule = refused(policy, crawler, path, Standing.VERIFIED)
        if is_told(policy, listed, crawler, rule):
            assert allowed(group_of(found, crawler), path) is not is_refused, (crawler.name, rule)


@settings(max_examples=40)
@given(EXPRESSIBLE, st.lists(generated.plain_paths, min_size=1, max_size=4))
def test_protego_reads_the_same(policy: Policy, paths: list[str]) -> None:
    """Scrapy's reader, as a second opinion; it measures patterns after encoding them its own way."""
    text = documents(Published(policy, CATALOGUE.crawlers).terms, SITE)["/robots.txt"][1].decode()
    parser, found = Protego.parse(text), groups(text)
    for crawler in FEW:
        for path in paths:
            url = f"https://news.example{quote(path)}"
            assert parser.can_fetch(url, crawler.robots_token or "") is allowed(group_of(found, crawler), path), crawler


@settings(max_examples=40)
@given(
    generated.policies(generated.expressible_leaves, generated.PLAIN_PATTERNS),
    st.lists(st.sampled_from((*generated.PLAIN_PATTERNS, "/abc", "/a/x", "/b/x", "/archive/old/x", "/x")), min_size=3),
)
def test_the_standard_library_reads_the_same(policy: Policy, paths: list[str]) -> None:
    """``urllib.robotparser`` takes the first match and knows no ``*``: prefixes alone must lead it right too."""
    assume("*" not in "".join(p for rule in policy.effective_rules() for p in rule.when.path))
    text = documents(Published(policy, CATALOGUE.crawlers).terms, SITE)["/robots.txt"][1].decode()
    parser, found = RobotFileParser(), groups(text)
    parser.parse(text.splitlines())
    for crawler in FEW:
        for path in paths:
            url = f"https://news.example{path}"
            assert parser.can_fetch(crawler.robots_token or "", url) is allowed(group_of(found, crawler), path), crawler


patterns = st.text(st.sampled_from("ab/*$"), max_size=5).map(lambda text: parse_pattern("/" + text))
places = st.lists(st.builds(Place, st.uuids().map(str), patterns, st.booleans()), max_size=8)


@given(places, st.booleans(), st.lists(st.text(st.sampled_from("ab/"), max_size=6), min_size=1))
def test_first_match_and_longest_match_agree(found: list[Place], granted: bool, paths: list[str]) -> None:
    said = ranked(found, granted=granted)
    for path in (f"/{text}" for text in paths):
        first = next((p for p in found if p.pattern.matches(path)), None)
        if first is None or first.rule not in said.unsaid:
            wanted = granted if first is None else first.granted
            if not any(p.pattern.matches(path) for p in found if p.rule in said.unsaid):
                assert allowed(list(said.lines), path) is wanted
                assert next(line.allowed for line in said.lines if expression(line.pattern).match(path)) is wanted


@given(
    st.lists(
        st.builds(
            Place,
            st.uuids().map(str),
            st.sampled_from([parse_pattern(p) for p in generated.PATTERNS if p != "*b$"]),
            st.booleans(),
        )
    ),
    st.booleans(),
)
def test_ordinary_patterns_can_all_be_said_but_one_that_cannot_be_made_longer(
    found: list[Place], granted: bool
) -> None:
    """``/a$`` denied, ``/a`` allowed, ``/*.pdf$`` denied: the second must outdo the third, and so the first."""
    fixed = {place.rule for place in found if place.pattern.anchored and len(place.pattern.parts) == 1}
    assert ranked(found, granted=granted).unsaid <= fixed


def test_what_cannot_be_said_is_only_what_is_caught_between_two_others() -> None:
    places = [Place(text, parse_pattern(text), text == "/a") for text in ("/a$", "/a", "/*.pdf$")]
    assert ranked(places, granted=True).unsaid == {"/a$"}
    for two in (places[:2], places[1:], places[::2]):
        assert not ranked(two, granted=True).unsaid


def test_what_cannot_be_put_before_what_contradicts_it_is_listed() -> None:
    """``/b$`` cannot be made longer, and ``/*b$`` is longer than it."""
    rules = (
        Rule("one", Action.DENY, When(path=("/b$",), purpose=("robot",))),
        Rule("all", Action.ALLOW, When(path=("/*b$",))),
        Rule("rest", Action.DENY, When(purpose=("robot",))),
    )
    published = Published(Policy(preset="open", rules=rules), CATALOGUE.crawlers, private=())
    assert published.terms.robots["Googlebot"] == (Line("/*b$", True), Line("/*b?", True), Line("/", False))
    (why,) = [one.why for one in published.unpublished() if one.rule == "one"]
    assert why == "it cannot be put before what contradicts it"


def test_lines_say_what_is_needed_and_only_that_is_lengthened() -> None:
    rules = (
        Rule("press", Action.ALLOW, When(path=("/press/",))),
        Rule("archive", Action.DENY, When(path=("/archive/", "/*.pdf$"), purpose=("robot",))),
        Rule("hidden", Action.DENY, When(path=("/press/old/",))),
        Rule("idle", Action.ALLOW, When(path=("/news/",))),
    )
    lines = Published(Policy(preset="open", rules=rules), CATALOGUE.crawlers, private=()).terms.robots["Googlebot"]
    assert lines == (
        Line("/press/**", True),
        Line("/archive/", False),
        Line("/*.pdf$", False),
        Line("/*.pdf?", False),
        Line("/", True),
    )


def test_what_is_closed_to_all_is_closed_to_who_is_not_named() -> None:
    rules = (Rule("archive", Action.DENY, When(path=("/archive/",), purpose=("robot",))),)
    text = documents(Published(Policy(preset="open", rules=rules), CATALOGUE.crawlers).terms, SITE)["/robots.txt"][1]
    assert text.endswith(b"Disallow: /.contentguard/\nDisallow: /archive/\nAllow: /\n")
    assert text.count(b"User-agent") == 1


def test_a_robot_that_no_catalogue_lists_is_told_what_a_tool_gets() -> None:
    text = documents(Published(Policy(rights={Purpose.TOOL: Right.DENY}), CATALOGUE.crawlers).terms, SITE)
    found = groups(text["/robots.txt"][1].decode())
    assert not allowed(found["*"], "/news/a")
    assert allowed(found["googlebot"], "/news/a")
    assert "gptbot" not in found


def test_what_is_not_published_is_listed_with_its_reason() -> None:
    rules = (
        Rule("slowly", Action.THROTTLE, When(purpose=("seo",)), limit="10/minute"),
        Rule("partners", Action.ALLOW, When(client=("192.0.2.0/24",))),
        Rule("posts", Action.DENY, When(method=("POST",))),
        Rule("told", Action.DENY, When(path=("/a/",), purpose=("robot",))),
        Rule("not told", Action.DENY, When(path=("/a/",), not_=When(path=("/a/b/",)))),
        Rule("tried", Action.DENY, When(score=Score(3.0)), shadow=True),
        Rule("gone", Action.DENY, When(identity=("unknown",))),
        Rule("scored", Action.HEAD, When(purpose=("reader",), score=Score("lead-only"))),
    )
    policy = Policy(rules=rules, unverified={Purpose.SEARCH: Right.DENY}, crawlers={"Googlebot-Mobile": Right.DENY})
    found = {one.rule: one.why for one in Published(policy, CATALOGUE.crawlers).unpublished()}
    assert {name: why.split(",")[0] for name, why in found.items()} == {
        "slowly": "a limit; robots.txt knows none",
        "partners": "it depends on client",
        "posts": "it depends on method",
        "not told": "it depends on path",
        "gone": "it depends on identity",
        "spoofed": "it concerns no robot that says truly what it is",
        "refuse": "it concerns no robot that says truly what it is",
        "scored": "it concerns no robot that says truly what it is",
        "unverified.search": "robots.txt cannot ask a robot to prove who it is",
        "crawlers.Googlebot-Mobile": "Googlebot-Mobile reads what robots.txt says to Googlebot",
    }


def test_a_path_is_published_in_the_case_it_is_written_in_and_holds_in_any() -> None:
    policy = Policy(preset="open", rules=(Rule("archive", Action.DENY, When(path=("/Archive/",), purpose=("robot",))),))
    text = documents(Published(policy, CATALOGUE.crawlers).terms, SITE)["/robots.txt"][1].decode()
    found = groups(text)["*"]
    assert [allowed(found, path) for path in ("/Archive/a", "/archive/a", "/news/a")] == [False, True, True]
    robot = CATALOGUE.crawlers[0]
    told = [refused(policy, robot, path, Standing.VERIFIED)[0] for path in ("/Archive/a", "/archive/a", "/news/a")]
    assert told == [True, True, False]


def test_rules_in_shadow_are_not_published() -> None:
    rule = Rule("archive", Action.DENY, When(path=("/archive/",), purpose=("robot",)), shadow=True)
    plain = Published(Policy(), CATALOGUE.crawlers).terms
    assert Published(Policy(rules=(rule,)), CATALOGUE.crawlers).terms == plain


# -- the other dialects ----------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(EXPRESSIBLE, st.lists(generated.plain_paths, min_size=1, max_size=4))
def test_no_two_dialects_contradict_each_other(policy: Policy, paths: list[str]) -> None:
    published = Published(policy, CATALOGUE.crawlers)
    terms = published.terms
    mining = json.loads(documents(terms, SITE)["/.well-known/tdmrep.json"][1])
    line = dict(part.split("=") for part in "".join(content_signal.line(terms)).partition(": ")[2].split(", ") if part)
    for path in paths:
        uses = published.uses_at(path)
        said = dict(headers(terms, uses, SITE))
        place = next(place for place in mining if parse_pattern(place["location"]).matches(path))
        assert place["tdm-reservation"] == int(said[b"tdm-reservation"]) == int(not uses[Use.AI_TRAIN])
        assert (said.get(b"tdm-policy", b"").decode() or None) == place.get("tdm-policy")
        signal = dict(part.split("=") for part in said[b"content-signal"].decode().split(", "))
        assert signal == {use.value: "yes" if granted else "no" for use, granted in uses.items()}
        assert all(signal[use] == "yes" for use, value in line.items() if value == "yes")
        robots = said.get(b"x-robots-tag", b"").decode().split(", ")
        assert ("noai" in robots) is not uses[Use.AI_TRAIN]
        assert ("noindex" in robots) is not uses[Use.SEARCH]
        assert ("noarchive" in robots) is not (uses[Use.AI_INPUT] and uses[Use.AI_TRAIN])


NAMELESS = {
    Use.SEARCH: Crawler("Nameless", "x", "", Purpose.SEARCH),
    Use.AI_INPUT: Crawler("Nameless", "x", "", Purpose.AI_SEARCH),
    Use.AI_TRAIN: Crawler("Nameless", "x", "", Purpose.AI_TRAINING),
}


@settings(max_examples=100)
@given(EXPRESSIBLE, st.lists(generated.plain_paths, min_size=1, max_size=4))
def test_a_use_is_granted_where_a_robot_for_it_would_get_it(policy: Policy, paths: list[str]) -> None:
    published = Published(policy, CATALOGUE.crawlers)
    listed = {one.rule for one in published.unpublished()}
    for path in paths:
        uses = published.uses_at(path)
        everybody = [
            decide(policy, Facts("GET", path, (), None, crawler=Crawler("N", "x", "", p), identity=Standing.VERIFIED))
            for p in Purpose
        ]
        if all(verdict.action in REFUSED for verdict in everybody):
            continue
        for use, robot in NAMELESS.items():
            verdict = decide(policy, Facts("GET", path, (), None, crawler=robot, identity=Standing.VERIFIED))
            enough = (Rendition.FULL, Rendition.LEAD, Rendition.HEAD) if use is Use.SEARCH else (Rendition.FULL,)
            if verdict.rule not in listed:
                assert uses[use] is (verdict.action is Action.ALLOW and verdict.rendition in enough), (use, path)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_publish_what_they_say(preset: str) -> None:
    policy = Policy(preset=preset)
    published = Published(policy, CATALOGUE.crawlers)
    found = groups(documents(published.terms, SITE)["/robots.txt"][1].decode())
    for crawler in TOLD:
        is_refused, rule = refused(policy, crawler, "/news/a", Standing.VERIFIED)
        assert allowed(group_of(found, crawler), "/news/a") is not is_refused, (crawler.name, rule)
    assert published.terms.uses[Use.SEARCH]
    assert published.terms.uses[Use.AI_TRAIN] is (preset == "open")
    assert len(documents(published.terms, SITE)["/robots.txt"][1]) < 500 * 1024


def test_the_doors_of_wordpress_are_closed_to_robots_and_open_to_readers() -> None:
    policy = Policy(preset="classic-wordpress")
    robots = groups(documents(Published(policy, CATALOGUE.crawlers).terms, SITE)["/robots.txt"][1].decode())
    google = next(crawler for crawler in TOLD if crawler.name == "Googlebot")
    for path in ("/wp-json/wp/v2/posts", "/wp-admin/", "/xmlrpc.php", "/WP-JSON/wp/v2/posts", "//wp-json/x"):
        assert decide(policy, Facts("GET", path, (), None, crawler=google)).action is Action.DENY
        assert decide(policy, Facts("GET", path, (), None)).action is Action.ALLOW
    assert not allowed(robots["googlebot"], "/wp-json/wp/v2/posts")
    assert allowed(robots["googlebot"], "/wp-admin/admin-ajax.php")
    assert not allowed(robots["*"], "/wp-admin/admin-ajax.php")
