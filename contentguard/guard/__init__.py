"""The whole story in one read: a request is judged, and the page that answers it is rendered for its reader.

    Facts ─ judge ─▶ Verdict ─▶ the app answers ─ plan ─▶ Plan ─ admit ─▶ Verdict ─ render ─▶ bytes

Strategy: ``judge`` and ``admit`` gather what has to be asked of the store, then let the pure policy decide. Pages are
the affair of ``Press``, from which the guard has ``plan`` and ``render``.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b

from contentguard.backends import Store
from contentguard.backends.memory import MemoryStore
from contentguard.crawlers import CATALOGUE
from contentguard.guard.press import Press, printable
from contentguard.limits import Limit
from contentguard.model import Action, Facts, Rendition, Verdict
from contentguard.policy import decide, decide_article
from contentguard.proxies import prefix
from contentguard.settings import Settings
from contentguard.tokens import Signer

VERDICTS = logging.getLogger("contentguard.verdict")


class Guard(Press):
    """One site's guard: settings compiled, and the little that is remembered between requests."""

    def __init__(self, settings: Settings, store: Store | None = None, clock: Callable[[], float] = time.time) -> None:
        keys, self.temporary_key = settings.keys_or_temporary()
        super().__init__(settings, Signer(keys))
        self.clock = clock
        self.store: Store = store or MemoryStore(settings.limits.clients, secret=self.signer.derive("store"))
        self.verdicts: Counter[tuple[Action, str]] = Counter()
        """How often each rule has decided, by what it decided."""
        # Looked at by every request.
        self._policy, self._hooks = settings.policy, settings.hooks
        self._take_now = self.store.take_now if isinstance(self.store, MemoryStore) else None
        self._match = CATALOGUE.match
        self._articles, self._requests = settings.limits.parsed()
        self.counts_requests = self._requests is not None
        """Whether a request may have to wait for the store before the app is asked."""
        self._address_key = self.signer.derive("address")

    async def judge(self, facts: Facts) -> tuple[Facts, Verdict]:
        """The verdict on a request before the app is asked, with the facts it rests on."""
        wait = await self._wait("r", self._requests, facts) if self._requests else 0.0
        return self.judged(facts, wait)

    def judged(self, facts: Facts, wait: float = 0.0, agent: bytes | None = None) -> tuple[Facts, Verdict]:
        """The same where there is nothing to wait for.

        ``wait``: what the limit on requests says; ``agent``: the User-Agent, where it has been looked up already.
        """
        agent = facts.header(b"user-agent") if agent is None else agent
        crawler = self._match(agent) if agent else None
        if crawler is not None or wait:
            facts = replace(facts, crawler=crawler, wait=wait)
        verdict = decide(self._policy, facts)
        if verdict.action is not Action.ALLOW:
            self.report(facts, verdict)
        return facts, verdict

    async def admit(self, facts: Facts, verdict: Verdict) -> tuple[Facts, Verdict]:
        """The verdict on a request whose response turned out to hold an article."""
        if verdict.rendition is Rendition.FULL and self._articles:
            wait = await self._wait("a", self._articles, facts)
            if wait:
                facts = replace(facts, wait=wait)
        return self.refuse(facts, verdict)

    def admitted(self, facts: Facts, verdict: Verdict) -> tuple[Facts, Verdict] | None:
        """The same at once; None where the store may have to wait for another machine."""
        if verdict.rendition is not Rendition.FULL or not self._articles:
            return self.refuse(facts, verdict)
        if self._take_now is None:
            return None
        decision = self._take_now("a" + prefix(facts.client), self._articles, facts.now)
        if not decision[0]:
            return self.refuse(replace(facts, wait=max(decision.retry_after, 0.001)), verdict)
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
            "action": verdict.action.value,
            "rendition": verdict.rendition.value,
            "rule": verdict.rule,
            "reason": verdict.private_reason,
            "retry_after": verdict.retry_after,
        }
