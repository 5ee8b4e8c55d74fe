"""What a client's headers alone come to, remembered: whoever asks in the same words is not read again.

Strategy: two requests of one reader differ in path, cookie and referrer and in nothing else, so all that follows from
the rest is found by one look-up, under the key that the detectors use. Bounded in entries and in bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b

from contentguard.detect import Known, examine, is_prefetch, key
from contentguard.model import MOST_HEADERS, Crawler, Facts, Verdict
from contentguard.rewrite.codings import accepts

_MOST = 1024
"""How many callers are remembered, of at most 2 KiB of headers each (``detect.key``)."""
_VERDICTS = 16
"""Kinds of sessions whose verdicts are remembered, for each set of signals that headers give."""
_TOLD = (b"accept-language", b"accept-encoding", b"sec-ch-ua", b"sec-ch-ua-platform")
"""Headers that tell clusters apart: those of ``detect.shape.fingerprint``, and hints, which programs often lack."""
_DOCUMENTS = (b"document", b"iframe", b"frame")
_NEED_NO_REFERER = (b"none", b"same-site", b"cross-site")


class Caller:
    """All who ask in the same words."""

    __slots__ = (
        *("_secret", "cluster", "conditional", "cookies", "forwarded", "gzips", "kind", "known", "may_wait", "reads"),
        *("robot", "says_so", "signed", "site", "tag", "verdicts"),
    )

    def __init__(
        self,
        known: Known,
        values: Mapping[bytes, bytes],
        robot: Crawler | None,
        verdicts: dict[tuple[str, ...], Verdict],
        *,
        limited: bool,
        secret: bytes = b"",
    ) -> None:
        """``values``: the first value of each header. ``limited``: all requests count. ``secret``: keys clusters."""
        self.known, self.tag = known, f" {known.fingerprint:x}"
        """What the detectors say of the headers; what follows the address in the name of a client without a cookie."""
        self.robot = robot
        """The declared robot that the User-Agent names."""
        self.signed = b"signature-input" in values
        self.may_wait = limited or self.signed or robot is not None
        """Whether judging the request may have to ask somebody else: only robots and a limit on requests do."""
        self.forwarded = b"x-forwarded-for" in values or b"forwarded" in values
        self.gzips = accepts(values.get(b"accept-encoding", b""), b"gzip")
        """Whether gzip is accepted."""
        self.conditional = b"if-none-match" in values
        """Whether the request names what the client holds already (If-None-Match)."""
        self.cookies = b"cookie" in values
        dest, site = values.get(b"sec-fetch-dest", b"document"), values.get(b"sec-fetch-site", b"")
        self.reads = dest in _DOCUMENTS and not is_prefetch(values)
        """Whether somebody opens a page: neither a browser ahead of its reader, nor a page that embeds another."""
        self.site = site if b"referer" in values or site in _NEED_NO_REFERER else None
        """Where from (Sec-Fetch-Site); empty where only a Referer tells, None where nothing does or bears it out."""
        self.says_so = not self.reads and (dest == b"empty" or dest in _DOCUMENTS) and self.site in (None, b"none")
        """Whether only its own word is for it that this is a browser ahead of its reader, or an open page's script."""
        agent = known.agent
        self.kind = f"{agent.engine} {agent.system} {agent.mobile}"
        """The kind of browser, which stays the same when it is updated."""
        self._secret = secret
        self.cluster = _cluster(known, values, secret)
        """The fingerprint cluster: the same for a page and for its parts, by a number that outlasts this process."""
        self.verdicts = verdicts
        """What is noticed in a session → the verdict on all of them, where there is nothing else to judge by."""

    def cluster_at(self, facts: Facts) -> int:
        """The cluster, with what a proxy says of the connection."""
        ja4 = facts.network.ja4 if facts.network is not None else ""
        return _number((b"%d" % self.cluster, ja4.encode()), self._secret) if ja4 else self.cluster

    def keep(self, names: tuple[str, ...], verdict: Verdict) -> None:
        """Remember a verdict, for all whose headers give the same signals."""
        if len(self.verdicts) >= _VERDICTS:
            self.verdicts.clear()
        self.verdicts[names] = verdict


def _cluster(known: Known, values: Mapping[bytes, bytes], secret: bytes) -> int:
    agent = known.agent
    kind = f"{agent.engine} {agent.major} {agent.system} {agent.mobile} {agent.plain}".encode()
    return _number((kind, *map(values.get, _TOLD)), secret)


def _number(parts: Iterable[bytes | None], secret: bytes) -> int:
    # Each part with its length before it, so that no header's text can pass for the end of another's. (Their repr would
    # tell them apart too, and takes over a millisecond for the longest headers that servers let through.)
    told = b"".join(b"-" if part is None else b"%d:%b" % (len(part), part) for part in parts)
    return int.from_bytes(blake2b(told, digest_size=8, key=secret).digest(), "big")


class Callers:
    """Those of one guard. ``match`` tells which declared robot a User-Agent names; ``limited``: all requests count;
    ``secret``: up to 64 bytes that key clusters."""

    def __init__(self, match: Callable[[bytes], Crawler | None], *, limited: bool, secret: bytes = b"") -> None:
        self._match, self._limited, self._secret = match, limited, secret
        self._known: dict[object, Caller] = {}
        self._verdicts: dict[tuple[str, ...], dict[tuple[str, ...], Verdict]] = {}

    def find(self, facts: Facts) -> Caller:
        """Who asks."""
        told = key(facts)
        return self._known.get(told) or self._met(facts, told)

    def _met(self, facts: Facts, told: object) -> Caller:
        values = dict(facts.headers[::-1])
        known, robot = examine(facts, values), self._match(values.get(b"user-agent", b""))
        if len(values) < len(facts.headers):
            # Several lines of one header say together what is accepted (RFC 9110 §5.3).
            every = [value for name, value in facts.headers if name == b"accept-encoding"]
            values[b"accept-encoding"] = b",".join(every)
        made = Caller(known, values, robot, self._verdicts_of(known, facts), limited=self._limited, secret=self._secret)
        if told is not None:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[told] = made
        return made

    def _verdicts_of(self, known: Known, facts: Facts) -> dict[tuple[str, ...], Verdict]:
        """Where the verdicts are kept on all whose headers give the same signals: mostly none, so nearly every reader.

        Who sends more headers than are read is judged by that too.
        """
        if len(facts.headers) > MOST_HEADERS:
            return {}
        kept = self._verdicts.get(known.names)
        if kept is None:
            if len(self._verdicts) >= _MOST:
                self._verdicts.clear()
            kept = self._verdicts[known.names] = {}
        return kept
