"""From offer to pass: what is offered asks for what it should, and only who has done it gets the pass."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission import passes
from contentguard.admission.difficulty import NO_WORK, STEPS, Algorithm, Difficulty
from contentguard.admission.grants import Tickets, grant, offer, seconds_left
from contentguard.admission.maturity import Trust
from contentguard.admission.passes import Pass
from contentguard.admission.proof import solve, verify
from contentguard.admission.tickets import Kind, Ticket, Trouble, article_tag, check, read, write

KEY = bytes(32)
NOW = 1_800_000_000.25
CHROME = passes.short("chrome linux")
HOME, MOBILE = passes.short("192.0.2.0/24"), passes.short("198.51.100.0/24")
WORK = STEPS[Algorithm.PBKDF2][0]
EASY = Difficulty(Algorithm.PBKDF2, 2, 16, 3)


def offered(asked: Difficulty = WORK, now: float = NOW, path: str = "/news/tide", **options: float) -> Ticket:
    return offer(
        now,
        "0123456789abcdef",
        asked,
        article=article_tag(KEY, "/news/tide"),
        agent=CHROME,
        prefix=HOME,
        path=path,
        options=Tickets(**options),
    )


def test_a_reader_with_a_script_works_and_is_let_in() -> None:
    text = write(KEY, offered(EASY)).encode()
    answers = solve(text, EASY).encode()
    ticket = read([KEY], text)
    assert ticket is not None
    assert check([KEY], ticket, NOW + 1, CHROME, "/news/tide") is None
    proved = verify(text, ticket.difficulty, answers, 2**40 + 7)
    assert grant(ticket, NOW + 1, proved=proved, prefix=HOME) == Pass(
        "0123456789abcdef", 2, int(NOW + 1), agent=CHROME, prefix=HOME
    )


def test_a_reader_without_waits_two_seconds_and_is_let_in() -> None:
    ticket = read([KEY], write(KEY, offered(NO_WORK)).encode())
    assert ticket is not None
    assert (ticket.kind, ticket.level) == (Kind.WAIT, 1)
    assert check([KEY], ticket, NOW + 1.99, CHROME, "/news/tide") is Trouble.EARLY
    assert grant(ticket, NOW + 1.99, proved=False, prefix=HOME) is None
    assert check([KEY], ticket, NOW + 2.0, CHROME, "/news/tide") is None
    granted = grant(ticket, NOW + 2.0, proved=False, prefix=HOME)
    assert granted is not None
    assert granted.level == 1


def test_who_has_proved_nothing_gets_nothing() -> None:
    assert grant(offered(), NOW, proved=False, prefix=HOME) is None
    assert grant(offered(), NOW - 1, proved=True, prefix=HOME) is None
    assert grant(offered(), NOW + 1801, proved=True, prefix=HOME) is None


def test_anubis_double_spend_a_ticket_spent_twice_makes_one_pass_twice() -> None:
    """Anubis PR #1003: one solution bought many passes. Where no store is shared, at least they are one pass."""
    first = grant(offered(), NOW + 1, proved=True, prefix=HOME)
    again = grant(offered(), NOW + 5, proved=True, prefix=MOBILE)
    assert first is not None
    assert again is not None
    assert first.id == again.id


@pytest.mark.parametrize(
    ("before", "asked", "prefix", "level"),
    [
        (0, WORK, HOME, 2),
        (0, WORK, MOBILE, 1),
        (0, STEPS[Algorithm.SCRYPT][0], HOME, 3),
        (0, STEPS[Algorithm.SHA256][0], HOME, 2),
        (3, WORK, MOBILE, 3),
        (0, NO_WORK, MOBILE, 1),
    ],
)
def test_who_is_recognised_keeps_their_pass_and_what_it_has_earned(
    before: int, asked: Difficulty, prefix: bytes, level: int
) -> None:
    visit = Pass("ff" * 8, before, int(NOW) - 500, seen=int(NOW) - 400, agent=CHROME, prefix=HOME)
    granted = grant(offered(asked), NOW + 2, proved=True, prefix=prefix, visit=visit)
    assert granted == Pass("ff" * 8, level, int(NOW + 2), int(NOW) - 400, CHROME, prefix)


@pytest.mark.parametrize("stands", [Trust.YOUNG, Trust.MATURED])
def test_who_comes_with_a_pass_that_is_worth_something_keeps_its_age(stands: Trust) -> None:
    """Each lead asks a reader for a proof: who reads on would never come of age."""
    visit = Pass("ff" * 8, 1, int(NOW) - 500, seen=int(NOW) - 400, agent=CHROME, prefix=HOME)
    granted = grant(offered(), NOW + 2, proved=True, prefix=HOME, visit=visit, stands=stands)
    assert granted == visit._replace(level=2)


@given(st.floats(0, 2**33), st.sampled_from([NO_WORK, WORK]), st.text(max_size=1100))
def test_every_offer_can_be_written_and_is_good_when_its_time_has_come(
    now: float, asked: Difficulty, path: str
) -> None:
    ticket = offered(asked, now, "/" + path)
    read_back = read([KEY], write(KEY, ticket).encode())
    assert read_back == ticket
    left = seconds_left(ticket, now)
    assert left == (2 if asked == NO_WORK else 0)
    assert check([KEY], ticket, now + left, CHROME, "/news/tide") is None
    assert seconds_left(ticket, now + 10) == 0


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/news/tide?a=1", "/news/tide?a=1"),
        ("/news/tide?" + "a" * 2000, "/news/tide"),
        ("/" + "a" * 2000, "/"),
        ("//evil.example/?a", "/"),
        ("https://evil.example/", "/"),
        ("", "/"),
    ],
)
def test_a_path_that_no_ticket_can_hold_leads_no_further_than_this_site(path: str, kept: str) -> None:
    assert offered(path=path).path == kept


@pytest.mark.parametrize(
    "changes", [{"wait": -1.0}, {"wait": 5.0, "life": 5.0}, {"life": 86401.0}, {"wait": float("nan")}]
)
def test_times_that_make_no_sense(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="0 <= wait < life"):
        Tickets(**changes)


def test_the_worked_example() -> None:
    """Key, fields, text and answers, written down once: whoever changes them breaks every ticket and script."""
    key = bytes(range(32))
    asked = Difficulty(Algorithm.PBKDF2, 500, 16, 3)
    made = offer(
        *(1_800_000_000.0, "0123456789abcdef", asked),
        article=article_tag(key, "/news/tide"),
        agent=CHROME,
        prefix=HOME,
        path="/news/tide?page=2",
        options=Tickets(),
    )
    text = write(key, made)
    assert text == (
        "UnEJRAANH5dHrZUdpgpHOUdNAX0BAgEQAwH0ASNFZ4mrze8AAAGjGFxQAAAAAaMYd8dAZ-Dun4UAb3EoU-mmEP9zcdyqR-DS-GJR"
        "ABEvbmV3cy90aWRlP3BhZ2U9Mg"
    )
    assert solve(text.encode(), asked) == "17.13.9.2.1.11.0.12.3.5.8.5.2.1.3.1"
    plain = Difficulty(Algorithm.SHA256, 1, 16, 3)
    assert solve(text.encode(), plain) == "6.19.1.1.2.0.15.4.13.20.4.0.0.0.17.1"
