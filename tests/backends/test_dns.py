"""Reverse DNS: who is confirmed, that trouble refutes nobody, and that no reader waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contentguard.backends.dns import DnsLimits, HostNames
from contentguard.crawlers.hosts import HostAnswer

ZONES = (".googlebot.com",)
GOOD = "66.249.66.9"
CONFIRMED, REFUTED, PENDING, FAILED = HostAnswer
Names = dict[str, Sequence[str] | OSError]


class FakeDns:
    """A DNS of two tables; what is in none of them has no name. ``gate``: nothing is answered before it opens."""

    def __init__(self, reverse: Names | None = None, forward: Names | None = None, *, sound: bool = True) -> None:
        canary: Names = {"66.249.66.1": ["crawl-66-249-66-1.googlebot.com"]} if sound else {}
        self.tables = {"reverse": {**canary, **(reverse or {})}, "forward": forward or {}}
        self.asked: list[str] = []
        self.running = self.most = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def reverse(self, address: str) -> Sequence[str]:
        return await self._answer("reverse", address)

    async def forward(self, name: str) -> Sequence[str]:
        return await self._answer("forward", name)

    async def _answer(self, table: str, about: str) -> Sequence[str]:
        self.asked.append(about)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
        finally:
            self.running -= 1
        found = self.tables[table].get(about, [])
        if isinstance(found, OSError):
            raise found
        return found


GOOGLE: tuple[Names, Names] = (
    {GOOD: ["crawl-66-249-66-9.googlebot.com"]},
    {"crawl-66-249-66-9.googlebot.com": ["2001:db8::9", GOOD]},
)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def ask(dns: FakeDns, address: str, zones: tuple[str, ...] = ZONES, **limits: float) -> HostAnswer:
    names = HostNames(dns, DnsLimits(**limits))  # type: ignore[arg-type]
    answer = await names.settle(address, zones, 5.0)
    await names.aclose()
    return answer


BUSY = OSError("try again")


@pytest.mark.parametrize(
    ("reverse", "forward", "sound", "answer"),
    [
        (*GOOGLE, True, CONFIRMED),
        (*GOOGLE, False, CONFIRMED),
        ({GOOD: ["CRAWL-66-249-66-9.GoogleBot.com."]}, {"CRAWL-66-249-66-9.GoogleBot.com.": [GOOD]}, True, CONFIRMED),
        ({GOOD: ["x.evil.test", "crawl-66-249-66-9.googlebot.com"]}, GOOGLE[1], True, CONFIRMED),
        ({}, {}, True, REFUTED),
        (
            {GOOD: ["crawl-66-249-66-9.googlebot.com"]},
            {"crawl-66-249-66-9.googlebot.com": ["192.0.2.1"]},
            True,
            REFUTED,
        ),
        ({GOOD: ["crawl-66-249-66-9.googlebot.com"]}, {}, True, REFUTED),
        ({GOOD: ["x.bc.googleusercontent.com"]}, {"x.bc.googleusercontent.com": [GOOD]}, True, REFUTED),
        ({GOOD: ["crawl-1.googlebot.com.evil.test"]}, {"crawl-1.googlebot.com.evil.test": [GOOD]}, True, REFUTED),
        ({GOOD: ["evilgooglebot.com"]}, {"evilgooglebot.com": [GOOD]}, True, REFUTED),
        ({GOOD: ["a.test"] * 8 + ["crawl-66-249-66-9.googlebot.com"]}, GOOGLE[1], True, REFUTED),
        ({GOOD: BUSY}, {}, True, FAILED),
        ({GOOD: TimeoutError()}, {}, True, FAILED),
        ({GOOD: ["crawl-66-249-66-9.googlebot.com"]}, {"crawl-66-249-66-9.googlebot.com": BUSY}, True, FAILED),
        ({GOOD: ["crawl-66-249-66-9.googlebot.com"]}, {"crawl-66-249-66-9.googlebot.com": ["garbage"]}, True, FAILED),
        ({}, {}, False, FAILED),
        ({"66.249.66.1": BUSY}, {}, True, FAILED),
        ({"66.249.66.1": ["somewhere.test"]}, {}, True, FAILED),
        ({GOOD: ["host.cluster.local"]}, {}, False, REFUTED),
    ],
)
def test_answers(reverse: Names, forward: Names, sound: bool, answer: HostAnswer) -> None:
    assert asyncio.run(ask(FakeDns(reverse, forward, sound=sound), GOOD)) is answer


def test_a_resolver_that_knows_only_its_cluster_refutes_nobody() -> None:
    """A container whose DNS says "no such name" of the whole internet would make a liar of every Googlebot."""
    assert asyncio.run(ask(FakeDns(sound=False), GOOD)) is FAILED


def test_a_slow_dns_is_given_up_and_then_left_alone_for_a_while() -> None:
    async def story() -> None:
        clock, dns = Clock(), FakeDns(*GOOGLE)
        names = HostNames(dns, DnsLimits(timeout=0.01), clock)
        dns.gate.clear()
        assert await names.settle(GOOD, ZONES, 5.0) is FAILED
        dns.gate.set()
        assert names.verify(GOOD, ZONES) is FAILED
        assert dns.asked == [GOOD]
        clock.now += 61
        assert await names.settle(GOOD, ZONES, 5.0) is CONFIRMED
        await names.aclose()

    asyncio.run(story())


def test_nobody_waits_for_longer_than_the_budget() -> None:
    async def story() -> None:
        dns = FakeDns(*GOOGLE)
        dns.gate.clear()
        names = HostNames(dns)
        assert names.verify(GOOD, ZONES) is PENDING
        assert await names.settle(GOOD, ZONES, 0.0) is PENDING
        assert await names.settle(GOOD, ZONES, 0.01) is PENDING
        dns.gate.set()
        assert await names.settle(GOOD, ZONES, 5.0) is CONFIRMED
        assert names.verify(GOOD, ZONES) is CONFIRMED
        assert dns.asked == [GOOD, "crawl-66-249-66-9.googlebot.com"], "one look-up, however often it was asked for"
        await names.aclose()

    asyncio.run(story())


def test_without_a_loop_nothing_is_looked_up_and_nothing_fails() -> None:
    assert HostNames(FakeDns()).verify(GOOD, ZONES) is FAILED


def test_answers_are_kept_for_as_long_as_they_are_good() -> None:
    async def story() -> None:
        clock, dns = Clock(), FakeDns(*GOOGLE)
        names = HostNames(dns, DnsLimits(confirmed=100, refuted=10), clock)
        bad = "198.51.100.1"
        assert await names.settle(GOOD, ZONES, 5.0) is CONFIRMED
        assert await names.settle(bad, ZONES, 5.0) is REFUTED
        clock.now += 9
        assert (names.verify(GOOD, ZONES), names.verify(bad, ZONES)) == (CONFIRMED, REFUTED)
        clock.now += 2
        assert (names.verify(GOOD, ZONES), names.verify(bad, ZONES)) == (CONFIRMED, PENDING)
        clock.now += 100
        assert names.verify(GOOD, ZONES) is PENDING
        await names.aclose()

    asyncio.run(story())


def test_a_flood_of_liars_is_bounded_in_memory_and_in_questions() -> None:
    async def story() -> None:
        dns = FakeDns()
        dns.gate.clear()
        names = HostNames(dns, DnsLimits(entries=50, waiting=20, at_once=3))
        answers = [names.verify(f"203.0.{n // 250}.{n % 250}", ZONES) for n in range(1000)]
        assert answers.count(PENDING) == 20
        assert answers.count(FAILED) == 980
        dns.gate.set()
        await asyncio.gather(*names._running.values())
        for n in range(100):
            await names.settle(f"198.{n // 250}.{n % 250}.1", ZONES, 5.0)
        assert dns.most <= 3
        assert len(names._known) == 50
        assert not names._running
        assert not names._networks
        await names.aclose()

    asyncio.run(story())


@pytest.mark.parametrize("network", ["203.0.113.{}", "2001:db8:1::{}", "2001:db8:1:2:3:4:5:{}"])
def test_one_network_cannot_use_up_all_questions(network: str) -> None:
    async def story() -> None:
        dns = FakeDns()
        dns.gate.clear()
        names = HostNames(dns, DnsLimits(waiting=20, per_network=4))
        answers = [names.verify(network.format(n), ZONES) for n in range(1, 10)]
        assert answers.count(PENDING) == 4
        assert names.verify(GOOD, ZONES) is PENDING
        await names.aclose()

    asyncio.run(story())


def test_closing_ends_what_is_under_way() -> None:
    async def story() -> None:
        dns = FakeDns()
        dns.gate.clear()
        names = HostNames(dns)
        names.verify(GOOD, ZONES)
        waiting = asyncio.create_task(names.settle(GOOD, ZONES, 60.0))
        await asyncio.sleep(0)
        await names.aclose()
        assert await waiting is PENDING
        assert not names._running

    asyncio.run(story())


@given(
    st.dictionaries(st.just(GOOD), st.lists(st.text(max_size=30), max_size=12), max_size=1),
    st.lists(st.text(max_size=20) | st.just(GOOD), max_size=5),
)
def test_any_answer_of_dns(reverse: dict[str, list[str]], addresses: list[str]) -> None:
    class Odd(FakeDns):
        async def forward(self, name: str) -> Sequence[str]:
            return addresses

    answer = asyncio.run(ask(Odd(dict(reverse)), GOOD))
    assert answer is not CONFIRMED, "no name of these lies in the zone"
