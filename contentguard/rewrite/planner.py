"""From a scanned page to its plan: what the page says of itself is read, and every insert is asked for its fragments.

Strategy: pure and synchronous; nothing here waits, remembers or logs. Whatever a page lacks for an insertion is said in
the plan, and the page loses that insertion, never a byte of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from contentguard.rewrite.article import Found
from contentguard.rewrite.cards import Cards, cards
from contentguard.rewrite.csp import Allowance, allowance
from contentguard.rewrite.deterrents import Copy, deterrents
from contentguard.rewrite.head import PRESCAN, encoding_of, late_charset, meta_policies, read_page
from contentguard.rewrite.lead import Lead, Source, divide
from contentguard.rewrite.marking import Marker, Marking, classed, marking
from contentguard.rewrite.notices import Notices, notices
from contentguard.rewrite.oembed import OEmbed, discovery
from contentguard.rewrite.page import Delivery, Field, Fragment, Page, Slot
from contentguard.rewrite.pictures import Query, Where, signed
from contentguard.rewrite.plan import Division, Plan, Point, Untouched, full, points
from contentguard.rewrite.probes import Probes, probes, shows
from contentguard.rewrite.share import Share, joined, share
from contentguard.rewrite.visible import Visible, visible
from contentguard.turns import Turns


@dataclass(frozen=True, slots=True)
class Planner:
    """What a site wants inserted, and where."""

    site: str
    origin: str
    cards: Cards
    copying: Copy
    share: Share
    visible: Visible
    probes: Probes
    qr: Callable[[Page], str]
    """The address of a page's QR code; empty for none."""
    said: Callable[[str], Notices]
    """Path → what the policy says of a page there to machines."""
    lead: Lead | None = field(default_factory=Lead)
    """How pages are divided; None where they never are."""
    quote: Callable[[Page], str] = lambda page: ""
    """What copies of a page name as their source instead of its address; empty for none."""
    oembed: OEmbed = field(default_factory=lambda: OEmbed(enabled=False))
    query: Query | None = None
    """What makes addresses of pictures expire; None where none do."""
    marker: Marker | None = None
    """What knows readers' marks; None where copies are not marked."""
    classed: bool = False
    """Whether an element of ours has a class that says whose copy it is."""

    def plan(self, body: bytes, found: Found, delivery: Delivery, allowed: Allowance, like: Plan | None = None) -> Plan:
        """The plan of a scanned body. ``like``: the plan of a page that differs in little, whose parts may serve."""
        if found.article is None:
            return Plan(is_article=False, untouched=Untouched.NO_ARTICLE)
        made = self.read(body, found, delivery, allowed, like)
        if made.untouched is None:
            places = {Slot.HEAD: found.scan.head_end, Slot.ARTICLE_END: found.article.place}
            pictures = self._pictures(body, found, delivery)
            inserts = _together(points(made.fragments, places), pictures)
            made.full = full(body, inserts)
            made.lacks = Untouched.NO_PLACE if found.article.place < 0 else None
            assert made.page is not None
            if self.marker is not None:
                made.mark = partial(self._mark, self.marker, body, found, inserts, delivery)
            if self.lead is not None:
                made.divide = partial(
                    self._divide, self.lead, body, found, (places, pictures), made, delivery.content_type
                )
        return made

    def _pictures(self, body: bytes, found: Found, delivery: Delivery) -> Sequence[Point]:
        if self.query is None:
            return ()
        encoding = encoding_of(body[: max(found.scan.head_end, PRESCAN)], delivery.content_type)
        return signed(body, encoding, Where(self.origin, delivery.path), self.query)

    @staticmethod
    def _mark(
        marker: Marker, body: bytes, found: Found, inserts: Sequence[Point], delivery: Delivery
    ) -> Turns[Marking | None]:
        assert found.article is not None
        encoding = encoding_of(body[: max(found.scan.head_end, PRESCAN)], delivery.content_type)
        return marking(body, found.article, encoding, marker, inserts)

    def _divide(
        self,
        lead: Lead,
        body: bytes,
        found: Found,
        inserted: tuple[Mapping[Slot, int], Sequence[Point]],
        plan: Plan,
        content_type: str,
    ) -> Turns[Division]:
        places, pictures = inserted

        def placed(told: Page, tags: bytes) -> Sequence[Point]:
            previews = cards(told, options=self.cards, site_name=self.site)
            own = points((*previews, *self.inserts(told), Fragment(Slot.HEAD, (tags,))), places)
            return _together(own, pictures)

        assert found.article is not None
        assert plan.page is not None
        encoding = encoding_of(body[: max(found.scan.head_end, PRESCAN)], content_type)
        if plan.mark is not None:
            yield from plan.being_marked()
        marks = plan.marking
        own = (marks.edits, marks.plain) if marks else ((), {})
        return (yield from divide(Source(body, found.article, plan.page, encoding, placed, *own), lead))

    def read(
        self, start: bytes, found: Found, delivery: Delivery, allowed: Allowance, like: Plan | None = None
    ) -> Plan:
        """A plan with its fragments but no template: all that can be told from the page's ``start`` (its head)."""
        page, blocked = self._page(start, found, delivery, allowed)
        if like is not None and like.page == page and len(like.fragments) > like.cards:
            fragments, first = like.fragments, like.cards
        else:
            previews = tuple(cards(page, options=self.cards, site_name=self.site))
            inserts = self.inserts(page)
            if not allowed.nonce:
                # A hole costs memory and time with every page, and hardly any site has a nonce.
                inserts = [_without_nonce(fragment) for fragment in inserts]
            fragments, first = (*previews, *inserts), len(previews)
        return Plan(
            is_article=True,
            untouched=why_untouched(start, found, delivery),
            scan=found.scan,
            page=page,
            fragments=fragments,
            cards=first,
            shows=shows(page, self.probes),
            blocked=blocked,
        )

    def _page(self, start: bytes, found: Found, delivery: Delivery, allowed: Allowance) -> tuple[Page, bool]:
        # The head decides the encoding it is read in, so that a page means the same whole and in pieces.
        encoding = encoding_of(start[: max(found.scan.head_end, PRESCAN)], delivery.content_type)
        page = read_page(found, encoding, origin=self.origin, path=delivery.path, routes=delivery.routes)
        own = meta_policies(found.scan, encoding)
        if own:
            both = allowance(delivery.policies, origin=self.origin, meta=own)
            # A plan outlives its response: a nonce that only the page's own meta element names is not waited for.
            allowed = both if both.nonce == allowed.nonce else Allowance(scripts=False, styles=False, nonce="")
        blocked = not (allowed.scripts and allowed.styles)
        scripts, styles, queried = allowed.scripts, allowed.styles, delivery.queried
        return replace(page, scripts_allowed=scripts, styles_allowed=styles, queried=queried), blocked

    def inserts(self, page: Page) -> Sequence[Fragment]:
        """All fragments of a page but for the previews' tags."""
        every = (
            *notices(page, self.said(page.path)),
            *discovery(page, self.oembed),
            *deterrents(page, options=self.copying, share=self.share, visible=self.visible, link=self.quote(page)),
            *share(page, options=self.share, qr=self.qr(page)),
            *visible(page, options=self.visible),
            *probes(page, options=self.probes),
        )
        return classed(every) if self.classed else every


def _together(own: Sequence[Point], pictures: Sequence[Point]) -> Sequence[Point]:
    return sorted((*own, *pictures), key=lambda point: point[0]) if pictures else own


def _without_nonce(fragment: Fragment) -> Fragment:
    return Fragment(fragment.slot, joined([part for part in fragment.parts if part is not Field.NONCE]))


def why_untouched(start: bytes, found: Found, delivery: Delivery) -> Untouched | None:
    """Why nothing may be inserted into an article, or None. ``start``: at least the page's first 1,024 bytes."""
    kind = delivery.content_type.lower()
    if kind.startswith("application/xhtml"):
        # Our markup is HTML; in XML an attribute without a value would break the whole page.
        return Untouched.XHTML
    if found.scan.head_end < 0:
        return Untouched.NO_PLACE
    if "charset" not in kind and late_charset(start, found.scan.head_end):
        return Untouched.LATE_CHARSET
    return None
