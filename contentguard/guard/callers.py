"""What a client's headers alone come to, remembered: whoever asks in the same words is not read again.

Strategy: two requests of one reader differ in path, cookie and referrer and in nothing else, so all that follows from
the rest is found by one look-up, under the key that the detectors use. Who asks in new words is mostly like somebody
else in all but their wording: the same browser, in the same manner. That is a second look-up, and a reader never seen
is seldom examined. Bounded in entries and in bytes. Both tables are of two generations: when the younger is full, the
older is forgotten, and what was asked for in between is in neither danger. So whoever floods them with inventions
makes nobody slow who comes more often than once in so many of those, and the others by one examination each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b

from contentguard.detect import TOLD, Known, examine, fingerprint, is_prefetch, key, manner
from contentguard.model import MOST_HEADERS, Crawler, Facts, Verdict
from contentguard.rewrite.codings import accepts

_MOST = 1024
"""How many callers are remembered, of at most 2 KiB of headers each (``detect.key``) and as much of their values; and
how many manners."""
_VERDICTS = 16
"""Kinds of sessions whose verdicts are remembered, for each set of signals that headers give."""
_DOCUMENTS = (b"document", b"iframe", b"frame")
_NEED_NO_REFERER = (b"none", b"same-site", b"cross-site")


class Caller:
    """All who ask in the same words."""

    __slots__ = (
        *("_cluster", "_said", "_secret", "ahead", "conditional", "cookies", "forwarded", "gzips", "kind", "known"),
        *("may_wait", "reads", "robot", "says_so", "signed", "site", "tag", "verdicts"),
    )
    _cluster: int | None

    def __init__(
        self,
        known: Known,
        headers: tuple[tuple[bytes, bytes], ...],
        values: Mapping[bytes, bytes],
        robot: Crawler | None,
        verdicts: dict[tuple[str, ...], Verdict],
        accepted: bytes,
        *,
        limited: bool,
        secret: bytes = b"",
    ) -> None:
        """``values``: the first value of each header. ``accepted``: what codings are. ``limited``: all requests count.
        ``secret``: keys clusters. Long because it says what each of its many attributes is."""
        self.known, self.tag = known, f" {known.fingerprint:x}"
        """What the detectors say of the headers; what follows the address in the name of a client without a cookie."""
        self.robot = robot
        """The declared robot that the User-Agent names."""
        self.signed = b"signature-input" in values
        self.may_wait = limited or self.signed or robot is not None
        """Whether judging the request may have to ask somebody else: only robots and a limit on requests do."""
        self.forwarded = b"x-forwarded-for" in values or b"forwarded" in values
        self.gzips = accepts(accepted, b"gzip")
        """Whether gzip is accepted."""
        self.conditional = b"if-none-match" in values
        """Whether the request names what the client holds already (If-None-Match)."""
        self.cookies = tuple([at for at, pair in enumerate(headers) if pair[0] == b"cookie"])
        """Where among the headers the cookies stand: mostly one header, though HTTP/2 may send one for each cookie (RFC
        9113 §8.2.3)."""
        dest, site = values.get(b"sec-fetch-dest", b"document"), values.get(b"sec-fetch-site", b"")
        self.reads = dest in _DOCUMENTS and not is_prefetch(values)
        """Whether somebody opens a page: neither a browser ahead of its reader, nor a page that embeds another."""
        self.ahead = values.get(b"sec-purpose", b"").startswith(b"prefetch")
        """Whether a browser asks for what its reader may never look at. What older ones say instead comes from such as
        would show the answer, whatever its status."""
        self.site = site if b"referer" in values or site in _NEED_NO_REFERER else None
        """Where from (Sec-Fetch-Site); empty where only a Referer tells, None where nothing does or bears it out."""
        self.says_so = not self.reads and (dest == b"empty" or dest in _DOCUMENTS) and self.site in (None, b"none")
        """Whether only its own word is for it that this is a browser ahead of its reader, or an open page's script."""
        agent = known.agent
        self.kind = f"{agent.engine} {agent.system} {agent.mobile}"
        """The kind of browser, which stays the same when it is updated."""
        self._secret, self._said, self._cluster = secret, tuple(map(values.get, TOLD)), None
        self.verdicts = verdicts
        """What is noticed in a session → the verdict on all of them, where there is nothing else to judge by."""

    def in_words(self, values: Mapping[bytes, bytes]) -> Caller:
        """Who asks in the same manner (``detect.manner``) with these headers' values."""
        said = tuple(map(values.get, TOLD))
        if said == self._said:
            return self
        made: Caller = object.__new__(Caller)
        names, signals, agent, _ = self.known
        number = fingerprint(agent, values)
        made.known, made.tag = Known(names, signals, agent, number), f" {number:x}"
        made.robot, made.signed, made.may_wait, made.forwarded = self.robot, self.signed, self.may_wait, self.forwarded
        made.gzips, made.conditional, made.cookies, made.reads = self.gzips, self.conditional, self.cookies, self.reads
        made.site, made.says_so, made.kind, made.verdicts = self.site, self.says_so, self.kind, self.verdicts
        made.ahead = self.ahead
        made._secret, made._said, made._cluster = self._secret, said, None
        return made

    @property
    def cluster(self) -> int:
        """The fingerprint cluster: the same for a page and for its parts, by a number that outlasts this process.

        Worked out when it is asked for: verdicts on most requests do not depend on it.
        """
        if self._cluster is None:
            agent = self.known.agent
            kind = f"{agent.engine} {agent.major} {agent.system} {agent.mobile} {agent.plain}".encode()
            self._cluster = _number((kind, *self._said), self._secret)
        return self._cluster

    def cluster_at(self, facts: Facts) -> int:
        """The cluster, with what a proxy says of the connection."""
        ja4 = facts.network.ja4 if facts.network is not None else ""
        return _number((b"%d" % self.cluster, ja4.encode()), self._secret) if ja4 else self.cluster

    def keep(self, names: tuple[str, ...], verdict: Verdict) -> None:
        """Remember a verdict, for all whose headers give the same signals."""
        if len(self.verdicts) >= _VERDICTS:
            self.verdicts.clear()
        self.verdicts[names] = verdict


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
        self._known_before: dict[object, Caller] = {}
        self._manners: dict[object, Caller] = {}
        self._manners_before: dict[object, Caller] = {}
        self._verdicts: dict[tuple[str, ...], dict[tuple[str, ...], Verdict]] = {}

    def find(self, facts: Facts) -> Caller:
        """Who asks."""
        told = key(facts)
        return self._known.get(told) or self._met(facts, told)

    def _met(self, facts: Facts, told: object) -> Caller:
        found = self._known_before.get(told)
        if found is None:
            values = dict(facts.headers[::-1])
            robot = self._match(values.get(b"user-agent", b""))
            # What a robot is called stands in its User-Agent, so no two are alike.
            alike = told is not None and robot is None
            found = self._in_manner(facts, values) if alike else self._new(facts, values, robot)
        if told is not None:
            if len(self._known) >= _MOST // 2:
                self._known, self._known_before = {}, self._known
            self._known[told] = found
        return found

    def _in_manner(self, facts: Facts, values: dict[bytes, bytes]) -> Caller:
        """Who asks, by what is known of others who asked in this manner."""
        how = manner(facts, values)
        found = self._manners.get(how)
        if found is None:
            found = self._manners_before.get(how) or self._new(facts, values, None)
            if len(self._manners) >= _MOST // 2:
                self._manners, self._manners_before = {}, self._manners
            self._manners[how] = found
        return found.in_words(values)

    def _new(self, facts: Facts, values: dict[bytes, bytes], robot: Crawler | None) -> Caller:
        known, accepted = examine(facts, values), values.get(b"accept-encoding", b"")
        if len(values) < len(facts.headers):
            # Several lines of one header say together what is accepted (RFC 9110 §5.3).
            accepted = b",".join([value for name, value in facts.headers if name == b"accept-encoding"])
        verdicts = self._verdicts_of(known, facts)
        return Caller(
            known, facts.headers, values, robot, verdicts, accepted, limited=self._limited, secret=self._secret
        )

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
