"""What a client's headers alone come to, remembered: whoever asks in the same words is not read again.

Strategy: two requests of one reader differ in path, cookie and referrer and in nothing else, so all that follows from
the rest is found by one look-up, under the key that the detectors use. Bounded in entries and in bytes.
"""

from __future__ import annotations

from collections.abc import Callable

from contentguard.crawlers.signatures import is_signed
from contentguard.detect import Known, is_prefetch, key, look
from contentguard.model import Crawler, Facts, Verdict
from contentguard.rewrite.codings import accepts

_MOST = 1024
"""How many callers are remembered, of at most 2 KiB of headers each (``detect.key``)."""
_VERDICTS = 16
"""Kinds of sessions of one caller whose verdicts are remembered."""
_DOCUMENTS = (b"document", b"iframe", b"frame")


class Caller:
    """All who ask in the same words."""

    __slots__ = ("conditional", "cookies", "gzips", "kind", "known", "may_wait", "reads", "site", "verdicts")

    def __init__(self, known: Known, facts: Facts, *, may_wait: bool, gzips: bool) -> None:
        self.known = known
        """What the detectors say of the headers."""
        self.may_wait = may_wait
        """Whether judging the request may have to ask somebody else: only robots and a limit on requests do."""
        self.gzips = gzips
        """Whether gzip is accepted."""
        values = dict(facts.headers[::-1])
        self.conditional = b"if-none-match" in values
        """Whether the request names what the client holds already (If-None-Match)."""
        self.cookies = b"cookie" in values
        self.reads = values.get(b"sec-fetch-dest", b"document") in _DOCUMENTS and not is_prefetch(values)
        """Whether somebody opens a page: neither a browser ahead of its reader, nor a page that embeds another."""
        self.site = values.get(b"sec-fetch-site", b"" if b"referer" in values else None)
        """Where from (Sec-Fetch-Site); empty where only a Referer tells, None where nothing does."""
        agent = known.agent
        self.kind = f"{agent.engine} {agent.system} {agent.mobile}"
        """The kind of browser, which stays the same when it is updated."""
        self.verdicts: dict[tuple[str, ...], Verdict] = {}
        """What is noticed in a session → the verdict on all of them, where there is nothing else to judge by."""

    def keep(self, names: tuple[str, ...], verdict: Verdict) -> None:
        """Remember a verdict."""
        if len(self.verdicts) >= _VERDICTS:
            self.verdicts.clear()
        self.verdicts[names] = verdict


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
            facts,
            may_wait=self._limited or robot is not None or is_signed(facts.headers),
            gzips=accepts(b",".join(value for name, value in facts.headers if name == b"accept-encoding"), b"gzip"),
        )
        if told is not None:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[told] = made
        return made
