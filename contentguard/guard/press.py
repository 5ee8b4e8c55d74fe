"""The page that answers a request, rendered for its reader.

Strategy: ``plan`` looks a page up or has it worked out, in turns with whatever else the event loop has to do;
``render`` fills it in. Rewriting fails open: whatever goes wrong, the page leaves as it came, counted and logged once.

Longer than a module should be, because whatever can go wrong with a page is caught here.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from math import inf
from types import MappingProxyType
from urllib.parse import quote

import anyio

from contentguard.crawlers import CATALOGUE
from contentguard.guard.copies import Copies
from contentguard.guard.edition import edition, planner_of, site_of
from contentguard.guard.feeds import Newsstand
from contentguard.guard.marks import marks_of
from contentguard.guard.media import SLOT, Media
from contentguard.guard.once import Once
from contentguard.guard.quotes import Quotes
from contentguard.model import Facts, Rendition
from contentguard.policy.published import Published
from contentguard.publish import headers as published_headers
from contentguard.publish import meta as published_meta
from contentguard.rewrite.cache import PlanCache
from contentguard.rewrite.notices import Notices
from contentguard.rewrite.page import Delivery, Field, Page, ascii_html
from contentguard.rewrite.pages import Pages, Recent, Shelf
from contentguard.rewrite.plan import Division, Plan, Rendered, Undivided, Untouched
from contentguard.rewrite.probes import NONE
from contentguard.rewrite.stream import Stream
from contentguard.rewrite.template import Template, Values
from contentguard.settings import Settings
from contentguard.tokens import Signer
from contentguard.turns import Chores, finished

Headers = list[tuple[bytes, bytes]]
Own = Values
NOBODYS: Own = MappingProxyType({Field.HONEYLINK: b"", Field.REPORT: b"", Field.TICKET: b""})
"""What a page carries that is made for nobody in particular."""
LOG = logging.getLogger("contentguard")

LONGEST_DRAWN = 512
"""Characters of an address that a QR code is drawn of: one of 2,000 takes a tenth of a second."""
_CALM = 65536
"""Bytes that are compressed without leaving the event loop: of a page the first time, of its marked text each time."""
_DAY = 86400.0
_rendered = tuple.__new__
"""Half the time of ``Rendered(...)``."""
_COPY_NUMBER = Field.COPY_NUMBER
_HOST = re.compile(rb"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class Press:
    """All pages of one site, and the little that is remembered of them between requests."""

    def __init__(self, settings: Settings, signer: Signer) -> None:
        self.settings, self.signer = settings, signer
        self.counts: Counter[str] = Counter()
        """What has happened, by name: pages left untouched, failures."""
        # Looked at by every request.
        self.compression, self.max_bytes = settings.compression, settings.article.max_bytes
        self.framing = settings.framing.headers
        self.published = Published(settings.policy, CATALOGUE.crawlers)
        """What the policy says to machines."""
        self.site = site_of(settings)
        self.probes = settings.probes if settings.visits.remember else NONE
        """What is put into articles to tell browsers from programs."""
        marks = settings.watermark.enabled and settings.visits.remember
        self.copies = Copies(settings, signer, self.note) if marks else None
        """Whose copy a page is; None where copies are not marked."""
        self.quotes = Quotes(settings.origin, signer)
        """The links that quotations name as their source."""
        self.media = Media(settings, signer)
        """What becomes of the site's pictures."""
        self.marks = marks_of(settings, signer, self.note)
        """What marks pictures; None where none are."""
        self.pictured = self.media.active or self.marks is not None
        own = self.quotes, self.media, self.copies.compiling if self.copies else None
        planner = planner_of(settings, self.probes, *own, qr=self._qr, said=self._said)
        self.pages = Pages(settings.article, planner, settings.cache_bytes)
        self.personal = bool(self.pages.fields())
        """Whether each reader gets a page of their own."""
        self._settled = self.edition = edition(settings, self.pages.planner, self.published.terms)
        """Names what shapes a page besides its own bytes."""
        self.feeds = Newsstand(settings, self.copies, self.edition)
        """What becomes of feeds."""
        self._terms: Recent[Headers] = Recent(64)
        self._midnight, self._today = -inf, dict[Field, bytes]()
        self._once = Once()

    def turn(self, now: float) -> None:
        """A new hour: addresses of pictures are others now, and so are all pages that hold any."""
        self.media.slot = int(now // SLOT)
        self.pages.cache = PlanCache(self.settings.cache_bytes)
        self.edition = f"{self._settled}{self.media.slot:x}"

    def note(self, what: str, message: str, *, failed: bool = False) -> None:
        """Count an event, and log it the first time it happens."""
        self.counts[what] += 1
        if self.counts[what] == 1:
            LOG.warning("%s (logged once; counted as %r)", message, what, exc_info=failed)

    def terms_at(self, path: str) -> Headers:
        """The headers by which a page at ``path`` says what machines may make of it."""
        uses = self.published.uses_at(path)
        kind = tuple(uses.items())
        found = self._terms.get(kind)
        return found or self._terms.put(kind, published_headers(self.published.terms, uses, self.site))

    def _said(self, path: str) -> Notices:
        """The same in the page's head."""
        if not self.settings.robots.meta:
            return ()
        return published_meta(self.published.terms, self.published.uses_at(path), self.site)

    def _qr(self, page: Page) -> str:
        drawn = "qr" in self.settings.share.targets and 0 < len(page.url) <= LONGEST_DRAWN
        return f"{page.routes}/qr/{self.signer.sign('qr', page.url)}.svg" if drawn else ""

    def plan(self, body: bytes, delivery: Delivery) -> tuple[Plan, str]:
        """The plan of a page, at once, and the CSP nonce that its inserts have to carry."""
        shelf = self.pages.shelf(delivery)
        plan = self.pages.known(shelf, body)
        if plan is None:
            plan = self._safely(lambda: finished(self.pages.work(delivery, shelf, body)), delivery)
            self.media.learn(plan.page)
        return self._noted(plan, delivery), shelf.allowed.nonce

    async def plan_in_turns(self, body: bytes, delivery: Delivery, shelf: Shelf) -> Plan:
        """The plan of a page; a large one is worked out in slices, once for all who wait for it."""
        plan = self.pages.known(shelf, body)
        if plan is None and await self._once.waited(shelf.key):
            plan = self.pages.known(shelf, body)
        if plan is None:
            try:
                plan = await self._once.result(shelf.key, self.pages.work(delivery, shelf, body))
                self.media.learn(plan.page)
            except Exception:
                plan = self._failed(delivery)
        return self._noted(plan, delivery)

    def _safely(self, make: Callable[[], Plan], delivery: Delivery) -> Plan:
        try:
            return make()
        except Exception:
            return self._failed(delivery)

    def _failed(self, delivery: Delivery) -> Plan:
        self.note("rewrite-failed", f"{printable(delivery.path)} could not be rewritten", failed=True)
        return Plan(is_article=True, untouched=Untouched.ERROR)

    def _noted(self, plan: Plan, delivery: Delivery) -> Plan:
        if plan.untouched is not None and plan.untouched is not Untouched.NO_ARTICLE:
            self.note(f"untouched.{plan.untouched.value}", f"{printable(delivery.path)} left as it came")
        if plan.lacks is not None:
            self.note(f"untouched.{plan.lacks.value}", f"{printable(delivery.path)} has no place for a share box")
        if plan.blocked:
            self.note("csp-blocked", f"the Content-Security-Policy of {printable(delivery.path)} allows no own script")
        return plan

    def stream(self, delivery: Delivery, shelf: Shelf, facts: Facts, own: Own = NOBODYS) -> Stream:
        """A page on its way through to one reader, chunk by chunk."""
        nonce = shelf.allowed.nonce
        return self.pages.stream(delivery, shelf, lambda plan: self._values(plan, facts, delivery, nonce, own))

    def streamed(self, delivery: Delivery, stream: Stream) -> None:
        """A streamed page has ended: note what it named and what it lacked."""
        self.media.learn(stream.plan.page if stream.plan else None)
        if stream.failed:
            self.note("rewrite-failed", f"{printable(delivery.path)} could not be rewritten to its end")
        elif stream.untouched is not None:
            self._noted(Plan(is_article=stream.is_article, untouched=stream.untouched), delivery)

    async def divided(self, plan: Plan, shelf: Shelf, delivery: Delivery) -> Division:
        """A page in two; what takes long is done once, in turns with whatever else the event loop has to do."""
        if self.copies is not None:
            await self.copies.marked(self.pages, shelf, plan)
        while plan.divide is not None:
            try:
                first = await self._once.done(("divided", id(plan)), plan.dividing)
            except Exception:
                self.note("rewrite-failed", f"{printable(delivery.path)} could not be divided", failed=True)
                return Division(undivided=Undivided.ERROR)
            if first:
                self.pages.reweigh(shelf)
                if (why := plan.division.undivided) is not None:
                    self.note(f"undivided.{why}", f"{printable(delivery.path)} has no lead: {why}")
        return plan.division

    def rest(self, plan: Plan, facts: Facts, delivery: Delivery, nonce: str, own: Own = NOBODYS) -> bytes | None:
        """What a lead lacks, for who has earned it; None where the page is not divided."""
        template = plan.division.rest
        if template is None:
            return None
        try:
            return template.fill(self._values(plan, facts, delivery, nonce, own))
        except Exception:
            self.note("rewrite-failed", f"{printable(delivery.path)} could not be rendered", failed=True)
            return None

    def render(
        self, plan: Plan, rendition: Rendition, facts: Facts, delivery: Delivery, nonce: str, own: Own = NOBODYS
    ) -> Rendered | None:
        """The bytes of ``rendition`` for this reader; None where there is nothing but the page as it came.

        ``own``: what the page carries of this reader's own.
        """
        template = _template(plan, rendition)
        if template is None:
            return None
        try:
            body = template.fill(self._values(plan, facts, delivery, nonce, own))
        except Exception:
            self.note("rewrite-failed", f"{printable(delivery.path)} could not be rendered", failed=True)
            return None
        return _rendered(Rendered, (body, template.personal or rendition is not Rendition.FULL))

    async def render_gzip(
        self, plan: Plan, rendition: Rendition, facts: Facts, delivery: Delivery, nonce: str, own: Own = NOBODYS
    ) -> Rendered | None:
        """The same, compressed. What is compressed for the first time and is large does not hold the event loop."""
        template = _template(plan, rendition)
        if template is None:
            return None
        try:
            values = self._values(plan, facts, delivery, nonce, own)
            if template.size > _CALM and not template.deflated(values):
                await self._once.done(("deflated", id(template)), lambda: _deflating(template, values))
            if template.band > _CALM or (template.size > _CALM and not template.deflated(values)):
                body = await anyio.to_thread.run_sync(template.gzip, values)
            else:
                body = template.gzip(values)
        except Exception:
            self.note("rewrite-failed", f"{printable(delivery.path)} could not be rendered", failed=True)
            return None
        return _rendered(Rendered, (body, template.personal or rendition is not Rendition.FULL))

    def _values(self, plan: Plan, facts: Facts, delivery: Delivery, nonce: str, own: Own = NOBODYS) -> Values:
        if not 0.0 <= facts.now - self._midnight < _DAY:
            self._turn_to(facts.now)
        values: dict[Field, bytes] = {**self._today, _COPY_NUMBER: facts.request_id.encode(), **own}
        if nonce:
            values[Field.NONCE] = b' nonce="%s"' % nonce.encode("ascii")
        if not plan.url:
            url = self.base_url(facts) + delivery.path
            values[Field.URL] = ascii_html(url)
            values[Field.URL_QUERY] = quote(url, safe="").encode("ascii")
        return values

    def _turn_to(self, now: float) -> None:
        """A new day: what all of its pages have in common."""
        self._midnight = now // _DAY * _DAY
        date = datetime.fromtimestamp(now, UTC).date().isoformat().encode()
        self._today = {Field.NONCE: b"", Field.SHARED: b"", Field.MARK: b"", Field.DATE: date}

    def base_url(self, facts: Facts) -> str:
        """The site's origin; where it is not configured, what this reader's own Host header says, if that is sane."""
        if self.settings.origin:
            return self.settings.origin
        host = facts.header(b"host") or b""
        return f"{facts.scheme}://{host.decode('ascii')}" if _HOST.fullmatch(host) else ""


def _deflating(template: Template, values: Values) -> Chores[None]:
    yield lambda: template.deflate(values)


def _template(plan: Plan, rendition: Rendition) -> Template | None:
    if rendition is Rendition.FULL:
        return plan.copied
    if rendition is Rendition.LEAD:
        return plan.division.lead
    return plan.division.search or plan.copied if rendition is Rendition.SEARCH else plan.head


def printable(text: str) -> str:
    """``text`` fit for a log line: control characters and what is not ASCII are escaped."""
    return text if text.isascii() and text.isprintable() else text.encode("unicode_escape").decode("ascii")
