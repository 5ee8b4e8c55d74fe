"""A page on its way through, chunk by chunk: scanned as it comes, with the insertions made as their places pass.

Strategy: only an unfinished token is held back, but for one thing that cannot be known at once. Whether a page is an
article shows in its body, and the insertions in its head come before: so from the end of the head on the page is held
until it is certain, or ``release`` is called because that takes too long; then what belongs in the head goes to the
article's end instead. What was answered under the same path before decides nothing. The same bytes come out however the
page is cut. Whatever goes wrong, the rest of the page passes as it came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from enum import Enum

from contentguard.rewrite.article import Finder, Found
from contentguard.rewrite.head import PRESCAN
from contentguard.rewrite.page import Field, Fragment, Part, Slot
from contentguard.rewrite.plan import Plan, Untouched
from contentguard.rewrite.scan import TooDeepError
from contentguard.rewrite.template import Values

MAX_TOKEN = 65536
"""A token that is still unfinished after so many bytes ends the rewriting."""
MAX_TAGS = 200_000
"""A page with more tags than this is not read to its end (a large real page has 20,000)."""


class Phase(Enum):
    """Where the page stands."""

    HEAD = "head"
    HOLD = "hold"
    """The head has passed, and it is not known yet whether this is an article."""
    FLOW = "flow"
    """It is one (or the hold was given up): all passes but an unfinished token."""
    PASS = "pass"
    """Nothing more is inserted."""


class Stream:
    """One page. ``feed`` and ``finish`` answer with what may leave."""

    def __init__(
        self,
        finder: Finder,
        read: Callable[[bytes, Found], Plan],
        values: Callable[[Plan], Values],
        *,
        forced: bool = False,
        max_bytes: int = 1 << 22,
    ) -> None:
        """``read`` makes the plan from the page's head, ``values`` what its fields hold for this reader."""
        self._scanner = finder.scanner(forced=forced)
        self._finder, self._read, self._values = finder, read, values
        self._max_bytes = max_bytes
        self.phase = Phase.HEAD
        self.plan: Plan | None = None
        """Set once the page is known to be an article."""
        self.untouched: Untouched | None = None
        """Why nothing (more) was inserted."""
        self._start = bytearray()
        """The page's head: what decides its encoding, and where it says its charset."""
        self._kept: deque[bytes] = deque()
        """Scanned, but not let go."""
        self._sent = 0
        """Offset of the first byte that has not been let go."""
        self._tail = b""
        """Not scanned: an unfinished token."""
        self._going: list[bytes] = []
        """Let go, but not handed out yet: whatever goes wrong in between, it is not lost."""
        self._inserts: deque[tuple[int, bytes]] = deque()
        self._tags = 0
        self._late = False

    @property
    def is_article(self) -> bool:
        """Whether the page has turned out to be one."""
        return self.plan is not None

    def feed(self, chunk: bytes) -> bytes:
        """What may leave when ``chunk`` has come."""
        return self._fed(chunk, final=False)

    def finish(self) -> bytes:
        """What is left when nothing more comes."""
        return self._fed(b"", final=True)

    def release(self) -> bytes:
        """Hold the page no longer: what belongs in its head will go to the article's end."""
        if self.phase is not Phase.HOLD:
            return b""
        self.phase, self._late = Phase.FLOW, True
        self._let_go(self._scanner.settled)
        return self._gone()

    def abandon(self, why: Untouched) -> bytes:
        """Insert nothing more; what was held, as it came."""
        self._give_up(why)
        return self._gone()

    def _fed(self, chunk: bytes, *, final: bool) -> bytes:
        if self.phase is Phase.PASS:
            return chunk
        try:
            self._scanned(chunk, final=final)
        except TooDeepError:
            self._give_up(Untouched.TOO_DEEP)
        except Exception:
            self.failed = True
            self._give_up(Untouched.ERROR)
        return self._gone()

    def _gone(self) -> bytes:
        going, self._going = self._going, []
        return b"".join(going)

    def _give_up(self, why: Untouched) -> None:
        self.phase, self.untouched = Phase.PASS, why
        self._inserts.clear()
        self._let_go(None)

    failed = False
    """Whether an error of ours ended the rewriting."""

    def _scanned(self, chunk: bytes, *, final: bool) -> None:
        scanner = self._scanner
        base, data = scanner.position, self._tail + chunk
        self._tail = data
        if self.phase in (Phase.HEAD, Phase.HOLD) and (len(self._start) < PRESCAN or scanner.result.head_end < 0):
            self._start += chunk
        self._tags += chunk.count(b"<")
        if self._tags > MAX_TAGS:
            self._give_up(Untouched.TOO_MANY_TAGS)
            return
        scanner.feed(data, base, final=final)
        read = len(data) if final else scanner.position - base
        self._kept.append(data[:read])
        self._tail = data[read:]
        self._advance(final=final)
        if self.phase is not Phase.PASS:
            held = scanner.position - self._sent
            if len(self._tail) > MAX_TOKEN or held > self._max_bytes:
                self._give_up(Untouched.TOO_LARGE)

    def _advance(self, *, final: bool) -> None:
        scanner = self._scanner
        if self.phase is Phase.HEAD:
            head_end = scanner.result.head_end
            if head_end < 0 and not final:
                self._let_go(scanner.position)
                return
            if head_end >= 0:
                self._let_go(head_end)
            self.phase = Phase.HOLD
        if self.phase is Phase.HOLD:
            if not scanner.choice.certain and final:
                self._give_up(Untouched.NO_ARTICLE)
            if not scanner.choice.certain or not (final or scanner.done or len(self._start) >= PRESCAN):
                return
            self._recognise()
            if self.untouched is not None:
                self._give_up(self.untouched)
                return
            self.phase = Phase.FLOW
        if self.phase is Phase.FLOW and (scanner.done or final):
            self._end()
        else:
            self._let_go(scanner.settled)

    def _recognise(self) -> None:
        """The page is an article: make its plan, and queue what goes into its head."""
        scanner = self._scanner
        found = self._finder.found(scanner.told(), scanner.choice.live[0] if scanner.choice.live else None)
        self.plan = plan = self._read(bytes(self._start), found)
        self.untouched = plan.untouched
        if not self._late and self.untouched is None:
            self._insert(scanner.result.head_end, _of(plan.fragments, Slot.HEAD))

    def _end(self) -> None:
        """The article has ended (or the page, without one)."""
        article = self._scanner.told().article
        if article is not None and self.plan is None:
            self._recognise()
        if self.plan is not None and article is not None and self.untouched is None:
            if article.place < 0:
                self.untouched = Untouched.NO_PLACE
            else:
                if self._late:
                    self._insert(article.place, _of(self.plan.fragments[self.plan.cards :], Slot.HEAD))
                self._insert(article.place, _of(self.plan.fragments, Slot.ARTICLE_END))
        self.phase = Phase.PASS
        self._let_go(None)

    def _insert(self, offset: int, parts: Iterator[Part]) -> None:
        assert self.plan is not None
        values = self._values(self.plan)
        self._inserts.append((offset, b"".join(values[p] if isinstance(p, Field) else p for p in parts)))

    def _let_go(self, until: int | None) -> None:
        """Let go what stands before the offset ``until``, and the insertions that fall there; None for all there is."""
        out = self._going
        while self._inserts and (until is None or self._inserts[0][0] <= until):
            offset, insert = self._inserts.popleft()
            out += [*self._taken(offset), insert]
        out += self._taken(until)
        if until is None:
            out.append(self._tail)
            self._sent += len(self._tail)
            self._tail = b""

    def _taken(self, until: int | None) -> Iterator[bytes]:
        """Kept bytes up to an offset."""
        while self._kept and (until is None or self._sent < until):
            piece = self._kept.popleft()
            if until is not None and self._sent + len(piece) > until:
                cut = until - self._sent
                self._kept.appendleft(piece[cut:])
                piece = piece[:cut]
            self._sent += len(piece)
            yield piece


def _of(fragments: Sequence[Fragment], slot: Slot) -> Iterator[Part]:
    return (part for fragment in fragments if fragment.slot is slot for part in fragment.parts)
