"""GCRA's promises, as properties."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.limits import Limit, gcra

LIMITS = st.builds(
    Limit,
    count=st.integers(1, 1000),
    period=st.sampled_from([0.5, 1.0, 7.0, 10.0, 60.0, 3600.0, 86400.0]),
    burst=st.none() | st.integers(1, 50),
)
STARTS = st.sampled_from([0.0, 12.345, 1.0e6, 1.8e9])


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("60/minute", Limit(60, 60)),
        ("10/second", Limit(10, 1)),
        ("100/hour", Limit(100, 3600)),
        ("1000/day", Limit(1000, 86400)),
        ("30 per 10 seconds", Limit(30, 10)),
        ("30 / 10 seconds", Limit(30, 10)),
        ("3 per 0.5 seconds", Limit(3, 0.5)),
        ("60/minute burst 20", Limit(60, 60, 20)),
        ("  5 Per 2 Hours  burst 1 ", Limit(5, 7200, 1)),
        ("1 per day", Limit(1, 86400)),
    ],
)
def test_a_limit_is_read_from_words(text: str, limit: Limit) -> None:
    assert Limit.parse(text) == limit


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "''"),
        ("sixty/minute", "'sixty'"),
        ("60/fortnight", "'fortnight'"),
        ("60", "'60'"),
        ("60/minute burst", "'minute'"),
        ("60/minute burst x", "'x'"),
        ("60/minute/minute", "60/minute/minute"),
        ("-1/minute", "'-1'"),
        ("٣/minute", "'٣'"),
        ("1.5/minute", "'1.5'"),
        ("0/minute", "0"),
        ("1/minute burst 0", "0"),
        ("1 per nan seconds", "nan"),
        ("1 per inf seconds", "inf"),
        ("1 per -1 seconds", "-1"),
        ("1 per x seconds", "'x'"),
        ("9" * 5000 + "/minute", "9999"),
        ("burst 5", "burst 5"),
    ],
)
def test_bad_text_is_refused_by_what_was_found(text: str, found: str) -> None:
    with pytest.raises(ValueError, match=r"limit needs|expected") as caught:
        Limit.parse(text)
    assert found in str(caught.value)


@settings(deadline=None)
@given(LIMITS)
def test_a_limit_reads_back_from_its_own_text(limit: Limit) -> None:
    assert Limit.parse(str(limit)) == limit


def test_a_limit_speaks_plainly() -> None:
    assert str(Limit(60, 60)) == "60/minute"
    assert str(Limit(60, 60, 20)) == "60/minute burst 20"
    assert str(Limit(30, 10)) == "30 per 10 seconds"
    assert str(Limit(3, 0.5)) == "3 per 0.5 seconds"
    assert repr(Limit(1, 1)) == "Limit(count=1, period=1, burst=1)"
    assert hash(Limit(1, 1)) == hash(Limit(1, 1, 1))


def test_the_stricter_limit_comes_first() -> None:
    ordered = ["1/day", "100/hour", "60/minute burst 1", "60/minute", "90/minute", "10/second"]
    limits = [Limit.parse(text) for text in ordered]
    backwards = limits[::-1]
    assert sorted(backwards) == limits
    assert limits[0] <= limits[1] < limits[2]
    assert max(limits) == Limit(10, 1)


@pytest.mark.parametrize("start", [0.0, 1.8e9])
@pytest.mark.parametrize("text", ["60/minute", "7 per 3 seconds", "1000/second", "100/day", "10/hour burst 1"])
def test_a_burst_passes_whole_and_then_one_each_interval(text: str, start: float) -> None:
    limit, tat = Limit.parse(text), 0.0
    for left in reversed(range(limit.size)):
        decision = gcra(tat, limit, start)
        assert decision[0:1] + decision[2:] == (True, 0.0, left)
        tat = decision.tat
    refused = gcra(tat, limit, start)
    assert not refused.allowed
    assert refused.retry_after == pytest.approx(limit.interval, rel=0.3)
    assert gcra(tat, limit, start + limit.interval * 1.3).allowed


@settings(deadline=None)
@given(LIMITS, STARTS, st.lists(st.floats(0, 5), max_size=200))
def test_never_more_than_the_promise_in_any_window(limit: Limit, start: float, gaps: list[float]) -> None:
    tat, now, admitted = 0.0, start, []
    for gap in gaps:
        now += gap * limit.interval if gap < 4 else 0.0
        decision = gcra(tat, limit, now)
        tat = decision.tat
        if decision.allowed:
            admitted.append(now)
    rounding = (limit.slack + len(admitted) * 2**-22) / limit.interval
    for first, since in enumerate(admitted):
        for last in range(first, len(admitted)):
            promise = (admitted[last] - since) * limit.count / limit.period + limit.size
            assert last - first + 1 <= promise + rounding + 1e-6


@settings(deadline=None)
@given(LIMITS, STARTS, st.integers(0, 60), st.data())
def test_whoever_waits_as_told_is_admitted(limit: Limit, start: float, before: int, data: st.DataObject) -> None:
    cost = data.draw(st.integers(1, limit.size))
    tat = 0.0
    for _ in range(before):
        tat = gcra(tat, limit, start).tat
    decision = gcra(tat, limit, start, cost)
    if decision.allowed:
        assert decision.retry_after == 0.0
    else:
        assert 0 < decision.retry_after <= cost * limit.interval + 2 * limit.slack + 2**-20
        again = gcra(decision.tat, limit, start + decision.retry_after, cost)
        assert again.allowed


@settings(deadline=None)
@given(LIMITS, st.floats(1, 1e9))
def test_a_clock_that_jumps_back_locks_nobody_out(limit: Limit, jump: float) -> None:
    tat = 2.0e9
    for _ in range(limit.size + 3):
        tat = gcra(tat, limit, 2.0e9).tat
    refused = gcra(tat, limit, 2.0e9 - jump)
    assert refused.retry_after <= limit.interval + 2 * limit.slack + 2**-20
    later = 2.0e9 - jump + refused.retry_after
    assert refused.allowed or gcra(refused.tat, limit, later).allowed


@settings(deadline=None)
@given(LIMITS, STARTS)
def test_remaining_is_what_is_still_admitted(limit: Limit, start: float) -> None:
    decision = gcra(0.0, limit, start)
    for _ in range(decision.remaining):
        decision = gcra(decision.tat, limit, start)
        assert decision.allowed
    assert not gcra(decision.tat, limit, start).allowed


@pytest.mark.parametrize("cost", [0, -1, 4, 10**9])
def test_a_cost_that_never_fits_is_an_error(cost: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 3 do"):
        gcra(0.0, Limit(3, 60), 0.0, cost)
