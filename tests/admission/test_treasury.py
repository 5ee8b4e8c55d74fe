"""The treasury: what is normal sets the budget, slowly; an alarm splits it."""

from __future__ import annotations

from random import Random

import pytest

from contentguard.admission.archive import Archive
from contentguard.admission.budget import WINDOW
from contentguard.admission.treasury import Learned, Treasury

NOW = 1_800_000_000.0
NORMAL = 160
"""Questions in a window that are normal here."""


class Purse:
    """A treasury and its time. Tokens are drawn as the governor does."""

    def __init__(self, learned: Learned | None = None) -> None:
        self.treasury = Treasury(Archive(), young=5, share=1.0, learned=learned or Learned(NORMAL, 10))
        self.now = NOW
        self.dice = Random(1)
        self.treasury.turn(self.now)

    def asks(self, number: int, cluster: int = 0, over: float = WINDOW) -> int:
        """So many questions, evenly over this time; how many of them had to wait. 0: of the usual fingerprints."""
        waited = 0
        for _ in range(number):
            self.now += over / number
            self.treasury.turn(self.now)
            worn = cluster or (7 if self.dice.random() < 0.3 else self.dice.randrange(100, 120))
            waited += self._ask(worn)
        return waited

    def _ask(self, worn: int) -> bool:
        treasury = self.treasury
        treasury.asked(worn)
        wait = treasury.wait(treasury.all)
        if treasury.alarmed:
            wait = max(wait, treasury.wait(treasury.part(worn)))
        if not wait:
            treasury.all.take()
            treasury.part(worn).draw(self.now)
        return wait > 0.0

    def days(self, number: float, questions: int = NORMAL, cluster: int = 0) -> int:
        """Days that are all alike."""
        return sum(self.asks(questions, cluster) for _ in range(round(144 * number)))


def test_the_budget_is_the_most_for_an_hour_then_a_guess_and_after_a_day_three_times_normal() -> None:
    site = Purse(Learned())
    assert site.treasury.budget == 10_000
    site.asks(500, over=3590.0)
    assert site.treasury.budget == 10_000
    site.days(0.9, 100)
    assert site.treasury.budget == pytest.approx(3 * 2.5 * 600, rel=0.02)
    site.days(0.1, 100)
    assert site.treasury.budget == pytest.approx(3 * 600, rel=0.02)
    assert not site.treasury.counts


def test_a_morning_after_a_start_at_night_is_no_alarm() -> None:
    site = Purse(Learned())
    for window in range(48):
        assert site.asks(16 + 3 * window) == 0
    assert not site.treasury.counts


@pytest.mark.parametrize(("normal", "budget"), [(1.0, 300.0), (50.0, 900.0), (5000.0, 10_000.0)])
def test_the_budget_stays_between_least_and_most(normal: float, budget: float) -> None:
    assert Purse(Learned(normal)).treasury.budget == budget


def test_a_process_has_its_share_of_the_numbers_and_the_store_holds_the_whole() -> None:
    fresh, known = (Treasury(Archive(), young=5, share=0.25, learned=Learned(cold)) for cold in (None, 40.0))
    assert fresh.budget == 2500
    assert known.budget == 3 * 240
    assert (known.limit.count, known.limit.period, known.limit.size) == (4 * 720, 3600.0, 144)


def test_an_alarm_begins_when_twice_the_normal_is_asked_for_and_ends_when_it_is_over() -> None:
    site = Purse()
    site.days(0.2, NORMAL * 3 // 2)
    assert site.treasury.changes() == []
    site.asks(NORMAL * 5 // 2)
    site.asks(NORMAL * 5 // 2)
    assert site.treasury.state()["alarm_since"] > NOW
    changes = site.treasury.changes()
    assert changes[0][:2] == ("alarm", "on")
    assert "all" not in {change.what for change in changes}, "there is enough for all"
    site.days(0.1)
    assert site.treasury.state()["alarm_since"] is None
    assert site.treasury.changes()[-1][:2] == ("alarm", "off")
    assert site.treasury.counts == {"alarms": 1}
    assert site.treasury.changes() == []


def test_a_crawler_empties_the_part_of_the_browser_it_imitates() -> None:
    site = Purse()
    site.days(1)
    site.asks(5000, cluster=7)
    assert site.treasury.alarmed
    parts = {name: held["level"] for name, held in site.treasury.state()["buckets"].items()}
    assert parts["fingerprint 7"] < 1.0
    assert all(level >= 8.0 for name, level in parts.items() if name != "fingerprint 7")
    assert site.asks(20, cluster=105) == 0
    assert ("fingerprint 7", "empty") in [change[:2] for change in site.treasury.changes()]


@pytest.mark.no_cover
def test_invented_fingerprints_have_one_small_part_together() -> None:
    site = Purse()
    site.days(1)
    given = sum(1 - site.asks(1, cluster=10**6 + n, over=0.1) for n in range(20_000))
    before_the_alarm = site.treasury.budget * 2 / 3 / 20  # what the bucket that watches holds
    assert given <= before_the_alarm + 10 + 0.02 * site.treasury.budget * 2000 / 3600 + 70
    assert site.asks(20, cluster=7, over=60.0) == 0


@pytest.mark.no_cover
def test_nothing_is_split_without_an_alarm() -> None:
    site = Purse()
    site.days(1)
    assert site.days(0.5, NORMAL * 3 // 2, cluster=999) == 0, "a new version of a browser, all at once"


def test_an_attacker_below_the_alarm_teaches_a_seventh_a_day_and_one_above_it_nothing() -> None:
    quiet, loud = Purse(), Purse()
    before = quiet.treasury.budget
    assert quiet.days(1, NORMAL * 19 // 10) == 0
    assert quiet.treasury.counts["alarms"] == 0
    assert before < quiet.treasury.budget <= 1.16 * before
    assert loud.days(0.2, NORMAL * 30) > 20 * 28 * NORMAL
    assert loud.treasury.budget == before


def test_days_on_which_more_is_read_than_ever_make_room() -> None:
    site = Purse()
    site.days(3, NORMAL * 5 // 2)
    assert site.treasury.budget > 1.4 * 3 * 6 * NORMAL


def test_the_learned_goes_into_another_treasury() -> None:
    site = Purse()
    site.days(0.5, 2 * NORMAL - 20)
    again = Purse(site.treasury.learned())
    assert again.treasury.budget == site.treasury.budget
    assert again.treasury.learned() == site.treasury.learned()


def test_passes_earned_twice_as_fast_as_normal_raise_an_alarm_and_are_then_counted_out() -> None:
    site = Purse()
    treasury = site.treasury
    assert sum(treasury.issued() == 0.0 for _ in range(10)) == 10
    assert not treasury.counts
    given = sum(treasury.issued() == 0.0 for _ in range(1000))
    assert treasury.counts == {"alarms": 1}
    assert given <= treasury.passes.size + 1
    assert 0.0 < treasury.issued() <= 3600.0 / (treasury.budget * 2.0 / 5)
    site.days(0.1)
    assert all(treasury.issued() == 0.0 for _ in range(10))


def test_before_an_hour_was_seen_any_number_of_passes_is_normal() -> None:
    treasury = Purse(Learned()).treasury
    assert all(treasury.issued() == 0.0 for _ in range(5000))


def test_a_quiet_night_is_forgotten_by_nobody() -> None:
    site = Purse()
    site.now += 8 * 3600
    site.asks(NORMAL)
    assert site.treasury.budget == pytest.approx(3 * 6 * NORMAL, rel=0.01)
    assert site.treasury.windows == 49
    site.now += 400 * 86400
    site.asks(NORMAL)
    assert site.treasury.budget > 0.97 * 3 * 6 * NORMAL


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 400 * 86400.0, -400 * 86400.0])
def test_a_clock_that_jumps_changes_little(jump: float) -> None:
    site = Purse()
    site.days(1)
    budget = site.treasury.budget
    site.now += jump
    assert site.days(0.2) == 0
    assert not site.treasury.alarmed
    site.now -= jump
    assert site.days(0.2) == 0
    assert site.treasury.budget == pytest.approx(budget, rel=0.03)


def test_an_alarm_ends_though_the_clock_was_set_back() -> None:
    site = Purse()
    site.asks(20 * NORMAL)
    site.now -= 7 * 86400
    site.days(0.1)
    assert not site.treasury.alarmed


def test_time_does_not_go_back_a_little() -> None:
    treasury = Purse().treasury
    assert treasury.turn(NOW + 100) == NOW + 100
    assert treasury.turn(NOW + 50) == NOW + 100
    assert treasury.turn(NOW + 30) == NOW + 30, "but it does a lot"


def test_a_fingerprint_that_is_not_worn_any_more_loses_its_part() -> None:
    site = Purse()
    site.days(1, cluster=5)
    assert "fingerprint 5" in site.treasury.state()["buckets"]
    site.days(35, 30, cluster=6)
    assert "fingerprint 5" not in site.treasury.state()["buckets"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"cold_articles_per_hour": 0},
        {"cold_articles_per_hour": 20_000},
        {"times_normal": 0.9},
        {"passes_part": 0.0},
        {"half_life": 599.0},
    ],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be|at least"):
        Archive(**wrong)  # type: ignore[arg-type]


def test_memory_is_settled() -> None:
    site = Purse()
    held = site.treasury.bytes_used
    for n in range(20_000):
        site.asks(1, cluster=n + 1, over=1.0)
    assert site.treasury.bytes_used == held < 140_000
    assert len(site.treasury.changes()) <= 256
