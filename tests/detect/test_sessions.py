"""The session table: what it counts, what it forgets, and that nobody outside can make it grow or aim at a row."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.detect.sessions import BARE, FOLLOWED, IMAGE, NONE, RETURNED, SCRIPT, STYLE, UNSHOWN, Sessions
from contentguard.model import Session

SECRET = b"sixteen-bytes-at-least"


def table(entries: int = 4096) -> Sessions:
    return Sessions(entries, secret=SECRET)


def known(sessions: Sessions, key: str, now: float) -> Session:
    session = sessions.read(key, now)
    assert session is not None
    return session


def test_a_stranger() -> None:
    sessions = table()
    assert sessions.read("a", 5.0) is None
    assert sessions.fetched("a", STYLE) == 0.0
    assert sessions.read("a", 5.0) is None


def test_a_reader() -> None:
    sessions = table()
    sessions.article("a", 100.0, NONE, page=1)
    assert sessions.fetched("a", STYLE) == 100.0
    assert sessions.fetched("a", SCRIPT) == 0.0
    assert sessions.fetched("a", IMAGE) == 0.0
    sessions.article("a", 160.0, RETURNED, page=2)
    sessions.article("a", 180.0, RETURNED | BARE, page=2)
    assert known(sessions, "a", 180.0) == Session(
        views=3, gap=20.0, mean=40.0, variation=0.5, returned=True, styles=1, scripts=1, images=1, dry=1, nones=1,
        bare=1, distinct=2,
    )  # fmt: skip


WENT_ON = {"path": 2, "came": 1}


def test_who_goes_on_by_a_link_of_a_page_that_it_was_never_shown() -> None:
    sessions = table()
    sessions.article("a", 100.0, page=1, path=1)
    assert not known(sessions, "a", 100.0).went_on
    assert sessions.article("a", 110.0, RETURNED, page=2, **WENT_ON).went_on
    assert sessions.article("a", 120.0, RETURNED, page=3, path=3).went_on, "it stays known"
    assert known(sessions, "a", 120.0).dry == 2
    assert not sessions.article("a", 120.0 + 13 * 3600, page=2, **WENT_ON).went_on


@pytest.mark.parametrize(
    ("first", "how"),
    [
        (0, {"path": 2, "came": 3}),
        (0, {"path": 2}),
        (0, {"path": 1, "came": 1}),
        (UNSHOWN, WENT_ON),
    ],
    ids=["from another page", "from nowhere", "the same page again", "a page without parts"],
)
def test_who_may_have_come_from_elsewhere(first: int, how: dict[str, int]) -> None:
    sessions = table()
    sessions.article("a", 100.0, first, page=1, path=1)
    assert not sessions.article("a", 101.0, RETURNED, page=2, **how).went_on


@pytest.mark.parametrize("flags", [0, FOLLOWED])
def test_who_was_shown_the_page(flags: int) -> None:
    sessions = table()
    sessions.article("a", 100.0, page=1, path=1)
    if not flags:
        sessions.fetched("a", STYLE)
    assert not sessions.article("a", 101.0, RETURNED | flags, page=2, **WENT_ON).went_on


def test_pages_opened_at_once_get_their_parts_afterwards() -> None:
    sessions = table()
    for number in range(4):
        sessions.article("a", 100.0 + number / 10, page=number)
    assert known(sessions, "a", 101.0).dry == 3
    for _ in range(4):
        sessions.fetched("a", STYLE)
    assert known(sessions, "a", 101.0).dry == 0


def test_a_cookie_that_says_so_excuses_what_another_process_saw() -> None:
    sessions = table()
    for number in range(4):
        sessions.article("a", 100.0 + number, FOLLOWED if number else 0, page=number)
    assert known(sessions, "a", 104.0).dry == 0
    sessions.article("a", 105.0, page=5)
    assert known(sessions, "a", 105.0).dry == 1


def test_a_page_without_parts_is_not_missed_any() -> None:
    sessions = table()
    sessions.article("a", 100.0, UNSHOWN)
    assert sessions.fetched("a", STYLE) == 0.0, "nothing follows it either"
    sessions.article("a", 101.0)
    assert known(sessions, "a", 101.0).dry == 0
    sessions.article("a", 102.0)
    assert known(sessions, "a", 102.0).dry == 1


def test_the_site_s_own_order() -> None:
    sessions = table()
    for ordinal in (7, 8, 9, 10):
        sessions.article("a", float(ordinal), ordinal=ordinal)
    assert known(sessions, "a", 11.0).run == 3
    sessions.article("a", 12.0)
    assert known(sessions, "a", 12.0).run == 3
    sessions.article("a", 13.0, ordinal=40)
    assert known(sessions, "a", 13.0).run == 0


@pytest.mark.parametrize("gaps", [[10.0] * 20, [5.0, 15.0] * 10])
def test_pace(gaps: list[float]) -> None:
    sessions, now = table(), 0.0
    for gap in gaps:
        now += gap
        sessions.article("a", now)
    session = known(sessions, "a", now)
    assert session.mean == pytest.approx(10.0, rel=0.1)
    assert session.variation == pytest.approx(0.0 if gaps[0] == gaps[1] else 0.5, abs=0.15)


def test_traps_and_reports_are_kept_and_need_no_article() -> None:
    sessions = table()
    sessions.trapped("a", 50.0)
    sessions.reported("a", 0b101, 51.0)
    sessions.reported("a", 0b10, 52.0)
    assert known(sessions, "a", 60.0) == Session(traps=1, report=0b111)


def test_who_stayed_away_for_long_starts_anew() -> None:
    sessions = table()
    for now in (1.0, 2.0, 3.0):
        sessions.article("a", now, NONE)
    assert sessions.read("a", 3.0 + 13 * 3600) is None
    sessions.article("a", 3.0 + 13 * 3600)
    assert known(sessions, "a", 3.0 + 13 * 3600) == Session(views=1, distinct=1)


def test_a_clock_that_jumps_back_does_no_harm() -> None:
    sessions = table()
    sessions.article("a", 1000.0)
    sessions.article("a", 10.0)
    assert known(sessions, "a", 10.0).gap == 0.0


def test_counters_stop_and_never_wrap() -> None:
    sessions = table()
    for number in range(600):
        sessions.article("a", float(number), NONE | BARE, page=number, ordinal=number + 1)
        sessions.fetched("a", SCRIPT)
        sessions.trapped("a", float(number))
    session = known(sessions, "a", 600.0)
    assert (session.views, session.nones, session.scripts, session.traps) == (255, 255, 255, 255)
    assert session.distinct == 128


@pytest.mark.no_cover
def test_an_offender_is_remembered_after_a_million_strangers() -> None:
    sessions = Sessions(20_000, secret=SECRET)
    for number in range(5):
        sessions.article("scraper", 1000.0 + number, NONE, page=number)
    sessions.trapped("follower", 1000.0)
    for number in range(1_000_000):
        sessions.article(str(number), 1010.0 + number / 1000)
    assert known(sessions, "scraper", 2010.0).dry == 4
    assert known(sessions, "follower", 2010.0).traps == 1
    assert sessions.read("17", 2010.0) is None


@pytest.mark.no_cover
def test_memory_is_settled_from_the_beginning() -> None:
    sessions = table(20_000)
    sessions.article("first", 0.0)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(60_000):
        sessions.article(f"2001:db8::{number:x} {'x' * 50}", float(number))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 600_000
    assert sessions.bytes_used < 2**21


def test_a_million_entries_fit_in_64_mebibytes() -> None:
    assert Sessions(1_000_000, secret=SECRET).bytes_used <= 64 * 2**20


@pytest.mark.parametrize(("entries", "secret"), [(5, SECRET), (4096, b"short")])
def test_bounds_that_make_no_sense(entries: int, secret: bytes) -> None:
    with pytest.raises(ValueError, match=r"at least 16 bytes|less than one row"):
        Sessions(entries, secret=secret)


def test_with_a_fixed_hash_seed_the_secret_still_decides_who_shares_a_row() -> None:
    script = (
        "from contentguard.detect.sessions import Sessions\n"
        "rows = [Sessions(4096, secret=bytes([n]) * 16)._locate('victim')[1] for n in range(64)]\n"
        "print(len(set(rows)))"
    )
    env = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 32


KEYS = st.sampled_from(["a", "b", "c" * 100, "", "\ud800", "ä"])


@given(st.lists(st.tuples(KEYS, st.sampled_from("afdtr"), st.floats(0, 1e10), st.integers(0, 2**40))))
def test_any_course_of_events_leaves_sane_numbers(events: list[tuple[str, str, float, int]]) -> None:
    sessions = table(16)
    for key, what, now, number in events:
        if what == "a":
            sessions.article(key, now, number & 7, number, number)
        elif what == "f":
            sessions.fetched(key, number % 3)
        elif what == "t":
            sessions.trapped(key, now)
        elif what == "r":
            sessions.reported(key, number, now)
        session = sessions.read(key, now)
        if session is not None:
            assert 0 <= session.dry <= session.views <= 255
            assert session.gap >= 0.0
            assert session.variation >= 0.0
