"""Figures for Prometheus: what happened, under names that do not change, and nothing that a client chose."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY, generate_latest

from contentguard import SettingsError
from contentguard.guard import Guard
from contentguard.guard.status import status
from tests.client import CHROME as PLAIN
from tests.client import CURL, settings
from tests.guard.test_reading import news, proved
from tests.guard.test_visits import Site


@pytest.fixture
def site() -> Iterator[Site]:
    made = news(metrics=True)
    yield made
    asyncio.run(made.guard.aclose())


def figures() -> dict[str, float]:
    lines = generate_latest(REGISTRY).decode().splitlines()
    return {
        name: float(value)
        for line in lines
        if line.startswith("contentguard_")
        for name, _, value in [line.rpartition(" ")]
    }


def test_what_happened_is_told(site: Site) -> None:
    first = site.ask("/news/tide", PLAIN)
    proved(site, first, first.cookie)
    site.ask("/news/tide", CURL)
    found = figures()
    assert found['contentguard_reading_total{what="leads"}'] == 1
    assert found['contentguard_reading_total{what="tickets.redeemed"}'] == 1
    assert found["contentguard_archive_alarm"] == 0
    assert found['contentguard_archive_size{bucket="all"}'] > 0
    assert found['contentguard_archive_total{what="passes"}'] == 1
    assert found["contentguard_store_degraded"] == 0
    assert found["contentguard_proof_pressure"] == 0
    denied = [name for name in found if name.startswith('contentguard_verdicts_total{action="deny"')]
    assert len(denied) == 1
    assert found[denied[0]] == 1


def test_a_store_that_fails(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = status(site.guard) | {"store": {"kind": "redis", "degraded": True, "failures": {"timeout": 2}}}
    monkeypatch.setattr("contentguard.guard.metrics.status", lambda guard: whole)
    found = figures()
    assert found["contentguard_store_degraded"] == 1
    assert found['contentguard_store_failures_total{kind="timeout"}'] == 2


def test_a_second_guard_is_told_that_it_is_not_heard(site: Site) -> None:
    other = Guard(settings(metrics=True))
    assert other.counts["metrics-taken"] == 1
    asyncio.run(other.aclose())
    assert figures(), "the first one is still there"


def test_without_progressive_reading_there_is_less(site: Site) -> None:
    asyncio.run(site.guard.aclose())
    plain = Guard(settings(metrics=True))
    assert "contentguard_archive_alarm" not in figures()
    asyncio.run(plain.aclose())
    assert figures() == {}
    site.guard._metrics = None


def test_nothing_is_offered_by_itself() -> None:
    Guard(settings())
    assert figures() == {}


def test_without_the_client_the_settings_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "contentguard.guard.metrics", None)
    with pytest.raises(SettingsError, match=r"contentguard\[metrics\]"):
        Guard(settings(metrics=True))
