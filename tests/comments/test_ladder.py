"""When nobody could judge a comment: asked again at longer and longer intervals, and one day no more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contentguard.comments.ladder import BATCH, GIVEN_UP, LATEST, SOONEST, batch, pause

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def times(until: float, *, bad_key: bool = False) -> list[float]:
    """When a comment sent at 0 is asked about until then, in minutes, if every try fails."""
    asked, now = list[float](), 0.0
    while (wait := pause(0.0, now, bad_key=bad_key)) is not None and now + wait <= until:
        now += wait
        asked.append(now / MINUTE)
    return asked


def test_pauses_double_up_to_six_hours() -> None:
    assert times(DAY) == [20, 40, 80, 160, 320, 640, 1000, 1360]


def test_a_bad_key_waits_six_hours_at_once() -> None:
    assert times(DAY, bad_key=True) == [360, 720, 1080, 1440]


def test_after_15_days_nobody_asks_any_more() -> None:
    asked = times(100 * DAY)
    assert asked[-1] == GIVEN_UP / MINUTE
    assert len(asked) == 65
    assert pause(0.0, GIVEN_UP) is None
    assert pause(0.0, GIVEN_UP - 1) == 1.0
    assert pause(0.0, float("nan")) is None


def test_a_clock_that_was_set_back_is_a_first_failure() -> None:
    assert pause(1e9, 1e9 - DAY) == SOONEST


@given(st.floats(0, 4e9), st.floats(-1e6, 2e6), st.booleans())
def test_a_pause_is_bounded(sent: float, age: float, bad_key: bool) -> None:
    wait = pause(sent, sent + age, bad_key=bad_key)
    if wait is None:
        assert sent + age - sent >= GIVEN_UP
    else:
        assert 0 < wait <= LATEST
        assert wait >= SOONEST or age + wait == pytest.approx(GIVEN_UP, abs=1e-3)


def test_a_batch_is_who_is_due_the_longest_due_first() -> None:
    waiting = [("late", 30.0), ("never", None), ("first", 10.0), ("future", 31.0), ("twin", 10.0)]
    assert batch(waiting, 30.0) == ["first", "twin", "late"]
    assert batch(waiting, 30.0, 1) == ["first"]
    assert len(batch(((n, 0.0) for n in range(500)), 1.0)) == BATCH


class Outages(RuleBasedStateMachine):
    """A service that comes and goes, comments that come, and a job that asks whenever it is run."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.is_up, self.key_is_bad = 1_000_000.0, True, False
        self.sent: dict[int, float] = {}
        self.held: dict[int, float] = {}
        self.judged: set[int] = set()
        self.left: set[int] = set()
        self.asked = 0

    def ask(self, one: int) -> bool:
        self.asked += 1
        self.held.pop(one, None)
        if self.is_up and not self.key_is_bad:
            self.judged.add(one)
            return True
        wait = pause(self.sent[one], self.now, bad_key=self.is_up)
        if wait is None:
            self.left.add(one)
        else:
            self.held[one] = self.now + wait
        return False

    @rule(seconds=st.floats(1, 3 * DAY))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(is_up=st.booleans(), key_is_bad=st.booleans())
    def change(self, is_up: bool, key_is_bad: bool) -> None:
        self.is_up, self.key_is_bad = is_up, key_is_bad

    @rule(many=st.integers(1, 150))
    def comments_come(self, many: int) -> None:
        for _ in range(many):
            one = len(self.sent)
            self.sent[one] = self.now
            self.ask(one)

    @rule()
    def job_runs(self) -> None:
        before, due = self.asked, batch(self.held.items(), self.now)
        for one in due:
            if not self.ask(one):
                break
        is_well = self.is_up and not self.key_is_bad
        assert self.asked - before == (len(due) if is_well else min(len(due), 1))

    @rule()
    def all_is_well_for_long_enough(self) -> None:
        """However it went before: in six hours with a job every minute all who wait are judged."""
        self.is_up, self.key_is_bad = True, False
        self.now += LATEST
        while self.held:
            self.job_runs()
        assert len(self.judged) + len(self.left) == len(self.sent)

    @invariant()
    def none_is_lost(self) -> None:
        assert self.held.keys() | self.judged | self.left == self.sent.keys()
        assert len(self.held) + len(self.judged) + len(self.left) == len(self.sent)
        assert all(self.held[one] <= max(self.now, self.sent[one] + GIVEN_UP) + LATEST for one in self.held)
        assert all(self.now - self.sent[one] >= GIVEN_UP for one in self.left)


TestOutages = Outages.TestCase
TestOutages.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
