"""A page that differs from one seen before in a few places (a CSRF token, a clock) is scanned there and nowhere else.

Strategy: the scanner is a function of its state and the bytes that follow. The page seen before (``Base``) is cut every
few kilobytes, and the scanner's state is kept for each cut. Where a new body has the same bytes between two cuts, the
same things stand there, a little further up or down. Where it has not, that gap alone is scanned, from the state at its
start, and what follows counts as known only if the scanner arrives at the next cut's bytes in exactly the next cut's
state. Any doubt: None, and the page is scanned from its start. Nothing behind the article's end is looked at.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from contentguard.rewrite.choice import Candidate, Run
from contentguard.rewrite.scan import Scan, Scanner, State
from contentguard.turns import Turns

_STEP = 2048
_STEP_IN_HEAD = 512
"""Heads hold most of what changes, and are short."""
_PAUSE = 65536
"""Bytes between two pauses, as when another page is scanned."""
_LOOK_AHEAD = 16
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


def with_cuts(scanner: Scanner, body: bytes) -> Turns[Base]:
    """Scan ``body`` to its end, keeping the cuts; stops after every few. Raises ``TooDeepError``."""
    cuts = [_cut(scanner)]
    until = paused = 0
    while not scanner.done and until < len(body):
        until = max(until, scanner.position) + (_STEP_IN_HEAD if scanner.in_head else _STEP)
        scanner.feed(body, 0, until=until)
        if scanner.resumable and scanner.position > cuts[-1].offset:
            cuts.append(_cut(scanner))
        if scanner.position > paused + _PAUSE:
            paused = scanner.position
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
        self.runs: list[Run] = []
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
        base, new = self.base, self.body
        old, cuts, start = base.body, base.cuts, base.cuts[index].offset
        for following in range(index + 1, len(cuts)):
            end = cuts[following].offset
            if not new.startswith(old[start:end], start + shift):
                return following - 1
            start = end
        whole = base.end < len(old) or len(new) == len(old) + shift
        return len(cuts) - (not (whole and new.startswith(old[start : base.end], start + shift)))

    def _keep(self, index: int, until: int, shift: int) -> None:
        """What stands between two cuts stands in the new body, too."""
        base, cuts, result = self.base, self.base.cuts, self.result
        stretch = _Stretch(self._offset(index), self._offset(until), shift)
        self.known.append(stretch)
        if base.scan.article is not None:
            self.runs += _shifted(base.scan.article.runs, stretch)
        last = cuts[until].metadata if until < len(cuts) else None
        result.metadata += base.scan.metadata[cuts[index].metadata : last]
        before = cuts[index].state.seen
        after = cuts[until].state.seen if until < len(cuts) else (True, True)
        if after[0] and not before[0]:
            result.html_tag = base.scan.html_tag
        if after[1] and not before[1]:
            result.title = base.scan.title

    def _gap(self, index: int, shift: int) -> tuple[int, int]:
        """Scan from a cut to one of the next; which, and by how much what follows has moved."""
        cuts, scanner = self.base.cuts, self._from(index, shift)
        for following in range(index + 1, min(index + 1 + _LOOK_AHEAD, len(cuts))):
            cut = cuts[following]
            at = self._place_of(cut.offset, index, shift)
            if at < scanner.position:
                continue
            scanner.feed(self.body, 0, until=at)
            if scanner.done:
                break
            if scanner.position == at and scanner.resumable and scanner.state() == cut.state:
                self._take(scanner)
                starts = [candidate.inner_start for candidate in scanner.choice.live]
                self.inner_starts.update(zip(cut.inner_starts, starts, strict=True))
                # What was open may have been a mere teaser: only what stands in the article will count.
                self.runs += scanner.choice.live[0].runs if scanner.choice.live else []
                return following, at - cut.offset
        self._to_the_end(scanner, cuts[index], shift)
        return len(cuts), 0

    def _to_the_end(self, scanner: Scanner, cut: Cut, shift: int) -> None:
        """No place was found where the bodies agree again: scan all that is left."""
        article = scanner.scan(self.body).article
        self._take(scanner)
        self.article, self.result.named = article, scanner.choice.named
        if article is None:
            return
        if article.inner_start <= cut.offset + shift:
            # It was open at the cut: what was noted of its text before counts, if that was noted of the same element.
            old = self.base.scan.article
            same = old is not None and old.inner_start <= cut.offset and self._new(old.inner_start)
            if same != article.inner_start:
                raise _DoubtError
        self.runs += article.runs

    def _place_of(self, offset: int, index: int, shift: int) -> int:
        """Where in the new body the base's ``offset`` may be: unmoved, or the nearest place that looks like it."""
        anchor, expected = self.base.body[offset : offset + _ANCHOR], offset + shift
        if self.body.startswith(anchor, expected):
            return expected
        behind = self.body.find(anchor, expected, expected + _DRIFT)
        before = self.body.rfind(anchor, max(self._offset(index) + shift, expected - _DRIFT), expected + _ANCHOR)
        nearest = before >= 0 and (behind < 0 or expected - before < behind - expected)
        return before if nearest else behind

    def _from(self, index: int, shift: int) -> Scanner:
        cut = self.base.cuts[index]
        starts = [self._new(start) for start in cut.inner_starts]
        scanner = self.new_scanner()
        scanner.restore(cut.state, cut.offset + shift, starts)
        return scanner

    def _take(self, scanner: Scanner) -> None:
        """What the scanner found in a gap."""
        found, result = scanner.result, self.result
        result.metadata += found.metadata
        result.head_end = max(result.head_end, found.head_end)
        result.html_tag = result.html_tag or found.html_tag
        result.title = found.title if result.title is None else result.title

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
        result, old, article = self.result, self.base.scan, self.article
        if result.head_end < 0 and old.head_end >= 0:
            result.head_end = self._new(old.head_end)
        if article is None and old.article is not None and self._reached_the_end:
            article, result.named = old.article, old.named
            place = article.place if article.place < 0 else self._new(article.place)
            inner_start, end = self._new(article.inner_start), self._new(article.end)
            article = replace(article, inner_start=inner_start, end=end, place=place)
        if article is not None:
            first, last = (bisect_left(self.runs, (edge, -1)) for edge in (article.inner_start, article.end))
            article.runs = self.runs[first:last]
        result.article = article
        return result

    @property
    def _reached_the_end(self) -> bool:
        """Whether the last bytes that the base's scanner read are known, and not scanned anew."""
        return bool(self.known) and self.known[-1].end == self.base.end


def _shifted(runs: list[Run], stretch: _Stretch) -> list[Run]:
    """Those that stand in ``stretch``, where they stand now."""
    first, last = (bisect_left(runs, (edge, -1)) for edge in (stretch.start, stretch.end))
    shift, some = stretch.shift, runs[first:last]
    return [(start + shift, end + shift) for start, end in some] if shift else some
