"""What is judged by hand is judged as the guard judges it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from contentguard import detect
from contentguard.cli.senses import SENSES
from contentguard.detect.weights import weights
from contentguard.model import Facts, Signal
from contentguard.policy.presets import THRESHOLDS
from contentguard.policy.score import score
from tests.client import CHROME

PACKAGED = sorted(weights().signals.values(), key=lambda signal: signal.name)
STRANGER = Signal("unheard-of", 3.0, "unheard-of")


@given(st.lists(st.sampled_from((*PACKAGED, STRANGER)), max_size=len(PACKAGED)))
def test_signals_score_as_they_do_in_the_guard(noticed: list[Signal]) -> None:
    assert score(noticed, SENSES.caps) == detect.total(tuple(noticed))


def test_all_signals_at_once_reach_every_cap() -> None:
    known = weights()
    hard = sum(group.cap for group in known.groups.values() if not group.soft)
    assert score(PACKAGED, SENSES.caps) == detect.total(tuple(PACKAGED)) == hard + known.soft_cap


def test_the_packaged_detectors_are_asked() -> None:
    bare = Facts("GET", "/a", ((b"user-agent", CHROME["user-agent"].encode()),), "192.0.2.7")
    assert SENSES.signals(bare) == detect.signals(bare) != ()


def test_the_presets_thresholds_are_those_the_weights_are_made_for() -> None:
    assert dict(THRESHOLDS) == weights().thresholds
