"""What a governor has learned, written and read back; and what makes no sense is as none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission.archive import Archive
from contentguard.admission.governor import Governor
from contentguard.admission.keepsake import read, write
from contentguard.admission.maturity import Trust
from contentguard.admission.treasury import Learned
from tests.admission.siege import START
from tests.admission.test_governor import SECRET

NOW, LIFE = 1_800_000_000.0, 7200.0
rates = st.none() | st.floats(0.01, 1e6)
names = st.text(max_size=20)
hot = st.lists(st.tuples(names, st.integers(0, 2**31 - 1)), max_size=5).map(tuple)
shares = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.floats(0.0, 0.2)), max_size=5).map(tuple)
learned = st.builds(Learned, rates, rates, hot, shares)


@given(learned)
def test_it_is_read_back(what: Learned) -> None:
    assert read(write(what, 1.0, NOW), 1.0, NOW, LIFE) == what


@given(learned)
def test_by_another_number_of_processes_as_well(what: Learned) -> None:
    found = read(write(what, 0.5, NOW), 0.25, NOW, LIFE)
    assert found is not None
    assert found.cold == (None if what.cold is None else pytest.approx(what.cold / 2))


def test_views_count_less_the_older_it_is() -> None:
    found = read(write(Learned(1.0, 2.0, (("a", 4000),)), 1.0, NOW), 1.0, NOW + LIFE, LIFE)
    assert found == Learned(1.0, 2.0, (("a", 2000),))
    later = write(Learned(hot=(("a", 4000),)), 1.0, NOW + 9)
    assert read(later, 1.0, NOW, LIFE) == Learned(hot=(("a", 4000),)), "a clock that was set back"


@given(st.binary(max_size=200))
def test_what_is_no_file_of_ours(data: bytes) -> None:
    assert read(data, 1.0, NOW, LIFE) is None


GOOD: dict[str, Any] = {
    "version": 1,
    "saved": NOW,
    "cold": 1.0,
    "passes": None,
    "hot": [["a", 1]],
    "shares": [[7, 0.5]],
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 2},
        {"saved": "now"},
        {"saved": True},
        {"cold": 0},
        {"cold": -1},
        {"cold": 1e300},
        {"cold": float("nan")},
        {"cold": float("inf")},
        {"passes": "1"},
        {"hot": 3},
        {"hot": [["a"]]},
        {"hot": [["a", 1.5]]},
        {"hot": [["a", True]]},
        {"hot": [["a", -1]]},
        {"hot": [["a", 2**40]]},
        {"hot": [[1, 1]]},
        {"hot": None},
        {"shares": None},
        {"shares": [[2**64, 0.5]]},
        {"shares": [["7", 0.5]]},
        {"shares": [[7, 1.5]]},
        {"shares": [[7, -0.5]]},
        {"shares": [[7, 0.6], [8, 0.6]]},
    ],
    ids=repr,
)
def test_what_makes_no_sense(wrong: dict[str, Any]) -> None:
    assert read(json.dumps(GOOD).encode(), 1.0, NOW, LIFE) is not None
    assert read(json.dumps({**GOOD, **wrong}).encode(), 1.0, NOW, LIFE) is None
    missing = {name: value for name, value in GOOD.items() if name not in wrong}
    assert read(json.dumps(missing).encode(), 1.0, NOW, LIFE) is None
    assert read(b"[" * 100_000, 1.0, NOW, LIFE) is None


def test_a_governor_starts_with_what_was_hot() -> None:
    before = Governor(Archive(), secret=SECRET)
    for n in range(20):
        before.view("/news/flood", n, f"{n}", Trust.MATURED, START)
    before.view("/news/rare", 1, "1", Trust.MATURED, START)
    for _ in range(2):
        before.view("/" + "x" * 300, 1, "1", Trust.MATURED, START)
    known = before.learned()
    assert [name for name, _ in known.hot] == ["/news/flood"]
    found = read(write(known, 1.0, START), 1.0, START, LIFE)
    after = Governor(Archive(), secret=bytes(range(32)), learned=found)
    assert after.hot("/news/flood")
    assert not after.hot("/news/rare")
    assert after.learned().hot == known.hot


def test_and_splits_its_budget_as_before() -> None:
    before = Governor(Archive(), secret=SECRET)
    now = START
    for window in range(9):
        for n in range(60):
            before.view(f"/cold/{window}/{n}", 5 if n % 3 else 9, f"{window}.{n}", Trust.STRANGER, now + n)
        now += 600.0
    before.view("/cold/x", 5, "x", Trust.STRANGER, now)
    known = before.learned()
    assert {tag for tag, _ in known.shares} == {5, 9}
    after = Governor(Archive(), secret=SECRET, learned=read(write(known, 1.0, now), 1.0, now, LIFE))
    assert after.learned().shares == known.shares
    assert {"fingerprint 5", "fingerprint 9"} <= after.state(now)["buckets"].keys()


def test_names_are_bounded() -> None:
    governor = Governor(Archive(hot_articles=1000), secret=SECRET)
    for n in range(600):
        for _ in range(5):
            governor.view(f"/news/{n}", 1, "1", Trust.MATURED, START)
    assert 0 < len(governor.learned().hot) <= 256
    long = Governor(Archive(), secret=SECRET)
    for _ in range(9):
        long.view("/" + "x" * 300, 1, "1", Trust.MATURED, START)
    assert long.hot("/" + "x" * 300)
    assert long.learned().hot == ()
