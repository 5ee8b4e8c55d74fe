"""Buckets give out what they may and no more; what is normal cannot be taught quickly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission.budget import LEARNING, PER_HOUR, Bucket, Cells, Normal

NOW = 1_800_000_000.0


def empty(bucket: Bucket, now: float) -> int:
    """Take what there is."""
    taken = 0
    while not bucket.wait(now):
        bucket.take()
        taken += 1
    return taken


def test_a_bucket_begins_full_and_holds_three_minutes_worth_but_never_less_than_its_least() -> None:
    assert empty(Bucket("b", 2000.0, 10.0, NOW), NOW) == 100
    assert empty(Bucket("b", 60.0, 10.0, NOW), NOW) == 10


def test_an_empty_bucket_says_when_the_next_token_comes() -> None:
    bucket = Bucket("b", 60.0, 10.0, NOW)
    empty(bucket, NOW)
    assert bucket.wait(NOW) == pytest.approx(60.0)
    assert bucket.wait(NOW + 59.0) == pytest.approx(1.0)
    assert bucket.wait(NOW + 60.0) == 0.0
    assert empty(bucket, NOW + 3600.0) == 10, "an hour's worth, but no more than fit"


def test_a_new_rate_takes_nothing_out_but_what_does_not_fit() -> None:
    bucket = Bucket("b", 2000.0, 10.0, NOW)
    bucket.allow(1000.0, NOW)
    assert empty(bucket, NOW) == 50
    bucket.allow(2000.0, NOW + 36.0)
    assert empty(bucket, NOW + 36.0) == 10, "until now at the old rate"


def test_a_clock_set_back_neither_fills_nor_empties() -> None:
    bucket = Bucket("b", 60.0, 10.0, NOW)
    for _ in range(7):
        bucket.take()
    assert empty(bucket, NOW - 86400.0) == 3
    assert empty(bucket, NOW - 86400.0 + 60.0) == 1


def test_what_is_drawn_without_asking_leaves_no_debt() -> None:
    bucket = Bucket("b", 60.0, 10.0, NOW)
    for _ in range(50):
        bucket.draw(NOW)
    assert bucket.wait(NOW) == pytest.approx(60.0)


def test_a_bucket_tells_once_that_it_became_empty_and_once_that_it_is_half_full_again() -> None:
    bucket, told = Bucket("b", 60.0, 10.0, NOW), []
    empty(bucket, NOW)
    for minute in range(12):
        bucket.wait(NOW + 60.0 * minute)
        told.append((bucket.turned(), bucket.low))
    assert [n for n, (turned, _) in enumerate(told) if turned] == [0, 5]
    assert told[4] == (False, True)
    assert told[5] == (True, False)


def test_a_bucket_that_another_counts_for_holds_what_it_is_told() -> None:
    bucket = Bucket("b", 60.0, 10.0, NOW)
    bucket.hold(3.0, NOW)
    assert bucket.as_dict(NOW + 60.0) == {"level": 4.0, "size": 10.0, "per_hour": 60.0}
    bucket.hold(99.0, NOW)
    assert empty(bucket, NOW) == 10


@given(
    st.lists(st.tuples(st.floats(0, 600), st.integers(1, 80), st.none() | st.floats(60, 4000)), min_size=1, max_size=80)
)
def test_no_stretch_of_time_sees_more_than_a_full_bucket_and_what_runs_in(
    steps: list[tuple[float, int, float | None]],
) -> None:
    now, bucket = NOW, Bucket("b", 500.0, 10.0, NOW)
    taken: list[float] = []
    rates, sizes = [bucket.rate], [bucket.size]
    for gap, wanted, rate in steps:
        now += gap
        if rate is not None:
            bucket.allow(rate, now)
        rates.append(bucket.rate)
        sizes.append(bucket.size)
        for _ in range(wanted):
            if not bucket.wait(now):
                bucket.take()
                taken.append(now)
    for first, begin in enumerate(taken):
        for number, end in enumerate(taken[first:], 1):
            assert number <= max(sizes) + max(rates) * (end - begin) + 1e-3


def test_of_very_many_clients_each_has_a_bucket_in_the_same_memory() -> None:
    cells = Cells(8192, 60.0, 10.0)
    before = cells.bytes_used
    client = 0x1234_5678_9ABC_DEF0
    for _ in range(10):
        assert cells.wait(client, NOW) == 0.0
        cells.take(client, NOW)
    assert cells.wait(client, NOW) == pytest.approx(60.0)
    for number in range(3000):
        cells.take(number * 0x9E37_79B9_7F4A_7C15 & 2**64 - 1, NOW)
    assert cells.wait(client, NOW + 59.0) > 0.0, "an offender stays one"
    assert cells.wait(0xFEDC_BA98_7654_3210, NOW) == 0.0, "and a stranger is none"
    assert cells.bytes_used == before == 16 * 8192


def test_a_client_does_not_wait_longer_because_the_clock_was_set_back_or_it_asked_too_often() -> None:
    cells = Cells(64, 60.0, 10.0)
    for _ in range(100):
        cells.take(1, NOW)
    assert cells.wait(1, NOW) == pytest.approx(60.0)
    assert cells.wait(1, NOW - 3600.0) == pytest.approx(60.0)
    cells.take(1, NOW - 3600.0)
    assert cells.wait(1, NOW - 3540.0) == pytest.approx(0.0, abs=1e-3)
    cells.allow(120.0, 10.0)
    assert cells.wait(1, NOW - 3600.0) == pytest.approx(30.0)


class Days:
    """What is normal, window by window."""

    def __init__(self, rate: float | None = None) -> None:
        self.normal = Normal(rate)

    def see(self, count: int, windows: int) -> float | None:
        """So many windows alike; what is normal then in an hour."""
        for _ in range(windows):
            self.normal.count = count
            self.normal.close()
        return None if self.normal.rate is None else self.normal.rate * PER_HOUR


def test_nothing_is_normal_before_a_day_was_seen() -> None:
    days = Days()
    assert days.see(20, LEARNING - 1) is None
    assert days.see(20, 1) == 120.0


def test_a_guess_is_made_after_an_hour_and_is_high() -> None:
    days = Days()
    days.see(20, 5)
    assert days.normal.guess() is None
    days.see(20, 1)
    assert days.normal.guess() == 50.0
    days.see(20, LEARNING)
    assert days.normal.guess() == days.normal.rate


def test_what_is_normal_is_what_is_usual_at_a_busy_time_and_not_a_burst() -> None:
    days = Days()
    days.see(5, 48)
    days.see(20, 40)
    days.see(40, 42)
    assert days.see(9000, 14) == 240.0, "an attack of two hours on the first day"


def test_a_flood_teaches_no_more_than_a_trickle() -> None:
    assert Days(20.0).see(40, 200) == Days(20.0).see(1_000_000, 200)


def test_a_day_of_busy_windows_adds_a_seventh_and_a_quiet_one_takes_a_sixtieth() -> None:
    busy, quiet = Days(20.0).see(1000, 144), Days(20.0).see(0, 144)
    assert busy == pytest.approx(120.0 * 1.155, rel=0.01)
    assert quiet == pytest.approx(120.0 * 0.984, rel=0.01)


def test_a_window_that_is_skipped_teaches_nothing() -> None:
    normal = Normal(20.0)
    normal.count = 1000
    normal.skip()
    assert (normal.rate, normal.count) == (20.0, 0)


def test_what_was_nothing_can_become_something() -> None:
    days = Days()
    days.see(0, LEARNING)
    quiet = days.see(0, 20_000)
    assert quiet is not None
    assert 0.0 < quiet < (days.see(1, 2000) or 0.0)
