"""What moderators decided, in SQLite: lessons for the filter, and reports that others have not heard yet.

    lessons   one row for each comment: its features as numbers, never its text
    reports   submissions as JSON, until whoever is to hear of them has taken them

Strategy: one connection, used under a lock by whichever thread comes; it is opened when first needed, and again after
any failure. A comment that is decided anew replaces its lesson and comes last again, so the highest row number is also
the revision of the whole. A lesson outlasts a crash of the process; a report also one of the machine.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from array import array
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from contentguard.comments.bayes import MOST, Lesson
from contentguard.comments.submission import Submission
from contentguard.errors import ContentGuardError

_T = TypeVar("_T")
_TABLES = """
CREATE TABLE IF NOT EXISTS lessons (
    id INTEGER PRIMARY KEY AUTOINCREMENT, comment TEXT NOT NULL UNIQUE, spam INTEGER NOT NULL, features BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT, whom TEXT NOT NULL, spam INTEGER NOT NULL, submission TEXT NOT NULL);
"""
MOST_REPORTS = 10_000
"""Reports that wait; the oldest go first."""
_WAIT = 2.0
"""Seconds for which a statement waits for another process."""


class LessonsError(ContentGuardError):
    """The lessons' database gives no answer."""


class Report(NamedTuple):
    """What somebody is still to be told."""

    id: int
    submission: Submission
    spam: bool


class Lessons:
    """Those of one site. ``path``: of a file, or empty for this process's memory. Each method may be called from any
    thread, and raises ``LessonsError`` where there is no answer."""

    def __init__(self, path: str = "", most: int = MOST) -> None:
        """``most``: lessons that are kept, the latest."""
        self._path, self._most = path or ":memory:", most
        self._lock = threading.Lock()
        self._open: sqlite3.Connection | None = None

    def learn(self, comment: str, lesson: Lesson) -> None:
        """Keep a lesson. ``comment``: what names the comment; another decision about it replaces this one."""
        row = comment, lesson.spam, array("I", lesson.features).tobytes()

        def write(base: sqlite3.Connection) -> None:
            base.execute("DELETE FROM lessons WHERE comment = ?", (comment,))
            base.execute("INSERT INTO lessons (comment, spam, features) VALUES (?, ?, ?)", row)
            base.execute(
                "DELETE FROM lessons WHERE id < (SELECT id FROM lessons ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (self._most - 1,),
            )

        self._done(write)

    def revision(self) -> int:
        """A number that grows with every lesson."""
        return self._done(lambda base: int(base.execute("SELECT ifnull(max(id), 0) FROM lessons").fetchone()[0]))

    def all(self) -> tuple[int, list[Lesson]]:
        """The revision, and the lessons of it, the oldest first."""
        rows = self._done(lambda base: base.execute("SELECT id, spam, features FROM lessons ORDER BY id").fetchall())
        return (rows[-1][0] if rows else 0), [Lesson(_numbers(blob), bool(spam)) for _, spam, blob in rows]

    def owe(self, whom: str, submission: Submission, *, spam: bool) -> None:
        """Keep a report until it is ``paid``."""
        row = whom, spam, json.dumps(submission.as_dict())

        def write(base: sqlite3.Connection) -> None:
            found = base.execute("INSERT INTO reports (whom, spam, submission) VALUES (?, ?, ?)", row)
            base.execute("DELETE FROM reports WHERE id <= ?", ((found.lastrowid or 0) - MOST_REPORTS,))

        self._done(write, durable=True)

    def owed(self, whom: str, most: int = 20) -> Sequence[Report]:
        """The oldest reports for ``whom``."""
        question = "SELECT id, submission, spam FROM reports WHERE whom = ? ORDER BY id LIMIT ?"
        rows = self._done(lambda base: base.execute(question, (whom, most)).fetchall())
        return [Report(number, Submission.from_dict(json.loads(text)), bool(spam)) for number, text, spam in rows]

    def paid(self, report: Report) -> None:
        """Forget a report that has arrived."""
        self._done(lambda base: base.execute("DELETE FROM reports WHERE id = ?", (report.id,)) and None)

    def close(self) -> None:
        """End it; it opens again when it is used again."""
        with self._lock:
            self._drop()

    def _done(self, work: Callable[[sqlite3.Connection], _T], *, durable: bool = False) -> _T:
        """``work`` as one transaction."""
        with self._lock:
            try:
                base = self._base()
                base.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                with base:
                    return work(base)
            except (sqlite3.Error, OSError, ValueError, TypeError) as error:
                if self._path != ":memory:":
                    self._drop()
                raise LessonsError(f"the lessons in {self._path} give no answer: {error}") from error

    def _base(self) -> sqlite3.Connection:
        if self._open is None:
            opened = sqlite3.connect(self._path, timeout=_WAIT, check_same_thread=False)
            try:
                opened.execute("PRAGMA journal_mode = WAL")
                opened.executescript(_TABLES)
            except sqlite3.Error:
                opened.close()
                raise
            self._open = opened
        return self._open

    def _drop(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


def _numbers(blob: bytes) -> tuple[int, ...]:
    numbers = array("I")
    numbers.frombytes(blob[: len(blob) // numbers.itemsize * numbers.itemsize])
    return tuple(numbers)
