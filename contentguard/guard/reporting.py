"""What moderators say, told to the services that learn from it: soon if they listen, later if they do not.

Strategy: whoever moderates waits for a line in a file and for no network. One task tells what is due, the oldest first,
and stops at the first that is not heard, for as long as ``comments.ladder`` says; with the last report it ends. A
restart begins it anew, and what is in the file is told then. A service may hear the same twice, never less than once in
15 days of trying.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from contentguard.backends import CommentPupil
from contentguard.backends.reports import Report, Reports
from contentguard.comments import ladder
from contentguard.comments.submission import Submission

_LOG = logging.getLogger("contentguard.comments")
_LONGEST = 300.0
"""Seconds after which the file is looked into at the latest: another process may have put something there and died."""
_BROKEN = 30.0
"""Seconds until a file that could not be read is tried again."""


class Reporting:
    """Tells ``pupils`` what becomes of comments. For one event loop; to be closed by ``aclose``."""

    def __init__(
        self, pupils: Sequence[CommentPupil], reports: Reports, clock: Callable[[], float] = time.time
    ) -> None:
        self._pupils = dict(_named(pupils))
        self._reports, self._clock = reports, clock
        self._task: asyncio.Task[None] | None = None
        self.counts: Counter[str] = Counter()
        """Reports ``told``, put off (``later``), given up (``never``) and not even kept (``lost``)."""

    async def say(self, submission: Submission, *, spam: bool) -> None:
        """Keep a moderator's word and have it told. Never raises; once this returns, no restart loses it."""
        for name in self._pupils:
            try:
                await asyncio.to_thread(self._reports.add, name, submission, spam, self._clock())
            except sqlite3.Error as error:
                self.counts["lost"] += 1
                _LOG.error("what a moderator said could not be kept for %s (%s)", name, error)
        self.begin()

    def begin(self) -> None:
        """Have told what waits, in the background. Nothing happens where nobody wants to hear anything."""
        if self._pupils and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._telling())

    async def tell(self) -> int:
        """Tell all that is due, as far as it is heard; how much that was. May raise ``sqlite3.Error``."""
        told = 0
        while (report := await asyncio.to_thread(self._reports.claim, self._clock())) is not None:
            if not await self._told(report):
                break
            told += 1
        return told

    async def aclose(self) -> None:
        """End what is under way; what was not told stays in the file."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await asyncio.to_thread(self._reports.close)

    async def _telling(self) -> None:
        while True:
            try:
                await self.tell()
                due = await asyncio.to_thread(self._reports.next_due)
            except sqlite3.Error as error:
                _LOG.error("what moderators said cannot be read (%s)", error)
                due = self._clock() + _BROKEN
            if due is None:
                return
            await asyncio.sleep(min(max(due - self._clock(), 1.0), _LONGEST))

    async def _told(self, report: Report) -> bool:
        """Tell one; whether the next may follow."""
        pupil = self._pupils.get(report.pupil)
        heard = pupil is not None and await _hears(pupil, report)
        now = self._clock()
        pause = None if heard or pupil is None else ladder.pause(report.said, now)
        self.counts["told" if heard else "later" if pause is not None else "never"] += 1
        if pause is None:
            await asyncio.to_thread(self._reports.done, report)
        else:
            await asyncio.to_thread(self._reports.later, report, now + pause)
        return heard or pause is None


async def _hears(pupil: CommentPupil, report: Report) -> bool:
    try:
        return await pupil.learn(report.submission, spam=report.spam)
    except Exception:
        _LOG.exception("%s failed to learn what a moderator said", report.pupil)
        return False


def _named(pupils: Sequence[CommentPupil]) -> Iterator[tuple[str, CommentPupil]]:
    """Names that are the same after a restart, in whatever order others come and go."""
    seen: Counter[str] = Counter()
    for pupil in pupils:
        name = type(pupil).__name__
        seen[name] += 1
        yield (name if seen[name] == 1 else f"{name} {seen[name]}"), pupil
