"""Comments as a tree: who answers whom, how deep, and what stands on which page.

Pure: rows in, rows out in the order in which they are read. A comment whose parent is not shown (not approved, or
gone) would hang in the air, so it begins a thread of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

DEEPEST: Final = 5
"""Levels of a thread, the first comment included, as WordPress begins with."""
PAGE_SIZE: Final = 50
"""Threads on one page, as WordPress begins with."""


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment as a page shows it. `created` is in seconds since the epoch; `parent` is 0 for a new thread."""

    id: int
    parent: int
    author: str
    url: str
    text: str
    created: float
    staff: bool = False
    pending: bool = False
    depth: int = 1
    answers: tuple[Comment, ...] = ()

    @property
    def can_be_answered(self) -> bool:
        """Whether an answer would still stand deeper than it."""
        return self.depth < DEEPEST and not self.pending


@dataclass(frozen=True, slots=True)
class Discussion:
    """One page of an article's comments: its threads in reading order."""

    threads: tuple[Comment, ...]
    total: int
    """Public comments of the article, on all its pages."""
    number: int = 1
    pages: int = 1


def discussion(comments: Sequence[Comment], number: int | None = None, size: int = PAGE_SIZE) -> Discussion:
    """Return one page of threads, the newest page unless `number` says which; a number beyond is the nearest."""
    threads = _threads(comments)
    pages = max(1, -(-len(threads) // size))
    here = pages if number is None else min(max(number, 1), pages)
    public = sum(not comment.pending for comment in comments)
    return Discussion(tuple(threads[(here - 1) * size : here * size]), public, here, pages)


def page_of(comments: Sequence[Comment], id_: int, size: int = PAGE_SIZE) -> int:
    """Return the page on which a comment stands; the newest one where it stands nowhere."""
    threads = _threads(comments)
    for place, thread in enumerate(threads):
        if any(comment.id == id_ for comment in told(thread)):
            return place // size + 1
    return max(1, -(-len(threads) // size))


def told(thread: Comment) -> Iterator[Comment]:
    """A thread's comments in reading order."""
    yield thread
    for answer in thread.answers:
        yield from told(answer)


def place_for(parents: Mapping[int, int], wanted: int) -> int:
    """Return the comment under which an answer to `wanted` may stand: itself, or an ancestor where it is too deep.

    `parents` is the parent of every comment of the article; 0 comes back for what is not among them.
    """
    line = []
    here = wanted
    while here in parents and here not in line:
        line.append(here)
        here = parents[here]
    return line[max(0, len(line) - DEEPEST + 1)] if line else 0


def _threads(comments: Sequence[Comment]) -> list[Comment]:
    known = {comment.id for comment in comments}
    answers: dict[int, list[Comment]] = {}
    for comment in sorted(comments, key=lambda one: (one.created, one.id)):
        answers.setdefault(comment.parent if comment.parent in known else 0, []).append(comment)

    def built(comment: Comment, depth: int) -> list[Comment]:
        below = answers.pop(comment.id, [])
        if depth == DEEPEST:
            return [replace(comment, depth=depth), *(one for answer in below for one in built(answer, depth))]
        inner = tuple(one for answer in below for one in built(answer, depth + 1))
        return [replace(comment, depth=depth, answers=inner)]

    return [one for comment in answers.pop(0, []) for one in built(comment, 1)]
