"""robots.txt says what the policy says: a small RFC 9309 reader walks the whole catalogue."""

from __future__ import annotations

from urllib.robotparser import RobotFileParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.data import crawlers
from contentguard.model import Crawler, Purpose, Right
from contentguard.publish import PUBLICATIONS, documents, render_robots
from contentguard.publish.robots import document
from contentguard.terms import Line, Site, Terms, Use

ALL_ALLOWED = dict.fromkeys(Purpose, Right.ALLOW)
TRAINING_DENIED = {**ALL_ALLOWED, Purpose.AI_TRAINING: Right.DENY}
NAMES = [crawler.name for crawler in crawlers()]


def read(text: str) -> dict[str, list[tuple[str, str]]]:
    """RFC 9309 groups: token in lower case → its rules; groups of one token are merged."""
    groups: dict[str, list[tuple[str, str]]] = {}
    current: list[str] = []
    in_rules = False
    for line in text.splitlines():
        key, _, value = (part.strip() for part in line.partition("#")[0].partition(":"))
        if key.lower() == "user-agent":
            current = [*([] if in_rules else current), value.lower()]
            in_rules = False
            groups.setdefault(value.lower(), [])
        elif key.lower() in {"allow", "disallow"}:
            in_rules = True
            for token in current:
                groups[token].append((key.lower(), value))
    return groups


def allowed(groups: dict[str, list[tuple[str, str]]], token: str, path: str) -> bool:
    rules = groups.get(token.lower(), groups.get("*", []))
    matching = [(len(value), key == "allow") for key, value in rules if value and path.startswith(value)]
    return max(matching)[1] if matching else True


def right_of(crawler: Crawler, rights: dict[Purpose, Right], overrides: dict[str, Right]) -> Right:
    return {name.lower(): r for name, r in overrides.items()}.get(crawler.name.lower(), rights[crawler.purpose])


REFUSING = (Right.CHARGE, Right.DENY)


@settings(max_examples=30, deadline=None)
@given(
    rights=st.fixed_dictionaries({purpose: st.sampled_from(Right) for purpose in Purpose}),
    overrides=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(Right), max_size=5),
)
def test_disallowed_exactly_when_refused(rights: dict[Purpose, Right], overrides: dict[str, Right]) -> None:
    groups = read(render_robots(rights, overrides, crawlers()))
    for crawler in crawlers():
        # A robot that obeys another's name follows that one's right.
        if crawler.robots_token is not None and crawler.robots_token == crawler.name:
            denied = right_of(crawler, rights, overrides) in REFUSING
            assert allowed(groups, crawler.robots_token, "/") is not denied, crawler


def test_parsers_that_match_parts_of_names_read_the_same() -> None:
    overrides = {"Googlebot": Right.DENY, "Googlebot-News": Right.ALLOW}
    parser = RobotFileParser()
    parser.parse(render_robots(TRAINING_DENIED, overrides, crawlers()).splitlines())
    for crawler in crawlers():
        if crawler.robots_token is not None and crawler.robots_token == crawler.name:
            denied = right_of(crawler, TRAINING_DENIED, overrides) is Right.DENY
            assert parser.can_fetch(crawler.robots_token, "https://x.example/") is not denied, crawler


def test_control_tokens_follow_the_training_right() -> None:
    text = render_robots(TRAINING_DENIED, {}, crawlers())
    assert "User-agent: Google-Extended\n" in text
    assert "User-agent: Applebot-Extended\n" in text
    assert "Google-Extended" not in render_robots(ALL_ALLOWED, {}, crawlers())


def test_private_paths_are_closed_to_all_who_are_allowed() -> None:
    text = render_robots({**ALL_ALLOWED, Purpose.SEARCH: Right.DENY}, {"Googlebot-News": Right.ALLOW}, crawlers())
    for token in ("Googlebot-News", "GPTBot", "anything"):
        assert not allowed(read(text), token, "/.contentguard/style.css")
        assert allowed(read(text), token, "/news/a")


@pytest.mark.parametrize(
    ("right", "search", "train"),
    [
        (Right.ALLOW, "yes", "yes"),
        (Right.EXCERPT, "yes", "no"),
        (Right.HEAD, "yes", "no"),
        (Right.NO_ARTICLES, "no", "no"),
        (Right.DENY, "no", "no"),
    ],
)
def test_content_signal(right: Right, search: str, train: str) -> None:
    text = render_robots({**dict.fromkeys(Purpose, right), Purpose.TOOL: Right.ALLOW}, {}, ())
    signal = f"Content-Signal: search={search}, ai-input={train}, ai-train={train}"
    assert text.endswith(f"User-agent: *\n{signal}\nDisallow: /.contentguard/\nAllow: /\n")


def test_who_may_fetch_nothing_is_told_of_no_use() -> None:
    assert "\nContent-Signal" not in render_robots(dict.fromkeys(Purpose, Right.DENY), {}, ())


def test_a_group_of_its_own_states_the_uses_too() -> None:
    text = render_robots(TRAINING_DENIED, {"Googlebot": Right.DENY, "Googlebot-News": Right.ALLOW}, crawlers())
    (news,) = [block for block in text.split("\n\n") if "User-agent: Googlebot-News\n" in block]
    assert "Content-Signal: search=yes" in news


def test_an_unstated_purpose_is_left_unstated() -> None:
    text = render_robots({Purpose.SEARCH: Right.ALLOW}, {}, ())
    assert "Content-Signal: search=yes\n" in text
    assert "\nContent-Signal" not in render_robots({}, {}, ())


def test_head_names_policy_contact_and_licence() -> None:
    text = render_robots({}, {}, (), site="The Daily", contact="mailto:a@b.example", licence="https://b.example/l")
    assert text.startswith("# Unauthorized Content Copy policy of The Daily\n")
    assert "# Contact: mailto:a@b.example\n" in text
    assert "# Ask for a licence: https://b.example/l\n" in text


def test_only_absolute_sitemaps_are_named() -> None:
    urls = [
        "/sitemap.xml",
        "https://b.example/s.xml",
        "ftp://x/y",
        "https://b.example/\nDisallow: /",
        "https://[x",
    ]
    lines = render_robots({}, {}, (), sitemaps=urls).splitlines()
    assert [line for line in lines if line.startswith("Sitemap")] == ["Sitemap: https://b.example/s.xml"]


@given(st.text(), st.text(), st.text(), st.text(), st.text())
def test_no_setting_begins_a_line(site: str, contact: str, licence: str, url: str, token: str) -> None:
    evil = "\r\nUser-agent: *\u2028Disallow: /\x85"
    terms = Terms({token + evil: (Line("/", allowed=False),), "*": (Line("/", allowed=True),)}, {Use.SEARCH: True})
    text = document(
        terms,
        Site(site + evil, contact + evil, licence + evil, ("https://x.example/" + url + evil, "https://x.example/ok")),
    )
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == [
        "User-agent: *",
        "Content-Signal: search=yes",
        "Allow: /",
        "Sitemap: https://x.example/ok",
    ]


def test_the_file_stays_below_what_every_crawler_reads() -> None:
    assert len(render_robots(dict.fromkeys(Purpose, Right.DENY), {}, crawlers())) < 500 * 1024


tokens = st.text(st.sampled_from("abA-"), min_size=1, max_size=4)
line_sets = st.sampled_from([(Line("/", True),), (Line("/", False),), (Line("/a", False), Line("/", True))])


@settings(max_examples=200)
@given(st.dictionaries(tokens.map(str.lower), line_sets, max_size=8), line_sets)
def test_no_robot_takes_the_group_of_another(robots: dict[str, tuple[Line, ...]], everybody: tuple[Line, ...]) -> None:
    """Whole names (RFC 9309) and the first group whose name is a part of one's own (``urllib.robotparser``)."""
    text = document(Terms({**robots, "*": everybody}, {}), Site())
    groups, parser = read(text), RobotFileParser()
    parser.parse(text.splitlines())
    for token, lines in robots.items():
        for path in ("/a", "/b"):
            wanted = next(line.allowed for line in lines if path.startswith(line.pattern))
            assert allowed(groups, token, path) is wanted
            assert parser.can_fetch(token, f"https://x.example{path}") is wanted


def test_publications() -> None:
    assert PUBLICATIONS["robots.txt"].document is document
    made = documents(Terms({"*": (Line("/", True),)}, {}), Site())
    assert {path: kind for path, (kind, _) in made.items()} == {
        "/robots.txt": "text/plain; charset=utf-8",
        "/.well-known/tdmrep.json": "application/json",
    }
