"""The whole story in one read: a request is judged, and the page that answers it is rendered for its reader.

    Facts ─ judge ─▶ Verdict ─▶ the app answers ─ plan ─▶ Plan ─ admit ─▶ Verdict ─ render ─▶ bytes

Strategy: ``judge`` and ``admit`` gather what has to be asked of the store, then let the pure policy decide. ``plan``
looks a page up or scans it, ``render`` fills it in. Rewriting fails open: whatever goes wrong, the page leaves as it
came, counted and logged once.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from urllib.parse import quote

from contentguard.backends import Store
from contentguard.backends.memory import MemoryStore
from contentguard.crawlers import CATALOGUE
from contentguard.limits import Limit
from contentguard.model import Action, Facts, Rendition, Verdict
from contentguard.policy import decide, decide_article
from contentguard.proxies import prefix
from contentguard.rewrite import plan as plans
from contentguard.rewrite.article import Finder, Found
from contentguard.rewrite.cache import PlanCache
from contentguard.rewrite.cards import cards
from contentguard.rewrite.csp import Allowance, allowance
from contentguard.rewrite.deterrents import deterrents
from contentguard.rewrite.head import (
    ascii_superset,
    encoding_of,
    is_wide,
    late_charset,
    meta_policies,
    read_page,
)
from contentguard.rewrite.page import Delivery, Field, Fragment, Insert, Page, Slot, ascii_html
from contentguard.rewrite.plan import Plan, Rendered, Untouched
from contentguard.rewrite.scan import TooDeepError
from contentguard.rewrite.share import share
from contentguard.rewrite.visible import visible
from contentguard.settings import Settings
from contentguard.tokens import Signer

VERDICTS = logging.getLogger("contentguard.verdict")
LOG = logging.getLogger("contentguard")

_ALLOWANCES = 64
"""How many different Content-Security-Policy headers are remembered."""
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
        self._articles, self._requests = settings.limits.parsed()
        self._address_key = self.signer.derive("address")
        self._finder = Finder(settings.article)
        self._plans = PlanCache(settings.cache_bytes)
        self._cards: Insert = partial(cards, options=settings.cards, site_name=settings.site)
        self._day = (0.0, b"")
        self._allowances: dict[tuple[str, ...], Allowance] = {}

    # -- verdicts ----------------------------------------------------------------------------------------------

    async def judge(self, facts: Facts) -> tuple[Facts, Verdict]:
        """The verdict on a request before the app is asked, with the facts it rests on."""
        agent = facts.header(b"user-agent")
        crawler = CATALOGUE.match(agent) if agent else None
        wait = await self._wait("r", self._requests, facts) if self._requests else 0.0
        if crawler is not None or wait:
            facts = replace(facts, crawler=crawler, wait=wait)
        verdict = decide(self.settings.policy, facts)
        if verdict.action is not Action.ALLOW:
            self.report(facts, verdict)
        return facts, verdict

    async def admit(self, facts: Facts, verdict: Verdict) -> tuple[Facts, Verdict]:
        """The verdict on a request whose response turned out to hold an article."""
        if verdict.rendition is Rendition.FULL and self._articles:
            facts = replace(facts, wait=await self._wait("a", self._articles, facts))
        return self.refuse(facts, verdict)

    def refuse(self, facts: Facts, verdict: Verdict) -> tuple[Facts, Verdict]:
        """The verdict on a response that holds an article, or must be taken to hold one."""
        verdict = decide_article(facts, verdict)
        self.report(facts, verdict)
        return facts, verdict

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
        self.counts[f"verdict.{verdict.action.value}.{verdict.rule}"] += 1
        if VERDICTS.isEnabledFor(logging.INFO):
            record = self._record(facts, verdict)
            VERDICTS.info("%s %s by %s", record["action"], record["path"], record["rule"], extra={"verdict": record})
        for hook in self.settings.hooks:
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

    def plan(self, body: bytes, delivery: Delivery) -> tuple[Plan, str]:
        """The plan of a page, from the cache or by scanning it, and the CSP nonce its inserts have to carry."""
        allowed = self._allowed(delivery.policies)
        key = (
            delivery.path,
            delivery.routes,
            delivery.content_type,
            allowed.scripts,
            allowed.styles,
            delivery.forced,
        )
        known = self._plans.get(key, body)
        if known is None:
            known = self._planned(body, delivery, allowed)
            self._plans.put(key, body, known)
        if known.untouched is not None and known.untouched is not Untouched.NO_ARTICLE:
            self.note(f"untouched.{known.untouched.value}", f"{_printable(delivery.path)} left as it came")
        return known, allowed.nonce

    def _allowed(self, policies: tuple[str, ...]) -> Allowance:
        """What these CSP headers allow. Most sites send one and the same; a nonce makes each a new one."""
        found = self._allowances.get(policies)
        if found is None:
            found = allowance(policies, origin=self.settings.origin)
            if len(self._allowances) >= _ALLOWANCES:
                self._allowances.clear()
            self._allowances[policies] = found
        return found

    def _planned(self, body: bytes, delivery: Delivery, allowed: Allowance) -> Plan:
        try:
            return self._make_plan(body, delivery, allowed)
        except TooDeepError:
            return Plan(is_article=True, untouched=Untouched.TOO_DEEP)
        except Exception:
            self.note("rewrite-failed", f"{_printable(delivery.path)} could not be rewritten", failed=True)
            return Plan(is_article=True, untouched=Untouched.ERROR)

    def _make_plan(self, body: bytes, delivery: Delivery, allowed: Allowance) -> Plan:
        if len(body) > self.settings.article.max_bytes:
            return Plan(is_article=True, untouched=Untouched.TOO_LARGE)
        if is_wide(body) or not ascii_superset(delivery.content_type):
            return Plan(is_article=True, untouched=Untouched.CHARSET)
        encoding = encoding_of(body, delivery.content_type)
        found = self._finder.find(body, encoding, 0 if delivery.forced else None)
        if found.article is None:
            return Plan(is_article=False, untouched=Untouched.NO_ARTICLE)
        page = read_page(body, found, encoding, origin=self.settings.origin, path=delivery.path, routes=delivery.routes)
        own = meta_policies(body, found.scan, encoding)
        if own:
            both = allowance(delivery.policies, origin=self.settings.origin, meta=own)
            # A plan outlives its response: a nonce that only the page's own meta element names is not waited for.
            allowed = both if both.nonce == allowed.nonce else Allowance(scripts=False, styles=False, nonce="")
        page = replace(page, scripts_allowed=allowed.scripts, styles_allowed=allowed.styles)
        if not (allowed.scripts and allowed.styles):
            self.note(
                "csp-blocked",
                f"the Content-Security-Policy of {_printable(delivery.path)} allows no own script",
            )
        head = plans.head_only(body, found.scan, page, self._cards(page))
        reason = _why_untouched(body, found, delivery)
        if reason is not None:
            return Plan(is_article=True, untouched=reason, head=head, url=page.url)
        places = {Slot.HEAD: found.scan.head_end, Slot.ARTICLE_END: found.article.insert_at}
        full = plans.full(body, places, self._fragments(page))
        return Plan(is_article=True, full=full, head=head, url=page.url)

    def _fragments(self, page: Page) -> list[Fragment]:
        settings = self.settings
        drawn = "qr" in settings.share.targets and page.url
        qr = f"{page.routes}/qr/{self.signer.sign('qr', page.url)}.svg" if drawn else ""
        return [
            *self._cards(page),
            *deterrents(page, options=settings.copying, share=settings.share, visible=settings.visible),
            *share(page, options=settings.share, qr=qr),
            *visible(page, options=settings.visible),
        ]

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
        # A nonce belongs to its response, not to a reader: caching it is the app's own affair.
        shared = rendition is Rendition.FULL and {Field.NONCE}.issuperset(template.fields)
        return Rendered(body, personal=not shared)

    def _values(self, plan: Plan, facts: Facts, delivery: Delivery, nonce: str) -> Mapping[Field, bytes]:
        values = {
            Field.NONCE: b' nonce="' + nonce.encode("ascii") + b'"' if nonce else b"",
            Field.COPY_NUMBER: facts.request_id.encode("ascii"),
            Field.DATE: self._date(facts.now),
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


def _why_untouched(body: bytes, found: Found, delivery: Delivery) -> Untouched | None:
    if delivery.content_type.lower().startswith("application/xhtml"):
        # Our markup is HTML; in XML an attribute without a value would break the whole page.
        return Untouched.XHTML
    if found.scan.head_end < 0 or found.article is None or found.article.insert_at < found.scan.head_end:
        return Untouched.NO_PLACE
    if "charset" not in delivery.content_type.lower() and late_charset(body, found.scan.head_end):
        return Untouched.LATE_CHARSET
    return None


def _printable(text: str) -> str:
    """``text`` fit for a log line: control characters and what is not ASCII are escaped."""
    return text if text.isascii() and text.isprintable() else text.encode("unicode_escape").decode("ascii")
