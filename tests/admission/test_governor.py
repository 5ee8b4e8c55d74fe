"""The governor: what is seldom read leaves slowly, whoever asks; nobody else is touched."""

from __future__ import annotations

import gc
import json
import tracemalloc
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contentguard.admission.archive import Archive
from contentguard.admission.governor import Governor, Ruling
from contentguard.admission.maturity import Level, Metering, Trust
from contentguard.admission.passes import Pass
from contentguard.admission.treasury import Learned
from contentguard.limits import Limit, gcra
from tests.admission.siege import COMMON, START, Client, Door, Site, commonest, invented, worn

SECRET = b"tests only tests only tests only"
SMALL = Archive(cold_articles_per_hour=60, cold_articles_per_hour_most=60)
"""A budget of 60 an hour, and 10 at once."""


def small(*, young: int = 5, share: float = 1.0, shared: bool = False, learned: Learned | None = None) -> Governor:
    """A governor with little to give."""
    return Governor(SMALL, secret=SECRET, young=young, share=share, shared=shared, learned=learned)


def ask(governor: Governor, number: int, trust: Trust = Trust.STRANGER, now: float = START) -> list[float]:
    """Views of so many cold articles, each by another client; the waits."""
    return [governor.view(f"cold {n}", n, f"{n}", trust, now).wait for n in range(number)]


def test_strangers_get_what_the_bucket_holds_and_then_wait() -> None:
    governor = small()
    waits = ask(governor, 12)
    assert waits[:10] == [0.0] * 10
    assert waits[10:] == pytest.approx([60.0, 60.0])
    assert ask(governor, 1, now=START + 60.0) == [0.0]
    assert (governor.budget, governor.burst) == (60.0, 10.0)


def test_hot_articles_and_matured_passes_are_never_touched() -> None:
    governor = small()
    for n in range(50):
        assert governor.view("news", n, f"{n}", Trust.MATURED, START).wait == 0.0
    assert governor.hot("news")
    ask(governor, 200)
    assert governor.alarmed
    assert governor.view("news", 1, "1", Trust.STRANGER, START) == Ruling()
    assert governor.view("cold 1", 1, "1", Trust.MATURED, START) == Ruling(cold=True)
    assert governor.view("cold 1", 1, "1", Trust.STRANGER, START).wait > 0.0


def test_a_young_pass_spends_its_own_quota_where_there_is_no_token() -> None:
    governor = small()
    assert ask(governor, 30, Trust.YOUNG) == [0.0] * 30
    counts = governor.state(START)["counts"]
    assert (counts["given"], counts["given-to-young-passes"]) == (10, 20)
    assert ask(governor, 1)[0] > 0.0, "they took the strangers' tokens first"


def test_one_address_prefix_does_not_take_it_all() -> None:
    governor = Governor(secret=SECRET, learned=Learned(160.0))
    waits = [governor.view(f"cold {n}", COMMON, "192.0.2", Trust.STRANGER, START).wait for n in range(60)]
    assert waits.count(0.0) == 14
    assert waits[-1] == pytest.approx(7.5, rel=0.01)
    assert governor.view("cold 1", COMMON, "198.51.100", Trust.STRANGER, START).wait == 0.0
    unknown = [governor.view(f"cold {n}", COMMON, "", Trust.STRANGER, START).wait for n in range(60)]
    assert unknown == [0.0] * 60, "who is not surely known is not counted"


def test_one_address_prefix_raises_no_alarm() -> None:
    governor = Governor(secret=SECRET, learned=Learned(160.0))
    for n in range(5000):
        governor.view(f"cold {n}", COMMON, "192.0.2", Trust.STRANGER, START + n / 10)
    assert governor.state(START + 500)["counts"].keys() == {"given", "told-to-wait"}
    assert governor.view("cold 1", COMMON, "192.0.2", Trust.YOUNG, START + 500).wait == 0.0


def test_articles_that_strangers_read_during_an_alarm_do_not_become_hot() -> None:
    governor = small()
    ask(governor, 200)
    for n in range(60):
        governor.view("cold 7", n, f"{n}", Trust.YOUNG, START + n)
    assert not governor.hot("cold 7")
    for n in range(3):
        governor.view("cold 7", n, f"{n}", Trust.MATURED, START + 60)
    assert governor.hot("cold 7"), "but what readers read does"


def test_what_was_hot_cools() -> None:
    governor = small()
    for n in range(5):
        governor.view("news", n, f"{n}", Trust.MATURED, START)
    assert governor.hot("news")
    governor.view("other", 1, "1", Trust.MATURED, START + 4 * 3600.0)
    assert not governor.hot("news")


def test_during_an_alarm_passes_are_counted_out() -> None:
    governor = small()
    assert [governor.issue(START) for _ in range(50)] == [0.0] * 50
    ask(governor, 200)
    waits = [governor.issue(START) for _ in range(50)]
    assert waits.count(0.0) == 10
    assert waits[-1] == pytest.approx(150.0), "two parts of 60, in passes of five articles"
    assert governor.issue(START + 150.0) == 0.0
    assert governor.state(START)["counts"]["passes-told-to-wait"] == 40


def test_changes_are_told_once() -> None:
    governor = small()
    ask(governor, 200)
    governor.state(START + 4000.0)
    told = [(change.what, change.state) for change in governor.changes()]
    assert told[0] == ("all", "empty")
    assert ("alarm", "on") in told
    assert set(told[-3:]) == {("alarm", "off"), ("all", "full"), ("strangers", "full")}
    assert governor.changes() == []


def test_the_state_can_be_written_as_json() -> None:
    governor = small(learned=Learned(10.0))
    ask(governor, 3)
    state = json.loads(json.dumps(governor.state(START)))
    assert state["alarm"] is False
    assert state["normal_per_hour"] == 60.0
    assert state["buckets"]["all"] == {"level": 7.0, "size": 10.0, "per_hour": 60.0}
    assert state["counts"] == {"given": 3}
    assert state["bytes"] == governor.bytes_used


def test_what_was_learned_survives_a_restart() -> None:
    assert small(learned=small(learned=Learned(10.0, 3.0)).learned()).learned() == Learned(10.0, 3.0)


# -- several processes -----------------------------------------------------------------------------------------


def test_processes_without_a_store_have_their_share() -> None:
    options = Archive(cold_articles_per_hour=400, cold_articles_per_hour_most=400)
    governors = [Governor(options, secret=SECRET, share=0.25) for _ in range(4)]
    assert sum(governor.budget for governor in governors) == 400.0
    assert sum(wait == 0.0 for governor in governors for wait in ask(governor, 100)) == 40


class Shared:
    """A store that all processes ask, as the guard does."""

    def __init__(self) -> None:
        self.tat, self.asked, self.broken = START, 0, False

    def view(self, governor: Governor, article: str, n: int, trust: Trust = Trust.STRANGER) -> Ruling:
        """A view, with the store asked where the governor wants it."""
        ruling = governor.view(article, n, f"{n}", trust, START)
        if ruling.ask:
            self.asked += 1
            decision = None if self.broken else gcra(self.tat, governor.limit, START)
            self.tat = decision.tat if decision else self.tat
            ruling = governor.settle(ruling, decision, START)
        assert not ruling.ask
        return ruling


def test_a_store_can_hold_the_budget_for_all_processes() -> None:
    store, governors = Shared(), [small(share=0.5, shared=True) for _ in range(2)]
    assert governors[0].limit == Limit(60, 3600.0, 10)
    waits = [store.view(governors[n % 2], f"cold {n}", n).wait for n in range(30)]
    assert waits.count(0.0) == 10
    assert waits[-1] == pytest.approx(60.0)
    young = store.view(governors[0], "cold 1", 1, Trust.YOUNG)
    assert young == Ruling(0.0, cold=True)
    assert ("all", "empty") in [change[:2] for change in governors[1].changes()]


def test_a_store_that_fails_leaves_each_process_what_it_had() -> None:
    store, governor = Shared(), small(share=0.5, shared=True)
    for n in range(4):
        store.view(governor, f"cold {n}", n)
    store.broken = True
    waits = [store.view(governor, f"more {n}", n).wait for n in range(20)]
    assert waits.count(0.0) == 3, "half of the six that were left"
    assert waits[-1] == pytest.approx(120.0)


def test_who_has_to_wait_anyway_costs_no_question() -> None:
    store = Shared()
    governor = Governor(secret=SECRET, shared=True, learned=Learned(160.0))
    waits = [governor.view(f"cold {n}", 1, "192.0.2", Trust.STRANGER, START) for n in range(5)]
    assert all(ruling.ask for ruling in waits), "nothing is drawn before the store has answered"
    for n in range(40):
        ruling = governor.view(f"cold {n}", 1, "192.0.2", Trust.STRANGER, START)
        if ruling.ask:
            store.asked += 1
            governor.settle(ruling, gcra(START, governor.limit, START), START)
    assert store.asked == 14


# -- bounds ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"secret": b"short"}, "at least 16 bytes"),
        ({"secret": SECRET, "share": 0.0}, "share lies above 0"),
        ({"secret": SECRET, "share": 1.1}, "share lies above 0"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(values: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Governor(**values)  # type: ignore[arg-type]


@pytest.mark.no_cover
def test_whatever_is_asked_the_memory_is_settled() -> None:
    dice = Random(3)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    governor = Governor(secret=SECRET)
    for n in range(10_000):
        trust = Trust(n % 3)
        governor.view(f"{dice.randrange(5000)}", dice.getrandbits(64), f"{dice.getrandbits(24)}", trust, START + n)
        governor.issue(START + n)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown <= governor.bytes_used <= 920_000


# -- the guarantee ---------------------------------------------------------------------------------------------

READING = Metering(new_reader_articles_per_hour=2, matures_without_script=1200.0, new_reader_for=1800.0)
COUNTS = st.integers(1, 40)


class AnyTraffic(RuleBasedStateMachine):
    """Whatever clients do, no hour sees more than the budget, the burst, and the quotas of the passes given out."""

    @initialize(normal=st.none() | st.floats(1, 40), most=st.integers(5, 200))
    def start(self, normal: float | None, most: int) -> None:
        options = Archive(cold_articles_per_hour=5, cold_articles_per_hour_most=most, passes_part=0.5)
        governor = Governor(options, secret=SECRET, young=2, learned=Learned(normal, normal))
        self.door = Door(governor, READING)
        self.now, self.article = START, 10
        self.clients = [Client(n, f"{n}") for n in range(8)]
        self.hoard: list[Client] = []

    @rule(seconds=st.floats(0, 900) | st.floats(0, 20_000))
    def time_goes_on(self, seconds: float) -> None:
        self.now += seconds

    @rule(who=st.integers(0, 7), views=COUNTS, again=st.integers(0, 5), gap=st.floats(0, 30))
    def somebody_reads(self, who: int, views: int, again: int, gap: float) -> None:
        for _ in range(views):
            self.article += 1
            self.now += gap
            self.door.open(self.clients[who], self.article - again, self.now)

    @rule(views=st.integers(1, 300), cluster=st.integers(0, 2**64 - 1), gap=st.floats(0, 30))
    def a_crawler_comes(self, views: int, cluster: int, gap: float) -> None:
        for n in range(views):
            self.article += 1
            self.now += gap
            self.door.open(Client(cluster + n % 3, f"{self.article}"), self.article, self.now)

    @rule(views=COUNTS)
    def crawlers_solve_and_keep_their_passes(self, views: int) -> None:
        for n in range(views):
            client = Client(n, f"{n}")
            if not self.door.earn(client, self.now):
                self.hoard.append(client)

    @rule()
    def crawlers_use_their_passes(self) -> None:
        for client in self.hoard:
            for _ in range(3):
                self.article += 1
                self.door.open(client, self.article, self.now)

    @rule(who=st.integers(0, 7))
    def somebody_earns_a_pass(self, who: int) -> None:
        self.door.earn(self.clients[who], self.now)

    @rule(who=st.integers(0, 7))
    def a_browser_fetches_a_style_sheet(self, who: int) -> None:
        client = self.clients[who]
        if client.given:
            client.given = client.given._replace(seen=int(self.now))

    @rule(who=st.integers(0, 7), article=st.integers(0, 3))
    def readers_make_something_hot(self, who: int, article: int) -> None:
        known = Client(who, f"{who}", Pass("e" * 16, level=Level.KNOWN))
        for _ in range(4):
            self.door.open(known, self.article - article, self.now)

    @rule(back=st.floats(0, 50), requests=COUNTS)
    def requests_are_late(self, back: float, requests: int) -> None:
        for n in range(requests):
            self.article += 1
            self.door.open(Client(n, f"{self.article}"), self.article, self.now, late=back * (n % 2))

    @invariant()
    def the_bound_holds(self) -> None:
        if hasattr(self, "door"):
            assert self.door.worst() <= 1.0 + 1e-9


AnyTraffic.TestCase.settings = settings(max_examples=100, stateful_step_count=30)
TestAnyTraffic = pytest.mark.no_cover(AnyTraffic.TestCase)


@given(
    st.lists(st.tuples(st.floats(0, 300), st.integers(1, 60), st.integers(0, 9)), min_size=1, max_size=60),
    st.none() | st.floats(1, 10),
)
def test_without_passes_no_hour_sees_more_than_budget_and_burst(
    bursts: list[tuple[float, int, int]], normal: float | None
) -> None:
    options = Archive(cold_articles_per_hour=20, cold_articles_per_hour_most=120)
    door, now, article = Door(Governor(options, secret=SECRET, learned=Learned(normal))), START, 0
    for gap, views, cluster in bursts:
        now += gap
        for _ in range(views):
            article += 1
            door.open(Client(cluster, f"{article}"), article, now)
    assert door.worst() <= 1.0 + 1e-9


@pytest.mark.no_cover
def test_a_crawler_that_never_stops_gets_budget_and_burst_and_not_one_more() -> None:
    door = Door(Governor(Archive(cold_articles_per_hour=120), secret=SECRET, learned=Learned(1.0)))
    for second in range(3 * 3600):
        door.open(Client(second, f"{second}"), second, START + second)
    hours = [sum(hour <= (one.now - START) // 3600 < hour + 1 for one in door.ledger.given) for hour in range(3)]
    assert hours[0] in (129, 130)
    assert hours[1:] == [120, 120]
    assert 0.99 <= door.worst() <= 1.0


def test_passes_gathered_for_later_are_worth_nothing_then() -> None:
    door = Door(small(learned=Learned(1.0)))
    hoard = [Client(n, f"{n}") for n in range(300)]
    assert not any(door.earn(client, START + n) for n, client in enumerate(hoard))
    given = [door.open(client, n, START + 7200.0) == 0.0 for n, client in enumerate(hoard)]
    assert given.count(True) == 10


# -- a site under siege (larger: ``python -m tests.benchmarks governor``) --------------------------------------


@pytest.fixture(scope="module")
def calm() -> Site:
    """A site that has been calm for a day."""
    site = Site(Door(Governor(secret=SECRET)), per_minute=20.0)
    site.calm(25)
    return site


@pytest.mark.no_cover
def test_in_calm_nobody_waits(calm: Site) -> None:
    assert calm.copied().calm(12).waited == 0


@pytest.mark.no_cover
def test_busy_hours_and_quiet_ones_are_no_alarm() -> None:
    site = Site(Door(Governor(secret=SECRET)), per_minute=20.0, tide=0.8)
    assert site.calm(72).waited == 0
    assert site.door.governor.state(site.now)["counts"].keys() == {"given"}


@pytest.mark.no_cover
def test_an_address_for_every_request_gains_the_part_of_one_browser(calm: Site) -> None:
    site = calm.copied()
    views = site.attack(20_000)
    assert views.waited <= 0.12 * views.views
    assert site.door.worst() <= 1.0
    state = site.door.governor.state(site.now)
    assert state["buckets"]["all"]["level"] > 1.0
    assert state["counts"]["told-to-wait"] > 18_000


@pytest.mark.no_cover
def test_inventing_fingerprints_keeps_no_reader_waiting(calm: Site) -> None:
    site = calm.copied()
    before = len(site.door.ledger.given)
    views = site.attack(20_000, invented)
    assert views.waited <= 0.005 * views.views
    assert len(site.door.ledger.given) - before < 0.6 * site.door.governor.budget


@pytest.mark.no_cover
def test_a_crawler_with_all_fingerprints_and_every_proof_stays_within_the_bound(calm: Site) -> None:
    site = calm.copied()
    site.attack(20_000, worn, solves=True)
    assert 0.3 <= site.door.worst() <= 1.0
    assert len(site.door.ledger.passes) <= 2.0 * site.door.governor.budget / 5 * 1.1 + 20


@pytest.mark.no_cover
def test_readers_who_wait_read_on(calm: Site) -> None:
    site = calm.copied()
    views = site.attack(20_000, commonest)
    assert views.waited > 0
    assert views.kept == 0
