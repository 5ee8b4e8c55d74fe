"""The meter against a naive model of it, and what it promises to readers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission.meter import DAY, HOUR, SIZE, Quota, articles, step

QUOTA = Quota(3, 5)
NOW = 1_800_000_000


def asked(steps: Sequence[tuple[int, float]], quota: Quota = QUOTA) -> list[float]:
    state, waits = b"", []
    for article, now in steps:
        state, wait = step(state, article, now, quota)
        waits.append(wait)
    return waits


def test_up_to_the_quota_everything_is_admitted_and_then_something_must_wait() -> None:
    assert asked([(n, NOW + n) for n in range(3)]) == [0.0, 0.0, 0.0]
    assert asked([(n, NOW + n) for n in range(4)])[3] == HOUR - 3


def test_after_that_wait_it_is_admitted() -> None:
    steps = [(n, NOW + n) for n in range(4)]
    wait = asked(steps)[3]
    assert asked([*steps, (3, NOW + 3 + wait - 1)])[-1] > 0
    assert asked([*steps, (3, NOW + 3 + wait)])[-1] == 0


def test_to_read_again_is_free_also_when_over() -> None:
    steps = [(n, NOW + n) for n in range(4)]
    assert asked([*steps, *[(n, NOW + 10 + n) for n in range(3)] * 20])[4:] == [0.0] * 60


def test_the_day_has_a_limit_of_its_own() -> None:
    waits = asked([(n, NOW + n * 2 * HOUR) for n in range(6)])
    assert waits[:5] == [0.0] * 5
    assert waits[5] == DAY - 10 * HOUR


@pytest.mark.parametrize("jump", [-HOUR, HOUR, -DAY])
def test_a_clock_that_jumps_harms_nobody_for_longer_than_the_window(jump: int) -> None:
    steps: list[tuple[int, float]] = [(n, NOW + max(jump, 0) + n) for n in range(3)]
    after = NOW + 10 + min(jump, 0)
    wait = asked([*steps, (9, after)])[-1]
    assert 0 < wait <= HOUR
    assert asked([*steps, (9, after), (9, after + wait + 1)])[-1] == 0


@pytest.mark.parametrize("quota", [(0, 1), (2, 1), (-1, 5)])
def test_a_quota_that_admits_nothing_is_refused(quota: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="articles an hour"):
        Quota(*quota)


moves = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3 * HOUR)), max_size=60)


@given(moves, st.integers(1, 4), st.integers(0, 4))
def test_it_agrees_with_a_naive_model(steps: list[tuple[int, int]], hour: int, more: int) -> None:
    quota, state, now = Quota(hour, hour + more), b"", NOW
    first: dict[int, int] = {}
    for article, later in steps:
        now += later
        first = {name: at for name, at in first.items() if at > now - DAY}
        within = [sum(at > now - window for at in first.values()) for window in (HOUR, DAY)]
        admitted = article in first or (within[0] < quota.hour and within[1] < quota.day)
        state, wait = step(state, article, now, quota)
        assert (wait == 0.0) is admitted
        if admitted:
            first.setdefault(article, now)
        else:
            assert step(state, article, now + wait, quota)[1] == 0.0, "the wait is enough"
        assert len(state) <= SIZE * quota.day
        assert sorted(articles(state)) == sorted(first)


@given(st.binary(max_size=100), st.integers(0, 2**32 - 1), st.floats(0, 2e9))
def test_any_state_is_read(state: bytes, article: int, now: float) -> None:
    after, wait = step(state, article, now, QUOTA)
    assert len(after) % SIZE == 0
    assert 0.0 <= wait <= DAY + 1
