"""What moderators said of comments, on its way to who wants to hear it: a file of SQLite, so no restart loses it.

    add ─▶ row ─ claim ─▶ (told) ─▶ done: the row is gone        not told ─▶ later: the row waits
                 └─ a claim that is heard of no more ends after a minute: whoever died with it, it is told again

Strategy: a row is claimed in one statement, so that of several processes one tells it. The latest word on a comment
replaces an earlier one that has not been told yet. Rows are bounded: the oldest make room. What is deleted is
overwritten, because a row holds what was said by whom. Every method is short and is called in a thread.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from typing import NamedTuple, TypeVar

from contentguard.comments.submission import Submission

T = TypeVar("T")
MOST = 10_000
"""Reports that may wait."""
CLAIM = 60.0
"""Seconds for which a report is one process's to tell."""
_TABLE = """
CREATE TABLE IF NOT EXISTS reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pupil TEXT NOT NULL,
    comment TEXT NOT NULL,
    spam INTEGER NOT NULL,
    submission TEXT NOT NULL,
    said REAL NOT NULL,
    due REAL NOT NULL,
    UNIQUE (pupil, comment)
)
"""
_ADD = "INSERT OR REPLACE INTO reports (pupil, comment, spam, submission, said, due) VALUES (?, ?, ?, ?, ?, ?)"
_ROOM = "DELETE FROM reports WHERE id <= (SELECT id FROM reports ORDER BY id DESC LIMIT 1 OFFSET ?)"
_CLAIM = """
UPDATE reports SET due = ? WHERE id = (SELECT id FROM reports WHERE due <= ? ORDER BY id LIMIT 1)
RETURNING id, pupil, spam, submission, said
"""


class Report(NamedTuple):
    """One word of a moderator, to one who wants to hear it."""

    id: int
    pupil: str
    spam: bool
    submission: Submission
    said: float
    """When, in seconds since the epoch."""


class Reports:
    """Reports on their way, for any thread. ``path``: of a file; empty: memory, and a restart forgets them.

    Every method may raise ``sqlite3.Error``: the file is no database, the disk is full, or somebody else holds it.
    """

    def __init__(self, path: str = "", *, most: int = MOST) -> None:
        self._path, self._most = path or ":memory:", most
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self.dropped = 0
        """Reports that had to make room, or could not be read."""

    def __del__(self) -> None:
        # Where a server knows no lifespan nobody calls close, and Python 3.13 warns of what is left open.
        self.close()

    def add(self, pupil: str, submission: Submission, spam: bool, now: float) -> None:
        """Keep what a moderator said at ``now``; once this returns, it is written."""
        text = json.dumps(submission.as_dict(), sort_keys=True)
        comment = blake2b(text.encode(), digest_size=16).hexdigest()
        row = (pupil, comment, spam, text, now, now)

        def write(database: sqlite3.Connection) -> int:
            database.execute(_ADD, row)
            return database.execute(_ROOM, (self._most,)).rowcount

        self.dropped += self._within(write)

    def claim(self, now: float) -> Report | None:
        """The oldest report that is due, for ``CLAIM`` seconds this caller's alone; None when there is none."""
        while rows := self._within(lambda database: database.execute(_CLAIM, (now + CLAIM, now)).fetchall()):
            number, pupil, spam, text, said = rows[0]
            try:
                return Report(number, pupil, bool(spam), Submission.from_dict(json.loads(text)), said)
            except (AttributeError, TypeError, ValueError, KeyError):
                # Another version of this package wrote it, or somebody else; it would stand in everybody's way.
                self._delete(number)
                self.dropped += 1
        return None

    def done(self, report: Report) -> None:
        """Forget a report: it was told, or never will be."""
        self._delete(report.id)

    def later(self, report: Report, due: float) -> None:
        """It could not be told, and is due again at ``due``."""
        self._within(lambda database: database.execute("UPDATE reports SET due = ? WHERE id = ?", (due, report.id)))

    def next_due(self) -> float | None:
        """When the next one is due; None when none waits."""
        row = self._within(lambda database: database.execute("SELECT MIN(due) FROM reports").fetchone())
        return None if row is None or row[0] is None else float(row[0])

    def close(self) -> None:
        """Close the file, for good: whoever is late gets an error."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _delete(self, number: int) -> None:
        self._within(lambda database: database.execute("DELETE FROM reports WHERE id = ?", (number,)))

    def _within(self, do: Callable[[sqlite3.Connection], T]) -> T:
        """One transaction."""
        with self._lock:
            if self._closed:
                raise sqlite3.ProgrammingError("the reports are closed")
            if self._connection is None:
                self._connection = self._opened()
            with self._connection:
                return do(self._connection)

    def _opened(self) -> sqlite3.Connection:
        if self._path != ":memory:":
            # Made here, for nobody else to read; SQLite would ask the umask. An existing file stays as it is.
            with suppress(OSError):
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(self._path, timeout=5.0, check_same_thread=False)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(_TABLE)
        except sqlite3.Error:
            connection.close()
            raise
        return connection
