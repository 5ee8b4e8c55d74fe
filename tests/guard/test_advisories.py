"""What befell Anubis and ALTCHA, tried on the guard as a whole; each test is named after its advisory or issue.

More of them where they belong: CVE-2025-24369 in ``tests/admission/test_proof.py`` and ``test_tickets.py``,
CVE-2025-68113 in ``test_passes.py`` and ``test_tickets.py`` there, the double spend of PR #1003 also over processes in
``tests/backends``, #1919 in ``test_visits.py``.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from contentguard.admission.maturity import Level
from contentguard.admission.passes import Pass, short
from contentguard.asgi.request import read_facts
from contentguard.guard.visits import Visit
from tests.client import CHROME as PLAIN
from tests.client import http_scope
from tests.guard.test_reading import is_lead, is_whole, link, news, proved, reading, waited
from tests.guard.test_visits import Site

__all__ = ["reading"]

LEADS_AWAY = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "//evil.example",
    "https://evil.example",
]


@pytest.mark.parametrize("there", LEADS_AWAY)
@pytest.mark.parametrize("name", ["redir", "redirect", "next", "url", "cg"])
def test_ghsa_jhjj_2g64_px7c_no_query_says_where_to_go_on(reading: Site, name: str, there: str) -> None:
    """``javascript:`` went through "pass-challenge" and "Try again". Here what stands in the ticket alone decides."""
    first = reading.ask("/news/tide", PLAIN)
    waiting = reading.ask(f"{link(first)}?{name}={there}", PLAIN, first.cookie)
    assert there not in waiting.text
    entered = waited(reading, first, first.cookie)
    assert entered.get("location") == "/news/tide"


PATHS = [
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-forwarded-uri",
    "x-forwarded-path",
    "x-envoy-original-path",
]


@pytest.mark.parametrize("header", PATHS)
@pytest.mark.parametrize("path", ["/.well-known/security.txt", "/robots.txt", "/.contentguard/contentguard.css"])
def test_ghsa_6wcg_mqvh_fcvg_no_header_says_what_is_asked_for(reading: Site, header: str, path: str) -> None:
    """A header meant for another mode named the path, and an exempt one let anybody in."""
    assert is_lead(reading.ask("/news/tide", PLAIN, extra={header: path}))
    refused = reading.ask("/news/tide", {"user-agent": "curl/8.5.0", "accept": "*/*"}, extra={header: path})
    assert refused.status == 403


@pytest.mark.parametrize("value", ["und", "*", "", ";q=1", "en-GB,und;q=x", "-", "x" * 300, "\xff", "q=0,q=0"])
@pytest.mark.parametrize(
    "header", ["accept-language", "accept", "accept-encoding", "cookie", "sec-ch-ua", "if-none-match"]
)
def test_anubis_1776_and_1463_no_header_breaks_the_guard(reading: Site, header: str, value: str) -> None:
    """``Accept-Language: und`` made it panic, as did a rule that was not there."""
    answer = reading.ask("/news/tide", {**PLAIN, header: value})
    assert answer.status in (200, 403, 406)
    assert not is_whole(answer)


@pytest.mark.parametrize(("level", "suffices"), [(Level.WAITED, False), (Level.PROVED, True)])
def test_anubis_a1_what_sufficed_for_little_suspicion_does_not_for_much(level: Level, suffices: bool) -> None:
    """All its thresholds shared one rule's hash, so the cheapest pass was good for the worst client."""
    site = news()
    guard = site.guard
    assert guard.admissions is not None
    facts = read_facts(http_scope(), guard)
    caller = guard.caller(facts)
    given = Pass("0" * 16, level, int(facts.now), 0, short(caller.kind), short("192.0.2.7"))
    visit = Visit(caller, given, "192.0.2.7", "192.0.2.7")
    verdict = guard.judged(facts, caller)[1]
    assert guard.admissions.is_known(visit, replace(verdict, score=0.0))
    assert guard.admissions.is_known(visit, replace(verdict, score=9.0)) is suffices


@pytest.mark.parametrize(
    "answers", ["", ".", "0", "1.2.3", "-1." * 16, "122.5 " * 16, "x" * 500, "0" * 4000, "\x00", "9" * 20, "null", "{}"]
)
def test_anubis_a3_no_kind_of_wrong_answer_falls_through(reading: Site, answers: str) -> None:
    """Only three kinds of error were returned; any other went on to the signing of a pass."""
    first = reading.ask("/news/tide", PLAIN)
    ticket = link(first).rpartition("/")[2]
    answer = reading.ask("/.contentguard/rest", PLAIN, first.cookie, "POST", f"{ticket} {answers}".encode("latin-1"))
    assert (answer.status, answer.text, answer.cookie) == (403, "", "")


def test_anubis_a3_where_verifying_itself_breaks_nobody_gets_a_pass(
    reading: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError("verifying broke")

    first = reading.ask("/news/tide", PLAIN)
    monkeypatch.setattr("contentguard.guard.admissions.verify", broken)
    with pytest.raises(RuntimeError, match="verifying broke"):
        proved(reading, first, first.cookie)
    monkeypatch.undo()
    assert proved(reading, first, first.cookie).status == 403, "and the ticket is spent"
    assert is_lead(reading.ask("/news/tide", PLAIN, first.cookie))


def test_ghsa_6gvq_jcmp_8959_a_ticket_lives_no_longer_than_it_says(reading: Site) -> None:
    """Digits moved from the expiry into the nonce under the same MAC, and a challenge lived for ever."""
    first = reading.ask("/news/tide", PLAIN)
    ticket = link(first).rpartition("/")[2]
    for at in range(24, len(ticket) - 1):
        moved = ticket[:at] + ticket[at + 1] + ticket[at] + ticket[at + 2 :]
        if moved != ticket:
            assert reading.ask(f"/.contentguard/wait/{moved}", PLAIN).status == 404
    reading.now += 86_400.0
    assert proved(reading, first, first.cookie).status == 403
