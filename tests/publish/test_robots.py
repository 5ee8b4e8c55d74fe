"""robots.txt says what the policy says: a small RFC 9309 reader walks the whole catalogue."""

from __future__ import annotations

from urllib.robotparser import RobotFileParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.data import crawlers
from contentguard.model import Crawler, Purpose, Right
from contentguard.publish import PUBLICATIONS, render_robots

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


@settings(max_examples=30, deadline=None)
@given(
    rights=st.fixed_dictionaries({purpose: st.sampled_from(Right) for purpose in Purpose}),
    overrides=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(Right), max_size=5),
)
def test_disallowed_exactly_when_denied(rights: dict[Purpose, Right], overrides: dict[str, Right]) -> None:
    groups = read(render_robots(rights, overrides, crawlers()))
    for crawler in crawlers():
        # A robot that obeys another's name follows that one's right.
        if crawler.robots_token is not None and crawler.robots_token == crawler.name:
            denied = right_of(crawler, rights, overrides) is Right.DENY
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
        (Right.HEAD, "yes", "no"),
        (Right.NO_ARTICLES, "no", "no"),
        (Right.DENY, "no", "no"),
    ],
)
def test_content_signal(right: Right, search: str, train: str) -> None:
    text = render_robots(dict.fromkeys(Purpose, right), {}, ())
    assert f"User-agent: *\nContent-Signal: search={search}, ai-input={train}, ai-train={train}\nAllow: /\n" in text


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


@given(st.text(), st.text(), st.text(), st.text(), st.text(), st.text())
def test_no_setting_begins_a_line(site: str, contact: str, licence: str, path: str, url: str, token: str) -> None:
    evil = "\r\nUser-agent: *\u2028Disallow: /\x85"
    robot = Crawler("X", "X", "", Purpose.SEO, robots_token=token + evil)
    text = render_robots(
        dict.fromkeys(Purpose, Right.DENY),
        {"Y" + evil: Right.DENY},
        [robot],
        sitemaps=["https://x.example/" + url + evil],
        private=["/" + path.encode("utf-8", "replace").decode() + evil],
        site=site + evil,
        contact=contact + evil,
        licence=licence + evil,
    )
    assert [line for line in text.splitlines() if line and not line.startswith("#")][:3] == [
        "User-agent: *",
        "Content-Signal: search=no, ai-input=no, ai-train=no",
        "Allow: /",
    ]
    assert len([line for line in text.splitlines() if line and not line.startswith("#")]) == 4


def test_the_file_stays_below_what_every_crawler_reads() -> None:
    assert len(render_robots(dict.fromkeys(Purpose, Right.DENY), {}, crawlers())) < 500 * 1024


def test_publications() -> None:
    assert PUBLICATIONS["/robots.txt"] is render_robots
