"""Who is back: what one client does between its requests, remembered under its cookie or its address and headers.

    begin ─▶ Visit, and Facts with its session ─▶ judged ─▶ an article ─ article ─▶ its session with this page in it

Strategy: a client whose own cookie came back is known by it, any other by its network and its headers' fingerprint. A
first article hands out a cookie and counts for both, and what follows it counts for both, so neither who keeps cookies
nor who drops them looks like somebody new. The cookie also carries when its browser last fetched a page's parts: that
much is known by every process, whichever answered. Everything here is arithmetic on tables of fixed size; nothing
waits.
"""

from __future__ import annotations

from secrets import token_hex
from urllib.parse import unquote, urlsplit

from contentguard.addresses import neighbourhood, prefix
from contentguard.admission.passes import Pass, fresh, named, read, short, write
from contentguard.detect import honeylinks, report
from contentguard.detect.aggregates import Aggregates
from contentguard.detect.neighbours import Neighbours
from contentguard.detect.network import read as read_network
from contentguard.detect.order import SiteOrder
from contentguard.detect.sessions import BARE, FOLLOWED, NONE, RETURNED, UNSHOWN, Sessions
from contentguard.guard.callers import Caller
from contentguard.model import Facts, Network, Session, told
from contentguard.rewrite.page import Field
from contentguard.rewrite.template import Values
from contentguard.settings import Settings
from contentguard.tokens import Signer

COOKIE, SECURE_COOKIE = b"contentguard", b"__Host-contentguard"
_RENEWED = 300.0
"""Seconds after which a cookie is told again that its browser fetches pages' parts."""
_EXCUSED = 1800.0
"""Seconds for which that excuses pages whose parts this process has not seen fetched."""
_JUST_GIVEN = 120.0
"""Seconds after which a cookie's first pages need no crediting to the address any more."""
_CLOCKS = 60.0
"""Seconds by which other machines' clocks may be ahead."""
_KEPT, _KEPT_BYTES = 4096, 512
_SUSPICIOUS = 1.0
"""Score from which a client counts as a suspicious neighbour."""
_REFERER = 1024
"""No more of a Referer is read."""
_OWN_PAGES = (b"same-origin", b"")
"""What Sec-Fetch-Site may say of who came by a link of this site; nothing where it is not sent."""
_TICK = 60
"""Seconds for which one client's pages carry the same tokens."""


class Visit:
    """One request as part of a visit."""

    __slots__ = ("account", "address", "anonymous", "caller", "given", "key", "new", "once", "token")

    def __init__(self, caller: Caller, given: Pass | None, address: str, anonymous: str) -> None:
        self.caller, self.given, self.address, self.anonymous = caller, given, address, anonymous
        self.key = anonymous if given is None else given.id
        """Under what its session is kept."""
        self.account = ""
        """Whom the app knows this reader for."""
        self.once = False
        """Whether this request opens one article without a pass."""
        self.token = b""
        """What it came with that may be a link which opens an article."""
        self.new: Pass | None = None
        """The pass that its answer hands out."""


class Visits:
    """All visits of one site, in this process."""

    def __init__(self, settings: Settings, signer: Signer, *, cookies: bool) -> None:
        """``cookies``: whether readers are given one; not where pages are everybody's and may be kept by anybody."""
        chosen = settings.visits
        self._life = chosen.hours * 3600.0
        self._cookies = chosen.cookie and cookies
        self._keys = signer.derived("pass")
        self._trap_key, self._report_key = signer.derive("honeylink"), signer.derive("report")
        self._names = settings.network
        self._reads_network = any((self._names.asn, self._names.country, self._names.ja3, self._names.ja4))
        self._proxies = settings.proxies
        self.sessions = Sessions(chosen.clients, secret=signer.derive("sessions"))
        self.aggregates = Aggregates(secret=signer.derive("aggregates"))
        self.neighbours = Neighbours(secret=signer.derive("neighbours"))
        self.order = SiteOrder()
        self._kept: dict[bytes, dict[bytes, tuple[Pass, str]]] = {COOKIE: {}, SECURE_COOKIE: {}}
        self._revoked: dict[str, float] = {}
        self._tokens: dict[str, tuple[int, Values]] = {}

    # -- who it is ---------------------------------------------------------------------------------------------

    def begin(self, facts: Facts, caller: Caller) -> Visit:
        """Recognise a client."""
        given = self._given(facts, caller) if caller.cookies else None
        address = prefix(facts.client)
        return Visit(caller, given, address, address + caller.tag)

    def _given(self, facts: Facts, caller: Caller) -> Pass | None:
        """The genuine pass among a request's cookies; None for one that another kind of browser was given."""
        headers, places, kind = facts.headers, caller.cookies, caller.kind
        cookies = headers[places[0]][1] if len(places) == 1 else b"; ".join([headers[at][1] for at in places])
        # What counts on http may come from any subdomain, so on https it must not be known from there.
        name = SECURE_COOKIE if facts.scheme == "https" else COOKIE
        kept = self._kept[name]
        found = kept.get(cookies)
        if found is None:
            passes = [one for text in named(name, cookies) if (one := read(self._keys, text)) is not None]
            found = next(((one, kind) for one in sorted(passes, reverse=True) if one.agent == short(kind)), None)
            if found is None:
                return None
            if len(cookies) <= _KEPT_BYTES:
                if len(kept) >= _KEPT:
                    kept.clear()
                kept[cookies] = found
        given = found[0]
        if self._revoked and self._revoked.get(given.id, 0.0) > facts.now:
            return None
        return given if found[1] == kind and fresh(given, facts.now, self._life) else None

    def revoke(self, name: str, now: float) -> float:
        """A pass of this id is none any more; until when it would have been one, in seconds since the epoch."""
        until = now + self._life + _CLOCKS
        if len(self._revoked) >= _KEPT:
            # The oldest first: it is the first to end.
            del self._revoked[next(iter(self._revoked))]
        self._revoked[name] = until
        return until

    # -- what is known of it -----------------------------------------------------------------------------------

    def tell(self, visit: Visit, facts: Facts, peer: str | None = None) -> None:
        """Complete new facts with all that is known of the client. ``peer``: the other end of the connection."""
        session = self.sessions.read(visit.key, facts.now)
        cluster = None
        if self.aggregates.alarms:
            cluster = self.aggregates.read(visit.caller.cluster_at(facts), facts.now)
        network = self._network(visit, facts, peer) if visit.given is None or self._reads_network else None
        told(facts, session, network, cluster, visit.given is not None and visit.given.level > 0)

    def _network(self, visit: Visit, facts: Facts, peer: str | None) -> Network | None:
        network = None
        if self._reads_network and self._proxies.trusts(peer):
            network = read_network(facts.headers, self._names)
        if visit.given is None:
            others, suspects = self.neighbours.read(neighbourhood(facts.client), visit.address, facts.now)
            if suspects:
                network = (network or Network())._replace(neighbours=others, suspects=suspects)
        return network

    # -- what it does ------------------------------------------------------------------------------------------

    def article(self, visit: Visit, facts: Facts, page: str, *, shows: bool) -> Session | None:
        """Count an article; its client's session with this article in it. None for what is no reading.

        ``page`` names the article; ``shows``: whether the page has parts by which a browser shows.
        """
        caller, now = visit.caller, facts.now
        self.hand_out(visit, now)
        if facts.method != "GET" or not (caller.reads or (caller.says_so and self._shows_nothing(visit, now))):
            return None
        given, mark, ordinal = visit.given, hash(page), self.order.ordinal(facts.path)
        flags = 0 if shows else UNSHOWN
        if given is not None or not self._cookies:
            flags |= RETURNED
        if given is not None and now - given.seen <= _EXCUSED:
            flags |= FOLLOWED
        if caller.site == b"none":
            flags |= NONE
        elif caller.site is None:
            flags |= BARE
        came = 0
        if not flags & FOLLOWED and caller.site in _OWN_PAGES:
            came = _number(_path_of(facts.header(b"referer") or b""))
        path = _number(facts.path)
        session = self.sessions.article(visit.key, now, flags, mark, ordinal, path, came)
        if visit.new is not None:
            self.sessions.article(visit.new.id, now, flags, mark, ordinal, path, came)
        if shows and caller.reads:
            self.aggregates.view(visit.caller.cluster_at(facts), neighbourhood(facts.client), page, now)
        return session

    def _shows_nothing(self, visit: Visit, now: float) -> bool:
        """Whether nobody has seen this client fetch a page's parts, and so look at any page that it took ahead."""
        if visit.given is not None and now - visit.given.seen <= _EXCUSED:
            return False
        session = self.sessions.read(visit.key, now)
        return session is None or not (session.styles or session.scripts or session.images)

    def judged(self, visit: Visit, facts: Facts, score: float) -> None:
        """Remember for its neighbours what came of a client that nobody knows."""
        if visit.given is None:
            self.neighbours.note(neighbourhood(facts.client), visit.address, score >= _SUSPICIOUS, facts.now)

    def fetched(self, visit: Visit, facts: Facts, kind: int, *, sheet: bool = False) -> None:
        """Count a style sheet, script or picture. ``sheet``: the one that is fetched with every article."""
        viewed = self.sessions.fetched(visit.key, kind)
        given, now = visit.given, facts.now
        if given is not None and now - given.issued < _JUST_GIVEN:
            viewed = self.sessions.fetched(visit.anonymous, kind) or viewed
        if sheet:
            self.aggregates.follow(visit.caller.cluster_at(facts), neighbourhood(facts.client), viewed or now, now)
            if given is not None and now - given.seen > _RENEWED:
                visit.new = given._replace(seen=int(now))

    def trapped(self, visit: Visit, facts: Facts, token: str) -> bool:
        """Count a followed honeylink; whether it was this client's own, and followed on purpose."""
        planted = honeylinks.read(self._trap_key, token, visit.anonymous, "", facts.now)
        if planted is None or not planted.own or not honeylinks.counts(facts):
            return False
        self.sessions.trapped(visit.key, facts.now)
        if visit.given is not None:
            self.sessions.trapped(visit.anonymous, facts.now)
        return True

    def reported(self, visit: Visit, facts: Facts, body: bytes) -> bool:
        """Take in a browser's report; whether it was a genuine one."""
        told = report.read(self._report_key, body, visit.anonymous, facts.now)
        if told is None:
            return False
        self.sessions.reported(visit.key, told.flags, facts.now)
        return True

    # -- what it is given --------------------------------------------------------------------------------------

    def fields(self, visit: Visit, now: float) -> Values:
        """The tokens that this client's page carries."""
        tick, known = int(now) // _TICK, self._tokens.get(visit.anonymous)
        if known is not None and known[0] == tick:
            return known[1]
        start = float(tick * _TICK)
        made: Values = {
            Field.TICKET: b"",
            Field.HONEYLINK: honeylinks.make(self._trap_key, visit.anonymous, "", start).encode("ascii"),
            Field.REPORT: report.make(self._report_key, visit.anonymous, start).encode("ascii"),
        }
        if len(self._tokens) >= _KEPT:
            self._tokens.clear()
        self._tokens[visit.anonymous] = tick, made
        return made

    def hand_out(self, visit: Visit, now: float) -> None:
        """Make a pass for who has none."""
        if visit.given is None and visit.new is None and self._cookies:
            visit.new = Pass(token_hex(8), 0, int(now), 0, short(visit.caller.kind), short(visit.address))

    def cookie(self, visit: Visit, facts: Facts) -> bytes | None:
        """The Set-Cookie header's value that an answer hands out, if any (RFC 6265 §4.1)."""
        if visit.new is None:
            return None
        value, left = write(self._keys[0], visit.new), int(self._life) - int(facts.now - visit.new.issued)
        secure = facts.scheme == "https"
        name = (SECURE_COOKIE if secure else COOKIE).decode("ascii")
        rest = f"Path=/; Max-Age={max(left, 0)}; HttpOnly; SameSite=Lax"
        return f"{name}={value}; {rest}{'; Secure' if secure else ''}".encode("ascii")


def _path_of(referer: bytes) -> str:
    """The path of a Referer as servers tell it (RFC 3986 §3.3), decoded; empty where it is no address."""
    try:
        return unquote(urlsplit(referer[:_REFERER].decode("ascii")).path)
    except ValueError:
        return ""


def _number(path: str) -> int:
    """A path as a number from 1 to 65,535; 0 for none. Another in each process."""
    return (hash(path) & 0xFFFF or 1) if path else 0
