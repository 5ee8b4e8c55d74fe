"""What moderators decided, as lessons for the filter, in SQLite: of each comment its features as numbers, not its text.

Strategy: one connection, used under a lock by whichever thread comes; it is opened when first needed, and again after
any failure. A comment that is decided anew replaces its lesson and comes last again, so the highest row number is also
the revision of the whole. A lesson outlasts a crash of the process, if not the last one of the machine.
"""

from __future__ import annotations

import sqlite3
import threading
from array import array
from collections.abc import Callable
from typing import TypeVar

from contentguard.comments.bayes import MOST, Lesson
from contentguard.errors import ContentGuardError

_T = TypeVar("_T")
_TABLES = """
CREATE TABLE IF NOT EXISTS lessons (
    id INTEGER PRIMARY KEY AUTOINCREMENT, comment TEXT NOT NULL UNIQUE, spam INTEGER NOT NULL, features BLOB NOT NULL);
"""
_WAIT = 2.0
"""Seconds for which a statement waits for another process."""


class LessonsError(ContentGuardError):
    """The lessons' database gives no answer."""


class Lessons:
    """Those of one site. ``path``: of a file, or empty for this process's memory. Each method may be called from any
    thread, and raises ``LessonsError`` where there is no answer."""

    def __init__(self, path: str = "", most: int = MOST) -> None:
        """``most``: lessons that are kept, the latest."""
        self._path, self._most = path or ":memory:", most
        self._lock = threading.Lock()
        self._open: sqlite3.Connection | None = None

    def __del__(self) -> None:
        # Where a server knows no lifespan nobody calls close, and Python 3.13 warns of what is left open.
        self._drop()

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

    def close(self) -> None:
        """End it; it opens again when it is used again."""
        with self._lock:
            self._drop()

    def _done(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        """``work`` as one transaction."""
        with self._lock:
            try:
                base = self._base()
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
                opened.execute("PRAGMA synchronous = NORMAL")
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
