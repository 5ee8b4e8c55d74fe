"""What befell Anubis and ALTCHA, tried on the guard as a whole; each test is named after its advisory or issue.

More of them where they belong: CVE-2025-24369 in ``tests/admission/test_proof.py`` and ``test_tickets.py``,
CVE-2025-68113 in ``test_passes.py`` and ``test_tickets.py`` there, the double spend of PR #1003 also over processes in
``tests/backends``, #1919 in ``test_visits.py``.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from contentguard.admission.maturity import Level
from contentguard.admission.passes import Pass, short
from contentguard.asgi.request import read_facts
from contentguard.guard.callers import Caller
from contentguard.guard.visits import Visit
from contentguard.model import Facts, Verdict
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


DOUBTED = {
    **{name: value for name, value in PLAIN.items() if not name.startswith(("sec-fetch", "accept"))},
    "accept": "*/*",
    "sec-ch-ua": '"Chromium";v="100"',
    "sec-ch-ua-platform": '"Windows"',
}
"""Headers at odds with each other: such a client has to prove itself, and waiting does not suffice."""


def given_for_waiting(reading: Site) -> tuple[str, str]:
    """A ticket that asks to wait, for a client that is asked for a proof; and the cookie of its page."""
    first = reading.ask("/news/tide", DOUBTED)
    assert 5.0 <= reading.score < 8.0
    page = reading.ask(link(first), DOUBTED, first.cookie)
    found = re.search(r"url=/\.contentguard/enter/([\w-]+)", page.text)
    assert found is not None
    return found[1], first.cookie


def test_anubis_a1_a_ticket_that_asks_to_wait_opens_nothing_where_a_proof_is_asked_for(reading: Site) -> None:
    """Posted where proofs are, it brought the rest: its level was that of a pass, and nobody compared."""
    ticket, cookie = given_for_waiting(reading)
    answer = reading.ask("/.contentguard/rest", DOUBTED, cookie, "POST", ticket.encode())
    assert (answer.status, answer.text, answer.cookie) == (403, "", "")
    entered = reading.ask(f"/.contentguard/enter/{ticket}", DOUBTED, cookie)
    assert entered.status == 303, "and the ticket is not spent by it"
    assert is_lead(reading.ask("/news/tide", DOUBTED, entered.cookie))


def test_anubis_a1_nor_does_a_proof_that_somebody_else_has_worked_out(
    reading: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passed on to another network a ticket is worth less, and that little does not open what asks for a proof."""
    first = reading.ask("/news/tide", PLAIN)
    judged = reading.guard.judged

    def doubting(facts: Facts, caller: Caller | None = None) -> tuple[Facts, Verdict]:
        known, verdict = judged(facts, caller)
        return known, replace(verdict, score=6.0)

    monkeypatch.setattr(reading.guard, "judged", doubting)
    moved = proved(reading, first, address="198.51.100.7")
    assert (moved.status, moved.text) == (204, "")
    assert moved.cookie != "", "a pass it is, of a level that does not suffice here"
    monkeypatch.undo()
    assert "tide29" in proved(reading, reading.ask("/news/tide", PLAIN)).text


def test_anubis_a1_nor_without_cookies(reading: Site) -> None:
    """Who keeps no cookies is let in once by a token in the address, which said nothing of what was earned."""
    ticket, _ = given_for_waiting(reading)
    onward = reading.ask(f"/.contentguard/enter/{ticket}", DOUBTED).get("location")
    assert "cg=" in onward
    assert not is_whole(reading.ask(onward, DOUBTED))


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
