"""The meter: as many new articles as the quota says in any hour and any day, never fewer, and nobody locked out."""

from __future__ import annotations

from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contentguard.admission.meter import DAY, ENTRY, HOUR, Quota, Step, step

NOW = 1_800_000_000.0


class Reader:
    """A pass and its history."""

    def __init__(self, quota: Quota, now: float = NOW) -> None:
        self.quota, self.now, self.state = quota, now, b""

    def open(self, *articles: int) -> list[float]:
        """Opens them now, one after the other; the waits."""
        return [self._one(article) for article in articles]

    def _one(self, article: int) -> float:
        self.state, wait = step(self.state, article, self.now, self.quota)
        return wait


def test_a_new_pass_opens_as_many_articles_as_an_hour_allows_and_then_waits_for_the_oldest() -> None:
    reader = Reader(Quota(3, 10))
    assert reader.open(1) == [0.0]
    reader.now += 600
    assert reader.open(2, 3, 4) == [0.0, 0.0, 3000.0]
    reader.now += 2999
    assert reader.open(4) == [1.0]
    reader.now += 1
    assert reader.open(4, 5) == [0.0, 600.0]


def test_reading_again_is_free_even_when_the_quota_is_used_up() -> None:
    reader = Reader(Quota(2, 10))
    assert reader.open(1, 2, 1, 2, 1) == [0.0] * 5
    assert reader.open(3, 1, 2) == [3600.0, 0.0, 0.0]
    reader.now += 3601
    assert reader.open(1, 1, 3, 4) == [0.0] * 4, "what was counted an hour ago takes no room any more"


def test_reading_again_does_not_lengthen_the_day_for_which_an_article_counts() -> None:
    reader = Reader(Quota(1, 10))
    assert reader.open(1) == [0.0]
    reader.now += DAY - 1
    assert reader.open(2, 1) == [0.0, 0.0]
    reader.now += 1
    assert reader.open(1) == [3599.0], "it counts anew, and the hour is taken"


def test_the_day_binds_where_the_hour_does_not() -> None:
    reader = Reader(Quota(2, 5))
    for hour in range(2):
        assert reader.open(2 * hour, 2 * hour + 1) == [0.0, 0.0]
        reader.now += HOUR
    assert reader.open(4, 5) == [0.0, DAY - 2 * HOUR]


def test_an_hour_that_begins_between_two_seconds_is_an_hour_too() -> None:
    reader = Reader(Quota(1, 10), NOW + 0.9)
    assert reader.open(1) == [0.0]
    reader.now = NOW + HOUR + 0.5
    assert reader.open(2) == [1.0]
    reader.now += 1.0
    assert reader.open(2) == [0.0]


def test_a_quota_of_nothing_opens_nothing_and_promises_nothing() -> None:
    assert step(b"", 1, NOW, Quota(0, 0)) == Step(b"", DAY)
    assert step(b"", 1, NOW, Quota(0, 9)) == Step(b"", HOUR)


@pytest.mark.parametrize("quota", [(-1, 3), (3, -1)])
def test_a_quota_below_nothing_is_no_quota(quota: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        Quota(*quota)


def test_what_is_no_history_is_not_read() -> None:
    with pytest.raises(ValueError, match="8 bytes for each article, not 7"):
        step(b"1234567", 1, NOW, Quota())


@pytest.mark.parametrize("article", [-1, 2**32])
def test_what_is_no_hash_of_an_article_is_not_counted(article: int) -> None:
    with pytest.raises(ValueError, match="32 bits"):
        step(b"", article, NOW, Quota())


def test_a_clock_set_ahead_and_back_keeps_nobody_waiting_longer_than_an_hour() -> None:
    reader = Reader(Quota(5, 150))
    reader.open(*range(5))
    reader.now += HOUR
    assert reader.open(*range(10, 15)) == [0.0] * 5
    reader.now -= HOUR
    assert reader.open(20) == [HOUR], "not two: what was opened in the future counts as of now"
    assert reader.open(*range(5), *range(10, 15)) == [0.0] * 10
    reader.now += HOUR
    assert reader.open(20) == [0.0]


def test_a_clock_set_back_and_ahead_again_takes_nothing_away() -> None:
    reader = Reader(Quota(5, 150))
    reader.open(*range(5))
    reader.now -= HOUR
    assert reader.open(20, 3) == [HOUR, 0.0]
    reader.now += HOUR
    assert reader.open(*range(20, 25)) == [0.0] * 5


def test_the_largest_quota_is_the_largest_history() -> None:
    reader = Reader(Quota())
    for number in range(400):
        reader.open(number)
        reader.now += 240
        assert len(reader.state) <= ENTRY * reader.quota.day
    assert len(reader.state) == ENTRY * 150


def test_a_smaller_quota_takes_away_no_article_that_was_given() -> None:
    reader = Reader(Quota(30, 150))
    reader.open(*range(20))
    reader.quota = Quota(5, 150)
    assert reader.open(*range(20)) == [0.0] * 20
    assert reader.open(99) == [HOUR]
    reader.now += HOUR
    assert reader.open(99) == [0.0]


class Naive:
    """The rules of the docstring with lists of pairs and no thought for speed."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int]] = []

    def step(self, article: int, now: float, quota: Quota) -> float:
        capped = [(one, min(second, ceil(now))) for one, second in self.entries]
        self.entries = [(one, second) for one, second in capped if second > floor(now) - DAY]
        if article in [one for one, _ in self.entries]:
            return 0.0
        waits = [self._wait(allowed, window, now) for allowed, window in ((quota.hour, HOUR), (quota.day, DAY))]
        if max(waits) == 0:
            self.entries.append((article, ceil(now)))
        return max(waits)

    def _wait(self, allowed: int, window: int, now: float) -> float:
        seconds = [second for _, second in self.entries]
        waits = sorted({0} | {wait for second in seconds if (wait := second + window - floor(now)) > 0})
        room = (wait for wait in waits if sum(second + window > floor(now) + wait for second in seconds) < allowed)
        return next(room, window)


GAPS = st.one_of(
    st.floats(0, 5),
    st.floats(0, 2 * HOUR),
    st.sampled_from([0.0, 1.0, HOUR, HOUR - 1, HOUR + 1, DAY, DAY - 1, DAY / 2, -HOUR, -5.0, -DAY]),
)
QUOTAS = st.builds(Quota, st.integers(0, 4), st.integers(0, 6))


class Compared(RuleBasedStateMachine):
    """The meter and the naive one, step by step."""

    @initialize()
    def start(self) -> None:
        self.now, self.state, self.naive, self.most = NOW, b"", Naive(), 0

    @rule(article=st.integers(0, 8), gap=GAPS, quota=QUOTAS)
    def opens(self, article: int, gap: float, quota: Quota) -> None:
        self.now += gap
        self.most = max(self.most, quota.day)
        self.state, wait = step(self.state, article, self.now, quota)
        assert wait == self.naive.step(article, self.now, quota)
        assert wait == int(wait)
        if wait and quota.hour and quota.day:
            assert step(self.state, article, self.now + wait, quota).wait == 0.0, "who waited is let in"
            assert step(self.state, article, self.now + wait - 1.0, quota).wait > 0.0, "and not before"

    @invariant()
    def is_small(self) -> None:
        if hasattr(self, "most"):
            assert len(self.state) <= ENTRY * self.most


TestCompared = Compared.TestCase


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 900)), max_size=150), st.integers(1, 6))
def test_no_hour_and_no_day_sees_more_new_articles_than_the_quota(steps: list[tuple[int, float]], hour: int) -> None:
    reader = Reader(Quota(hour, 2 * hour))
    given_at: dict[int, float] = {}
    new: list[float] = []
    for article, gap in steps:
        reader.now += gap
        if reader.open(article) == [0.0] and reader.now - given_at.get(article, -DAY) >= DAY:
            given_at[article] = reader.now
            new.append(reader.now)
    for begin in new:
        assert sum(begin <= at < begin + HOUR for at in new) <= hour
        assert sum(begin <= at < begin + DAY for at in new) <= 2 * hour
