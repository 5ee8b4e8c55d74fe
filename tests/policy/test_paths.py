"""Patterns match as RFC 9309 says, and no spelling of a path gets round a rule."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contentguard import Crawler, Facts, Policy, Purpose, Right
from contentguard.model import Action, Rendition
from contentguard.policy import Rule, When, decide, decide_article, is_open
from contentguard.policy.paths import parse_pattern, spellings
from tests.policy import generated, naive


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("/fish", ["/fish", "/fish.html", "/fishheads/x"], ["/Fish.asp", "/catfish", "/desert/fish"]),
        ("/fish/", ["/fish/", "/fish/salmon.htm"], ["/fish"]),
        ("/fish*", ["/fish", "/fishheads"], ["/cat"]),
        ("/*.php", ["/index.php", "/a/b.php", "/filename.php/"], ["/windows.PHP", "/"]),
        ("/*.php$", ["/filename.php"], ["/filename.php5", "/filename.php/"]),
        ("/fish*.php", ["/fish.php", "/fishheads/catfish.php"], ["/Fish.PHP"]),
        ("/a/ツ", ["/a/ツ", "/a/ツ/b"], ["/a/"]),
        ("/a/%E3%83%84", ["/a/ツ"], ["/a/%E3%83%84"]),
        ("/foo-%24", ["/foo-$", "/foo-$x"], ["/foo-"]),
        ("/foo%2Abar", ["/foo*bar"], ["/fooxbar"]),
        ("/$", ["/"], ["/page.htm"]),
        ("*.pdf$", ["/a.pdf", "/b/c.pdf"], ["/a.pdfx"]),
        ("/a*$", ["/a", "/abc"], ["/b"]),
        ("/a**b*c$", ["/abc", "/axbxc", "/abcbc"], ["/abcx", "/acb"]),
        ("/a$b", ["/a$b"], ["/a"]),
    ],
)
def test_the_patterns_of_rfc_9309(pattern: str, matching: list[str], others: list[str]) -> None:
    made = parse_pattern(pattern)
    assert [path for path in (*matching, *others) if made.matches(path)] == matching


texts = st.text(st.sampled_from("ab/*$."), max_size=8).map(lambda text: "/" + text)
plain_texts = st.text(st.sampled_from("ab/$.*"), max_size=10).map(lambda text: "/" + text)


@given(texts, plain_texts)
def test_patterns_match_like_their_regular_expression(pattern: str, path: str) -> None:
    assert parse_pattern(pattern).matches(path) == naive.path_matches(pattern, path, fold=False)


@given(texts, plain_texts)
def test_a_published_pattern_reads_back_as_itself(pattern: str, path: str) -> None:
    made = parse_pattern(pattern)
    assert parse_pattern(str(made)) == made
    assert parse_pattern(str(made)).matches(path) == made.matches(path)


@given(texts, texts, plain_texts)
@example("/a", "/a*$", "/ab")
def test_what_one_pattern_covers_and_where_two_may_meet(one: str, other: str, path: str) -> None:
    a, b = parse_pattern(one), parse_pattern(other)
    if a.covers(b) and b.matches(path):
        assert a.matches(path)
    if a.matches(path) and b.matches(path):
        assert a.may_meet(b)
        assert b.may_meet(a)


@pytest.mark.parametrize("text", ["", "archive/", "a*", "/a\nb", "/\0", "/" + "a" * 2048, "/\uffff", "https://x/"])
def test_what_is_no_pattern(text: str) -> None:
    with pytest.raises(ValueError, match="path pattern"):
        parse_pattern(text)


def test_a_long_path_with_many_stars_takes_no_time() -> None:
    """A pattern of 60 stars against 100 kB that nearly match: backtracking would not end."""
    assert not parse_pattern("/" + "a*" * 60 + "b$").matches("/" + "a" * 100_000)


SECRET = Policy(rules=(Rule("secret", Action.DENY, When(path=("/secret/", "/one$"))),))


def refused(path: str, policy: Policy = SECRET) -> bool:
    return decide(policy, Facts("GET", path, (), "192.0.2.1")).action is Action.DENY


@pytest.mark.parametrize("path", ["/secret/", "/secret/a", "/one"])
def test_the_rule_itself(path: str) -> None:
    assert refused(path)


@pytest.mark.parametrize("path", ["/", "/secret", "/secretly/", "/a/secret/", "/one/", "/one-two", "/oneself"])
def test_what_only_looks_like_it_is_not_refused(path: str) -> None:
    assert not refused(path)


@pytest.mark.parametrize("path", ["/a/../secret/x", "/./secret/x", "/secret/./x", "/a/b/../../secret/", "/../secret/x"])
def test_cve_2019_9901_dot_segments(path: str) -> None:
    """CVE-2019-9901 (Envoy): paths are compared before ``..`` is resolved."""
    assert refused(path)


@pytest.mark.parametrize("path", ["//secret/x", "/secret//x", "///secret///", "/a//..//secret/x"])
def test_cve_2019_9901_double_slashes(path: str) -> None:
    """CVE-2019-9901 (Envoy), second half: empty segments."""
    assert refused(path)


@pytest.mark.parametrize("path", ["/secret\0/x", "/sec\0ret/x", "/one\0", "/one\0.css", "/a\0/../secret/x"])
def test_cve_2019_9900_nul(path: str) -> None:
    """CVE-2019-9900 (Envoy): a NUL ends the text for one reader and not for the next."""
    assert refused(path)


@pytest.mark.parametrize(
    "path", ["/%73ecret/x", "/secret%2Fx", "/a/%2e%2e/secret/x", "/a%2f..%2fsecret/", "/%2573ecret/", "/secret%5Cx"]
)
def test_cve_2021_29492_escaped_slashes_and_dots(path: str) -> None:
    """CVE-2021-29492 (Envoy): ``%2F`` and ``%5C`` are decoded by whoever comes after; here even twice."""
    assert refused(path)


@pytest.mark.parametrize("path", ["/secret\\x", "\\secret\\x", "/a\\..\\secret/x", "/\\secret/"])
def test_cve_2021_29492_backslashes(path: str) -> None:
    assert refused(path)


@pytest.mark.parametrize("path", ["/one#x", "/one%23x", "/a#/../secret/x", "/one?x", "/one%3Fx"])
def test_cve_2021_32779_fragments(path: str) -> None:
    """CVE-2021-32779 (Envoy): a ``#`` in the path that the server behind cuts off."""
    assert refused(path)


def test_cve_2025_46821_a_star_in_the_path_is_a_star() -> None:
    """CVE-2025-46821 (Envoy): a ``*`` in the request's path taken for a wildcard."""
    policy = Policy(rules=(Rule("open", Action.ALLOW, When(path=("/open/",))), Rule("all", Action.DENY)))
    assert not refused("/open/x", policy)
    assert refused("/*", policy)
    assert refused("/*/x", policy)
    assert not refused("/*")


@pytest.mark.parametrize("path", ["/a/..;x/secret/y", "/a/..;/secret/y", "/..;a=b/secret/", "/secret/..;/secret/x"])
def test_cve_2026_73551_dot_segments_with_parameters(path: str) -> None:
    """CVE-2026-73551 (Envoy): ``..;x`` is no dot segment for one reader and one for the next."""
    assert refused(path)


@pytest.mark.parametrize("path", ["/secret;x/y", "/one;x", "/one;x=1;y", "/;/secret/a", "/secret;/a"])
def test_cve_2026_73553_parameters(path: str) -> None:
    """CVE-2026-73553 (Envoy): ``;x`` belongs to the segment for one reader and not for the next."""
    assert refused(path)


@pytest.mark.parametrize("path", ["/SECRET/x", "/Secret/", "/ONE", "/%53ecret/x", "/ｓｅｃｒｅｔ/x"])
def test_letter_case_gets_round_no_rule(path: str) -> None:
    assert refused(path)


def test_letter_case_in_the_pattern_gets_round_no_path() -> None:
    policy = Policy(rules=(Rule("secret", Action.DENY, When(path=("/SeCret/",))),))
    assert refused("/SeCret/x", policy)
    assert refused("/secret/x", policy)
    assert not refused("/secre/x", policy)


@pytest.mark.parametrize("path", ["/secret./x", "/secret /x", "/secret/.../x", "/one.", "/one "])
def test_dots_and_spaces_that_end_a_name_get_round_no_rule(path: str) -> None:
    """What Windows leaves out of a file's name."""
    assert refused(path)


@pytest.mark.parametrize("path", ["/one\t", "/sec\nret/x", "/\x7fsecret/"])
def test_control_characters_get_round_no_rule(path: str) -> None:
    assert refused(path)


@pytest.mark.parametrize("path", ["/secret/../open/x", "/open/../secret/x", "/OPEN/../secret/x"])
def test_an_odd_path_can_lose_and_never_win(path: str) -> None:
    """Whatever the application takes it for, one of the two readings is refused, and so it is."""
    policy = Policy(
        rules=(
            Rule("open", Action.ALLOW, When(path=("/open/",))),
            Rule("secret", Action.DENY, When(path=("/secret/",))),
        )
    )
    assert refused(path, policy)


def test_cve_2025_54576_an_exemption_is_about_the_path_alone() -> None:
    """CVE-2025-54576 (oauth2-proxy): an exemption matched in the query, and in the middle of a path."""
    policy = Policy(rules=(Rule("open", Action.ALLOW, When(path=("/open$",))), Rule("all", Action.DENY)))
    assert not refused("/open", policy)
    for path in ("/secret?/open", "/secret/open", "/open/x", "/openx", "/secret#/open"):
        assert refused(path, policy), path


def test_cve_2026_34457_no_rule_exempts_by_user_agent_unless_it_says_so() -> None:
    """CVE-2026-34457 (oauth2-proxy): a health checker's User-Agent opened every door."""
    agent = ((b"user-agent", b"kube-probe/1.30 GoogleHC/1.0 ELB-HealthChecker/2.0"),)
    policy = Policy(rules=(Rule("all", Action.DENY),))
    assert decide(policy, Facts("GET", "/", agent, None)).action is Action.DENY


@pytest.mark.parametrize("path", ["/m/secret/x", "/m"])
def test_a_mount_is_part_of_the_path(path: str) -> None:
    """What is matched is ``scope["path"]``, the mount's prefix included, as in robots.txt."""
    policy = Policy(rules=(Rule("mounted", Action.DENY, When(path=("/m",))),))
    assert refused(path, policy)
    assert not refused("/secret/x", policy)


@pytest.mark.parametrize(
    "path",
    ["/.well-known/../news/a", "/.well-known/..;x/news/a", "/.well-known/%2e%2e/news/a", "/.well-known\\..\\a",
     "/.well-known//../../a"],
)  # fmt: skip
def test_what_is_open_to_robots_is_no_way_to_the_rest(path: str) -> None:
    """CVE-2019-9901, CVE-2026-73551: dot segments behind an exempted prefix."""
    robot = Crawler("GPTBot", "GPTBot", "OpenAI", Purpose.AI_TRAINING, "GPTBot")
    assert not is_open(path)
    assert decide(Policy(), Facts("GET", path, (), None, crawler=robot)).action is Action.DENY


@pytest.mark.parametrize("path", ["/robots.txt", "/.well-known/tdmrep.json", "/license.xml"])
@pytest.mark.parametrize("action", [Action.DENY, Action.CHARGE, Action.THROTTLE, Action.WAIT])
def test_no_rule_refuses_what_is_published_for_robots(path: str, action: Action) -> None:
    """RFC 9309, 2.3.1.3: a robots.txt that is refused opens the whole site."""
    rule = Rule("all", action, limit="1/minute" if action is Action.THROTTLE else "")
    facts = Facts("GET", path, (), None, waits=(("all", 9.0),))
    verdict = decide(Policy(rules=(rule,)), facts)
    assert (verdict.action, verdict.rendition, verdict.rule) == (Action.ALLOW, Rendition.NONE, "all")
    assert decide_article(facts, verdict).action is Action.DENY
    assert decide(Policy(), Facts("GET", path, (), None, wait=3.0)).action is Action.ALLOW


@given(generated.paths, st.sampled_from(generated.PATTERNS))
def test_every_spelling_of_a_refused_path_is_refused(path: str, pattern: str) -> None:
    policy = Policy(rules=(Rule("r", Action.DENY, When(path=(pattern,))),))
    forms = [form for form in spellings(path) if refused(form, policy)]
    assert refused(path, policy) or (not forms and not parse_pattern(pattern).matches(path))


@given(st.text().map(lambda text: "/" + text))
def test_plain_forms_are_plain(path: str) -> None:
    for form in spellings(path):
        assert form.startswith("/")
        assert "//" not in form
        assert not {".", ".."} & set(form.split("/"))
        assert "\\" not in form
        assert not any(ord(char) < 32 for char in form)


@given(st.from_regex(r"(/[a-z0-9_-]{1,8}(\.[a-z]{2,4})?){1,4}/?", fullmatch=True))
def test_an_ordinary_path_has_one_form(path: str) -> None:
    assert spellings(path) == (path,)


def test_no_form_is_longer_than_the_path() -> None:
    for path in ("/" * 200_000, "/.." * 60_000, "/" + "%25" * 60_000, ";" * 200_000, "/a;" * 60_000, "/é" * 60_000):
        assert all(len(form) <= len(path) for form in spellings(path))


def test_a_path_too_long_to_be_read_gets_round_no_rule() -> None:
    """It is refused, as it could be any; a long one that is plain is judged, and without rules by path all are."""
    odd = "/open/" + "a/" * 3000 + "../" * 3001 + "../secret/x"
    assert refused(odd)
    assert refused("/open/" + "é" * 5000)
    assert not refused("/open/" + "ab/" * 20_000)
    assert not refused("/Open/" + "AbC/" * 20_000)
    assert refused("/Secret/" + "AbC/" * 20_000)
    assert not refused(odd, Policy())
    assert not is_open("/.well-known/" + "%61" * 5000)


def test_rights_are_for_all_paths() -> None:
    robot = Crawler("GPTBot", "GPTBot", "OpenAI", Purpose.AI_TRAINING, "GPTBot")
    for right, action in ((Right.DENY, Action.DENY), (Right.CHARGE, Action.CHARGE)):
        policy = Policy(rights={Purpose.AI_TRAINING: right})
        assert decide(policy, Facts("GET", "/x/..//y", (), None, crawler=robot)).action is action
