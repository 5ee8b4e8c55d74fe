"""Moderators wait for no network, no restart loses their word, and who does not listen is told later."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from contentguard.backends.reports import CLAIM, Reports
from contentguard.comments.decision import Judgement, Opinion
from contentguard.comments.submission import Submission
from contentguard.guard.reporting import Reporting

COMMENT = Submission("/a", "Text", "Ada")
DAY = 86400.0


class Pupil:
    """Hears what it is told, if it listens."""

    notice = ("", "")

    def __init__(self, listens: bool = True, takes: float = 0.0) -> None:
        self.listens, self.takes = listens, takes
        self.heard: list[tuple[str, bool]] = []
        self.asked = 0

    async def opinion(self, submission: Submission, *, recheck: bool = False) -> Opinion:
        return Opinion(Judgement.UNKNOWN)

    async def learn(self, submission: Submission, *, spam: bool) -> bool:
        self.asked += 1
        await asyncio.sleep(self.takes)
        if self.listens:
            self.heard.append((submission.text, spam))
        return self.listens


class Other(Pupil):
    """Another one."""


async def until(condition: Callable[[], object]) -> None:
    """Go on once something is so, within ten seconds."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never comes to that")


class Desk:
    """A desk with a file, a pupil, and a clock of its own."""

    def __init__(self, path: Path, *pupils: Pupil) -> None:
        self.now = 1_000_000.0
        self.pupils = pupils
        self.path = str(path / "reports.db")
        self.open()

    def open(self) -> None:
        self.reporting = Reporting(self.pupils, Reports(self.path), lambda: self.now)


def test_what_is_said_is_told_in_the_background(tmp_path: Path) -> None:
    pupil, other = Pupil(), Other()
    desk = Desk(tmp_path, pupil, other)

    async def moderate() -> None:
        await desk.reporting.say(COMMENT, spam=True)
        await desk.reporting.say(replace(COMMENT, text="Fine"), spam=False)
        await until(lambda: len(pupil.heard) == 2)
        await until(lambda: len(other.heard) == 2)
        await desk.reporting.aclose()

    asyncio.run(moderate())
    assert pupil.heard == other.heard == [("Text", True), ("Fine", False)]
    assert desk.reporting.counts == {"told": 4}


def test_two_of_a_kind_are_both_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, one := Pupil(), two := Pupil())

    async def moderate() -> None:
        await desk.reporting.say(COMMENT, spam=True)
        await until(lambda: one.heard and two.heard)
        await desk.reporting.aclose()

    asyncio.run(moderate())
    assert one.heard == two.heard == [("Text", True)]


def test_a_pupil_that_fails_is_told_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Pupil):
        async def learn(self, submission: Submission, *, spam: bool) -> bool:
            raise ZeroDivisionError("a bug")

    desk = Desk(tmp_path, Failing())
    reports = Reports(desk.path)
    reports.add("Failing", COMMENT, True, desk.now)
    assert asyncio.run(desk.reporting.tell()) == 0
    assert reports.next_due() == desk.now + 1200
    assert "a bug" in caplog.text
    asyncio.run(desk.reporting.aclose())
    reports.close()


def test_nobody_waits_for_who_is_slow(tmp_path: Path) -> None:
    desk = Desk(tmp_path, pupil := Pupil(takes=30.0))

    async def moderate() -> float:
        begun = time.monotonic()
        for number in range(10):
            await desk.reporting.say(replace(COMMENT, text=str(number)), spam=True)
        took = time.monotonic() - begun
        await desk.reporting.aclose()
        return took

    assert asyncio.run(moderate()) < 10.0
    assert pupil.heard == []


def test_no_restart_loses_a_word(tmp_path: Path) -> None:
    pupil = Pupil(listens=False)
    desk = Desk(tmp_path, pupil)

    async def before() -> None:
        for number in range(3):
            await desk.reporting.say(replace(COMMENT, text=str(number)), spam=True)
        await until(lambda: pupil.asked)
        await desk.reporting.aclose()

    async def after() -> None:
        desk.reporting.begin()
        await until(lambda: len(pupil.heard) == 3)
        await desk.reporting.aclose()

    asyncio.run(before())
    assert pupil.asked == 1, "it stops at the first that is not heard"
    pupil.listens = True
    desk.now += 1200
    desk.open()
    asyncio.run(after())
    assert [text for text, _ in pupil.heard] == ["0", "1", "2"]


def test_a_claim_of_who_died_ends(tmp_path: Path) -> None:
    pupil = Pupil(takes=30.0)
    desk = Desk(tmp_path, pupil)

    async def die() -> None:
        await desk.reporting.say(COMMENT, spam=True)
        await until(lambda: pupil.asked)
        await desk.reporting.aclose()

    asyncio.run(die())
    pupil.takes = 0.0
    desk.open()
    assert asyncio.run(desk.reporting.tell()) == 0
    desk.now += CLAIM
    assert asyncio.run(desk.reporting.tell()) == 1
    asyncio.run(desk.reporting.aclose())


def test_who_does_not_listen_is_told_by_the_ladder_and_one_day_no_more(tmp_path: Path) -> None:
    pupil = Pupil(listens=False)
    desk = Desk(tmp_path, pupil)
    reports = Reports(desk.path)
    reports.add("Pupil", COMMENT, True, desk.now)
    waits = []

    async def weeks() -> None:
        while (due := await asyncio.to_thread(reports.next_due)) is not None:
            waits.append(due - desk.now)
            desk.now = due
            await desk.reporting.tell()
        await desk.reporting.aclose()

    begun = desk.now
    asyncio.run(weeks())
    reports.close()
    assert waits[:6] == [0.0, 1200.0, 1200.0, 2400.0, 4800.0, 9600.0]
    assert max(waits) == 6 * 3600.0
    assert desk.now - begun == 15 * DAY
    assert desk.reporting.counts == {"later": len(waits) - 1, "never": 1}


def test_who_is_not_there_any_more_is_told_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, pupil := Pupil())
    reports = Reports(desk.path)
    reports.add("Gone", COMMENT, True, desk.now)
    reports.add("Pupil", COMMENT, True, desk.now)
    assert asyncio.run(desk.reporting.tell()) == 2
    assert (pupil.heard, desk.reporting.counts) == ([("Text", True)], {"never": 1, "told": 1})
    asyncio.run(desk.reporting.aclose())
    reports.close()


def test_where_nobody_wants_to_hear_nothing_is_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    async def moderate() -> None:
        await desk.reporting.say(COMMENT, spam=True)
        await desk.reporting.aclose()

    asyncio.run(moderate())
    assert not Path(desk.path).exists()


def test_a_broken_file_stops_no_moderator(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "reports.db").write_bytes(b"no database at all, and long enough to tell" * 40)
    desk = Desk(tmp_path, Pupil())

    async def moderate() -> None:
        await desk.reporting.say(COMMENT, spam=True)
        await until(lambda: "cannot be read" in caplog.text)
        await desk.reporting.aclose()

    caplog.set_level(logging.ERROR)
    asyncio.run(moderate())
    assert desk.reporting.counts == {"lost": 1}
    assert "could not be kept for Pupil (file is not a database)" in caplog.text


def test_what_is_due_later_is_told_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    pupil = Pupil(listens=False)
    desk = Desk(tmp_path, pupil)
    sleep, here = asyncio.sleep, threading.get_ident()

    async def asleep(seconds: float) -> None:
        if threading.get_ident() != here:
            # A server of another test, in a thread of its own.
            await sleep(seconds)
            return
        if seconds:
            slept.append(seconds)
            desk.now += seconds
            pupil.listens = len(slept) > 5
        await sleep(0)

    async def moderate() -> None:
        await desk.reporting.say(COMMENT, spam=True)
        assert desk.reporting._task is not None
        await desk.reporting._task
        await desk.reporting.aclose()

    monkeypatch.setattr(asyncio, "sleep", asleep)
    asyncio.run(moderate())
    assert slept == [300.0] * 8
    assert pupil.heard == [("Text", True)]


def test_a_file_in_use_is_waited_for(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Pupil())
    other = sqlite3.connect(desk.path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    async def moderate() -> None:
        saying = asyncio.create_task(desk.reporting.say(COMMENT, spam=True))
        await asyncio.sleep(0.2)
        assert not saying.done()
        other.execute("ROLLBACK")
        await saying
        await desk.reporting.aclose()

    asyncio.run(moderate())
    other.close()
    assert "lost" not in desk.reporting.counts
