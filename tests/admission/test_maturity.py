"""Maturity: a pass that behaves like a browser is left alone; one that does not stays poor."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission.maturity import (
    DAY,
    Level,
    Metering,
    Quota,
    Trust,
    matured,
    matures_in,
    quota,
    seen_lately,
    trust,
)
from contentguard.admission.passes import Pass

ISSUED = 1_800_000_000
OPTIONS = Metering()


def one(level: int, seen: int = 0) -> Pass:
    """A pass."""
    return Pass("00" * 8, level=level, issued=ISSUED, seen=seen)


@pytest.mark.parametrize(
    ("level", "seen", "age", "expected"),
    [
        (Level.VISIT, 5, 3600, Trust.STRANGER),
        (Level.WAITED, 0, 0, Trust.YOUNG),
        (Level.WAITED, 5, 599, Trust.YOUNG),
        (Level.WAITED, 5, 600, Trust.MATURED),
        (Level.PROVED, 0, 600, Trust.YOUNG),
        (Level.PROVED, 5, 119, Trust.YOUNG),
        (Level.PROVED, 5, 120, Trust.MATURED),
        (Level.PROVED, 0, 3600, Trust.YOUNG),
        (Level.PROVED, 0, 3601, Trust.STRANGER),
        (Level.PROVED, 5, DAY + 5, Trust.MATURED),
        (Level.PROVED, 5, DAY + 6, Trust.STRANGER),
        (Level.KNOWN, 0, 0, Trust.MATURED),
        (Level.KNOWN, 0, 30 * DAY, Trust.MATURED),
    ],
)
def test_who_is_left_alone(level: int, seen: int, age: int, expected: Trust) -> None:
    """``seen``: seconds after the pass was given out; 0 never."""
    assert trust(one(level, seen and ISSUED + seen), ISSUED + age, OPTIONS) is expected


@given(st.sampled_from(Level), st.integers(0, 2 * DAY), st.integers(0, 2 * DAY))
def test_when_it_will_have_matured_is_told_beforehand(level: Level, seen: int, age: int) -> None:
    given_pass, now = one(level, seen and ISSUED + min(seen, age)), ISSUED + age
    left = matures_in(given_pass, now, OPTIONS)
    assert (left == 0.0) is matured(given_pass, now, OPTIONS)
    if 0.0 < left < inf:
        later = given_pass._replace(seen=int(now + left))
        assert matured(later, now + left, OPTIONS)
        assert not matured(later, now + left - 1, OPTIONS)


def test_without_a_pass_one_is_a_stranger() -> None:
    assert trust(None, ISSUED, OPTIONS) is Trust.STRANGER


def test_a_pass_starts_small_and_grows() -> None:
    assert _allowed(one(Level.PROVED), ISSUED + 200) == Quota(5, 150)
    assert _allowed(one(Level.PROVED, ISSUED + 3), ISSUED + 200) == Quota(30, 150)
    assert _allowed(one(Level.PROVED, ISSUED + 3), ISSUED + 2 * DAY) == Quota(5, 150)


def _allowed(given_pass: Pass, now: float) -> Quota:
    return quota(trust(given_pass, now, OPTIONS), OPTIONS)


def test_a_style_sheet_speaks_for_a_browser_for_a_day() -> None:
    assert not seen_lately(one(2), ISSUED, OPTIONS)
    assert seen_lately(one(2, ISSUED), ISSUED + DAY, OPTIONS)
    assert not seen_lately(one(2, ISSUED), ISSUED + DAY + 1, OPTIONS)


@given(st.integers(0, 3), st.integers(0, 2 * DAY), st.floats(-3600, 2 * DAY))
def test_more_trust_is_never_less_to_read(level: int, seen: int, age: float) -> None:
    given_pass = one(level, ISSUED + seen if seen else 0)
    now = ISSUED + age
    assert matured(given_pass, now, OPTIONS) is (trust(given_pass, now, OPTIONS) is Trust.MATURED)
    assert (_allowed(given_pass, now) == Quota(30, 150)) is matured(given_pass, now, OPTIONS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"new_reader_articles_per_hour": 31},
        {"articles_per_hour": 4},
        {"articles_per_day": -1},
        {"new_reader_articles_per_hour": -1},
        {"matures_after": -1.0},
        {"matures_without_script": -0.5},
        {"new_reader_for": -1.0},
        {"parts_within": -1.0},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be at most|negative"):
        Metering(**wrong)
