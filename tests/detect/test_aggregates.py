"""Aggregate detection on a simulated readership: what must raise an alarm, and what must not."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.detect.aggregates import Aggregates
from tests.detect.crowd import COMMON, OTHERS, WINDOW, Crowd, Plan

SEEDS = range(6)
NEW = 5000


def alarms(plans: list[Plan], clusters: tuple[int, ...] = (COMMON,), settled: Plan | None = None) -> list[int]:
    """For each seed, in how many (window, cluster) pairs there was an alarm."""
    found = []
    for seed in SEEDS:
        crowd = Crowd(seed)
        crowd.settle(plan=settled)
        found.append(sum(c.alarm for plan in plans for c in crowd.play(plan, *clusters).values()))
    return found


@pytest.mark.no_cover
def test_ordinary_windows_raise_no_alarm() -> None:
    crowd = Crowd(1)
    assert not crowd.table.alarms
    seen = [crowd.play(Plan(), COMMON, *OTHERS) for _ in range(120)]
    assert not crowd.table.alarms
    assert not any(cluster.alarm for window in seen for cluster in window.values())
    assert seen[-1][COMMON].views > 50
    assert 0.6 < seen[-1][COMMON].prefixes / seen[-1][COMMON].views < 1.6


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("readers", "share", "caught"), [(300, 0.10, 5), (300, 0.20, 6), (1500, 0.05, 6), (1500, 0.10, 6)]
)
def test_a_crawler_in_the_commonest_clothes_is_caught_within_two_windows(
    readers: int, share: float, caught: int
) -> None:
    attack = Plan(readers=readers, crawled=int(readers * share / (1 - share)))
    assert sum(n > 0 for n in alarms([attack, attack], settled=Plan(readers=readers))) >= caught


def test_an_alarm_lasts_while_the_crawler_does_and_ends_with_it() -> None:
    crowd = Crowd(3)
    crowd.settle()
    during = [crowd.play(Plan(crawled=60))[COMMON].alarm for _ in range(12)]
    assert crowd.table.alarms
    after = [crowd.play(Plan())[COMMON].alarm for _ in range(6)]
    assert sum(during) >= 11
    assert sum(after) == 0


@pytest.mark.no_cover
def test_a_link_that_goes_round_raises_no_alarm() -> None:
    """Twenty times the readers for half an hour, all of one article that nobody had read for long."""
    assert sum(alarms([Plan(viral=6000), Plan(viral=6000), Plan(viral=2000), Plan()], (COMMON, *OTHERS))) == 0


@pytest.mark.no_cover
def test_a_browser_s_release_raises_no_alarm() -> None:
    """Within eight windows the readers of one version turn into readers of the next."""

    def wears(share: float) -> Callable[[Random], int]:
        def worn(random: Random) -> int:
            if random.random() < 0.3:
                return NEW if random.random() < share else COMMON
            return random.choice(OTHERS)

        return worn

    plans = [Plan(wears=wears(n / 8)) for n in range(1, 9)] + [Plan(wears=wears(1.0))] * 2
    assert sum(alarms(plans, (COMMON, NEW, *OTHERS))) == 0


@pytest.mark.no_cover
@pytest.mark.parametrize("left", [0.0, 0.3])
@pytest.mark.parametrize("only", [None, COMMON], ids=["everywhere", "in one browser"])
def test_a_broken_style_sheet_raises_no_alarm(left: float, only: int | None) -> None:
    """A deployment, or a blocker's new list: parts go missing, but no pages come on top."""
    broken = Plan(readers=900, follow=lambda cluster: left if only in (None, cluster) else 0.93)
    settled = Plan(readers=900)
    assert sum(alarms([broken] * 4, (COMMON, *OTHERS), settled)) == 0
    assert sum(alarms([broken] * 4 + [settled] * 4, (COMMON, *OTHERS), settled)) == 0


def test_one_busy_address_is_no_matter_of_its_browser() -> None:
    plan = Plan(crawled=400, prefixes=lambda n: "198.51.100.0/24")
    assert sum(alarms([plan, plan])) == 0


def test_invented_fingerprints_answer_for_each_other() -> None:
    crowd = Crowd(5)
    crowd.settle(plan=Plan(wears=lambda random: random.choice([COMMON, *range(10_000, 10_400)])))
    minted = Plan(crawled=150, crawler=lambda n: 10**9 + crowd.window * 1000 + n)
    seen = [crowd.play(minted, 10**12 + n)[10**12 + n].alarm for n in range(3)]
    assert any(seen)


def test_a_crawler_with_a_fingerprint_of_its_own_cannot_make_its_habit_the_norm() -> None:
    crowd = Crowd(6)
    crowd.settle()
    seen = [crowd.play(Plan(crawled=80, crawler=lambda n: NEW), NEW)[NEW].alarm for _ in range(8)]
    assert all(seen[1:])


def test_a_crawler_that_fetches_style_sheets_shows_by_what_it_reads() -> None:
    plan = Plan(readers=1500, crawled=400, crawler_follows=True)
    crowd = Crowd(7)
    crowd.settle(20, Plan(readers=1500))
    clusters = [crowd.play(plan)[COMMON] for _ in range(2)]
    assert max(cluster.cold_z for cluster in clusters) > 5.0
    assert any(cluster.alarm for cluster in clusters)


def test_a_late_style_sheet_counts_for_the_window_of_its_page() -> None:
    table = Aggregates(secret=b"s" * 16)
    for n in range(60):
        table.view(1, str(n), "p", WINDOW - 1.0)
    for n in range(60):
        table.follow(1, str(n), WINDOW - 1.0, WINDOW + 3.0)
    for window in (1.0, 2.0):
        for n in range(60):
            table.view(1, str(n), "p", window * WINDOW + 50.0)
            table.follow(1, str(n), window * WINDOW + 50.0, window * WINDOW + 51.0)
    assert abs(table.read(1, 3 * WINDOW + 20.0).follow_z) < 1.0


@pytest.mark.no_cover
def test_memory_is_settled_and_small_however_many_fingerprints_come() -> None:
    table = Aggregates(secret=b"s" * 16)
    assert table.bytes_used <= 16 * 2**20
    table.view(0, "", "", 0.0)
    tracemalloc.start()
    for n in range(20_000):
        table.view(n * 7919, str(n), str(n), n / 10)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 400_000


@pytest.mark.parametrize(
    ("clusters", "secret", "window"), [(2, b"s" * 16, 600.0), (64, b"s", 600.0), (64, b"s" * 16, 5.0)]
)
def test_bounds_that_make_no_sense(clusters: int, secret: bytes, window: float) -> None:
    with pytest.raises(ValueError, match=r"at least 16 bytes|nothing to compare"):
        Aggregates(clusters, secret=secret, window=window)


EVENTS = st.lists(
    st.tuples(st.integers(-(2**63), 2**64), st.sampled_from(["view", "follow", "read"]), st.floats(0, 1e10), st.text())
)


@given(EVENTS)
def test_any_course_of_events_gives_finite_figures(events: list[tuple[int, str, float, str]]) -> None:
    table = Aggregates(16, secret=b"s" * 16)
    for cluster, what, now, text in events:
        if what == "view":
            table.view(cluster, text, text, now)
        elif what == "follow":
            table.follow(cluster, text, now, now + 1.0)
        read = table.read(cluster, now)
        assert abs(read.follow_z) < 1e6
        assert abs(read.cold_z) < 1e6
