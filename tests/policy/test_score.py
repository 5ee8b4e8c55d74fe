from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard import Signal
from contentguard.policy import score, tally
from contentguard.policy.score import DEFAULT_CAP
from tests.policy import generated, naive


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
