"""The whole story in one read: a request is judged, and the page that answers it is rendered for its reader.

    Facts ─ judge ─▶ Verdict ─▶ the app answers ─ plan ─▶ Plan ─ admit ─▶ Verdict ─ render ─▶ bytes

Strategy: ``judge`` and ``admit`` gather what has to be asked of the store, then let the pure policy decide. Pages are
the affair of ``Press``, from which the guard has ``plan`` and ``render``.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from urllib.parse import urlsplit

from anyio import to_thread

from contentguard.addresses import prefix
from contentguard.backends import Admitting, Store
from contentguard.backends.fallback import FallbackStore
from contentguard.backends.identification import identifier
from contentguard.backends.memory import MemoryStore, Pools
from contentguard.crawlers import CATALOGUE
from contentguard.crawlers.message import SignedRequest
from contentguard.detect import noticed_in, signals, total
from contentguard.guard.callers import Caller, Callers
from contentguard.guard.comments import Comments
from contentguard.guard.links import Links
from contentguard.guard.opened import measured, opened
from contentguard.guard.press import Own, printable
from contentguard.guard.reception import Reception
from contentguard.guard.visits import Visit
from contentguard.limits import Limit
from contentguard.model import MOST_HEADERS, Action, Facts, Rendition, Verdict, changed, told
from contentguard.policy import decide_article, over
from contentguard.policy.rules import READER
from contentguard.rewrite.plan import Plan
from contentguard.settings import Settings
from contentguard.tokens import Signer

VERDICTS = logging.getLogger("contentguard.verdict")
_NO_POOLS = Pools(spent=16, meters=256, counters=16, sets=256, revoked=16)
_PASS = re.compile(r"[0-9a-f]{16}")
_NONCES = 65_536
"""Signatures' nonces and their senders that are remembered at once."""


class Guard(Reception):
    """One site's guard: settings compiled, and the little that is remembered between requests."""

    def __init__(
        self,
        settings: Settings,
        store: Store | None = None,
        clock: Callable[[], float] = time.time,
        ledger: Admitting | None = None,
    ) -> None:
        keys, self.temporary_key = settings.keys_or_temporary()
        signer = Signer(keys)
        own = opened(settings, signer)
        super().__init__(settings, signer, store or own, ledger or own, clock())
        self._own = own
        self.alone = isinstance(own, MemoryStore) and store is None and ledger is None
        """Whether no other process knows what this one does."""
        self.clock, self.since = clock, clock()
        self.links = Links(settings, signer, own, clock, self.note)
        """What opens one article to whoever is sent there."""
        self.comments = Comments(settings, signer, own, clock, self.note)
        """What makes comment forms, and takes in what comes by them."""
        self.verdicts: Counter[tuple[Action, str]] = Counter()
        """How often each rule has decided, by what it decided."""
        self.shadow: Counter[str] = Counter()
        """How often each rule in shadow would have decided."""
        # Looked at by every request.
        self._policy, self._hooks = settings.policy.compiled, settings.hooks
        self._take_now = self.store.take_now if isinstance(self.store, MemoryStore) else None
        self._articles, self._requests = settings.limits.parsed()
        self._address_key = self.signer.derive("address")
        self.proxied = bool(settings.proxies.trusted) or settings.proxies.unix
        self.caller = Callers(
            CATALOGUE.match, limited=self._requests is not None, secret=self.signer.derived("clusters")[-1]
        ).find
        """Who asks, as far as the request's headers tell."""
        self._authority = urlsplit(settings.origin).netloc
        # A store of their own, of buckets alone.
        spent = MemoryStore(_NONCES, secret=self.signer.derive("nonces"), pools=_NO_POOLS)
        self._metrics = measured(self)
        self._who = identifier(settings.identification, CATALOGUE.crawlers, spent)

    async def aclose(self) -> None:
        """End what is under way: questions to name servers, key directories and a shared store."""
        await self._who.aclose()
        if self.copies is not None and self.copies.evidence is not None:
            await to_thread.run_sync(self.copies.evidence.close)
        if self.admissions is not None:
            await self.admissions.ceiling.aclose(self.clock())
        if self._metrics is not None:
            self._metrics.close()
        await self.comments.aclose()
        if isinstance(self._own, FallbackStore):
            await self._own.aclose()

    async def judge(self, facts: Facts, target: str = "", caller: Caller | None = None) -> tuple[Facts, Verdict]:
        """The verdict on a request before the app is asked, with the facts it rests on.

        ``target``: path and query as they came, for signatures that cover them. ``caller``: who asks, where that was
        looked up already.
        """
        caller = caller or self.caller(facts)
        if (caller.robot is not None or caller.signed) and len(facts.headers) <= MOST_HEADERS:
            facts = await self._identified(facts, target, caller)
        wait = await self._wait("r", self._requests, facts) if self._requests else 0.0
        if wait:
            facts = changed(facts, wait=wait)
        facts, verdict = self.judged(facts, caller)
        return await self._paced(facts, verdict, caller, articles=False)

    def judged(self, facts: Facts, caller: Caller | None = None) -> tuple[Facts, Verdict]:
        """The same for a client that is no declared robot, and where there is nothing to wait for."""
        verdict = self._verdict(facts, caller or self.caller(facts))
        if verdict.action is not Action.ALLOW:
            self.report(facts, verdict)
        return facts, verdict

    def boxed(self, own: Own, visit: Visit, plan: Plan, now: float) -> Own:
        """What a page that a reader has whole carries of its own: with links in its share box that open it."""
        signed = self.settings.share.signed and plan.url
        return {**own, **self.links.in_box(visit, plan.url, now)} if signed else own

    def _verdict(self, facts: Facts, caller: Caller) -> Verdict:
        """What the policy says of these facts. The same words in the same kind of session get the same verdict."""
        plain = facts.crawler is None and facts.network is None and facts.cluster is None and not facts.wait
        session = facts.session
        names = noticed_in(session, caller.known.agent) if session is not None else ()
        kept = caller.verdicts.get(names) if plain else None
        if kept is not None:
            return kept
        noticed = signals(facts, caller.known)
        verdict = self._policy.judge(facts, noticed, total(noticed))
        if verdict.rendition is Rendition.LEAD and self.admissions is None:
            verdict = replace(verdict, rendition=Rendition.FULL)
        if plain and self._policy.general and verdict.rendition is not Rendition.NONE:  # else only this path is open
            caller.keep(names, verdict)
        return verdict

    def is_robot(self, facts: Facts) -> bool:
        """Whether a client says that it is a robot, and not by a browser's name alone."""
        return facts.crawler is not None and self._policy.kind_of(facts.crawler) != READER

    def may_stream(self, facts: Facts, verdict: Verdict, visit: Visit | None) -> bool:
        """Whether a client's page may leave before it is known what it is: it is certain to get all of it, unmarked."""
        if self.copies is not None or self.media.signs:
            return False
        if visit is None or self.admissions is None or not self.admissions.applies(verdict):
            return True
        return not self.is_robot(facts) and self.admissions.may_stream(visit, facts, verdict)

    def arrived(self, visit: Visit, facts: Facts, verdict: Verdict, page: str, *, shows: bool) -> tuple[Facts, Verdict]:
        """The verdict once the response turned out to be the article ``page``, which counts for the visit.

        ``shows``: whether the page has parts by which a browser shows.
        """
        if self.visits is None or self.is_robot(facts):
            return facts, verdict
        try:
            session = self.visits.article(visit, facts, page, shows=shows)
            if session is None:
                return facts, verdict
            # Whoever is let in so far has not been reported to anybody.
            told(facts, session, facts.network, facts.cluster, facts.passed)
            verdict = self._verdict(facts, visit.caller)
            self.visits.judged(visit, facts, verdict.score)
        except Exception:
            self.note("visits-failed", "an article could not be counted for its visit", failed=True)
        return facts, verdict

    async def revoke(self, name: str) -> bool:
        """Take back a pass, by its id, or a link; whether it can be one. A pass is then as if there were none."""
        if _PASS.fullmatch(name) is None:
            return await self.links.revoke(name)
        now = self.clock()
        if self.visits is not None:
            await self._own.revoke(name, self.visits.revoke(name, now), now)
        return self.visits is not None

    async def _identified(self, facts: Facts, target: str, caller: Caller) -> Facts:
        """These facts with the robot that the client says to be, and whether it is."""
        request = None
        if caller.signed and self._authority and target.startswith("/"):
            request = SignedRequest(facts.method, facts.scheme, self._authority, target, facts.headers)
        # The address is certain only where no proxy stands in between that nobody has named to us.
        client = None if caller.forwarded and not self.proxied else facts.client
        answered = await self._who.answer(caller.robot, client, request, facts.now)
        identity = answered.identity
        if identity is None:
            return changed(facts, crawler=answered.crawler)
        reason = f"{identity.method}: {identity.reason}" if identity.method else identity.reason
        return changed(facts, crawler=answered.crawler, identity=identity.standing, identity_reason=reason)

    async def _paced(
        self, facts: Facts, verdict: Verdict, caller: Caller | None = None, *, articles: bool
    ) -> tuple[Facts, Verdict]:
        """Ask the store for the limits that rules of the policy hold this client to, and judge again by its answer."""
        paces = [pace for pace in verdict.paces if pace.articles is articles]
        if not paces:
            return facts, verdict
        waits = {pace.rule: await self._wait(f"p{pace.rule} ", pace.limit, facts) for pace in paces}
        if not any(waits.values()):
            return facts, verdict
        return self.judged(over(facts, waits), caller)

    async def admit(self, facts: Facts, verdict: Verdict) -> tuple[Facts, Verdict]:
        """The verdict on a request whose response turned out to hold an article."""
        if verdict.paces:
            facts, verdict = await self._paced(facts, verdict, articles=True)
            if verdict.action is not Action.ALLOW:
                return facts, verdict
        if verdict.rendition is Rendition.FULL and self._articles:
            wait = await self._wait("a", self._articles, facts)
            if wait:
                facts = changed(facts, wait=wait)
        return self.refuse(facts, verdict)

    def admitted(self, facts: Facts, verdict: Verdict) -> tuple[Facts, Verdict] | None:
        """The same at once; None where the store may have to wait for another machine."""
        if verdict.paces or self._take_now is None:
            return None
        if verdict.rendition is not Rendition.FULL or not self._articles:
            return self.refuse(facts, verdict)
        client = facts.client
        key = "a" + (prefix(client) if client is None or ":" in client else client)
        decision = self._take_now(key, self._articles, facts.now)
        if not decision[0]:
            return self.refuse(changed(facts, wait=max(decision.retry_after, 0.001)), verdict)
        self.report(facts, verdict)
        return facts, verdict

    def refuse(self, facts: Facts, verdict: Verdict) -> tuple[Facts, Verdict]:
        """The verdict on a response that holds an article, or must be taken to hold one."""
        verdict = decide_article(facts, verdict)
        self.report(facts, verdict)
        return facts, verdict

    async def over_limit(self, facts: Facts) -> bool:
        """Whether this client would have to wait for its next article."""
        if not self._articles:
            return False
        try:
            return not (await self.store.peek("a" + prefix(facts.client), self._articles, facts.now)).allowed
        except Exception:
            self.note("store-failed", "the store failed; its limits are not applied", failed=True)
            return False

    async def wait_for_card(self, facts: Facts) -> float:
        """Seconds until this client may ask for an article's card: as many as articles, counted for themselves."""
        return await self._wait("o", self._articles, facts) if self._articles else 0.0

    async def _wait(self, kind: str, limit: Limit, facts: Facts) -> float:
        try:
            decision = await self.store.take(kind + prefix(facts.client), limit, facts.now)
        except Exception:
            # A reader never pays for a broken store.
            self.note("store-failed", "the store failed; its limits are not applied", failed=True)
            return 0.0
        return 0.0 if decision.allowed else max(decision.retry_after, 0.001)

    def report(self, facts: Facts, verdict: Verdict) -> None:
        """Log a verdict as one structured record and offer it to the hooks, none of which can harm the request."""
        self.verdicts[verdict.action, verdict.rule] += 1
        if verdict.shadow:
            self.shadow.update(verdict.shadow)
        if VERDICTS.isEnabledFor(logging.INFO):
            record = self._record(facts, verdict)
            VERDICTS.info("%s %s by %s", record["action"], record["path"], record["rule"], extra={"verdict": record})
        for hook in self._hooks:
            try:
                hook(facts, verdict)
            except Exception:
                self.note("hook-failed", f"the hook {hook!r} failed", failed=True)

    def _record(self, facts: Facts, verdict: Verdict) -> dict[str, object]:
        """What the log keeps of a verdict. No address: a keyed hash of it, so that one client stays one client."""
        address = blake2b((facts.client or "").encode(), digest_size=8, key=self._address_key).hexdigest()
        agent = (facts.header(b"user-agent") or b"")[:256].decode("latin-1")
        return {
            "id": facts.request_id,
            "time": facts.now,
            "client": address,
            "method": facts.method,
            "path": printable(facts.path[:1024]),
            "agent": printable(agent),
            "crawler": facts.crawler.name if facts.crawler else None,
            "identity": facts.identity.value,
            "identity_reason": facts.identity_reason,
            **verdict.as_dict(),
        }
