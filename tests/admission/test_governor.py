"""The governor: the bound for any traffic, and whom it never touches."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contentguard.admission.governor import WINDOW, Governing, Governor

SECRET = b"sixteen-bytes-at-least"
NOW = 1_800_000_000.0
COMMON = 7


def governor(options: Governing | None = None, share: float = 1.0) -> Governor:
    return Governor(options or Governing(cold=600, least=600), secret=SECRET, share=share)


def settled(table: Governor, now: float = NOW) -> float:
    """A site with readers: the common fingerprint has a past, a hundred articles are hot."""
    for number in range(400):
        table.draw(f"/hot/{number % 40}", COMMON, f"reader {number}", now, trusted=True)
    return now


def test_readers_with_a_matured_pass_never_wait() -> None:
    table = governor()
    assert all(table.draw(f"/old/{n}", COMMON, "n", NOW, trusted=True) == 0.0 for n in range(20_000))
    assert table.waited == 0


def test_hot_articles_are_anybody_s() -> None:
    table = governor()
    settled(table)
    assert all(table.draw("/hot/1", n, f"n{n}", NOW, trusted=False) == 0.0 for n in range(20_000))


def test_what_is_cold_is_drawn_and_then_waited_for() -> None:
    table = governor()
    now = settled(table)
    waits = [table.draw(f"/old/{n}", COMMON, f"n{n}", now, trusted=False) for n in range(500)]
    assert waits.count(0.0) == 30, "a sixth of the common fingerprint's part at once"
    assert 0 < max(waits) <= 3600
    assert table.draw("/old/499", COMMON, "n499", now + max(waits), trusted=False) == 0.0


def test_a_wait_takes_nothing() -> None:
    table = governor()
    now = settled(table)
    for n in range(5000):
        table.draw(f"/old/{n}", COMMON, f"n{n}", now, trusted=False)
    left = table.state(now)["left"]
    assert left > 0, "other fingerprints find their part"
    assert table.draw("/old/x", 8, "elsewhere", now, trusted=False) == 0.0


def test_inventing_fingerprints_mints_nothing() -> None:
    one, many = governor(), governor()
    for table, cluster in ((one, lambda n: 99), (many, lambda n: 1000 + n)):
        settled(table)
        for n in range(3000):
            table.draw(f"/old/{n}", cluster(n), f"n{n}", NOW + n, trusted=False)
    assert many.granted <= 600 * 0.15 * (3000 / 3600) + 20 + 1
    assert one.granted <= 600 * 0.3 * (3000 / 3600) + 30 + 20


def test_one_network_gets_a_small_part() -> None:
    table = governor()
    now = settled(table)
    granted = sum(table.draw(f"/old/{n}", COMMON, "one", now + n, trusted=False) == 0.0 for n in range(1800))
    assert granted <= 60 / 2 + 20


def test_asking_in_vain_warms_nothing() -> None:
    table = governor()
    now = settled(table)
    for n in range(400):
        table.draw(f"/old/{n}", COMMON, f"n{n}", now, trusted=False)
    assert all(table.draw("/old/399", COMMON, f"m{n}", now, trusted=False) > 0.0 for n in range(200))


def test_the_hot_list_is_as_long_as_it_was_set() -> None:
    table = governor(Governing(cold=600, least=600, hot=10))
    for n in range(3000):
        table.draw(f"/{n % 100}", COMMON, f"n{n}", NOW, trusted=True)
    for n in range(50):
        for _ in range(12):
            table.draw(f"/{n}", COMMON, "n", NOW + WINDOW, trusted=True)
    assert table.state(NOW)["hot_articles"] <= 20


def test_what_was_hot_yesterday_is_cold_today() -> None:
    table = governor()
    now = settled(table) + 40 * WINDOW
    table.draw("/any", COMMON, "n", now, trusted=True)
    assert table.state(now)["hot_articles"] == 0


class TestLearning:
    def windows(self, table: Governor, per_window: int, count: int, start: float = NOW) -> float:
        for window in range(count):
            for n in range(per_window):
                at = start + window * WINDOW + n * WINDOW / max(per_window, 1)
                table.draw(f"/old/{window}/{n}", n % 7, f"n{n}", at, trusted=False)
        return start + count * WINDOW

    def test_the_budget_follows_what_is_usual(self) -> None:
        table = governor(Governing(cold=3000, least=60))
        assert table.budget == 3000, "nothing is known yet"
        end = self.windows(table, 10, 1000)
        quiet = table.budget
        assert 10 * 6 * 3 <= quiet <= 250
        self.windows(table, 14, 600, end)
        assert quiet < table.budget <= 14 * 6 * 3

    def test_nobody_trains_it_up_fast(self) -> None:
        """An attacker who takes whatever is given for a day gains next to nothing by it."""
        table = governor(Governing(cold=3000, least=60))
        end = self.windows(table, 10, 1000)
        before = table.budget
        self.windows(table, 400, 144, end)
        assert table.budget <= before * 1.5

    def test_never_beyond_the_ceiling_nor_below_the_floor(self) -> None:
        table = governor(Governing(cold=700, least=600))
        end = self.windows(table, 48, 1500)
        assert table.budget <= 700
        self.windows(table, 0, 10, end)
        assert table.budget >= 600


class TestPasses:
    def test_without_an_attack_there_is_no_limit(self) -> None:
        table = governor()
        assert all(table.issue(NOW, alarmed=False) == 0.0 for _ in range(5000))

    def test_under_alarm_there_is(self) -> None:
        table = governor(Governing(passes=60))
        waits = [table.issue(NOW, alarmed=True) for _ in range(50)]
        assert waits.count(0.0) == 20
        assert max(waits) > 0

    def test_an_empty_bucket_is_alarm_enough(self) -> None:
        table = governor(Governing(cold=60, least=60, passes=60))
        settled(table)
        for n in range(100):
            table.draw(f"/old/{n}", COMMON, f"n{n}", NOW, trusted=False)
        assert [table.issue(NOW, alarmed=False) for _ in range(50)].count(0.0) == 20
        assert table.issue(NOW + 3600, alarmed=False) == 0.0


def test_changes_are_told_once() -> None:
    table = governor(Governing(cold=60, least=60))
    settled(table)
    for n in range(100):
        table.draw(f"/old/{n}", COMMON, f"n{n}", NOW, trusted=False)
    assert len(table.changes()) == 1
    assert table.changes() == []
    assert table.state(NOW)["troubled"]


def test_a_part_of_the_budget_for_each_of_several_processes() -> None:
    assert governor(share=0.25).budget == 150


@pytest.mark.parametrize(
    "values", [{"cold": 5, "least": 5}, {"cold": 10, "least": 20}, {"times": 0.5}, {"hot": -1}, {"passes": 0}], ids=str
)
def test_options_that_make_no_sense(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="want"):
        Governing(**values)


def test_a_secret_that_is_none() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Governor(Governing(), secret=b"short")


def test_its_memory_is_settled() -> None:
    table = governor()
    before = table.bytes_used
    for n in range(50_000):
        table.draw(f"/old/{n}", n, f"n{n}", NOW + n, trusted=n % 2 == 0)
    assert table.bytes_used == before < 1_000_000
    assert len(table._top) <= 200


def worst_hour(times: Sequence[float]) -> int:
    """The most of these moments that lie within any one hour."""
    start = worst = 0
    for end, at in enumerate(times):
        while at - times[start] > 3600.0:
            start += 1
        worst = max(worst, end - start + 1)
    return worst


traffic = st.lists(
    st.tuples(
        st.sampled_from(["flood", "crawl", "invent", "readers", "pause"]),
        st.integers(1, 400),
        st.floats(0.0, 30.0),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(traffic, st.integers(6, 200), st.integers(0, 2**32))
def test_the_bound_holds_for_any_traffic(parts: list[tuple[str, int, float]], cold: int, seed: int) -> None:
    """Unique cold texts to strangers within any hour: never more than the budget and its burst."""
    table, random, now = governor(Governing(cold=cold, least=cold, hot=5)), Random(seed), NOW
    granted: dict[str, float] = {}
    for kind, count, gap in parts:
        for n in range(count):
            now += 3600.0 / count if kind == "pause" else gap
            trusted = kind == "readers"
            cluster = random.getrandbits(60) if kind == "invent" else random.randrange(3)
            article = f"/{kind if kind == 'crawl' else 'old'}/{n if kind != 'flood' else random.randrange(2000)}"
            number = hash(table._secret + article) & 0xFFFFFFFFFFFFFFFF
            hot = table.is_hot(number)
            wait = table.draw(article, cluster, f"n{random.randrange(9999)}", now, trusted=trusted)
            if wait == 0.0 and not trusted and not hot:
                granted.setdefault(article, now)
    assert worst_hour(sorted(granted.values())) <= cold + max(cold // 6, min(cold, 20))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-7200.0, 7200.0), max_size=60))
def test_a_clock_that_jumps_raises_nothing_and_opens_nothing(jumps: list[float]) -> None:
    table, now = governor(Governing(cold=12, least=12)), NOW
    for n, jump in enumerate(jumps):
        now += jump
        assert table.draw(f"/old/{n}", COMMON, "n", now, trusted=False) >= 0.0
    assert table.budget == 12
