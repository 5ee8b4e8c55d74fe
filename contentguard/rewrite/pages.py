"""Pages and their plans: looked up, worked out a slice at a time, or made up on the way through.

Strategy: pure. Whoever calls decides when to wait: ``work`` is a generator that stops after each slice of a large page,
so that no event loop is held for long, and hands out as a chore what cannot be sliced (a tree built by BeautifulSoup).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from contentguard.rewrite.article import Article, Finder, Found
from contentguard.rewrite.cache import Entry, PlanCache
from contentguard.rewrite.csp import Allowance, allowance
from contentguard.rewrite.head import ascii_superset, encoding_of, is_wide
from contentguard.rewrite.page import Delivery, Field, Page
from contentguard.rewrite.plan import Plan, Untouched
from contentguard.rewrite.planner import Planner
from contentguard.rewrite.resume import Base, resume, with_cuts
from contentguard.rewrite.scan import Scan, Scanner, TooDeepError
from contentguard.rewrite.stream import MAX_TAGS, Stream
from contentguard.rewrite.template import Values
from contentguard.turns import Chores, Turns

SLICE = 65536
"""Bytes of a page scanned in one go: about a millisecond."""
_ALLOWANCES = 64
"""How many different Content-Security-Policy headers are remembered."""
_WORTHWHILE = 2 * 4096
"""A smaller page is scanned anew each time it changes."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shelf:
    """Under what a page's plan is kept, and what its response allows."""

    key: tuple[object, ...]
    allowed: Allowance


class Recent(Generic[T]):
    """A few things remembered by what they were made of; all are forgotten when there are too many.

    ``most`` of them, of at most ``most_bytes`` together where their sizes are told.
    """

    def __init__(self, most: int, most_bytes: int = 0) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._bytes = 0
        self._held: dict[Hashable, T] = {}
        self.get = self._held.get
        """What was put under a key, or None."""

    def put(self, key: Hashable, value: T, size: int = 0) -> T:
        """Remember ``value``, of ``size`` bytes; returns it. One of more than a hundredth of all is not remembered."""
        if size > self._most_bytes // 100:
            return value
        if len(self._held) >= self._most or self._bytes + size > self._most_bytes:
            self._held.clear()
            self._bytes = 0
        self._held[key] = value
        self._bytes += size
        return value


class Pages:
    """All pages of one site."""

    def __init__(self, article: Article, planner: Planner, cache_bytes: int) -> None:
        self.finder = Finder(article, texts=planner.marker is not None)
        self.planner = planner
        self.cache = PlanCache(cache_bytes)
        self._article = article
        self._allowances: Recent[Allowance] = Recent(_ALLOWANCES)

    def shelf(self, delivery: Delivery) -> Shelf:
        """Where the plan of a page that is delivered so is kept."""
        allowed = self._allowed(delivery.policies)
        said = delivery.forced, delivery.queried
        kind = (delivery.content_type, allowed.scripts, allowed.styles, allowed.nonce != "", *said)
        return Shelf((delivery.path, delivery.routes, *kind), allowed)

    def known(self, shelf: Shelf, body: bytes) -> Plan | None:
        """The plan of a page seen before."""
        return self.cache.get(shelf.key, body)

    def work(self, delivery: Delivery, shelf: Shelf, body: bytes) -> Chores[Plan]:
        """Work out the plan of a page, and remember it; never raises for what the page holds."""
        entry = self.cache.entry(shelf.key)
        plan, base = self._unreadable(delivery, body), None
        if plan is None:
            try:
                found, base = yield from self._found(delivery, body, entry)
                plan = self.planner.plan(body, found, delivery, shelf.allowed, entry.latest if entry else None)
            except TooDeepError:
                plan = Plan(is_article=True, untouched=Untouched.TOO_DEEP)
        if base is None and (entry is None or entry.base is None):
            # The next body under this key is scanned whole in any case: no need to hold what could spare it more.
            plan.fragments = plan.fragments[: plan.cards]
        self.cache.put(shelf.key, body, plan, base)
        return plan

    def reweigh(self, shelf: Shelf) -> None:
        """Account for what has been made of a page's plan since. The cache is one thread's: not for any other."""
        self.cache.reweigh(shelf.key)

    def stream(self, delivery: Delivery, shelf: Shelf, values: Callable[[Plan], Values]) -> Stream:
        """A page on its way through."""

        def read(start: bytes, found: Found) -> Plan:
            return self.planner.read(start, found, delivery, shelf.allowed)

        return Stream(self.finder, read, values, forced=delivery.forced, max_bytes=self._article.max_bytes)

    def fields(self) -> frozenset[Field]:
        """The fields that this site's pages leave open, but for the nonce: empty where all readers get the same."""
        page = Page(title="T", origin=self.planner.origin)
        slots = {part for fragment in self.planner.inserts(page) for part in fragment.parts}
        return frozenset(part for part in slots if isinstance(part, Field)) - {Field.NONCE}

    def _allowed(self, policies: tuple[str, ...]) -> Allowance:
        """What these CSP headers allow. Most sites send one and the same; a nonce makes each a new one."""
        found = self._allowances.get(policies)
        return found or self._allowances.put(policies, allowance(policies, origin=self.planner.origin))

    def _unreadable(self, delivery: Delivery, body: bytes) -> Plan | None:
        """The plan of a page that is not even scanned."""
        why = None
        if len(body) > self._article.max_bytes:
            why = Untouched.TOO_LARGE
        elif is_wide(body) or not ascii_superset(delivery.content_type):
            why = Untouched.CHARSET
        elif len(body) > MAX_TAGS and body.count(b"<") > MAX_TAGS:
            why = Untouched.TOO_MANY_TAGS
        return None if why is None else Plan(is_article=True, untouched=why)

    def _found(self, delivery: Delivery, body: bytes, entry: Entry | None) -> Chores[tuple[Found, Base | None]]:
        finder, forced = self.finder, delivery.forced
        if not finder.simple:
            encoding = encoding_of(body, delivery.content_type)
            found: Found = yield lambda: finder.find(body, encoding, forced=forced)
            return found, None
        scan = base = None
        if entry is not None and entry.base is not None:
            scan = resume(entry.base, body, lambda: finder.scanner(forced=forced))
        if scan is None and entry is not None and len(body) > _WORTHWHILE:
            # The second body under one key: there may be more of the kind.
            base = yield from with_cuts(finder.scanner(forced=forced), body)
            scan = base.scan
        if scan is None:
            scan = yield from _in_slices(finder.scanner(forced=forced), body)
        return finder.found(scan), base


def _in_slices(scanner: Scanner, body: bytes) -> Turns[Scan]:
    for until in range(SLICE, len(body), SLICE):
        scanner.feed(body, 0, until=until)
        if scanner.done:
            break
        yield
    return scanner.scan(body)
