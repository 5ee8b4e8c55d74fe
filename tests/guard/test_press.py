"""Pages worked out in turns with everything else, once for all who wait, and never at a reader's cost."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Callable
from typing import Any

import pytest

from contentguard.asgi.request import read_facts
from contentguard.guard import Guard, once
from contentguard.guard.once import Once
from contentguard.model import Rendition
from contentguard.rewrite import planner
from contentguard.rewrite.article import Finder
from contentguard.rewrite.page import Delivery
from contentguard.rewrite.pages import SLICE, Pages
from contentguard.rewrite.plan import Plan, Untouched
from contentguard.rewrite.template import Template
from contentguard.turns import Chores
from tests.benchmarks.pages import page
from tests.client import ASGI, CHROME, drive, guarded, http_scope, settings
from tests.client import page as one_page

HTML = "text/html; charset=utf-8"
LARGE = page(400_000)
DELIVERY = Delivery(path="/news/tide", routes="/.contentguard", content_type=HTML)


def rendered(guard: Guard, plan: Plan, delivery: Delivery = DELIVERY) -> bytes:
    made = guard.render(plan, Rendition.FULL, read_facts(http_scope(), guard), delivery, "")
    assert made is not None
    return made.body


async def at_once(site: ASGI, headers: dict[str, str], number: int) -> list[list[dict[str, Any]]]:
    return [*await asyncio.gather(*(drive(site, http_scope(headers=headers)) for _ in range(number)))]


async def planned(guard: Guard, body: bytes, delivery: Delivery = DELIVERY) -> Plan:
    return await guard.plan_in_turns(body, delivery, guard.pages.shelf(delivery))


def test_a_large_page_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    guard, turns = Guard(settings()), 0
    monkeypatch.setattr(once, "_TURN", 0.0)

    async def tick() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def story() -> Plan:
        ticking = asyncio.create_task(tick())
        await asyncio.sleep(0)
        plan = await planned(guard, LARGE)
        ticking.cancel()
        return plan

    plan = asyncio.run(story())
    assert plan.full is not None
    article = plan.scan.article if plan.scan else None
    assert article is not None
    assert turns >= article.end // SLICE


def test_two_who_ask_at_once_wait_for_one_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    guard, worked = Guard(settings()), 0
    work = Pages.work

    def counted(self: Pages, *args: Any) -> Any:
        nonlocal worked
        worked += 1
        return work(self, *args)

    monkeypatch.setattr(Pages, "work", counted)

    async def story() -> list[Plan]:
        return await asyncio.gather(*(planned(guard, LARGE) for _ in range(5)))

    plans = asyncio.run(story())
    assert worked == 1
    assert all(plan is plans[0] for plan in plans)
    assert not guard._once._busy


def test_who_waits_for_work_that_fails_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard(settings())

    def broken(self: Pages, *args: Any) -> Any:
        yield None
        raise ValueError("in the middle")

    monkeypatch.setattr(Pages, "work", broken)

    async def story() -> list[Plan]:
        return await asyncio.wait_for(asyncio.gather(*(planned(guard, LARGE) for _ in range(3))), 10)

    assert {plan.untouched for plan in asyncio.run(story())} == {Untouched.ERROR}
    assert guard.counts["rewrite-failed"] >= 1
    assert not guard._once._busy


def test_another_page_under_the_same_key_is_not_taken_for_it() -> None:
    guard = Guard(settings())
    other = LARGE.replace(b"Tide &amp; time", b"Ebb and flow")

    async def story() -> list[Plan]:
        return [*await asyncio.gather(planned(guard, LARGE), planned(guard, other))]

    one, two = (rendered(guard, plan) for plan in asyncio.run(story()))
    assert b"Ebb%20and%20flow" in two
    assert b"Ebb%20and%20flow" not in one


def test_a_tree_is_built_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    guard, threads = Guard(settings(article={"selectors": ("main:has(> article) article",)})), []
    find = Finder.find

    def noted(self: Finder, *args: Any, **kwargs: Any) -> Any:
        threads.append(threading.current_thread())
        return find(self, *args, **kwargs)

    monkeypatch.setattr(Finder, "find", noted)
    plan = asyncio.run(planned(guard, page(10_000)))
    assert plan.full is not None
    assert threads
    assert threads[0] is not threading.main_thread()


@pytest.mark.parametrize(("size", "elsewhere"), [(10_000, False), (400_000, True)])
def test_what_is_long_to_deflate_is_deflated_in_a_thread(
    monkeypatch: pytest.MonkeyPatch, size: int, elsewhere: bool
) -> None:
    guard, threads = Guard(settings()), []
    pack = Template._deflate

    def noted(self: Template, lengths: tuple[int, ...]) -> Any:
        threads.append(threading.current_thread())
        return pack(self, lengths)

    monkeypatch.setattr(Template, "_deflate", noted)

    async def story() -> list[bytes]:
        plan, facts = await planned(guard, page(size)), read_facts(http_scope(), guard)
        bodies = []
        for _ in range(2):
            made = await guard.render_gzip(plan, Rendition.FULL, facts, DELIVERY, "")
            assert made is not None
            bodies.append(gzip.decompress(made.body))
        return [rendered(guard, plan).replace(b"COPY", b""), *bodies]

    plain, first, second = asyncio.run(story())
    assert first == second
    assert len(plain) == len(first)
    assert [thread is not threading.main_thread() for thread in threads] == [elsewhere], "and once"


def test_what_is_long_is_done_once_for_all_who_come_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divided, marked and deflated: a cold page that many ask for at once costs no more than for one."""
    done: list[str] = []

    def counted(where: Any, name: str) -> None:
        own = getattr(where, name)

        def count(*args: Any) -> Any:
            assert (threading.current_thread() is threading.main_thread()) is (name != "_deflate")
            done.append(name)
            return own(*args)

        monkeypatch.setattr(where, name, count)

    counted(planner, "divide")
    counted(planner, "marking")
    counted(Template, "_deflate")
    site = guarded(one_page(page(200_000)), reading={"mode": "progressive"}, watermark={"enabled": True})
    asked = {**CHROME, "accept-encoding": "gzip"}

    answers = asyncio.run(at_once(site, asked, 12))
    leads = [gzip.decompress(sent[1]["body"]) for sent in answers]
    assert all(b"cg-continue" in lead for lead in leads)
    assert sorted(done) == ["_deflate", "divide", "marking"]
    cache = site.guard.pages.cache
    assert cache.bytes_used == sum(entry.weigh() for entry in cache.entries())


@pytest.mark.parametrize("marks", [False, True])
def test_others_have_their_turn_while_a_page_is_divided_and_marked(
    marks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the article: the more of it there is, the more turns others have, and none is longer."""
    monkeypatch.setattr(once, "_TURN", 0.0)

    def turns(size: int) -> int:
        site = guarded(one_page(page(size)), reading={"mode": "progressive"}, watermark={"enabled": marks})
        passed = 0

        async def story() -> list[dict[str, Any]]:
            nonlocal passed
            asked = asyncio.create_task(drive(site, http_scope()))
            while not asked.done():
                await asyncio.sleep(0)
                passed += 1
            return await asked

        assert b"cg-continue" in asyncio.run(story())[1]["body"]
        return passed

    once_as_long, long = turns(25_000), turns(100_000)
    assert once_as_long > 30
    assert long > 2 * once_as_long


def test_where_marking_fails_a_page_is_divided_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Any:
        yield
        raise KeyError("ours")

    monkeypatch.setattr(planner, "marking", broken)
    site = guarded(one_page(page(20_000)), reading={"mode": "progressive"}, watermark={"enabled": True})
    sent = asyncio.run(drive(site, http_scope()))
    assert b"cg-continue" in sent[1]["body"]
    assert site.guard.counts["marks-failed"] == 1
    assert not site.guard.counts["rewrite-failed"]


def test_work_that_is_broken_off_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cancels a request whose client has gone."""
    monkeypatch.setattr(once, "_TURN", 0.0)
    site = guarded(one_page(page(100_000)), reading={"mode": "progressive"}, watermark={"enabled": True})

    async def story() -> list[dict[str, Any]]:
        first, second = (asyncio.create_task(drive(site, http_scope())) for _ in range(2))
        for _ in range(60):
            await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        return await asyncio.wait_for(second, 10)

    assert b"cg-continue" in asyncio.run(story())[1]["body"]
    assert not site.guard._once._busy
    assert not {name for name in site.guard.counts if "failed" in name}


def test_an_error_in_what_is_done_once_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(planner, "divide", broken)
    monkeypatch.setattr(planner, "marking", broken)
    site = guarded(one_page(page(200_000)), reading={"mode": "progressive"}, watermark={"enabled": True})

    for sent in asyncio.run(at_once(site, {**CHROME, "accept-encoding": "identity"}, 4)):
        assert sent[0]["status"] in (200, 303), "by way of a moment's waiting at most"
        assert b"cg-continue" not in sent[1]["body"]
    assert site.guard.counts["rewrite-failed"] == 1


def test_who_waited_for_one_that_is_gone_does_it_himself() -> None:
    flights, go, did = Once(), threading.Event(), list[str]()

    def chore(work: Callable[[], object]) -> Chores[None]:
        yield work

    async def story() -> tuple[bool, bool]:
        first = asyncio.create_task(flights.done("k", lambda: chore(lambda: go.wait(5))))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(flights.done("k", lambda: chore(lambda: did.append("never"))))
        await asyncio.sleep(0.01)
        first.cancel()
        go.set()
        waited = await second
        with pytest.raises(asyncio.CancelledError):
            await first
        return waited, await flights.done("k", lambda: chore(lambda: did.append("again")))

    assert asyncio.run(story()) == (False, True)
    assert did == ["again"]


def test_a_client_cannot_make_us_keep_a_page_for_each_of_its_hosts() -> None:
    guard = Guard(settings(origin=""))
    plan, _ = guard.plan(page(10_000).replace(b'<link rel="canonical"', b'<link rel="c"'), DELIVERY)
    assert plan.full is not None
    for length in range(1, 12):
        facts = read_facts(http_scope(headers={"host": "h" * length}), guard)
        values = guard._values(plan, facts, DELIVERY, "")
        assert gzip.decompress(plan.full.gzip(values)) == plan.full.fill(values)
    assert len(plan.full._gzips) <= 4


def test_errors_while_rendering_are_ours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard(settings())
    plan, _ = guard.plan(page(10_000), DELIVERY)
    monkeypatch.setattr(Template, "fill", lambda *a: 1 / 0)
    monkeypatch.setattr(Template, "gzip", lambda *a: 1 / 0)
    facts = read_facts(http_scope(), guard)
    assert guard.render(plan, Rendition.FULL, facts, DELIVERY, "") is None
    assert asyncio.run(guard.render_gzip(plan, Rendition.FULL, facts, DELIVERY, "")) is None
    assert asyncio.run(guard.render_gzip(Plan(is_article=True), Rendition.FULL, facts, DELIVERY, "")) is None
    assert guard.counts["rewrite-failed"] == 2
