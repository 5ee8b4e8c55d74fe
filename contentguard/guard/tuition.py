"""What moderators teach our own filter, and what it says of new comments.

Strategy: a lesson is kept at once, and a model is made of all of them when a comment has to be judged and enough of
them are new: in a thread, because it takes a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from anyio import to_thread

from contentguard.backends.lessons import Lessons
from contentguard.comments import fingerprint, signs
from contentguard.comments.bayes import Judged, Lesson, Model, hashed, train
from contentguard.comments.decision import Reason
from contentguard.comments.submission import Submission
from contentguard.comments.words import features

_NEW = 0.02
"""The share of new lessons from which a new model is made."""
_ENOUGH = 50
"""Lessons of each kind from which on they are believed more than guesses are."""

Note = Callable[[str, str], None]


class Tuition:
    """Of one site."""

    def __init__(self, lessons: Lessons, note: Note) -> None:
        self._lessons, self._note = lessons, note
        self._model: Model | None = None
        self._of = self._number = 0
        self._learned = asyncio.Lock()

    async def learn(self, submission: Submission, *, spam: bool) -> None:
        """Take in what a moderator decided. Never raises: what cannot be kept is noted."""
        try:
            await to_thread.run_sync(self._kept, submission, spam)
        except Exception:
            self._note("lessons-failed", "what a moderator decided could not be kept")

    def _kept(self, submission: Submission, spam: bool) -> None:
        parts = submission.article, submission.author, submission.email, submission.text
        self._lessons.learn(fingerprint.exact("\n".join(parts)), Lesson(hashed(features(submission)), spam))

    @property
    def share(self) -> float:
        """How much the lessons have taken the place of guesses, from 0 to 1."""
        return 0.0 if self._model is None else min(1.0, min(self._model.lessons) / _ENOUGH)

    async def reason(self, submission: Submission) -> Reason | None:
        """What the lessons say of a comment; None where there are too few."""
        try:
            model = await self._current()
        except Exception:
            self._note("lessons-failed", "what moderators decided could not be read; comments wait for them")
            return signs.UNFILTERED
        return None if model is None else told(model, model.judge(features(submission)))

    async def _current(self) -> Model | None:
        """A model of the lessons, or of nearly all."""
        async with self._learned:
            revision = await to_thread.run_sync(self._lessons.revision)
            if revision - self._of > self._number * _NEW or revision < self._of:
                self._of, self._number, self._model = await to_thread.run_sync(self._made)
            return self._model

    def _made(self) -> tuple[int, int, Model | None]:
        revision, lessons = self._lessons.all()
        return revision, len(lessons), train(lessons)

    async def aclose(self) -> None:
        """Close what the lessons are kept in."""
        await to_thread.run_sync(self._lessons.close)


def told(model: Model, judged: Judged) -> Reason:
    """A model's judgement as a reason."""
    parts = ", ".join(f"{part.feature} {part.margin:+.2f}" for part in judged.parts)
    ham, spam = model.lessons
    like = "spam" if judged.points >= 1.0 else "what is approved here"
    return Reason(
        "learned",
        judged.points,
        f"It reads like {like} ({judged.margin:+.2f}; held from {model.hold:+.2f}, spam from {model.spam:+.2f}; "
        f"learned from {ham} approved and {spam} spam): {parts}.",
    )
