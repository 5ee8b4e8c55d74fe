"""Readers who stay on a line: who is one, for how long, how few are remembered, and what their line has for others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.admission.maturity import Metering, Trust
from contentguard.admission.passes import Pass
from contentguard.backends import MOST_ARTICLES
from contentguard.backends.fallback import FallbackStore
from contentguard.backends.memory import MemoryStore, Pools
from contentguard.backends.shared import open_store
from contentguard.detect.sessions import Sessions
from contentguard.guard import staying
from contentguard.guard.crowds import CROWD, GROWN, Crowds
from contentguard.guard.staying import STAYS, Staying
from contentguard.guard.visits import Visit
from contentguard.model import Facts
from tests.backends.servers import RedisServer, redis_server

NOW = 1_800_000_000
SECRET = b"a secret for the tests"
SMALL = Pools(spent=16, meters=4096, counters=16, sets=16, revoked=16)
LINE = "192.0.2.7"


class TestWhoStays:
    def test_each_counts_once_and_for_an_hour(self) -> None:
        stay = Staying(7)
        assert stay.count("a", 0.0) == 0
        for now, reader in ((0.0, "Ada"), (10.0, "Ben"), (20.0, "Ada")):
            stay.note("a", reader, now)
        assert stay.count("a", 20.0) == 2
        assert stay.count("a", 10.0 + STAYS) == 1, "Ben has gone"
        assert stay.count("a", 20.0 + STAYS) == 0

    def test_lines_are_told_apart(self) -> None:
        stay = Staying(7)
        stay.note("a", "Ada", 0.0)
        stay.note("b", "Ada", 0.0)
        stay.note("b", "Ben", 0.0)
        assert (stay.count("a", 1.0), stay.count("b", 1.0), stay.count("c", 1.0)) == (1, 2, 0)

    def test_no_more_are_told_apart_than_make_a_difference(self) -> None:
        stay = Staying(3)
        for number in range(10):
            stay.note("a", f"reader {number}", float(number))
        assert stay.count("a", 9.0) == 3
        assert stay.count("a", 8.0 + STAYS) == 1, "the last three"

    def test_where_none_makes_a_difference_none_is_remembered(self) -> None:
        stay = Staying(0)
        stay.note("a", "Ada", 0.0)
        assert stay.count("a", 0.0) == 0
        assert stay._lines == {}

    @pytest.mark.parametrize("most", [1, 2, 7])
    def test_lines_are_bounded_and_the_oldest_gives_way(self, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(staying, "_REMEMBERED", 4 * most)
        stay = Staying(most)
        for number in range(4):
            stay.note(f"line {number}", "Ada", float(number))
        stay.note("line 0", "Ada", 4.0)
        stay.note("line 4", "Ada", 5.0)
        assert [stay.count(f"line {number}", 5.0) for number in range(5)] == [1, 0, 1, 1, 1]

    def test_nothing_of_an_address_is_kept_nor_anything_longer_than_its_hour(self) -> None:
        stay = Staying(7)
        for number in range(50):
            stay.note(f"192.0.2.{number}", f"pass {number}", float(number))
        assert len(stay._lines) == 50
        assert "192.0.2" not in repr(vars(stay))
        assert "pass" not in repr(vars(stay))
        stay.count("elsewhere", 9.5 + STAYS)
        assert len(stay._lines) == 40
        stay.note("elsewhere", "Ada", 100.0 + STAYS)
        assert len(stay._lines) == 1

    def test_who_has_gone_is_forgotten_where_others_stay(self) -> None:
        stay = Staying(7)
        stay.note("a", "Ada", 0.0)
        stay.note("a", "Ben", STAYS)
        assert [len(readers) for readers in stay._lines.values()] == [1]

    def test_a_clock_that_was_turned_back_keeps_nobody(self) -> None:
        stay = Staying(7)
        stay.note("a", "Ada", 10.0 * STAYS)
        assert stay.count("a", 9.5 * STAYS) == 1
        assert stay.count("a", 0.0) == 0

    @given(
        st.lists(
            st.tuples(st.integers(0, 1500), st.integers(0, 5), st.integers(0, 4), st.booleans()),
            min_size=1,
            max_size=60,
        )
    )
    def test_as_a_list_of_all_that_was_noted_says(self, told: list[tuple[int, int, int, bool]]) -> None:
        stay, now, noted = Staying(3), 0, list[tuple[int, int, int]]()
        for pause, line, reader, notes in told:
            now += pause
            if notes:
                stay.note(f"{line}", f"{reader}", float(now))
                noted.append((now, line, reader))
            here = {one for at, where, one in noted if where == line and now - at < STAYS}
            assert stay.count(f"{line}", float(now)) == min(3, len(here))


class Line:
    """A line, and the readers on it. ``options`` are those of a meter."""

    def __init__(self, store: MemoryStore | FallbackStore, **options: int) -> None:
        self.failures, self._passes, self._articles = 0, count(), count()
        sessions = Sessions(16, secret=SECRET)
        self.crowds = Crowds(Metering(**options), sessions, store, store, self._broken)

    def _broken(self) -> None:
        self.failures += 1

    async def open(self, reader: str, stands: Trust, now: int, article: str = "", *, shows: bool = True) -> bool:
        """Whether somebody opens an article; a new one unless it is named."""
        article = article or f"article {next(self._articles)}"
        known = Pass(reader, 2, now, now if shows else 0)
        visit = cast(Visit, SimpleNamespace(given=known, key=reader))
        facts = Facts("GET", "/", (), LINE, now=float(now))
        return not await self.crowds.opens(visit, facts, reader, article, stands, hot=False)

    async def fresh(self, now: int, article: str = "", *, shows: bool = True) -> bool:
        """Whether somebody with a new pass does, who drops it then."""
        return await self.open(f"new {next(self._passes)}", Trust.YOUNG, now, article, shows=shows)

    async def stay(self, number: int, now: int) -> None:
        """So many readers who stay open one each."""
        for one in range(number):
            assert await self.open(f"grown {one}", Trust.MATURED, now)


def memory() -> MemoryStore:
    return MemoryStore(64, secret=SECRET, pools=SMALL)


@given(
    hour=st.integers(1, 5),
    crowd=st.integers(5, 12),
    told=st.lists(
        st.tuples(st.integers(0, 900), st.sampled_from("nnnnnnpg"), st.integers(0, 9), st.integers(1, 8)), max_size=60
    ),
)
def test_new_passes_open_no_more_than_those_who_stay_allow_and_no_less(
    hour: int, crowd: int, told: list[tuple[int, str, int, int]]
) -> None:
    """n: new passes of browsers; p: of programs; g: a reader who stays."""

    async def run() -> None:
        options = {"articles_per_hour": hour, "new_reader_articles_per_hour": 1, "articles_per_day": MOST_ARTICLES}
        line, now, opens, grown = Line(memory(), **options), NOW, list[tuple[int, int]](), dict[int, int]()
        for pause, what, reader, times in told:
            now += pause
            if what == "g":
                assert await line.open(f"grown {reader}", Trust.MATURED, now)
                grown[reader] = now
                continue
            stays = sum(now - at < STAYS for at in grown.values())
            for _ in range(times):
                within = [stayed for at, stayed in opens if now - at < 3600]
                if await line.fresh(now, shows=what == "n"):
                    opens.append((now, stays))
                    assert len(within) < min(crowd, (1 + max([stays, *within])) * hour)
                elif what == "n":
                    assert len(within) >= min(crowd, (1 + stays) * hour)
        assert not line.failures

    with patch("contentguard.guard.crowds.CROWD", crowd):
        asyncio.run(run())


Playing = Callable[[Callable[[MemoryStore | FallbackStore], Awaitable[None]]], None]


@pytest.fixture(params=["memory", "redis"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Playing]:
    """Tells a story of a store."""

    def told(url: str, story: Callable[[Any], Awaitable[None]]) -> None:
        async def run() -> None:
            store = open_store(url, secret=SECRET, clients=4096, pools=SMALL, timeout=5.0)
            try:
                await story(store)
            finally:
                if isinstance(store, FallbackStore):
                    assert not store.failures
                    await store.aclose()

        asyncio.run(run())

    if request.param == "memory":
        yield lambda story: told("", story)
    else:
        with redis_server(tmp_path) as server:
            assert isinstance(server, RedisServer)
            yield lambda story: told(server.url, story)


class TestLines:
    def test_a_line_s_budget_is_one_for_all_processes(self, play: Playing) -> None:
        """What readers who stay add is each process's own: it has seen them."""

        async def story(store: MemoryStore | FallbackStore) -> None:
            one, two = Line(store), Line(store)
            got = [await (one, two)[number % 2].fresh(NOW, f"story {number}") for number in range(200)]
            assert got == [True] * 30 + [False] * 170
            await one.stay(2, NOW)
            assert sum([await one.fresh(NOW, f"other {number}") for number in range(90)]) == 60
            assert not await two.fresh(NOW)

        play(story)

    def test_a_crowd_has_as_much_as_ever(self, play: Playing) -> None:
        async def story(store: MemoryStore | FallbackStore) -> None:
            line = Line(store)
            for readers in range(9):
                await line.stay(readers, NOW + readers)
                got = sum([await line.fresh(NOW + readers) for _ in range(40)])
                assert got == (30 if readers < 8 else 0)
            assert await line.fresh(NOW + 3600 + 1)

        play(story)

    @pytest.mark.parametrize(
        ("options", "most"),
        [
            ({"articles_per_hour": 0, "new_reader_articles_per_hour": 0}, 1),
            ({"articles_per_hour": 1, "new_reader_articles_per_hour": 1}, 1),
            ({"articles_per_hour": 239, "articles_per_day": 1000}, 239),
            ({"articles_per_hour": 100_000, "articles_per_day": 10**9}, CROWD),
            ({"articles_per_hour": 100_000, "new_reader_articles_per_hour": 100_000, "articles_per_day": 0}, 1),
            ({"articles_per_day": 20}, 20),
        ],
        ids=["none", "one", "nearly a crowd's", "very many", "very many, and none a day", "fewer a day than an hour"],
    )
    @pytest.mark.parametrize("shows", [True, False], ids=["browsers", "programs"])
    def test_it_holds_whatever_a_meter_is_set_to(
        self, play: Playing, options: dict[str, int], most: int, shows: bool
    ) -> None:
        async def story(store: MemoryStore | FallbackStore) -> None:
            line = Line(store, **options)
            loners = max(1, 2 * Metering(**options).new_reader_articles_per_hour)
            got = sum([await line.fresh(NOW, shows=shows) for _ in range(250)])
            assert got == (most if shows else min(most, loners))
            assert not line.failures

        play(story)

    def test_by_night_a_line_has_what_one_reader_has_however_busy_its_day_was(self, play: Playing) -> None:
        """What was opened while readers stayed does not count for the day of a line without any."""

        async def story(store: MemoryStore | FallbackStore) -> None:
            line, now = Line(store), NOW
            for _ in range(10):
                await line.stay(4, now)
                assert sum([await line.fresh(now) for _ in range(120)]) == 120
                now += 3600
            assert sum([await line.fresh(now) for _ in range(40)]) == 30

        play(story)

    def test_a_line_without_readers_has_no_more_in_a_day_than_one(self, play: Playing) -> None:
        async def story(store: MemoryStore | FallbackStore) -> None:
            line = Line(store)
            got = [sum([await line.fresh(NOW + 3600 * hour) for _ in range(35)]) for hour in range(24)]
            assert got == [30] * 5 + [0] * 19

        play(story)

    def test_many_who_stay_are_not_held_up_by_others(self, play: Playing) -> None:
        async def story(store: MemoryStore | FallbackStore) -> None:
            line = Line(store)
            assert sum([await line.fresh(NOW) for _ in range(200)]) == 30
            await line.stay(GROWN.size, NOW)
            assert not await line.open("grown too much", Trust.MATURED, NOW)

        play(story)
