"""Who asks: told by the headers, found again, never more than are remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.asgi.request import read_facts
from contentguard.detect import key, signals
from contentguard.detect.shape import READ
from contentguard.guard import Guard
from contentguard.guard.callers import Caller, Callers
from contentguard.model import MOST_HEADERS, Action, Facts, Network, Rendition, Session, Verdict, changed, told
from tests.client import CHROME, GPTBOT, http_scope, settings
from tests.detect.test_detect import strange

SCRAPER = {**CHROME, "user-agent": CHROME["user-agent"].replace("Chrome/", "HeadlessChrome/"), "accept": "*/*"}


def caller(guard: Guard, headers: dict[str, str]) -> Caller:
    return guard.caller(read_facts(http_scope(headers=headers), guard))


def test_one_reader_is_the_same_caller_on_every_page() -> None:
    guard = Guard(settings())
    one = caller(guard, {**CHROME, "cookie": "a=1", "referer": "https://news.example/"})
    assert one is caller(guard, {**CHROME, "cookie": "b=22", "referer": "https://news.example/other"})
    assert one is not caller(guard, CHROME)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, (False, False, False)),
        ({"accept-encoding": "gzip, br"}, (False, True, False)),
        ({"accept-encoding": "gzip;q=0"}, (False, False, False)),
        ({"if-none-match": '"a"'}, (False, False, True)),
        ({"signature-input": "sig1=()"}, (True, False, False)),
        (GPTBOT, (True, False, False)),
    ],
)
def test_what_the_headers_say(more: dict[str, str], said: tuple[bool, bool, bool]) -> None:
    found = caller(Guard(settings()), {**CHROME, **more})
    assert (found.may_wait, found.gzips, found.conditional) == said


def test_a_limit_on_requests_is_asked_for_everybody() -> None:
    assert caller(Guard(settings(limits={"requests": "1/minute"})), CHROME).may_wait


def test_a_verdict_is_kept_for_those_who_ask_alike_and_for_one_guard_only() -> None:
    guard, other = Guard(settings()), Guard(settings())
    facts = read_facts(http_scope(), guard)
    _, verdict = guard.judged(facts)
    assert guard.judged(facts)[1] is verdict
    assert verdict.action is Action.ALLOW
    assert caller(guard, CHROME).verdicts == {(): verdict}
    assert caller(other, CHROME).verdicts == {}


def test_a_verdict_is_kept_for_all_whose_headers_give_the_same_signals() -> None:
    guard = Guard(settings())
    _, verdict = guard.judged(read_facts(http_scope(), guard))
    german = read_facts(http_scope(headers={**CHROME, "accept-language": "de"}), guard)
    assert guard.judged(german)[1] is verdict
    stranger = read_facts(http_scope(headers={**CHROME, "accept": "*/*"}), guard)
    assert guard.judged(stranger)[1].signals != verdict.signals


def test_who_sends_more_headers_than_are_read_is_judged_by_that_whatever_is_kept() -> None:
    guard = Guard(settings())
    few = http_scope()
    guard.judged(read_facts(few, guard))
    many = {**few, "headers": [*few["headers"], *[(b"x", b"")] * MOST_HEADERS]}
    assert guard.judged(read_facts(many, guard))[1].rule == "limits.headers"
    assert guard.judged(read_facts(few, guard))[1].action is Action.ALLOW


def test_that_robots_txt_is_open_to_who_is_refused_opens_nothing_else() -> None:
    guard = Guard(settings())

    def asked(path: str) -> Action:
        facts = read_facts(http_scope(path, SCRAPER), guard)
        told(facts, Session(views=20, dry=20, traps=3, mean=0.2, distinct=20), None, None, False)
        return guard.judged(facts)[1].action

    assert [asked(path) for path in ("/robots.txt", "/news/tide", "/robots.txt")] == [
        Action.ALLOW,
        Action.DENY,
        Action.ALLOW,
    ]


def test_verdicts_that_are_kept_are_bounded() -> None:
    callers = Callers(lambda agent: None, limited=False)
    verdict = Verdict(Action.ALLOW, Rendition.FULL, "x")
    one = callers.find(Facts("GET", "/", ((b"user-agent", b"a"),), None))
    for number in range(50):
        one.keep((str(number),), verdict)
    assert len(one.verdicts) <= 16


def test_several_lines_of_one_header_say_together_what_is_accepted() -> None:
    guard, scope = Guard(settings()), http_scope()
    lines = [(b"accept-encoding", b"br"), (b"accept-encoding", b"gzip")]
    assert guard.caller(read_facts({**scope, "headers": [*scope["headers"], *lines]}, guard)).gzips


def flood(guard: Guard, times: int, start: int = 0) -> None:
    """As many who ask as nobody ever did."""
    for number in range(start, start + times):
        caller(guard, {**CHROME, "accept": f"text/html;q={number}"})


def test_callers_are_forgotten_when_there_are_too_many_and_large_ones_at_once() -> None:
    guard = Guard(settings())
    one, robot = caller(guard, CHROME), caller(guard, GPTBOT)
    flood(guard, 1024)
    assert caller(guard, CHROME) is not one
    assert caller(guard, GPTBOT) is not robot
    large = {**CHROME, "accept": "a" * 3000}
    assert caller(guard, large) is not caller(guard, large)
    callers: Callers = guard.caller.__self__  # type: ignore[attr-defined]
    tables = callers._known, callers._known_before, callers._manners, callers._manners_before
    assert all(len(table) <= 512 for table in tables)
    assert sum(map(len, tables)) > 1024


@pytest.mark.no_cover
def test_who_keeps_coming_is_not_forgotten_in_a_flood_of_others() -> None:
    guard = Guard(settings())
    one = caller(guard, CHROME)
    for number in range(20):
        flood(guard, 400, number * 400)
        assert caller(guard, CHROME) is one


def said(one: Caller) -> dict[str, object]:
    """All that there is to a caller."""
    names = [name for name in Caller.__slots__ if name != "_cluster"]
    return {"cluster": one.cluster, **{name: getattr(one, name) for name in names}}


@pytest.mark.no_cover
def test_who_asks_in_the_manner_of_others_is_told_as_if_nobody_had_been_there() -> None:
    dice, warm = Random(4711), Callers(lambda agent: None, limited=False, secret=b"s")
    alike = 0
    for number in range(8000):
        asked = strange(dice) if number % 2 else common(dice)
        known = len(warm._manners)
        found = warm.find(asked)
        assert said(found) == said(Callers(lambda agent: None, limited=False, secret=b"s").find(asked))
        alike += len(warm._manners) == known
    assert alike > 2000


def common(dice: Random) -> Facts:
    """A request of one of a few browsers, with a version, a language and a proxy's remarks of its own."""
    browser = dict(dice.choice((CHROME, FIREFOX)))
    number = dice.randrange(1000)
    browser["user-agent"] = browser["user-agent"].replace("148.0.0.0", f"148.0.{number}.0")
    browser["accept-language"] = dice.choice((f"de;q=0.{number}", "", "*"))
    more = {"x-forwarded-for": f"192.0.2.{number}", "cf-ray": str(number), "accept-encoding": "gzip"}
    browser |= {name: more[name] for name in dice.sample([*more], dice.randrange(3))}
    return Facts("GET", "/", tuple((name.encode(), value.encode()) for name, value in browser.items()), None, "https")


@given(st.integers(0, 2**32), st.binary(max_size=60).filter(lambda value: b"\n" not in value))
def test_of_most_headers_it_only_counts_that_they_are_there(seed: int, value: bytes) -> None:
    asked = strange(Random(seed))
    other = replace(asked, headers=tuple((n, v if n in READ else value) for n, v in asked.headers))
    assert key(asked) == key(other)
    callers = [Callers(lambda agent: None, limited=False).find(one) for one in (asked, other)]
    assert said(callers[0]) == said(callers[1])
    assert signals(asked) == signals(other)


def test_what_a_proxy_adds_about_each_request_makes_nobody_new() -> None:
    guard = Guard(settings())
    added = [{"x-forwarded-for": f"192.0.2.{n}", "cf-ray": f"8f{n}", "x-request-start": f"t={n}"} for n in range(2)]
    assert caller(guard, {**CHROME, **added[0]}) is caller(guard, {**CHROME, **added[1]})
    assert caller(guard, {**CHROME, **added[0]}) is not caller(guard, CHROME)


def test_a_cluster_outlasts_its_process_and_tells_browsers_apart() -> None:
    guard, later = Guard(settings()), Guard(settings())
    facts = read_facts(http_scope(), guard)
    one = caller(guard, CHROME)
    assert one.cluster == caller(later, CHROME).cluster != caller(guard, {**CHROME, "accept-language": "de"}).cluster
    assert one.cluster != caller(Guard(settings(secret_key="another-secret-key")), CHROME).cluster
    assert one.cluster_at(facts) == one.cluster
    behind = changed(facts, network=Network(ja4="t13d1516h2_8daaf6152771_02713d6af862"))
    assert one.cluster_at(behind) == caller(later, CHROME).cluster_at(behind) != one.cluster


def found(*more: Mapping[str, str | None], browser: dict[str, str] = CHROME) -> Caller:
    """Who asks with these headers; None takes one away."""
    headers: dict[str, str | None] = {**browser}
    for one in more:
        headers |= one
    told = {name: value for name, value in headers.items() if value is not None}
    return Callers(lambda agent: None, limited=False).find(read_facts(http_scope(headers=told), Guard(settings())))


FIREFOX = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language": "en-GB,en;q=0.5",
}


def test_no_headers_text_passes_for_the_end_of_another() -> None:
    guard = Guard(settings())
    written = [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc"), ("3:abc", "0:"), ("-", "-")]
    told = [{**CHROME, "accept-language": one, "accept-encoding": other} for one, other in written]
    told.append({name: value for name, value in CHROME.items() if not name.startswith("accept-")})
    assert len({caller(guard, headers).cluster for headers in told}) == len(told)


def test_a_page_and_its_parts_are_of_one_cluster() -> None:
    part = {"accept": "text/css,*/*;q=0.1", "sec-fetch-dest": "style", "sec-fetch-mode": "no-cors", "cookie": "a=b"}
    assert found().cluster == found(part, {"sec-fetch-user": None}).cluster
    assert found().cluster != found({"accept-language": "fr"}).cluster
    assert found().cluster != found(browser=FIREFOX).cluster


def test_a_client_without_a_cookie_is_known_by_its_fingerprint() -> None:
    assert found().tag == found({"cookie": "a"}).tag != found(browser=FIREFOX).tag
