"""What a client's headers alone come to, remembered: whoever asks in the same words is not read again.

Strategy: two requests of one reader differ in path, cookie and referrer and in nothing else, so all that follows from
the rest is found by one look-up, under the key that the detectors use. Bounded in entries and in bytes.
"""

from __future__ import annotations

from collections.abc import Callable

from contentguard.crawlers.signatures import is_signed
from contentguard.detect import Known, key, look
from contentguard.model import Crawler, Facts, Verdict
from contentguard.rewrite.codings import accepts

_MOST = 1024
"""How many callers are remembered, of at most 2 KiB of headers each (``detect.key``)."""


class Caller:
    """All who ask in the same words."""

    __slots__ = ("conditional", "gzips", "known", "may_wait", "verdict")

    def __init__(self, known: Known, *, may_wait: bool, gzips: bool, conditional: bool) -> None:
        self.known = known
        """What the detectors say of the headers."""
        self.may_wait = may_wait
        """Whether judging the request may have to ask somebody else: only robots and a limit on requests do."""
        self.gzips = gzips
        """Whether gzip is accepted."""
        self.conditional = conditional
        """Whether the request names what the client holds already (If-None-Match)."""
        self.verdict: Verdict | None = None
        """The verdict on all of them, where there is nothing else to judge by."""


class Callers:
    """Those of one guard. ``match`` tells which declared robot a User-Agent names; ``limited``: all requests count."""

    def __init__(self, match: Callable[[bytes], Crawler | None], *, limited: bool) -> None:
        self._match, self._limited = match, limited
        self._known: dict[object, Caller] = {}

    def find(self, facts: Facts) -> Caller:
        """Who asks."""
        told = key(facts)
        return self._known.get(told) or self._met(facts, told)

    def _met(self, facts: Facts, told: object) -> Caller:
        robot = self._match(facts.header(b"user-agent") or b"")
        made = Caller(
            look(facts),
            may_wait=self._limited or robot is not None or is_signed(facts.headers),
            gzips=accepts(b",".join(value for name, value in facts.headers if name == b"accept-encoding"), b"gzip"),
            conditional=facts.header(b"if-none-match") is not None,
        )
        if told is not None:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[told] = made
        return made
