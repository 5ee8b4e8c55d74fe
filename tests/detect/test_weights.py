"""The weights file, and the arithmetic of groups and caps."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.detect.weights import document, parse, weights
from contentguard.model import Signal

USED = weights()
NAMES = sorted(USED.signals)


def changed(**values: Any) -> dict[str, Any]:
    data = copy.deepcopy(dict(document()))
    data.update(values)
    return data


def test_every_row_is_whole() -> None:
    for name, row in document()["signals"].items():
        assert row.keys() == {"weight", "prior", "group", "learned"}, name
        assert abs(row["weight"] - row["prior"]) <= 1.0, name
        assert row["learned"] or row["weight"] == row["prior"], name
    assert document()["hosting"]["asns"] == sorted(
        set(document()["hosting"]["asns"]), key=document()["hosting"]["asns"].index
    )


def test_a_group_counts_for_no_more_than_its_cap() -> None:
    assert USED.total([Signal("a", 2.0, "wrong"), Signal("b", 2.5, "wrong")]) == 3.0
    assert USED.total([Signal("a", 2.0, "wrong"), Signal("b", 2.5, "wrong"), Signal("c", 0.5, "network")]) == 3.5
    assert USED.total([Signal("a", -5.0, "parts")]) == -1.0
    assert USED.total([]) == 0.0
    assert USED.total([Signal("a", 9.0, "of-no-group")]) == 0.0


SOFT = [s for s in USED.signals.values() if USED.groups[s.group].soft]


@given(st.lists(st.sampled_from(SOFT)))
def test_what_surroundings_bring_about_never_refuses(found: list[Signal]) -> None:
    assert USED.total(found) <= USED.soft_cap < USED.thresholds["wait"]


@pytest.mark.parametrize("group", ["wrong", "automation", "trap", "identity"])
def test_surroundings_and_one_thing_of_the_reader_s_own_are_not_enough_either(group: str) -> None:
    """A switched User-Agent, a driven browser or a honeylink, and everything taken away on the way: no refusal."""
    worst = USED.soft_cap + USED.groups[group].cap
    assert worst < USED.thresholds["refuse"] or group == "identity"


@given(st.lists(st.sampled_from(NAMES), unique=True), st.sampled_from(NAMES))
def test_more_against_a_client_never_lowers_its_score(names: list[str], another: str) -> None:
    found = [USED.signals[name] for name in names]
    more = USED.signals[another]
    if more.weight >= 0:
        assert USED.total([*found, more]) >= USED.total(found) - 1e-9


def test_a_file_that_contradicts_itself_is_refused() -> None:
    signals = {"x": {"weight": 1.0, "group": "nowhere"}}
    with pytest.raises(ValueError, match="'x' is of group 'nowhere'"):
        parse(changed(signals=signals))
    with pytest.raises(ValueError, match="reaches the threshold of refusal"):
        parse(changed(soft_cap=9.0))
