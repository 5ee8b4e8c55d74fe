"""Who asks: told by the headers, found again, never more than are remembered."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from contentguard.asgi.request import read_facts
from contentguard.guard import Guard
from contentguard.guard.callers import Caller, Callers
from contentguard.model import MOST_HEADERS, Action, Facts, Network, Rendition, Verdict, changed
from tests.client import CHROME, GPTBOT, http_scope, settings


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


def test_callers_are_forgotten_when_there_are_too_many_and_large_ones_at_once() -> None:
    guard = Guard(settings())
    one = caller(guard, CHROME)
    for number in range(1024):
        caller(guard, {"user-agent": f"browser {number}"})
    assert caller(guard, CHROME) is not one
    large = {**CHROME, "x-large": "a" * 3000}
    assert caller(guard, large) is not caller(guard, large)


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
