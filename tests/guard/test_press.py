"""Pages worked out in turns with everything else, once for all who wait, and never at a reader's cost."""

from __future__ import annotations

import asyncio
import gzip
import threading
from typing import Any

import pytest

from contentguard.asgi.request import read_facts
from contentguard.guard import Guard
from contentguard.guard.once import Once
from contentguard.model import Rendition
from contentguard.rewrite import planner
from contentguard.rewrite.article import Finder
from contentguard.rewrite.page import Delivery
from contentguard.rewrite.pages import SLICE, Pages
from contentguard.rewrite.plan import Plan, Untouched
from contentguard.rewrite.template import Template
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


def test_a_large_page_takes_turns() -> None:
    guard, turns = Guard(settings()), 0

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
    assert not guard._working


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
    assert not guard._working


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
            assert threading.current_thread() is not threading.main_thread()
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
    once, go, did = Once(), threading.Event(), list[str]()

    async def story() -> tuple[bool, bool]:
        first = asyncio.create_task(once.done("k", lambda: go.wait(5)))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(once.done("k", lambda: did.append("never")))
        await asyncio.sleep(0.01)
        first.cancel()
        go.set()
        waited = await second
        with pytest.raises(asyncio.CancelledError):
            await first
        return waited, await once.done("k", lambda: did.append("again"))

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
