"""How well the filter of comments tells spam, how fast, and what a form costs.

``python -m tests.benchmarks.comments FILE.csv …`` measures the same on labelled comments of your own: columns
``CONTENT`` and ``CLASS`` (1: spam), and ``AUTHOR``, ``DATE`` and ``VIDEO`` (or ``ARTICLE``, ``GROUP``: what they stand
under) where there are such. Of each file, and of all together if there are more: learned from 500 and judged on all
others, the mean of five draws; learned from 500 of the other groups (files, where they name none) and judged on one;
learned from the earliest 500 and judged on all later ones; and judged in turn, a hundred by a hundred, with all before
learned.
"""

from __future__ import annotations

import asyncio
import csv
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import inf, nan
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from contentguard import Comments, Settings
from contentguard.comments.submission import Submission
from tests.benchmarks.measure import Figure, Figures, Options
from tests.client import CHROME, KEY, hidden_fields, http_scope
from tests.data.comments.make import rows

LESSONS = 500
_SEEDS = 5
_FALSE = 0.01
_BLOCK = 100
_LARGE = 20
"""Comments of each kind."""
_GROUPS = ("VIDEO", "ARTICLE", "GROUP")


class Labelled(NamedTuple):
    """One comment, and what moderators said of it."""

    submission: Submission
    spam: bool
    group: str = ""
    date: str = ""
    """Sorts by time; empty where that is not known."""


class Judged(NamedTuple):
    """What the filter said of one."""

    score: float
    action: str
    spam: bool


class Measured(NamedTuple):
    """What one draw came to."""

    recall: float
    """Of spam, how much lies above 99 of 100 of the ham by its score."""
    caught: float
    """Of spam, how much the filter itself calls spam."""
    wrong: float
    """Of ham, how much it calls spam."""
    held: float
    """Of ham, how much it holds, or calls spam."""
    learning: float
    """Seconds of processor time for all lessons and the first judgement."""
    judging: float
    """The same for each of the others."""


def read(path: Path) -> list[Labelled]:
    """Labelled comments from a CSV file."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        found = [row for row in csv.DictReader(lines) if row.get("CONTENT") and row.get("CLASS") in ("0", "1")]
    return [
        Labelled(
            Submission("/", row["CONTENT"], row.get("AUTHOR") or ""),
            row["CLASS"] == "1",
            next((row[name] for name in _GROUPS if row.get(name)), path.name),
            row.get("DATE") or "",
        )
        for row in found
    ]


async def measured(lessons: Sequence[Labelled], others: Sequence[Labelled], block: int = 0) -> Measured:
    """Learn from ``lessons`` and judge ``others``, as a site does: by the local filter alone.

    ``block``: so many are judged before they are learned too; 0: none are.
    """
    comments = Comments.of(Settings(secret_key=KEY))
    start = time.process_time()
    await _learn(comments, lessons)
    await comments.judge(others[0].submission)
    learned = time.process_time()
    judged: list[Judged] = []
    for at in range(0, len(others), block or len(others)):
        part = others[at : at + (block or len(others))]
        for one in part:
            decision = await comments.judge(one.submission)
            judged.append(Judged(decision.score, decision.action, one.spam))
        await _learn(comments, part if block else ())
    each = (time.process_time() - learned) / len(others)
    await comments.aclose()
    return counted(judged, learned - start, each)


async def _learn(comments: Comments, lessons: Sequence[Labelled]) -> None:
    for lesson in lessons:
        await comments.learn(lesson.submission, lesson.spam)


def counted(judged: Sequence[Judged], learning: float, judging: float) -> Measured:
    """The shares; nan for a kind that is not there."""
    spam = [one for one in judged if one.spam]
    ham = sorted((one for one in judged if not one.spam), key=lambda one: -one.score)
    bound = ham[int(_FALSE * len(ham))].score if ham else inf
    return Measured(
        _share(one.score > bound for one in spam),
        _share(one.action in ("spam", "discard") for one in spam),
        _share(one.action in ("spam", "discard") for one in ham),
        _share(one.action != "approve" for one in ham),
        learning,
        judging,
    )


def _share(found: Iterable[bool]) -> float:
    told = list(found)
    return fmean(told) if told else nan


def splits(labelled: Sequence[Labelled], lessons: int, seeds: int) -> Iterator[tuple[str, Measured]]:
    """How the comments can be parted, and what each comes to; what they say nothing for is left out."""
    yield "random", _mean(_parted(mixed, lessons) for mixed in _mixed(labelled, seeds))
    if parts := list(_by_group(labelled, lessons, seeds)):
        yield "by group", _mean(parts)
    dated = sorted((one for one in labelled if one.date), key=lambda one: one.date)
    if len(dated) > lessons:
        yield "by date", _parted(dated, lessons)
        yield "by date, learning on", asyncio.run(measured(dated[:lessons], dated[lessons:], _BLOCK))


def _mixed(labelled: Sequence[Labelled], seeds: int) -> Iterator[list[Labelled]]:
    return (random.Random(seed).sample(labelled, len(labelled)) for seed in range(seeds))


def _parted(ordered: Sequence[Labelled], lessons: int) -> Measured:
    return asyncio.run(measured(ordered[:lessons], ordered[lessons:]))


def _by_group(labelled: Sequence[Labelled], lessons: int, seeds: int) -> Iterator[Measured]:
    """One group against the others; only groups that are large enough to say anything about one in a hundred."""
    sizes = Counter((one.group, one.spam) for one in labelled)
    for group in sorted({one.group for one in labelled}):
        if min(sizes[group, False], sizes[group, True]) < _LARGE:
            continue
        others = [one for one in labelled if one.group != group]
        if len(others) >= lessons:
            own = [one for one in labelled if one.group == group]
            yield _mean(_parted([*mixed[:lessons], *own], lessons) for mixed in _mixed(others, seeds))


def _mean(found: Iterable[Measured]) -> Measured:
    return Measured(*map(fmean, zip(*found, strict=True)))


def smoke() -> tuple[list[Labelled], list[Labelled]]:
    """Our own comments, in two halves that share no line."""
    halves: tuple[list[Labelled], list[Labelled]] = ([], [])
    for line, text, spam in rows():
        halves[int(line.partition("-")[2]) % 2].append(Labelled(Submission("/news/tide", text, "Ann"), bool(spam)))
    return halves


def run(options: Options) -> Figures:
    """The figures."""
    one, other = smoke()
    found = asyncio.run(measured(one, other))
    form, receive = asyncio.run(_costs(100 if options.quick else 1000))
    return {
        "comments.recall": Figure(100 * found.recall, "%", "spam above 99 of 100 ham, our own comments, 200 lessons"),
        "comments.learning": Figure(
            1e3 * found.learning, "ms", "processor time of 200 lessons and the first judgement"
        ),
        "comments.judging": Figure(1e6 * found.judging, "µs", "processor time of each further judgement"),
        "comments.form": Figure(1e6 * form, "µs", "a form"),
        "comments.receive": Figure(1e6 * receive, "µs", "a comment taken in, nothing learned"),
    }


async def _costs(number: int) -> tuple[float, float]:
    now = 1_800_000_000.0
    comments = Comments.of(Settings(secret_key=KEY, comments={"flood_seconds": 0, "learn": False}), lambda: now)
    start = time.perf_counter()
    forms = [comments.form(http_scope("/news/tide", CHROME), "/news/tide") for _ in range(number)]
    middle = time.perf_counter()
    now += 20.0
    for place, form in enumerate(forms):
        fields = {
            **hidden_fields(form.html),
            "author": "Ann",
            "email": "ann@example.org",
            "comment": f"Number {place}.",
        }
        scope = http_scope("/news/tide", {**CHROME, "sec-fetch-site": "same-origin"})
        assert (await comments.receive(scope, "/news/tide", fields)).status == 200
    end = time.perf_counter()
    await comments.aclose()
    return (middle - start) / number, (end - middle) / number


def main(paths: Sequence[str]) -> int:
    """Measure on files; the exit status."""
    files = {name: read(Path(name)) for name in paths}
    if len(files) > 1:
        files["all"] = [one for labelled in files.values() for one in labelled]
    for name, labelled in files.items():
        if len(labelled) <= LESSONS:
            print(f"{name}: more than {LESSONS} labelled comments are wanted, found {len(labelled)}", file=sys.stderr)
            continue
        for split, found in splits(labelled, LESSONS, _SEEDS):
            print(
                f"{name}, {split}: {len(labelled)} comments, {LESSONS} learned: recall {found.recall:.3f} at "
                f"{_FALSE:.0%} false positives; by the filter's own threshold {found.caught:.3f} at {found.wrong:.2%}, "
                f"and {found.held:.1%} of ham held; learned in {found.learning:.2f} s, judged in "
                f"{1e3 * found.judging:.2f} ms"
            )
    return 0 if any(len(labelled) > LESSONS for labelled in files.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
