"""Who may open an article whole: progressive reading, as far as it needs to know anything.

    enter ─▶ whole · lead, with a ticket       redeem: ticket, and a proof or some patience ─▶ pass ─▶ enter

Strategy: a reader without a pass gets the lead at once and earns the rest while reading. Everything a ticket or a pass
says is signed; what has to be remembered (spent tickets, meters) is the ledger's; the ceiling is the governor's. Where
the ledger fails, a meter counts for nothing and a ticket is accepted: a broken store costs no reader an article.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from secrets import randbits, token_hex

from contentguard.addresses import neighbourhood
from contentguard.admission import once, tickets
from contentguard.admission.difficulty import NO_WORK, Algorithm, Difficulty, difficulty
from contentguard.admission.governor import Ruling
from contentguard.admission.grants import grant, offer, seconds_left
from contentguard.admission.maturity import Level, Trust, matured, trust
from contentguard.admission.passes import Pass, short
from contentguard.admission.proof import verify
from contentguard.admission.tickets import WAITER, Kind, Ticket, Trouble
from contentguard.backends import Admitting, Store
from contentguard.guard.ceiling import Ceiling
from contentguard.guard.crowds import Crowds
from contentguard.guard.entries import CROWDED, LEAD, WHOLE, Entry, Redeemed
from contentguard.guard.metering import Meters, Reader
from contentguard.guard.visits import Visit, Visits
from contentguard.model import Facts, Rendition, Standing, Verdict
from contentguard.rewrite.plan import Undivided
from contentguard.settings import Settings
from contentguard.tokens import Signer

_DOUBTFUL = 3.0
"""Score from which nobody gets the benefit of the doubt: the threshold "lead-only"."""
_MUST_PROVE = 5.0
"""Score from which waiting does not suffice: more than a reader's surroundings bring about."""

Note = Callable[[str, str], None]


class Admissions:
    """Progressive reading on one site, in this process."""

    def __init__(
        self,
        settings: Settings,
        signer: Signer,
        visits: Visits,
        store: Store,
        ledger: Admitting,
        note: Note,
        now: float,
    ) -> None:
        self.progressive = settings.reading.mode == "progressive"
        self._meter, self._tickets = settings.meter, settings.tickets
        self._keys, self._once = signer.derived("ticket"), signer.derived("once")
        self._visits, self._store, self._ledger, self._note = visits, store, ledger, note
        accounts = signer.derive("accounts")
        self._meters = Meters(settings.meter, ledger, accounts, broken=self._broken, revoked=visits.revoke)
        self._crowds = Crowds(settings.meter, visits.sessions, store, ledger, self._broken)
        self.ceiling = Ceiling(settings, signer, store, now, note)
        self.governor = self.ceiling.governor
        self._waits = self._meters.waits or self.governor.shared
        self._undivided = settings.reading.undivided == "wait"
        self.counts: Counter[str] = Counter()
        """The funnel: leads, tickets by what became of them, waits."""

    # -- opening an article ------------------------------------------------------------------------------------

    def applies(self, verdict: Verdict) -> bool:
        """Whether a client of this verdict has to have earned a pass."""
        if verdict.rendition is Rendition.FULL:
            return self.progressive or verdict.score >= _DOUBTFUL
        return verdict.rendition is Rendition.LEAD

    def is_known(self, visit: Visit, verdict: Verdict) -> bool:
        """Whether the client's pass suffices as such, so that its page need not be held to be divided."""
        given = visit.given
        return visit.account != "" or (given is not None and self.suffices(given, visit, verdict))

    def suffices(self, given: Pass, visit: Visit, verdict: Verdict) -> bool:
        """Whether a pass has the level that this client has to have earned."""
        return _level(visit, given) >= _needed(verdict.score)

    def of_robot(self, facts: Facts, verdict: Verdict) -> Rendition:
        """What a declared robot gets of an article that the policy grants it: all of it once it has proved who it is,
        or where the policy names it; else what strangers get, and no ticket."""
        if verdict.rendition is not Rendition.FULL:
            return verdict.rendition
        named = verdict.rule.startswith("crawlers.")
        return Rendition.SEARCH if named or facts.identity is Standing.VERIFIED else Rendition.LEAD

    def is_suspicious(self, verdict: Verdict) -> bool:
        """Whether a client gets no benefit of the doubt."""
        return verdict.rendition is Rendition.LEAD or verdict.score >= _DOUBTFUL

    def is_open(self, verdict: Verdict, undivided: Undivided | None) -> bool:
        """Whether an article that has no lead, for this reason, comes whole to a client whose pass does not suffice."""
        return not self.is_suspicious(verdict) and (undivided is Undivided.SHORT or not self._undivided)

    def may_stream(self, visit: Visit, facts: Facts, verdict: Verdict) -> bool:
        """Whether what the client opens is certain to be opened."""
        given = visit.given
        if given is None or not self.is_known(visit, verdict) or not matured(given, facts.now, self._meter):
            return False
        return not self._meters.is_over(given.id, facts.now)

    def entered(self, visit: Visit, facts: Facts, verdict: Verdict, article: str) -> Entry | None:
        """What ``enter`` says, at once; None where it may have to wait for another machine."""
        if self._waits or visit.once:
            return None
        if not self.is_known(visit, verdict):
            return LEAD
        reader = self._meters.reader(visit, facts.now)
        if not self._is_free(visit, reader, article):
            return None
        wait = self._meters.count_now(reader, article, facts.now)
        return self._must_wait(wait) if wait else self._ruled(self._ruling(visit, facts, article, reader.stands))

    async def enter(self, visit: Visit, facts: Facts, verdict: Verdict, article: str) -> Entry:
        """What the client gets of ``article`` (what names it); what is opened counts."""
        if visit.once and not visit.account and verdict.score < _MUST_PROVE:
            hot, stands = self.governor.hot(article), trust(visit.given, facts.now, self._meter)
            wait = await self._crowds.opens(visit, facts, "", article, Trust.STRANGER, hot=hot)
            return self._must_wait(wait) if wait else await self._governed(visit, facts, article, stands)
        if not self.is_known(visit, verdict):
            return LEAD
        return await self._metered(visit, facts, article)

    async def open(self, visit: Visit, facts: Facts, done: Redeemed, article: str) -> Entry:
        """What a ticket opens that was just redeemed; where no pass is to be had, what everybody reads all the same."""
        given = done.given
        if given is None:
            return WHOLE if self.governor.hot(article) else self._must_wait(done.wait)
        visit.given = given
        return await self._metered(visit, facts, article)

    async def _metered(self, visit: Visit, facts: Facts, article: str) -> Entry:
        reader = self._meters.reader(visit, facts.now)
        wait = await self._meters.count(reader, article, facts.now)
        stands = reader.stands
        if not wait and not self._is_free(visit, reader, article):
            wait = await self._crowds.opens(visit, facts, reader.key, article, stands, hot=self.governor.hot(article))
        return self._must_wait(wait) if wait else await self._governed(visit, facts, article, stands)

    def _is_free(self, visit: Visit, reader: Reader, article: str) -> bool:
        """Whether an article counts for nobody but its reader."""
        if visit.account or self._crowds.is_again(reader.key, article):
            return True
        return reader.stands is Trust.MATURED and self.governor.hot(article)

    async def is_full(self, facts: Facts) -> bool:
        """Whether a line has opened so much that a page has to be known before it leaves."""
        return await self._crowds.is_full(facts)

    async def _governed(self, visit: Visit, facts: Facts, article: str, stands: Trust) -> Entry:
        ruling = self._ruling(visit, facts, article, stands)
        if ruling.ask:
            ruling = await self.ceiling.settle(ruling, facts.now)
        return self._ruled(ruling)

    def _ruling(self, visit: Visit, facts: Facts, article: str, stands: Trust) -> Ruling:
        cluster, network = visit.caller.cluster_at(facts), neighbourhood(facts.client)
        return self.governor.view(article, cluster, network, stands, facts.now)

    def _ruled(self, ruling: Ruling) -> Entry:
        return self._must_wait(ruling.wait) if ruling.wait > 0.0 else WHOLE

    def _must_wait(self, wait: float) -> Entry:
        self.counts["waits"] += 1
        return Entry(whole=False, wait=wait)

    def until(self, visit: Visit, now: float, entry: Entry | None = None) -> float:
        """When a client may open the article that it got the lead of, in seconds since the epoch; 0 where that is not
        a matter of time alone. ``entry``: None where no more is known than that it follows the link."""
        if entry is None:
            left = 0.0 if visit.given is None else self._meters.left(visit.given.id, now)
            return now + left if left else 0.0
        earned = visit.once or visit.account or trust(visit.given, now, self._meter) is not Trust.STRANGER
        return now + entry.wait if earned and entry.wait else 0.0

    def _broken(self) -> None:
        self._note("ledger-failed", "the ledger failed; meters do not count and tickets are taken as unspent")

    # -- tickets -----------------------------------------------------------------------------------------------

    def ticket(self, visit: Visit, facts: Facts, verdict: Verdict, article: str, path: str) -> str:
        """A ticket for who got the lead. ``path``: where the reader goes on, as it stood on the request line."""
        self.counts["leads"] += 1
        return self._work(visit, facts, verdict, tickets.article_tag(self._keys[0], article), path)

    def again(self, visit: Visit, facts: Facts, verdict: Verdict, before: Ticket) -> str:
        """A ticket in the place of one that is not good any more."""
        return self._work(visit, facts, verdict, before.article, before.path)

    def _work(self, visit: Visit, facts: Facts, verdict: Verdict, article: bytes, path: str) -> str:
        asked = difficulty(verdict.score, self.ceiling.pressure(facts.now), self._algorithm(facts))
        return self._offer(visit, facts, asked, article, path)

    def patience(self, visit: Visit, facts: Facts, before: Ticket) -> tuple[str, int]:
        """A ticket that asks to wait, in the place of one that was offered; and for how many seconds."""
        text = self._offer(visit, facts, NO_WORK, before.article, before.path)
        made = tickets.read(self._keys, text.encode("ascii"))
        assert made is not None
        return text, seconds_left(made, facts.now)

    def _offer(self, visit: Visit, facts: Facts, asked: Difficulty, article: bytes, path: str) -> str:
        made = offer(
            facts.now,
            token_hex(8),
            asked,
            article=article,
            agent=short(visit.caller.kind),
            prefix=short(visit.address),
            path=path,
            options=self._tickets,
        )
        return tickets.write(self._keys[0], made)

    @staticmethod
    def _algorithm(facts: Facts) -> Algorithm:
        """WebCrypto is there in secure contexts only (Secure Contexts §3.1)."""
        host = facts.header(b"host") or b""
        secure = facts.scheme == "https" or host.startswith((b"127.0.0.1", b"localhost", b"[::1]"))
        return Algorithm.PBKDF2 if secure else Algorithm.SHA256

    def read(self, text: bytes) -> Ticket | None:
        """The ticket that a text is; None where it is none of ours."""
        return tickets.read(self._keys, text)

    async def redeem(self, visit: Visit, facts: Facts, text: bytes, answers: bytes | None) -> Redeemed:
        """Take a ticket, with a proof's ``answers`` or, where it asked to wait, with None."""
        result = await self._redeemed(visit, facts, text, answers)
        self.counts[f"tickets.{result.trouble or 'redeemed'}"] += 1
        return result

    async def _redeemed(self, visit: Visit, facts: Facts, text: bytes, answers: bytes | None) -> Redeemed:
        ticket, now = tickets.read(self._keys, text), facts.now
        if ticket is None:
            return Redeemed(trouble="forged")
        trouble = tickets.check(self._keys, ticket, now, short(visit.caller.kind), None)
        if trouble is not None:
            return Redeemed(
                ticket, wait=seconds_left(ticket, now) if trouble is Trouble.EARLY else 0.0, trouble=trouble
            )
        if (ticket.kind is Kind.PROOF) is (answers is None):
            # Each kind has its own door: who only waited is judged anew by the article that it asks for.
            return Redeemed(ticket, trouble="no-proof")
        if not await self._spent(ticket, now):
            return Redeemed(ticket, trouble="spent")
        proved = answers is not None and verify(text, ticket.difficulty, answers, randbits(64))
        before = visit.given
        stands = trust(before, now, self._meter)
        given = grant(ticket, now, proved=proved, prefix=short(visit.address), visit=before, stands=stands)
        if given is None:
            return Redeemed(ticket, trouble="wrong-proof")
        wait = self.governor.issue(now) or await self._crowds.earns(facts)
        return Redeemed(ticket, wait=wait, trouble=CROWDED) if wait > 0.0 else Redeemed(ticket, given)

    async def _spent(self, ticket: Ticket, now: float) -> bool:
        """Whether this is the one time that the ticket is spent."""
        try:
            return await self._ledger.spend(f"t{ticket.id}", ticket.expires / 1000, now)
        except Exception:
            self._broken()
            return True

    def is_about(self, ticket: Ticket, article: str) -> bool:
        """Whether a ticket was given for this article."""
        return any(tickets.article_tag(key, article) == ticket.article for key in self._keys)

    # -- once, without a cookie --------------------------------------------------------------------------------

    def once(self, path: str, now: float) -> str:
        """A token that opens ``path`` (as it is written in a URL) once, for who keeps no cookies."""
        return once.write(self._once[0], token_hex(8), path, now)

    async def is_once(self, token: bytes, path: str, now: float) -> bool:
        """Whether ``token`` is one for this path, and this the one time that it counts."""
        found = once.read(self._once, token, path, now)
        if found is None:
            return False
        try:
            return await self._ledger.spend(f"o{found[0]}", found[1], now)
        except Exception:
            return False


def _needed(score: float) -> int:
    """The level that a client of this score has to have earned."""
    return Level.PROVED if score >= _MUST_PROVE else Level.WAITED


def _level(visit: Visit, given: Pass) -> int:
    """The level of a pass here: who has moved to another network has one less, but what a waiter gets."""
    return given.level if given.prefix == short(visit.address) else min(given.level, max(WAITER, given.level - 1))
