"""One step of a meter, a counter and a set, against models that are too simple to be wrong."""

from __future__ import annotations

from math import floor

from hypothesis import given
from hypothesis import strategies as st

from contentguard.backends.steps import DAY, HOUR, counted, counter, last_end, members, meter
from tests.backends.contract import NOW, Few

gaps = st.sampled_from([0.0, 0.4, 1.0, 600.0, 3599.0, 3600.0, 3600.7, 43_200.0, 86_399.5, 86_400.0])


@given(
    st.lists(st.tuples(st.integers(0, 6), gaps), max_size=60),
    st.builds(Few, st.integers(1, 4), st.integers(1, 6)),
)
def test_a_meter_is_its_windows(asked: list[tuple[int, float]], quota: Few) -> None:
    state, now, admitted = b"", NOW, list[tuple[int, int]]()
    for article, gap in asked:
        now += gap
        second = floor(now)
        day = {one for one, at in admitted if second - at < DAY}
        hour = {one for one, at in admitted if second - at < HOUR}
        free = article in day
        passes = free or (len(day) < quota.day and len(hour) < quota.hour)
        state, wait = meter(state, article, quota, now)
        assert (wait == 0.0) is passes
        if not free and passes:
            admitted.append((article, second))
        if wait:
            assert meter(state, article, quota, now + wait)[1] == 0.0, "waiting as told is enough"
            assert meter(state, article, quota, now + wait - 1e-6)[1] > 0.0, "and no longer than needed"


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(-2 * DAY, 2 * DAY)), max_size=40))
def test_a_meter_locks_nobody_out_whatever_the_clock_does(asked: list[tuple[int, float]]) -> None:
    state, quota, now = b"", Few(2, 4), NOW
    for article, gap in asked:
        now = max(now + gap, 1.0)
        state, wait = meter(state, article, quota, now)
        assert 0.0 <= wait <= DAY
        assert len(state) <= 4 * 12


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 12), st.floats(-5, 50), st.floats(0, 20)), max_size=40))
def test_a_counter_never_passes_its_limit(asked: list[tuple[int, int, float, float]]) -> None:
    state, now = b"", NOW
    total, ends = 0, -1.0
    for amount, limit, life, gap in asked:
        now += gap
        if ends <= now:
            total, ends = 0, now + life
        fits = now + life > now and total + amount <= limit
        state, added = counter(state, amount, limit, now + life, now)
        assert added is fits
        if fits:
            total += amount
            assert counted(state) == (total, ends)
        elif not total:
            ends = -1.0


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 4), st.floats(-5, 50), st.floats(0, 20)), max_size=40)
)
def test_a_set_never_has_more_members_than_fit(asked: list[tuple[str, int, float, float]]) -> None:
    state, now, here = b"", NOW, dict[str, float]()
    for name, most, life, gap in asked:
        now += gap
        here = {one: end for one, end in here.items() if end > now}
        member = name.encode() * 8
        state, joined = members(state, member, most, now + life, now)
        assert joined is (name in here or (len(here) < most and now + life > now))
        if joined:
            here[name] = max(here.get(name, now + life), now + life)
            assert last_end(state) == max(here.values())


def test_no_set_has_no_end() -> None:
    assert last_end(b"") == 0.0
