"""How well the filter of comments tells spam, how fast, and what a form costs.

``python -m tests.benchmarks.comments FILE.csv …`` measures the same on labelled comments of your own: columns
``CONTENT`` and ``CLASS`` (1: spam), and ``AUTHOR`` where there is one. Learned from 500 of them, judged on all others;
the mean of five draws.
"""

from __future__ import annotations

import asyncio
import csv
import random
import sys
import time
from collections.abc import Sequence
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
Labelled = tuple[Submission, bool]


class Measured(NamedTuple):
    """What one draw came to."""

    recall: float
    """Of spam, how much lies above 99 of 100 of the ham by its score."""
    caught: float
    """Of spam, how much the filter itself calls spam."""
    wrong: float
    """Of ham, how much it calls spam."""
    learning: float
    """Seconds of processor time for all lessons and the first judgement."""
    judging: float
    """The same for each of the others."""


def read(path: Path) -> list[Labelled]:
    """Labelled comments from a CSV file."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        found = [row for row in csv.DictReader(lines) if row.get("CONTENT") and row.get("CLASS") in ("0", "1")]
    return [(Submission("/", row["CONTENT"], row.get("AUTHOR") or ""), row["CLASS"] == "1") for row in found]


async def measured(lessons: Sequence[Labelled], others: Sequence[Labelled]) -> Measured:
    """Learn from ``lessons`` and judge ``others``, as a site does: by the local filter alone."""
    comments = Comments.of(Settings(secret_key=KEY))
    start = time.process_time()
    for submission, spam in lessons:
        await comments.learn(submission, spam)
    await comments.judge(others[0][0])
    learned = time.process_time()
    decided = [(await comments.judge(submission), spam) for submission, spam in others]
    judged = time.process_time()
    await comments.aclose()
    ham = sorted((one.score for one, spam in decided if not spam), reverse=True)
    bound = ham[int(_FALSE * len(ham))]
    called = {
        kind: [one.action in ("spam", "discard") for one, spam in decided if spam is kind] for kind in (True, False)
    }
    recall = fmean(one.score > bound for one, spam in decided if spam)
    each = (judged - learned) / len(others)
    return Measured(recall, fmean(called[True]), fmean(called[False]), learned - start, each)


def drawn(labelled: Sequence[Labelled], lessons: int, seeds: int) -> Measured:
    """The mean of some draws."""
    found = []
    for seed in range(seeds):
        mixed = random.Random(seed).sample(labelled, len(labelled))
        found.append(asyncio.run(measured(mixed[:lessons], mixed[lessons:])))
    return Measured(*map(fmean, zip(*found, strict=True)))


def smoke() -> tuple[list[Labelled], list[Labelled]]:
    """Our own comments, in two halves that share no line."""
    halves: tuple[list[Labelled], list[Labelled]] = ([], [])
    for line, text, spam in rows():
        halves[int(line.partition("-")[2]) % 2].append((Submission("/news/tide", text, "Ann"), bool(spam)))
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
    for name in paths:
        labelled = read(Path(name))
        if len(labelled) <= LESSONS:
            print(f"{name}: more than {LESSONS} labelled comments are wanted, found {len(labelled)}", file=sys.stderr)
            return 1
        found = drawn(labelled, LESSONS, _SEEDS)
        print(
            f"{name}: {len(labelled)} comments, {LESSONS} learned: recall {found.recall:.3f} at {_FALSE:.0%} false "
            f"positives; by the filter's own threshold {found.caught:.3f} at {found.wrong:.2%}; "
            f"learned in {found.learning:.2f} s, judged in {1e3 * found.judging:.2f} ms"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
