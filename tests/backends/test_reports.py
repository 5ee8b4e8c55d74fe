"""What moderators said, in a file: kept through restarts, told once, the latest word, and never more than fits."""

from __future__ import annotations

import gc
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contentguard.backends.reports import CLAIM, Report, Reports
from contentguard.comments.decision import Reason
from contentguard.comments.submission import Submission

COMMENT = Submission("/a", "Text", "Ada", client="203.0.113.9", signs=(Reason("fast", 1.0, "Fast"),), context=("sea",))


@pytest.fixture
def reports(tmp_path: Path) -> Iterator[Reports]:
    one = Reports(str(tmp_path / "reports.db"), most=5)
    yield one
    one.close()


def taken(reports: Reports, now: float) -> list[Report]:
    """All that is due."""
    found = []
    while (report := reports.claim(now)) is not None:
        found.append(report)
    return found


def test_what_was_added_outlasts_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "reports.db")
    first = Reports(path)
    first.add("Akismet", COMMENT, True, 5.0)
    first.close()
    second = Reports(path)
    (report,) = taken(second, 5.0)
    assert report[1:] == ("Akismet", True, COMMENT, 5.0)
    second.close()


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "reports.db"
    one = Reports(str(path))
    one.add("Akismet", COMMENT, True, 5.0)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    one.close()


def test_a_claim_is_one_s_own_and_ends(reports: Reports, tmp_path: Path) -> None:
    other = Reports(str(tmp_path / "reports.db"))
    reports.add("Akismet", COMMENT, True, 0.0)
    assert len(taken(reports, 0.0)) == 1
    assert taken(other, CLAIM - 1) == []
    (report,) = taken(other, CLAIM)
    other.done(report)
    assert taken(reports, 1e9) == []
    assert reports.next_due() is None
    other.close()


def test_the_latest_word_replaces_one_that_was_not_told(reports: Reports) -> None:
    reports.add("Akismet", COMMENT, True, 1.0)
    before = reports.claim(1.0)
    assert before is not None
    reports.add("Akismet", COMMENT, False, 2.0)
    reports.done(before)
    (report,) = taken(reports, 2.0)
    assert (report.spam, report.said) == (False, 2.0)


def test_what_could_not_be_told_waits(reports: Reports) -> None:
    reports.add("Akismet", COMMENT, True, 1.0)
    (report,) = taken(reports, 1.0)
    reports.later(report, 1201.0)
    assert reports.next_due() == 1201.0
    assert taken(reports, 1200.0) == []
    assert [r.id for r in taken(reports, 1201.0)] == [report.id]


def test_the_oldest_make_room(reports: Reports) -> None:
    for number in range(8):
        reports.add("Akismet", replace(COMMENT, text=str(number)), True, 0.0)
    assert [report.submission.text for report in taken(reports, 0.0)] == ["3", "4", "5", "6", "7"]
    assert reports.dropped == 3


def test_a_row_that_cannot_be_read_is_in_nobody_s_way(reports: Reports, tmp_path: Path) -> None:
    for number in range(4):
        reports.add("Akismet", replace(COMMENT, text=str(number)), True, 0.0)
    with sqlite3.connect(tmp_path / "reports.db") as database:
        for number, text in enumerate(("{", "[]", '{"unknown": 1}'), 1):
            database.execute("UPDATE reports SET submission = ? WHERE id = ?", (text, number))
    database.close()
    assert [report.submission.text for report in taken(reports, 0.0)] == ["3"]
    assert reports.dropped == 3
    assert taken(reports, 1e9)[0].submission.text == "3"


def test_memory_forgets_and_what_is_closed_stays_closed() -> None:
    one = Reports()
    one.add("Akismet", COMMENT, True, 0.0)
    assert len(taken(one, 0.0)) == 1
    one.close()
    one.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        one.claim(0.0)
    other = Reports()
    assert taken(other, 1e9) == []
    other.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"no database at all, and long enough to tell" * 40)
    one = Reports(str(path))
    with pytest.raises(sqlite3.DatabaseError):
        one.add("Akismet", COMMENT, True, 0.0)
    assert path.read_bytes().startswith(b"no database")
    with pytest.raises(sqlite3.OperationalError):
        Reports(str(tmp_path / "none" / "reports.db")).claim(0.0)


def test_what_was_told_is_overwritten(reports: Reports, tmp_path: Path) -> None:
    reports.add("Akismet", replace(COMMENT, text="nobody may know this"), True, 0.0)
    assert b"nobody may know this" in (tmp_path / "reports.db").read_bytes()
    (report,) = taken(reports, 0.0)
    reports.done(report)
    assert b"nobody may know this" not in (tmp_path / "reports.db").read_bytes()


class Desk(RuleBasedStateMachine):
    """Moderators and a teller, against a list."""

    @initialize()
    def open(self) -> None:
        self.reports, self.now = Reports(most=4), 100.0
        self.model: dict[int, list[object]] = {}
        """By comment, oldest first: spam, due."""
        self.claimed: list[tuple[int, Report]] = []

    @rule(number=st.integers(0, 7), spam=st.booleans())
    def say(self, number: int, spam: bool) -> None:
        self.reports.add("Akismet", replace(COMMENT, text=str(number)), spam, self.now)
        self.model.pop(number, None)
        self.model[number] = [spam, self.now]
        while len(self.model) > 4:
            del self.model[next(iter(self.model))]
        self.claimed = [(n, r) for n, r in self.claimed if n != number and n in self.model]

    @rule()
    def claim(self) -> None:
        expected = next((n for n, (_, due) in self.model.items() if isinstance(due, float) and due <= self.now), None)
        report = self.reports.claim(self.now)
        if expected is None:
            assert report is None
        else:
            assert report is not None
            assert (int(report.submission.text), report.spam) == (expected, self.model[expected][0])
            self.model[expected][1] = self.now + CLAIM
            self.claimed.append((expected, report))

    @rule(is_heard=st.booleans())
    def settle(self, is_heard: bool) -> None:
        if self.claimed:
            number, report = self.claimed.pop()
            if is_heard:
                self.reports.done(report)
                self.model.pop(number, None)
                self.claimed = [(n, r) for n, r in self.claimed if n != number]
            else:
                self.reports.later(report, self.now + 1200)
                self.model[number][1] = self.now + 1200

    @rule(seconds=st.floats(0, 2000))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def agree(self) -> None:
        if hasattr(self, "reports"):
            dues = [due for _, due in self.model.values() if isinstance(due, float)]
            assert self.reports.next_due() == (min(dues) if dues else None)

    def teardown(self) -> None:
        if hasattr(self, "reports"):
            self.reports.close()


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_nothing_is_left_open_by_who_forgets_to_close() -> None:
    """Python 3.13 warns of it, and no server without a lifespan ever closes anything."""
    reports = Reports()
    assert reports.next_due() is None
    connection = reports._connection
    assert connection is not None
    del reports
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
