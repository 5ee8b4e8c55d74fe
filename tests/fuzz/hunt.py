"""One page tried: is it faithful, the same however it is cut, and is everything in its place?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.fuzz.minimise import minimised
from tests.fuzz.mutate import cuts, mutated
from tests.rewrite.corpus.adapter import MARKS, Rewritten, rewrite
from tests.rewrite.corpus.known import kinds
from tests.rewrite.corpus.places import judge_all
from tests.rewrite.corpus.splits import UnfaithfulError, faithful

HTML = "text/html"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a page."""

    kind: str
    """"unfaithful", "cut", "crash", or the parsers with their kinds of problem."""
    detail: str
    page: bytes
    cuts: Sequence[int] = ()
    number: int = -1
    """Which page of the run."""


@dataclass(slots=True)
class Tally:
    """What a run saw."""

    pages: int = 0
    judged: int = 0
    untouched: Counter[str] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    """Parser → marks expected, and "parser right" → those that were there."""


def try_page(page: bytes, ways: Sequence[Sequence[int]], *, judge: bool, tally: Tally) -> Finding | None:
    """What is wrong with ``page``, whole and cut in each of these ways, if anything is."""
    tally.pages += 1
    way: Sequence[int] = ()
    try:
        whole = faithful(page, rewrite(page, content_type=HTML))
        for way in ways:
            if rewrite(page, way, content_type=HTML).output != whole.output:
                return Finding("cut", "other bytes than of the page in one piece", page, way)
    except UnfaithfulError as error:
        return Finding("unfaithful", str(error)[:200], page, way)
    except Exception as error:
        return Finding("crash", repr(error)[:400], page, way)
    if not whole.insertions:
        tally.untouched[whole.untouched] += 1
        return None
    return _judged(page, whole, tally) if judge else None


def _judged(page: bytes, whole: Rewritten, tally: Tally) -> Finding | None:
    tally.judged += 1
    said = judge_all(page, whole, marks=MARKS, content_type=HTML)
    for name, judgement in said.items():
        tally.marks[name] += judgement.expected
        tally.marks[f"{name} right"] += judgement.right
        tally.marks[f"{name} without a place"] += judgement.excused
    wrong = {name: judgement for name, judgement in said.items() if judgement.problems}
    if not wrong:
        return None
    kind = "; ".join(f"{name}: {kinds(judgement)}" for name, judgement in wrong.items())
    return Finding(kind, next(iter(wrong.values())).details[0][:400], page)


def hunt(seed: int, pages: int, *, first: int = 0, judge_each: int = 1, tally: Tally) -> Iterator[Finding]:
    """Try mutated pages, and tell what is found. Every ``judge_each``-th page is judged by the parsers too."""
    for number in range(first, first + pages):
        dice = Random(f"{seed}:{number}")
        page = mutated(dice)
        found = try_page(page, [cuts(page, dice)], judge=number % judge_each == 0, tally=tally)
        if found is not None:
            yield Finding(found.kind, found.detail, found.page, found.cuts, number)


def smallest(finding: Finding, tries: int = 1500) -> bytes:
    """The page of a finding, made as small as it can be with the finding staying of its kind."""

    def fails(page: bytes) -> bool:
        ways = [finding.cuts, range(1, len(page))] if finding.kind == "cut" else []
        fitting = [[at for at in way if at <= len(page)] for way in ways]
        found = try_page(page, fitting, judge=True, tally=Tally())
        return found is not None and found.kind == finding.kind

    return minimised(finding.page, fails, tries)
