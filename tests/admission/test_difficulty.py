"""Difficulty: never more than a slow phone does in its reader's patience, and no lever for who makes load."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission.difficulty import (
    NO_WORK,
    STEPS,
    Algorithm,
    Difficulty,
    Pressure,
    difficulty,
    pressed,
    sound,
)

WORKING = [Algorithm.PBKDF2, Algorithm.SHA256, Algorithm.SCRYPT]
PHONE = 7.0
"""How many times slower than a desktop's thread a slow phone is taken to be."""
SECONDS = {Algorithm.PBKDF2: 1000 / 4.35e6, Algorithm.SHA256: 1 / 2.58e6, Algorithm.SCRYPT: 1 / 185}
"""One try on a desktop's thread: measured rates of Chromium's WebCrypto, of a loop in JavaScript, of WebAssembly."""

anything = st.floats()
algorithms = st.sampled_from(WORKING)


def tries(asked: Difficulty) -> float:
    return float(asked.puzzles * 2**asked.bits)


def p95(asked: Difficulty, runs: int = 4000) -> float:
    """The tries that 95 % of solvers do not exceed, by drawing the smallest counters of ``runs`` of them."""
    dice = Random(1)
    missed = math.log1p(-(2.0**-asked.bits))
    totals = sorted(sum(1 + int(math.log(dice.random()) / missed) for _ in range(asked.puzzles)) for _ in range(runs))
    return float(totals[int(0.95 * runs)])


@pytest.mark.parametrize("algorithm", WORKING)
def test_the_most_that_is_asked_fits_a_slow_phone(algorithm: Algorithm) -> None:
    most = STEPS[algorithm][-1]
    assert tries(most) * SECONDS[algorithm] <= 1.0, "a desktop's thread"
    assert p95(most) * SECONDS[algorithm] * PHONE <= 4.2, "within what drawing 4,000 samples tells"


@pytest.mark.parametrize("algorithm", WORKING)
def test_steps_are_sound_and_each_asks_for_more(algorithm: Algorithm) -> None:
    steps = STEPS[algorithm]
    assert all(sound(step) and step.algorithm is algorithm for step in steps)
    assert [tries(step) for step in steps] == sorted({tries(step) for step in steps})


@given(anything, st.integers(), algorithms)
def test_nothing_asks_for_more_than_the_last_step(suspicion: float, pressure: int, algorithm: Algorithm) -> None:
    assert difficulty(suspicion, pressure, algorithm) in STEPS[algorithm]


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.integers(0, 2), algorithms)
def test_more_suspicion_is_never_easier(one: float, other: float, pressure: int, algorithm: Algorithm) -> None:
    less, more = sorted((one, other))
    assert tries(difficulty(less, pressure, algorithm)) <= tries(difficulty(more, pressure, algorithm))


@given(st.floats(max_value=0.99), st.integers(), algorithms)
def test_no_load_makes_an_unsuspected_reader_work_more_than_twice_as_long(
    suspicion: float, pressure: int, algorithm: Algorithm
) -> None:
    assert tries(difficulty(suspicion, pressure, algorithm)) <= 2 * tries(difficulty(suspicion, 0, algorithm))


def test_what_a_waiting_ticket_asks_has_no_steps() -> None:
    with pytest.raises(KeyError):
        difficulty(0.0, 0, Algorithm.NONE)


@pytest.mark.parametrize(
    "asked",
    [
        Difficulty(Algorithm.PBKDF2, 0, 16, 5),
        Difficulty(Algorithm.PBKDF2, 5001, 16, 5),
        Difficulty(Algorithm.PBKDF2, 500, 0, 5),
        Difficulty(Algorithm.PBKDF2, 500, 65, 5),
        Difficulty(Algorithm.PBKDF2, 500, 16, 0),
        Difficulty(Algorithm.PBKDF2, 500, 16, 25),
        Difficulty(Algorithm.SHA256, 2, 16, 5),
        Difficulty(Algorithm.SCRYPT, 2048, 8, 3),
        Difficulty(Algorithm.NONE, 0, 1, 1),
        Difficulty(Algorithm.NONE, 1, 0, 0),
    ],
)
def test_work_that_makes_no_sense_or_is_dear_to_verify(asked: Difficulty) -> None:
    assert not sound(asked)
    assert sound(NO_WORK)


# -- pressure --------------------------------------------------------------------------------------------------


NO_PRESSURE = Pressure()


def after(looks: list[tuple[float, float]], start: Pressure = NO_PRESSURE) -> list[int]:
    """The step after each look: (seconds since the last, load)."""
    now, at, steps = 1000.0, start, []
    for seconds, load in looks:
        now += seconds
        at = pressed(at, load, now)
        steps.append(at.step)
    return steps


def test_pressure_rises_quickly_and_falls_slowly() -> None:
    assert after([(1, 1.0), (9, 1.0), (1, 1.0), (30, 1.0)]) == [1, 1, 2, 2]
    assert after([(1, 1.0), (11, 1.0), (59, 0.1), (1, 0.1), (59, 0.1), (1, 0.1)]) == [1, 2, 2, 1, 1, 0]


def test_between_the_marks_nothing_changes() -> None:
    assert after([(1000, 0.89), (1000, 0.9), (1000, 0.61), (1000, 0.6)]) == [0, 1, 1, 0]


def test_a_load_that_swings_does_not_carry_the_difficulty_along() -> None:
    steps = after([(1.0, 1.0 if second % 2 else 0.0) for second in range(600)])
    changes = sum(one != other for one, other in pairwise(steps))
    assert changes <= 600 / 10
    assert max(steps) <= 2


def test_a_clock_that_jumps_back_changes_no_step_and_holds_none_for_ever() -> None:
    high = Pressure(2, 5000.0)
    assert pressed(high, 0.0, 1000.0) == Pressure(2, 1000.0)
    assert after([(0, 0.0), (60, 0.0)], high) == [2, 1]


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats()), max_size=50))
def test_any_loads_at_any_times_leave_a_step_of_three(looks: list[tuple[float, float]]) -> None:
    assert set(after(looks)) <= {0, 1, 2}
