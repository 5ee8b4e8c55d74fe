"""Evidence off the request path: rows wait in a queue, and one thread writes them.

    record ─▶ queue ─(every quarter of a second, if there is anything)─▶ one thread ─▶ the log's database

Strategy: whoever serves a page only appends to a queue of fixed size. Where the database does not answer, the rows wait
there and then are dropped and counted; the thread tries again after longer and longer pauses. The thread begins with
the first row, in the process that has it, so a server may fork before.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Protocol

from contentguard.backends import EvidenceError, Issued, Revision
from contentguard.backends.circuit import Circuit

_LOG = logging.getLogger("contentguard.evidence")
GATHER = 0.25
"""Seconds for which rows are gathered before they are written."""
_BATCH = 1000
_TEXTS = 256
"""Revisions that may wait."""
_AGAIN = 600.0
"""Seconds within which the same copy, read again, is the same row."""
_RECENT = 32_768
_HOUR = 3600.0
_DAY = 86_400.0
Key = tuple[int, str, bytes, int]


class Log(Protocol):
    """A database of evidence, for one thread. Each method raises ``EvidenceError`` where it gives no answer."""

    def write(self, rows: Sequence[Issued]) -> None:
        """Keep all of them, or none."""
        ...

    def learn(self, revision: Revision) -> None:
        """Keep an article's text."""
        ...

    def prune(self, before: float) -> int:
        """Forget what is older; how many rows that were."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Recorder:
    """``Evidence`` for one process. ``log`` opens the database, in the thread that writes, and does not raise."""

    def __init__(
        self,
        log: Callable[[], Log],
        *,
        days: float = 90.0,
        capacity: int = 20_000,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``days``: after which rows are forgotten. ``capacity``: rows that may wait. ValueError for less than one."""
        if days <= 0 or capacity < 1:
            raise ValueError(f"evidence is kept for some time and in some rows, not for {days} days in {capacity}")
        self._open, self._clock, self._days, self._capacity = log, clock, days, capacity
        self._rows: deque[Issued] = deque()
        self._texts: deque[Revision] = deque()
        self._recent: dict[Key, float] = {}
        self._before: dict[Key, float] = {}
        self._known: set[tuple[str, bytes]] = set()
        self._wake, self._ending = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._circuit = Circuit(failures=1, shortest=0.5, longest=30.0)
        self._pruned = 0.0
        self.written = self.repeated = self.dropped = self.refused = 0
        """Rows: in the database, the same as one before, lost for want of room, not to be stored at all."""
        self.failures: Counter[str] = Counter()
        """Times that the database gave no answer, by reason."""

    # -- for whoever serves pages ------------------------------------------------------------------------------

    def record(self, row: Issued) -> None:
        """See ``Evidence``."""
        key = (row.serial, row.article, row.revision, row.epoch)
        last = self._recent.get(key) or self._before.get(key)
        if last is not None and abs(row.at - last) < _AGAIN:
            self.repeated += 1
        elif len(self._rows) >= self._capacity:
            self.dropped += 1
        else:
            self._rows.append(row)
            if len(self._recent) >= _RECENT:
                self._before, self._recent = self._recent, {}
            self._recent[key] = row.at
            self._rouse()

    def learn(self, revision: Revision) -> None:
        """See ``Evidence``."""
        name = (revision.article, revision.revision)
        if name not in self._known and len(self._texts) < _TEXTS:
            if len(self._known) >= _RECENT:
                self._known.clear()
            self._known.add(name)
            self._texts.append(revision)
            self._rouse()

    def _rouse(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._ending.clear()
            self._thread = threading.Thread(target=self._run, name="contentguard-evidence", daemon=True)
            # A machine that has no thread left has none for evidence; the rows wait for the next try.
            with suppress(RuntimeError):
                self._thread.start()
        if not self._wake.is_set():
            self._wake.set()

    @property
    def waiting(self) -> int:
        """Rows that are not in the database yet."""
        return len(self._rows)

    def close(self, seconds: float = 5.0) -> None:
        """Write what waits, if that can be done in time, and end."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            self._ending.set()
            self._wake.set()
            thread.join(seconds)
        self._thread = None

    # -- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        log = self._open()
        try:
            while not self._ending.is_set():
                self._wake.wait(_HOUR)
                self._ending.wait(GATHER)
                self._wake.clear()
                if not self._step(log):
                    self._ending.wait(self._circuit.pause(random.random()))
                    self._wake.set()
            self._step(log)
        finally:
            log.close()

    def _step(self, log: Log) -> bool:
        """Write all that waits; whether the database answered."""
        try:
            while self._rows:
                self._write(log)
            while self._texts:
                self._text(log)
            if (now := self._clock()) - self._pruned >= _HOUR:
                log.prune(now - self._days * _DAY)
                self._pruned = now
        except EvidenceError as error:
            self._failed(str(error))
            return False
        if self._circuit.is_open:
            self._circuit.close()
            _LOG.warning("the evidence log answers again; %d copies went unrecorded", self.dropped)
        return True

    def _failed(self, why: str) -> None:
        self.failures[why[:100] if len(self.failures) < 100 else "other"] += 1
        if self._circuit.failed(time.monotonic()):
            _LOG.error("the evidence log gives no answer (%s): copies are recorded again when it does", why)

    def _write(self, log: Log) -> None:
        self._put(log, [self._rows.popleft() for _ in range(min(_BATCH, len(self._rows)))])

    def _put(self, log: Log, rows: list[Issued]) -> None:
        try:
            log.write(rows)
        except EvidenceError as error:
            if not error.refused:
                self._rows.extendleft(reversed(rows))
                raise
            if len(rows) == 1:
                self._refused(error)
                return
            # One of them is to blame: the others shall not go with it.
            middle = len(rows) // 2
            self._rows.extendleft(reversed(rows[middle:]))
            self._put(log, rows[:middle])
        else:
            self.written += len(rows)

    def _refused(self, error: EvidenceError) -> None:
        self.refused += 1
        if self.refused == 1:
            _LOG.error("the evidence log refuses a row: %s", error)

    def _text(self, log: Log) -> None:
        revision = self._texts.popleft()
        try:
            log.learn(revision)
        except EvidenceError as error:
            if not error.refused:
                self._texts.appendleft(revision)
                raise
            self._refused(error)


def hashed(secret: bytes, text: str) -> str:
    """What stands in the log for an address or a network: 24 hex digits that tell nothing without ``secret`` (16 to 64
    bytes)."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12, key=secret, person=b"cg-evidence").hexdigest()
