"""A page that differs from one seen before in a few places (a CSRF token, a clock) is scanned there and nowhere else.

Strategy: the scanner is a function of its state and the bytes that follow. The page seen before (``Base``) is cut
about every 4 KiB, and the scanner's state is kept for each cut. Where a new body has the same bytes between two cuts,
the same things stand there, a little further up or down. Where it has not, that gap alone is scanned, from the state at
its start, and what follows counts as known only if the scanner arrives at the next cut's bytes in exactly the next
cut's state. Any doubt: None, and the page is scanned from its start. Nothing behind the article's end is looked at.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from contentguard.rewrite.choice import Candidate, Run
from contentguard.rewrite.scan import Scan, Scanner, State

_STEP = 4096
_PAUSE = 16
"""Cuts between two pauses: as many bytes as another page is scanned in one go."""
_LOOK_AHEAD = 8
"""How many cuts are tried for the place where the bodies agree again."""
_ANCHOR = 48
"""Bytes by which such a place is recognised; whether it is one is for the scanner's state to say."""
_DRIFT = 16384
"""How many bytes longer or shorter a changed stretch may have become."""


class Cut(NamedTuple):
    """A place between two tags of the base."""

    offset: int
    state: State
    inner_starts: tuple[int, ...]
    """Where the open candidates' content begins."""
    metadata: int
    """How many meta and link tags stand before it."""


@dataclass(frozen=True, slots=True)
class Base:
    """A page that was scanned with cuts."""

    body: bytes
    scan: Scan
    cuts: Sequence[Cut]
    end: int
    """Where the scanner stopped: nothing from there on decides anything."""

    @property
    def size(self) -> int:
        """Bytes held, for the cache's account."""
        return len(self.body) + 512 * len(self.cuts)


class _Stretch(NamedTuple):
    """Bytes ``[start, end)`` of the base that stand in the new body ``shift`` bytes further on."""

    start: int
    end: int
    shift: int


def with_cuts(scanner: Scanner, body: bytes) -> Generator[None, object, Base]:
    """Scan ``body`` to its end, keeping the cuts; stops after every few. Raises ``TooDeepError``."""
    cuts = [_cut(scanner)]
    until = _STEP
    while not scanner.done and until < len(body):
        scanner.feed(body, 0, until=until)
        if scanner.resumable and scanner.position > cuts[-1].offset:
            cuts.append(_cut(scanner))
        until = max(until, scanner.position) + _STEP
        if len(cuts) % _PAUSE == 0:
            yield
    scan = scanner.scan(body)
    return Base(body, scan, cuts, scanner.position)


def resume(base: Base, body: bytes, scanner: Callable[[], Scanner]) -> Scan | None:
    """The scan of ``body``, if the base helps to it; what a full scan would have found."""
    try:
        return _Resumed(base, body, scanner).scan()
    except _DoubtError:
        return None


class _DoubtError(Exception):
    pass


def _cut(scanner: Scanner) -> Cut:
    starts = tuple(candidate.inner_start for candidate in scanner.choice.live)
    return Cut(scanner.position, scanner.state(), starts, len(scanner.result.metadata))


class _Resumed:
    def __init__(self, base: Base, body: bytes, scanner: Callable[[], Scanner]) -> None:
        self.base, self.body, self.new_scanner = base, body, scanner
        self.known: list[_Stretch] = []
        self.inner_starts: dict[int, int] = {}
        """Base offset → new offset of candidates that began inside a gap."""
        self.metadata: list[bytes] = []
        self.runs: list[Run] = []
        """Those inside gaps."""
        self.result = Scan()
        self.article: Candidate | None = None

    def scan(self) -> Scan:
        cuts, index, shift = self.base.cuts, 0, 0
        while index < len(cuts):
            same = self._same_until(index, shift)
            if same > index:
                self._keep(index, same, shift)
                index = same
            else:
                index, shift = self._gap(index, shift)
        return self._merged()

    def _offset(self, index: int) -> int:
        return self.base.cuts[index].offset if index < len(self.base.cuts) else self.base.end

    def _same_until(self, index: int, shift: int) -> int:
        """The last cut up to which both bodies are the same from ``index`` on."""
        old, new, start = self.base.body, self.body, self._offset(index)
        low, high = index, len(self.base.cuts)
        whole = self.base.end == len(old)
        if old[start : self.base.end] == new[start + shift : self.base.end + shift] and (
            not whole or len(new) == len(old) + shift
        ):
            return high
        high -= 1
        while low < high:
            middle = (low + high + 1) // 2
            begin, end = self._offset(low), self._offset(middle)
            if old[begin:end] == new[begin + shift : end + shift]:
                low = middle
            else:
                high = middle - 1
        return low

    def _keep(self, index: int, until: int, shift: int) -> None:
        cuts = self.base.cuts
        self.known.append(_Stretch(self._offset(index), self._offset(until), shift))
        last = cuts[until].metadata if until < len(cuts) else None
        self.metadata += self.base.scan.metadata[cuts[index].metadata : last]
        before = cuts[index].state.seen
        after = cuts[until].state.seen if until < len(cuts) else (True, True)
        if after[0] and not before[0]:
            self.result.html_tag = self.base.scan.html_tag
        if after[1] and not before[1]:
            self.result.title = self.base.scan.title

    def _gap(self, index: int, shift: int) -> tuple[int, int]:
        """Scan from a cut to one of the next; which, and by how much what follows has moved."""
        cuts = self.base.cuts
        for following in range(index + 1, min(index + 1 + _LOOK_AHEAD, len(cuts))):
            at = self._place_of(cuts[following].offset, index, shift)
            scanner = self._from(index, shift)
            scanner.feed(self.body, 0, until=at)
            if scanner.position == at and scanner.resumable and scanner.state() == cuts[following].state:
                self._take(scanner)
                self._take_runs(scanner, cuts[following])
                starts = [candidate.inner_start for candidate in scanner.choice.live]
                self.inner_starts.update(zip(cuts[following].inner_starts, starts, strict=True))
                return following, at - cuts[following].offset
            if scanner.done:
                break
        self._to_the_end(index, shift)
        return len(cuts), 0

    def _to_the_end(self, index: int, shift: int) -> None:
        """No place was found where the bodies agree again: scan all that is left."""
        cut, scanner = self.base.cuts[index], self._from(index, shift)
        article = scanner.scan(self.body).article
        self._take(scanner)
        self.article, self.result.named = article, scanner.choice.named
        if article is not None and cut.inner_starts and article.inner_start <= cut.offset + shift:
            # It was open at the cut: what was noted of its text before counts, if that was noted of the same element.
            old = self.base.scan.article
            if old is None or old.inner_start not in cut.inner_starts:
                raise _DoubtError
            article.runs = [run for run in self._merged_runs(old.runs) + article.runs if run[1] <= article.end]

    def _place_of(self, offset: int, index: int, shift: int) -> int:
        """Where in the new body the base's ``offset`` may be: unmoved, or the nearest place that looks like it."""
        anchor, expected = self.base.body[offset : offset + _ANCHOR], offset + shift
        behind = self.body.find(anchor, expected, expected + _DRIFT)
        if behind == expected:
            return expected
        before = self.body.rfind(anchor, self._offset(index) + shift, expected + _ANCHOR)
        nearest = before >= 0 and (behind < 0 or expected - before < behind - expected)
        return before if nearest else behind

    def _from(self, index: int, shift: int) -> Scanner:
        cut = self.base.cuts[index]
        starts = [self._new(start) for start in cut.inner_starts]
        scanner = self.new_scanner()
        scanner.restore(cut.state, cut.offset + shift, starts)
        return scanner

    def _take_runs(self, scanner: Scanner, cut: Cut) -> None:
        """The text runs found in a gap, if they are the article's: what was open then may have been a mere teaser."""
        found, old = scanner.choice.live[0].runs if scanner.choice.live else [], self.base.scan.article
        if not found or old is None or old.end < cut.offset:
            return
        if not (old.inner_start in cut.inner_starts or (old.runs and old.runs[0][0] < cut.offset)):
            raise _DoubtError
        self.runs += found

    def _take(self, scanner: Scanner) -> None:
        found = scanner.result
        self.metadata += found.metadata
        self.result.head_end = max(self.result.head_end, found.head_end)
        self.result.html_tag = self.result.html_tag or found.html_tag
        self.result.title = found.title if self.result.title is None else self.result.title

    def _new(self, offset: int) -> int:
        """Where a place of the base is in the new body."""
        if offset in self.inner_starts:
            return self.inner_starts[offset]
        for start, end, shift in self.known:
            # What stands exactly at a stretch's end belongs to the bytes before it: a place is where a token begins.
            if start <= offset < end or offset == end == self.base.end:
                return offset + shift
        raise _DoubtError

    def _merged(self) -> Scan:
        result, old = self.result, self.base.scan
        result.metadata = self.metadata
        if result.head_end < 0 and old.head_end >= 0:
            result.head_end = self._new(old.head_end)
        result.article = self.article
        if self.article is None and old.article is not None:
            article = old.article
            place = article.place if article.place < 0 else self._new(article.place)
            inner_start, end = self._new(article.inner_start), self._new(article.end)
            runs, result.named = self._merged_runs(article.runs), old.named
            result.article = replace(article, inner_start=inner_start, end=end, place=place, runs=runs)
        return result

    def _merged_runs(self, old: Sequence[Run]) -> list[Run]:
        """The old text runs where they are now, but for those in gaps, whose new ones were found."""
        kept: list[Run] = []
        for begin, stop, shift in self.known:
            first, last = (bisect_left(old, (edge, -1)) for edge in (begin, stop))
            kept += [(start + shift, end + shift) for start, end in old[first:last]]
        return sorted([*kept, *self.runs])
