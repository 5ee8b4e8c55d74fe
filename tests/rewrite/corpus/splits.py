"""Identity, and the same bytes however a page is cut.

Strategy: a page is rewritten whole once; what was put in is taken out again and must leave the page. Every way to send
it through a stream must give those bytes (but for the marks), which needs no more than a comparison.

How many ways: all one-point splits of all pages with a sample of the two-point ones are some 8.3 million runs (``python
-m tests.fuzz splits`` makes them). ``SHORT`` keeps the 350,000 that are likeliest to matter to a scanner: every split
of every bare input; in an article, every split inside an input with markup and of the bytes around it, where something
it left open meets what follows; and of everything else a sample drawn anew for every input.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from tests.rewrite.corpus.adapter import Rewritten, outputs, rewrite
from tests.rewrite.corpus.inputs import FORMS, Case
from tests.rewrite.corpus.places import splice

Cuts = tuple[int, ...]


class UnfaithfulError(AssertionError):
    """A page was changed, or came out otherwise when it was cut otherwise."""

    def __init__(self, what: str, page: bytes, cuts: Sequence[int] = ()) -> None:
        super().__init__(f"{what}; cuts {list(cuts)[:20]}; page {page[:4000]!r}")
        self.page, self.cuts = page, tuple(cuts)


@dataclass(frozen=True, slots=True)
class Reach:
    """Which splits of a page that holds an input are tried."""

    inside: bool
    """Every split inside the input."""
    before: int
    after: int
    """Every split this many bytes around an input with markup."""
    rest: int
    """How many splits anywhere in such a page."""
    pairs: int
    """How many two-point splits, of which one point lies in or next to the input."""


SHORT = {
    "bare": Reach(inside=True, before=0, after=0, rest=0, pairs=2),
    "wrapped": Reach(inside=True, before=1, after=4, rest=1, pairs=1),
    "inline": Reach(inside=False, before=0, after=0, rest=8, pairs=0),
}
ALL = dict.fromkeys(FORMS, Reach(inside=True, before=1 << 30, after=1 << 30, rest=0, pairs=60))


def faithful(page: bytes, rewritten: Rewritten) -> Rewritten:
    """``rewritten``; raises ``UnfaithfulError`` unless it is the page with what was put in."""
    places = [insertion.at for insertion in rewritten.insertions]
    if places != sorted(places) or (places and not 0 <= places[0] <= places[-1] <= len(page)):
        raise UnfaithfulError(f"the insertions stand at {places}", page)
    if splice(page, rewritten.insertions) != rewritten.output:
        raise UnfaithfulError("the output less the insertions is not the page", page)
    if not rewritten.insertions and rewritten.output != page:
        raise UnfaithfulError("changed without an insertion", page)
    return rewritten


def check(page: bytes, ways: Iterable[Cuts], *, containers: bool = False) -> int:
    """Send ``page`` whole and cut in each of these ways; how many runs that took. Raises ``UnfaithfulError``.

    What leaves is the page with what the scanner alone would insert, but for the marks, which nothing in a stream is.
    """
    rewritten = faithful(page, rewrite(page, containers=containers))
    expected = splice(page, [insertion for insertion in rewritten.insertions if insertion.kind != "mark"])
    listed = [(), *ways]
    for cuts, output in zip(listed, outputs(page, listed, containers=containers), strict=True):
        if output != expected:
            raise UnfaithfulError("other bytes than of the page in one piece", page, cuts)
    return len(listed)


def one_point(case: Case, reach: Reach) -> Iterator[Cuts]:
    """The one-point splits of a case."""
    first, last, size = case.start, case.end, len(case.page)
    if b"<" in case.input or reach.after >= size:
        first, last = max(first - reach.before, 0), min(last + reach.after, size)
        yield from ((at,) for at in _random(case).sample(range(size + 1), min(reach.rest, size + 1)))
    elif case.form != "bare":
        # Character references and the like: the scanner never looks at them.
        first, last = case.start + 1, case.start + 1
    if reach.inside:
        yield from ((at,) for at in range(first, last + 1))


def two_point(case: Case, reach: Reach) -> Iterator[Cuts]:
    """A sample of the two-point splits of a case."""
    dice, size = _random(case), len(case.page)
    for _ in range(reach.pairs):
        near = dice.randint(max(case.start - 2, 0), min(case.end + 2, size))
        other = dice.choice((dice.randint(0, size), dice.randint(case.start, case.end), min(near + 1, size)))
        yield (min(near, other), max(near, other))


def _random(case: Case) -> Random:
    return Random(case.id)
