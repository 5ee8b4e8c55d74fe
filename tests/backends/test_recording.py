"""Recording evidence: it never waits, never raises, and loses no more than it says."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from contentguard.backends import EvidenceError, Issued, Revision
from contentguard.backends.evidence import EvidenceLog
from contentguard.backends.recording import Recorder, hashed
from tests.backends.evidence import KEY, TEXT, issued, revision
from tests.backends.postgres import PostgresServer
from tests.servers.harness import ROOT, environment


class FakeLog:
    """A database that does as it is told."""

    def __init__(self) -> None:
        self.rows: list[Issued] = []
        self.texts: list[Revision] = []
        self.pruned: list[float] = []
        self.down = ""
        self.bad: set[int] = set()
        self.closed = 0
        self.answers = threading.Event()
        self.answers.set()

    def write(self, rows: Sequence[Issued]) -> None:
        self.answers.wait(20)
        if self.down:
            raise EvidenceError(self.down)
        if self.bad & {row.serial for row in rows}:
            raise EvidenceError("out of range", refused=True)
        self.rows += rows

    def learn(self, revision: Revision) -> None:
        if self.down:
            raise EvidenceError(self.down)
        if revision.article == "/bad":
            raise EvidenceError("no text", refused=True)
        self.texts.append(revision)

    def prune(self, before: float) -> int:
        self.pruned.append(before)
        return 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contentguard.backends.recording.GATHER", 0.01)


@pytest.fixture
def fake() -> FakeLog:
    return FakeLog()


@pytest.fixture
def recorder(fake: FakeLog) -> Iterator[Recorder]:
    recorder = Recorder(lambda: fake, capacity=100)
    yield recorder
    fake.answers.set()
    recorder.close()


def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "that never came"
        time.sleep(0.005)


def test_rows_and_texts_arrive_in_order(fake: FakeLog, recorder: Recorder) -> None:
    for number in range(50):
        recorder.record(issued(number))
    recorder.learn(revision("/a", TEXT))
    recorder.learn(revision("/a", TEXT))
    until(lambda: recorder.written == 50 and len(fake.texts) == 1)
    assert [row.serial for row in fake.rows] == list(range(50))
    assert recorder.waiting == 0


def test_the_same_copy_read_again_is_one_row(fake: FakeLog, recorder: Recorder) -> None:
    for later in (0, 1, 599, 601):
        recorder.record(issued(1, at=1e9 + later))
    others: tuple[dict[str, object], ...] = ({"article": "/b"}, {"revision": b"r"}, {"epoch": 1}, {"serial": 2})
    for other in others:
        recorder.record(issued(1, at=1e9)._replace(**other))  # type: ignore[arg-type]
    recorder.close()
    assert len(fake.rows) == 2 + 4
    assert recorder.repeated == 2


def test_what_is_remembered_of_copies_is_bounded(
    fake: FakeLog, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contentguard.backends.recording._RECENT", 10)
    for number in range(40):
        recorder.record(issued(number, at=1e9))
        recorder.record(issued(number, at=1e9))
        recorder.learn(revision(f"/{number}", TEXT))
        assert len(recorder._recent) <= 10
        assert len(recorder._before) <= 10
        assert len(recorder._known) <= 10
    recorder.close()
    assert len(fake.rows) == 40


def test_a_database_that_hangs_holds_nobody_up(fake: FakeLog, recorder: Recorder) -> None:
    fake.answers.clear()
    start = time.monotonic()
    for number in range(5000):
        recorder.record(issued(number))
    assert time.monotonic() - start < 2.0
    assert recorder.waiting <= 100
    assert 4700 <= recorder.dropped <= 4900
    fake.answers.set()
    until(lambda: recorder.written + recorder.dropped == 5000)


def test_an_outage_is_said_once_and_costs_nothing_that_had_room(
    fake: FakeLog, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "contentguard.evidence")
    fake.down = "it is stopped"
    recorder.record(issued(1))
    until(lambda: recorder.failures["it is stopped"] >= 2)
    recorder.record(issued(2))
    recorder.learn(revision("/a", TEXT))
    fake.down = ""
    until(lambda: recorder.written == 2 and len(fake.texts) == 1)
    until(lambda: len(caplog.records) == 2)
    assert [row.serial for row in fake.rows] == [1, 2]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_a_text_waits_out_an_outage(fake: FakeLog, recorder: Recorder) -> None:
    fake.down = "x"
    recorder.learn(revision("/a", TEXT))
    until(lambda: recorder.failures["x"] >= 1)
    fake.down = ""
    until(lambda: len(fake.texts) == 1)


def test_one_row_that_is_refused_takes_no_other_with_it(
    fake: FakeLog, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    fake.bad = {13, 57}
    for number in range(90):
        recorder.record(issued(number))
    recorder.learn(revision("/bad", TEXT))
    recorder.close()
    assert [row.serial for row in fake.rows] == [n for n in range(90) if n not in fake.bad]
    assert (recorder.written, recorder.refused) == (88, 3)
    assert len(caplog.records) == 1


def test_ending_while_the_database_is_down_takes_no_long_time(fake: FakeLog, recorder: Recorder) -> None:
    fake.down = "gone"
    recorder.record(issued(1))
    until(lambda: recorder.failures["gone"] >= 1)
    start = time.monotonic()
    recorder.close()
    assert time.monotonic() - start < 3.0
    assert fake.closed == 1


def test_it_can_be_used_after_its_end(fake: FakeLog, recorder: Recorder) -> None:
    recorder.close()
    recorder.record(issued(1))
    recorder.close()
    recorder.record(issued(2))
    recorder.close()
    assert [row.serial for row in fake.rows] == [1, 2]


def test_a_process_that_forked_has_a_thread_of_its_own(fake: FakeLog) -> None:
    recorder = Recorder(lambda: fake)
    # After a fork the parent's thread is there and does not run, and what it had set is set.
    recorder._thread = threading.Thread(target=lambda: None)
    recorder._wake.set()
    recorder.record(issued(1))
    recorder.close()
    assert [row.serial for row in fake.rows] == [1]


def test_a_machine_without_threads_serves_pages(fake: FakeLog, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(lambda: fake)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda self: (_ for _ in ()).throw(RuntimeError("no thread left")))
        recorder.record(issued(1))
    recorder.record(issued(2))
    recorder.close()
    assert len(fake.rows) == 2


def test_retention_is_seen_to(fake: FakeLog) -> None:
    now = [1.8e9]
    recorder = Recorder(lambda: fake, days=30, clock=lambda: now[0])
    for later in (0.0, 10.0, 3700.0):
        now[0] = 1.8e9 + later
        before = recorder.written
        recorder.record(issued(int(later)))
        until(lambda before=before: recorder.written > before)  # type: ignore[misc]
        time.sleep(0.05)
    recorder.close()
    assert fake.pruned == [1.8e9 - 30 * 86_400, 1.8e9 + 3700 - 30 * 86_400]


@pytest.mark.parametrize("options", [{"days": 0}, {"capacity": 0}])
def test_options_that_keep_nothing(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="for some time"):
        Recorder(FakeLog, **options)  # type: ignore[arg-type]


def test_hashes_tell_nothing_without_the_secret() -> None:
    assert hashed(KEY, "192.0.2.1") == hashed(KEY, "192.0.2.1")
    assert len({hashed(KEY, "192.0.2.1"), hashed(b"x" * 32, "192.0.2.1"), hashed(KEY, "192.0.2.2")}) == 3
    assert len(hashed(KEY, "\ud800")) == 24


# -- real databases --------------------------------------------------------------------------------------------


def test_a_deleted_file_costs_rows_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "evidence.sqlite"
    recorder = Recorder(lambda: EvidenceLog(str(file), KEY))
    recorder.record(issued(1))
    until(lambda: recorder.written == 1)
    for path in tmp_path.iterdir():
        path.unlink()
    recorder.record(issued(2))
    recorder.close()
    with closing(EvidenceLog(str(file), KEY)) as log:
        assert [row.serial for row in log.rows()] == [2]


def test_postgres_stopped_and_started(postgres: PostgresServer) -> None:
    url = postgres.url("recording")
    recorder = Recorder(lambda: EvidenceLog(url, KEY))
    recorder.record(issued(1))
    until(lambda: recorder.written == 1)
    postgres.stop()
    try:
        recorder.record(issued(2))
        until(lambda: recorder.failures.total() >= 1)
        recorder.record(issued(3))
    finally:
        postgres.start()
    until(lambda: recorder.written == 3, 40)
    recorder.close()
    with closing(EvidenceLog(url, KEY)) as log:
        assert [row.serial for row in log.rows()] == [1, 2, 3]


def test_two_writers_of_one_file(tmp_path: Path) -> None:
    file = tmp_path / "evidence.sqlite"
    recorders = [Recorder(lambda: EvidenceLog(str(file), KEY)) for _ in range(2)]
    for number in range(200):
        recorders[number % 2].record(issued(number))
        recorders[number % 2].learn(revision("/a", TEXT))
    for recorder in recorders:
        recorder.close()
    with closing(EvidenceLog(str(file), KEY)) as log:
        assert sorted(row.serial for row in log.rows()) == list(range(200))
        assert len(log.revisions("/a")) == 1


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_killed_process_loses_no_committed_row_and_at_most_the_last_second(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = str(tmp_path / "e.sqlite") if kind == "sqlite" else request.getfixturevalue("postgres").url("killed")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.backends.recorder_app", url],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        number, written, at = line.split()
        told.append((int(number), int(written), float(at)))
        if int(written) > 1500:
            os.kill(process.pid, signal.SIGKILL)
            break
    told += [
        (int(n), int(w), float(t)) for n, w, t in (line.split() for line in process.stdout if line.count(" ") == 2)
    ]
    process.stdout.close()
    process.wait(20)
    _, committed, killed = told[-1]
    with closing(EvidenceLog(url, KEY)) as log:
        kept = [row.serial for row in log.rows()]
    assert kept == list(range(1, len(kept) + 1)), "nothing missing in between"
    assert len(kept) >= committed > 1500
    old_enough = max(number for number, _, at in told if at <= killed - 1.0)
    assert len(kept) >= old_enough
