"""Maturity: what time and a browser's ways do for a pass."""

from __future__ import annotations

import pytest

from contentguard.admission.maturity import Metering, Quota, matured, needed, quota
from contentguard.admission.passes import Pass

NOW = 1_800_000_000
OPTIONS = Metering()
OLD = NOW - 600


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Pass("00" * 8, 2, OLD, NOW), True),
        (Pass("00" * 8, 1, OLD, OLD), True),
        (Pass("00" * 8, 0, OLD, NOW), False),
        (Pass("00" * 8, 2, OLD, 0), False),
        (Pass("00" * 8, 2, NOW - 10, NOW), False),
        (Pass("00" * 8, 2, NOW + 3600, NOW), False),
    ],
    ids=["proved", "waited", "a visit only", "no parts fetched", "too young", "from the future"],
)
def test_what_makes_a_pass_a_readers(given: Pass, expected: bool) -> None:
    assert matured(given, NOW, OPTIONS) is expected
    assert quota(given, NOW, OPTIONS) == (Quota(30, 150) if expected else Quota(5, 25))


def test_only_who_is_beyond_a_readers_surroundings_has_to_prove() -> None:
    """No more than 4.9 can come of what is taken away on the way: scripts off and a stripping proxy still read."""
    assert [needed(score) for score in (-1.0, 0.0, 3.2, 4.9, 5.0, 7.9)] == [1, 1, 1, 1, 2, 2]


@pytest.mark.parametrize(
    "values",
    [{"first_hour": 0}, {"first_hour": 40}, {"hour": 200}, {"first_day": 4}, {"first_day": 200}, {"minutes": -1.0}],
    ids=str,
)
def test_numbers_that_make_no_sense_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"want|minutes"):
        Metering(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [(0, 1), (2, 1), (-1, 5)])
def test_a_quota_that_admits_nothing_is_refused(values: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="articles an hour"):
        Quota(*values)
