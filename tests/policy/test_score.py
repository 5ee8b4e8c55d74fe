from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard import Signal
from contentguard.policy import score, tally
from contentguard.policy.score import DEFAULT_CAP, SOFT, Scale
from tests.policy import generated, naive

SCALE = Scale(
    {"headers": 3.0, "session": 2.5, "network": 1.5}, {"session": -1.0}, soft=("session", "network"), soft_cap=3.0
)


@given(generated.signals)
def test_groups_are_capped_and_added(signals: tuple[Signal, ...]) -> None:
    caps = {"headers": 3.0, "network": 1.5}
    assert score(signals, caps) == pytest.approx(naive.score(signals, caps))
    assert sum(group.counts for group in tally(signals, caps)) == pytest.approx(score(signals, caps))


def test_correlated_evidence_does_not_add_up_twice() -> None:
    same = tuple(Signal(f"s{n}", 2.5, "headers") for n in range(4))
    assert score(same) == DEFAULT_CAP
    assert score((*same, Signal("cookie", 1.0, "session"))) == DEFAULT_CAP + 1
    assert score((*same, Signal("report", -9.0, "session"))) == 0


@given(st.lists(st.builds(Signal, st.text(), st.floats(), st.sampled_from(generated.GROUPS))))
def test_a_score_is_a_number_within_the_caps(signals: list[Signal]) -> None:
    assert math.isfinite(score(signals))
    assert abs(score(signals)) <= 3 * DEFAULT_CAP


@pytest.mark.parametrize(
    ("weights", "comes_to"),
    [
        ({"headers": 2.0}, 2.0),
        ({"headers": 9.0}, 3.0),
        ({"headers": 9.0, "session": 2.0}, 5.0),
        # The soft groups share a cap, whatever the others come to.
        ({"session": 9.0, "network": 9.0}, 3.0),
        ({"headers": 9.0, "session": 9.0, "network": 9.0}, 6.0),
        # What speaks for a reader counts down to the group's floor; a group without one has its floor at nothing.
        ({"headers": 2.0, "session": -9.0}, 1.0),
        ({"headers": -9.0, "network": 1.0}, 1.0),
        ({"unheard-of": 9.0, "headers": 1.0}, 1.0),
    ],
)
def test_a_scale_has_floors_and_one_cap_for_what_is_soft(weights: dict[str, float], comes_to: float) -> None:
    assert score([Signal("s", weight, group) for group, weight in weights.items()], SCALE) == comes_to


def test_what_the_soft_groups_lose_together_is_told() -> None:
    signals = [Signal("a", 5.0, "session"), Signal("b", 1.0, "headers"), Signal("c", 1.0, "network")]
    assert tally(signals, SCALE) == [
        ("session", 5.0, 2.5, 2.5),
        ("headers", 1.0, 3.0, 1.0),
        ("network", 1.0, 1.5, 1.0),
        (SOFT, 3.5, 3.0, -0.5),
    ]
    assert SOFT not in {one.group for one in tally(signals[:2], SCALE)}


@given(generated.signals, st.booleans())
def test_the_groups_of_a_scale_add_up_to_its_score(signals: tuple[Signal, ...], stranger: bool) -> None:
    told = (*signals, Signal("s", 2.0, "unheard-of")) if stranger else signals
    assert sum(one.counts for one in tally(told, SCALE)) == pytest.approx(score(told, SCALE))
    assert -1.0 <= score(told, SCALE) <= 6.0
