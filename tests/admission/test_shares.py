"""Shares: who is usual has a part, and nobody comes to one quickly."""

from __future__ import annotations

from random import Random

import pytest

from contentguard.admission.shares import OWN, Shares

COMMON = 7


def window(shares: Shares, seed: int, views: int = 150, invented: int = 0, common: float = 0.3) -> None:
    """A window of readers, and of views that each wear a fingerprint never seen before."""
    dice = Random(seed)
    for _ in range(views):
        shares.count(COMMON if dice.random() < common else dice.randrange(100, 120))
    for _ in range(invented):
        shares.count(dice.getrandbits(64))
    shares.close()


def settled(windows: int = 200) -> Shares:
    """An ordinary past."""
    shares = Shares()
    for n in range(windows):
        window(shares, n)
    return shares


def test_usual_fingerprints_have_their_share() -> None:
    own = settled().own
    assert own[COMMON] == pytest.approx(0.3, abs=0.02)
    assert set(own) == {COMMON, *range(100, 120)}
    assert sum(own.values()) == pytest.approx(1.0, abs=0.01)


def test_nothing_has_a_part_before_an_hour_was_seen() -> None:
    shares = settled(5)
    assert not shares.own
    window(shares, 5)
    assert COMMON in shares.own


def test_inventing_fingerprints_gains_none_and_takes_none_away() -> None:
    shares = settled()
    for n in range(30):
        window(shares, n, invented=3000)
    assert set(shares.own) <= {COMMON, *range(100, 120)}
    assert COMMON in shares.own


@pytest.mark.no_cover
def test_a_share_is_not_gained_quickly() -> None:
    shares = settled(1100)
    for n in range(144):  # a day in which twice as much is asked for, all by one kind
        window(shares, n, common=0.65)
    assert shares.own[COMMON] < 0.37


@pytest.mark.no_cover
def test_a_new_version_of_a_browser_comes_to_a_part_within_days() -> None:
    shares = settled(1100)
    for n in range(3 * 144):
        dice = Random(n)
        for _ in range(150):
            shares.count(8 if dice.random() < 0.1 else COMMON)
        shares.close()
    assert shares.own[8] > OWN


def test_windows_with_too_few_views_wait_for_more() -> None:
    shares = Shares()
    for n in range(30):
        window(shares, n, views=5)
    assert not shares.own
    window(shares, 99, views=5)
    for n in range(6):
        window(shares, n, views=30)
    assert shares.own


def test_a_table_of_less_than_a_row_is_none() -> None:
    with pytest.raises(ValueError, match="less than one row"):
        Shares(3)


def test_a_row_full_of_usual_ones_takes_no_others() -> None:
    shares = Shares(4)
    for n in range(10):
        for view in range(40):
            shares.count(1 + view % 4)
        shares.close()
        assert set(shares.own) == ({1, 2, 3, 4} if n >= 5 else set())
    shares.count(9)
    shares.close()
    assert set(shares.own) == {1, 2, 3, 4}
    assert shares.bytes_used < 20_000
