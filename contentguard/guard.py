"""The whole story in one read: a request is judged, and the page that answers it is rendered for its reader.

    Facts ─ judge ─▶ Verdict ─▶ the app answers ─ plan ─▶ Plan ─ admit ─▶ Verdict ─ render ─▶ bytes

Strategy: ``judge`` and ``admit`` gather what has to be asked of the store, then let the pure policy decide. ``plan``
looks a page up or has it worked out, in turns with whatever else the event loop has to do; ``render`` fills it in.
Rewriting fails open: whatever goes wrong, the page leaves as it came, counted and logged once.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from urllib.parse import quote

import anyio
from anyio.lowlevel import checkpoint

from contentguard.assets import SCRIPT, STYLE
from contentguard.backends import Store
from contentguard.backends.memory import MemoryStore
from contentguard.crawlers import CATALOGUE
from contentguard.limits import Limit
from contentguard.model import Action, Facts, Rendition, Verdict
from contentguard.policy import decide, decide_article
from contentguard.proxies import prefix
from contentguard.rewrite.page import Delivery, Field, Page, ascii_html
from contentguard.rewrite.pages import Pages, Recent, Shelf, Work, finished
from contentguard.rewrite.plan import Plan, Rendered, Untouched
from contentguard.rewrite.planner import Planner
from contentguard.rewrite.stream import Stream
from contentguard.settings import Settings
from contentguard.tokens import Signer

VERDICTS = logging.getLogger("contentguard.verdict")
LOG = logging.getLogger("contentguard")

_SHELVES = 4096
"""How many ways of delivery (a path, mostly) are remembered."""
_CALM = 65536
"""Bytes of a page up to which it is compressed for the first time without leaving the event loop."""
_HOST = re.compile(rb"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class Guard:
    """One site's guard: settings compiled, and the little that is remembered between requests."""

    def __init__(self, settings: Settings, store: Store | None = None, clock: Callable[[], float] = time.time) -> None:
        keys, self.temporary_key = settings.keys_or_temporary()
        self.settings = settings
        self.clock = clock
        self.signer = Signer(keys)
        self.store: Store = store or MemoryStore(settings.limits.clients, secret=self.signer.derive("store"))
        self.counts: Counter[str] = Counter()
        """What has happened, by name: pages left untouched, failures."""
        self.verdicts: Counter[tuple[Action, str]] = Counter()
        """How often each rule has decided, by what it decided."""
        # Looked at by every request.
        self._policy, self._hooks = settings.policy, settings.hooks
        self.compression, self.max_bytes = settings.compression, settings.article.max_bytes
        self._take_now = self.store.take_now if isinstance(self.store, MemoryStore) else None
        self._match = CATALOGUE.match
        self._articles, self._requests = settings.limits.parsed()
        self.counts_requests = self._requests is not None
        """Whether a request may have to wait for the store before the app is asked."""
        self._address_key = self.signer.derive("address")
        self.pages = Pages(settings.article, self._planner(), settings.cache_bytes)
        self.personal = bool(self.pages.fields())
        """Whether each reader gets a page of their own."""
        self.edition = self._edition()
        self.shelves: Recent[tuple[Delivery, Shelf]] = Recent(_SHELVES)
        self._day = (0.0, b"")
        self._working: dict[Hashable, anyio.Event] = {}

    # -- verdicts ----------------------------------------------------------------------------------------------

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
            facts = replace(facts, wait=max(decision.retry_after, 0.001))
        return self.refuse(facts, verdict)

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
            "path": _printable(facts.path[:1024]),
            "agent": _printable(agent),
            "crawler": facts.crawler.name if facts.crawler else None,
            "action": verdict.action.value,
            "rendition": verdict.rendition.value,
            "rule": verdict.rule,
            "reason": verdict.private_reason,
            "retry_after": verdict.retry_after,
        }

    def note(self, what: str, message: str, *, failed: bool = False) -> None:
        """Count an event, and log it the first time it happens."""
        self.counts[what] += 1
        if self.counts[what] == 1:
            LOG.warning("%s (logged once; counted as %r)", message, what, exc_info=failed)

    # -- pages -------------------------------------------------------------------------------------------------

    def _planner(self) -> Planner:
        chosen = self.settings
        return Planner(
            chosen.site, chosen.origin, chosen.cards, chosen.copying, chosen.share, chosen.visible, qr=self._qr
        )

    def _qr(self, page: Page) -> str:
        drawn = "qr" in self.settings.share.targets and page.url
        return f"{page.routes}/qr/{self.signer.sign('qr', page.url)}.svg" if drawn else ""

    def _edition(self) -> str:
        """Names what shapes a page besides its own bytes: all settings that insert, and our files."""
        planner = self.pages.planner
        shaping = (planner.site, planner.origin, planner.cards, planner.copying, planner.share, planner.visible)
        text = repr((shaping, self.settings.article, SCRIPT.file, STYLE.file))
        return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()

    def plan(self, body: bytes, delivery: Delivery) -> tuple[Plan, str]:
        """The plan of a page, at once, and the CSP nonce that its inserts have to carry."""
        shelf = self.pages.shelf(delivery)
        plan = self.pages.known(shelf, body)
        if plan is None:
            plan = self._safely(lambda: finished(self.pages.work(delivery, shelf, body)), delivery)
        return self._noted(plan, delivery), shelf.allowed.nonce

    async def plan_in_turns(self, body: bytes, delivery: Delivery, shelf: Shelf) -> Plan:
        """The plan of a page; a large one is worked out in slices, once for all who wait for it."""
        plan = self.pages.known(shelf, body)
        if plan is None and (busy := self._working.get(shelf.key)) is not None:
            await busy.wait()
            plan = self.pages.known(shelf, body)
        if plan is None:
            plan = await self._worked_out(self.pages.work(delivery, shelf, body), delivery, shelf)
        return self._noted(plan, delivery)

    async def _worked_out(self, work: Work, delivery: Delivery, shelf: Shelf) -> Plan:
        done: anyio.Event | None = None
        try:
            chore = next(work)
            done = self._working[shelf.key] = anyio.Event()
            while True:
                if chore is None:
                    await checkpoint()
                    chore = work.send(None)
                else:
                    chore = work.send(await anyio.to_thread.run_sync(chore))
        except StopIteration as stop:
            plan: Plan = stop.value
            return plan
        except Exception:
            return self._failed(delivery)
        finally:
            if done is not None:
                done.set()
                if self._working.get(shelf.key) is done:
                    del self._working[shelf.key]

    def _safely(self, make: Callable[[], Plan], delivery: Delivery) -> Plan:
        try:
            return make()
        except Exception:
            return self._failed(delivery)

    def _failed(self, delivery: Delivery) -> Plan:
        self.note("rewrite-failed", f"{_printable(delivery.path)} could not be rewritten", failed=True)
        return Plan(is_article=True, untouched=Untouched.ERROR)

    def _noted(self, plan: Plan, delivery: Delivery) -> Plan:
        if plan.untouched is not None and plan.untouched is not Untouched.NO_ARTICLE:
            self.note(f"untouched.{plan.untouched.value}", f"{_printable(delivery.path)} left as it came")
        if plan.lacks is not None:
            self.note(f"untouched.{plan.lacks.value}", f"{_printable(delivery.path)} has no place for a share box")
        if plan.blocked:
            self.note("csp-blocked", f"the Content-Security-Policy of {_printable(delivery.path)} allows no own script")
        return plan

    def stream(self, delivery: Delivery, shelf: Shelf, facts: Facts) -> Stream:
        """A page on its way through to one reader, chunk by chunk."""
        return self.pages.stream(delivery, shelf, lambda plan: self._values(plan, facts, delivery, shelf.allowed.nonce))

    def streamed(self, delivery: Delivery, stream: Stream) -> None:
        """A streamed page has ended: note what it lacked."""
        if stream.failed:
            self.note("rewrite-failed", f"{_printable(delivery.path)} could not be rewritten to its end")
        elif stream.untouched is not None:
            self._noted(Plan(is_article=stream.is_article, untouched=stream.untouched), delivery)

    def render(self, plan: Plan, rendition: Rendition, facts: Facts, delivery: Delivery, nonce: str) -> Rendered | None:
        """The bytes of ``rendition`` for this reader; None where there is nothing but the page as it came."""
        template = plan.head if rendition is Rendition.HEAD else plan.full
        if template is None:
            return None
        try:
            body = template.fill(self._values(plan, facts, delivery, nonce) if template.fields else {})
        except Exception:
            self.note("rewrite-failed", f"{_printable(delivery.path)} could not be rendered", failed=True)
            return None
        return Rendered(body, template.personal or rendition is not Rendition.FULL)

    async def render_gzip(
        self, plan: Plan, rendition: Rendition, facts: Facts, delivery: Delivery, nonce: str
    ) -> Rendered | None:
        """The same, compressed. What is compressed for the first time and is large does not hold the event loop."""
        template = plan.head if rendition is Rendition.HEAD else plan.full
        if template is None:
            return None
        try:
            values = self._values(plan, facts, delivery, nonce) if template.fields else {}
            if template.size > _CALM and not template.deflated(values):
                body = await anyio.to_thread.run_sync(template.gzip, values)
            else:
                body = template.gzip(values)
        except Exception:
            self.note("rewrite-failed", f"{_printable(delivery.path)} could not be rendered", failed=True)
            return None
        return Rendered(body, template.personal or rendition is not Rendition.FULL)

    def _values(self, plan: Plan, facts: Facts, delivery: Delivery, nonce: str) -> Mapping[Field, bytes]:
        day = self._day
        values = {
            Field.NONCE: b' nonce="%s"' % nonce.encode("ascii") if nonce else b"",
            Field.COPY_NUMBER: facts.request_id.encode("ascii"),
            Field.DATE: day[1] if day[0] == facts.now // 86400 else self._date(facts.now),
        }
        if not plan.url:
            url = self.base_url(facts) + delivery.path
            values[Field.URL] = ascii_html(url)
            values[Field.URL_QUERY] = quote(url, safe="").encode("ascii")
        return values

    def base_url(self, facts: Facts) -> str:
        """The site's origin; where it is not configured, what this reader's own Host header says, if that is sane."""
        if self.settings.origin:
            return self.settings.origin
        host = facts.header(b"host") or b""
        return f"{facts.scheme}://{host.decode('ascii')}" if _HOST.fullmatch(host) else ""

    def _date(self, now: float) -> bytes:
        day = now // 86400
        if self._day[0] != day:
            self._day = (day, datetime.fromtimestamp(now, UTC).date().isoformat().encode())
        return self._day[1]


def _printable(text: str) -> str:
    """``text`` fit for a log line: control characters and what is not ASCII are escaped."""
    return text if text.isascii() and text.isprintable() else text.encode("unicode_escape").decode("ascii")
