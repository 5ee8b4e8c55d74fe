"""Links that open one article or one feed: made for who may give it away, taken from who comes with one.

    share · gift ─▶ an URL of the article with a token in its query        opens ◀─ who follows it
    feed ─────────▶ an URL of the feed, likewise                      subscriber ◀─ whose program fetches it

Strategy: a token is sealed together with the page that it opens, as a path of this site, so it opens no other; whom it
serves is a set in the store, so a budget holds over all processes. A visitor is a browser at an address, cookies or
not, and counts once however often they read. What networks add to an address does not part a link from its page.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import blake2b
from secrets import token_bytes
from typing import Protocol
from urllib.parse import quote

from contentguard.admission import links
from contentguard.admission.links import Budget, Gift, Shared, Subscription
from contentguard.admission.tickets import is_own_path
from contentguard.backends import MOST_MEMBERS, Counters, Revocations
from contentguard.backends.fallback import FallbackStore
from contentguard.errors import SettingsError
from contentguard.guard.opened import opened
from contentguard.guard.visits import Visit
from contentguard.model import Facts, Verdict
from contentguard.rewrite.page import Field
from contentguard.rewrite.template import Values
from contentguard.sealed import SEAL
from contentguard.settings import Settings, missing_key
from contentguard.tokens import Signer
from contentguard.watermark.token import serial_of

QUERY = "cg"
"""The query's field that holds a token of ours."""
_DAY = 86400.0
_DOUBTED = 5.0
"""Score from which no link opens anything: more than a reader's surroundings bring about."""
_ADDED = frozenset(
    (
        *("fbclid", "gclid", "dclid", "msclkid", "twclid", "ttclid", "yclid", "igshid", "li_fat_id"),
        *("mc_cid", "mc_eid", "_hsenc", "_hsmi"),
    )
)
"""What networks add to the addresses that they lead to, besides ``utm_…``."""
_BOX = "box"
_URL = "/:@!$&'()*+,;=~-._?%[]"
_LONGEST = 4096
"""Characters of an address that is looked into; what is longer is none that a link of ours leads to."""

Note = Callable[[str, str], None]


class Shelf(Counters, Revocations, Protocol):
    """What links have to remember."""


class Links:
    """Share and gift links of one site, and its subscribers' feeds."""

    def __init__(
        self, settings: Settings, signer: Signer, store: Shelf, clock: Callable[[], float], note: Note
    ) -> None:
        self._shared, self._gifts, self._origin = settings.shared_links, settings.gift_links, settings.origin
        self._keys, self._sharers = signer.derived("link"), signer.derive("sharers")
        self._feeds, self._serials = settings.feeds, signer.derive("serials")
        self._store, self._clock, self._note = store, clock, note
        self.counts: Counter[str] = Counter()
        """What became of links that were made and of visitors who came by one."""

    @classmethod
    def of(cls, settings: Settings, clock: Callable[[], float] = time.time) -> Links:
        """Those of a site whose requests are not at hand: for commands, newsletters and tests.

        With a shared store gifts are counted there, and ``aclose`` ends the connection; else nobody knows of them.
        ``SettingsError`` without a secret key: links of a random one would be void.
        """
        keys, temporary = settings.keys_or_temporary()
        if temporary:
            raise SettingsError([missing_key("and links that a random one signs are void")])
        signer = Signer(keys)
        return cls(settings, signer, opened(settings, signer), clock, lambda what, message: None)

    async def aclose(self) -> None:
        """End the connection to a shared store."""
        if isinstance(self._store, FallbackStore):
            await self._store.aclose()

    # -- made ----------------------------------------------------------------------------------------------------

    def share(self, page: str, by: str = "", net: str = "") -> str:
        """A link that opens ``page`` (a path of this site, or its URL) to some readers, see ``SharedLinks``.

        ``by``: who shares it; each has a link, and a budget, for each page and day. ``net``: where to, at most 24
        characters of ``[A-Za-z0-9_.-]``. ValueError for what is no page of this site.
        """
        name = self._named(page)
        shared = Shared(self._serial(by), net, int(self._clock() // _DAY))
        self.counts["shared"] += 1
        return self._address(name, links.share(self._keys[0], shared, name))

    async def gift(self, page: str, account: str) -> str | None:
        """A link by which ``account`` gives ``page`` away, see ``GiftLinks``; None where its month's gifts are given.

        To give a page again in the same month is free. ValueError as for ``share``.
        """
        name, now = self._named(page), self._clock()
        giver = links.giver_tag(self._keys[-1], account)
        if not self._gifts.monthly or not await self._joined(links.gifts(giver, now, self._gifts), name, now):
            self.counts["gifts-used-up"] += 1
            return None
        gift = Gift(giver, token_bytes(8), int(now), self._gifts.days, self._gifts.devices)
        self.counts["given"] += 1
        return self._address(name, links.give(self._keys[0], gift, name))

    def feed(self, page: str, account: str) -> str:
        """The address of the feed ``page`` (a path of this site, or its URL) that is ``account``'s own.

        Where ``feeds.mode`` is ``signed`` the feed is whole there, and marked as the account's copies are. Each call
        makes another, so one that was revoked can be replaced. ValueError as for ``share``.
        """
        name = self._named(page)
        made = Subscription(serial_of(self._serials, f"account {account}"), int(self._clock()))
        self.counts["subscribed"] += 1
        return self._address(name, links.subscribe(self._keys[0], made, name))

    def in_box(self, visit: Visit, article: str, now: float) -> Values:
        """What makes the share box's links of a page that a reader has whole open it; nothing where that cannot be."""
        name = self._own(article)
        if not name.startswith("/") or "#" in name:
            return {}
        text = links.share(self._keys[0], Shared(self._serial(visit.key), _BOX, int(now // _DAY)), name)
        between = "%26" if "?" in name else "%3F"
        return {Field.SHARED: f"{between}{QUERY}%3D{text}".encode("ascii")}

    def _serial(self, by: str) -> int:
        text = by.encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(text, digest_size=8, key=self._sharers).digest(), "big")

    def _address(self, name: str, text: str) -> str:
        between = "&" if "?" in name else "?"
        return f"{self._origin}{quote(name, safe=_URL)}{between}{QUERY}={text}"

    def _named(self, page: str) -> str:
        name = self._own(page).partition("#")[0]
        if not is_own_path(name):
            raise ValueError(f"expected a page of this site, as a path or with its origin; found {page[:200]!r}")
        return _bare(quote(name, safe=_URL))

    def _own(self, address: str) -> str:
        """An URL of this site as its path."""
        origin = self._origin
        return address[len(origin) :] if origin and address.startswith(origin + "/") else address

    # -- followed ------------------------------------------------------------------------------------------------

    async def opens(self, visit: Visit, facts: Facts, verdict: Verdict, article: str, line: str) -> bool:
        """Whether the token that a visitor came with opens ``article`` (what names it), asked for by ``line``."""
        if not visit.caller.reads or facts.method != "GET" or verdict.score >= _DOUBTED:
            return False
        for name in dict.fromkeys(self._names(article, line)):
            found = self._read(visit.token, name, facts.now)
            if found is not None:
                kind, budget = found
                opened = await self._serves(visit, facts.now, budget)
                self.counts[f"{kind}.{'opened' if opened else 'used-up'}"] += 1
                return opened
        self.counts["void"] += 1
        return False

    def _names(self, article: str, line: str) -> Iterator[str]:
        """By what names a link can be about a page. Where the page does not say what it is, its query does."""
        asked, named = _bare(line), self._own(article)
        yield asked
        if named != asked.partition("?")[0]:
            yield named

    def _read(self, token: bytes, name: str, now: float) -> tuple[str, Budget] | None:
        shared = links.read_shared(self._keys, token, name)
        if shared is not None:
            is_open = links.is_shared_open(shared, now, self._shared)
            return ("shared", links.readings(token.decode("ascii"), shared, self._shared)) if is_open else None
        gift = links.read_gift(self._keys, token, name)
        if gift is None or not links.is_gift_open(gift, now):
            return None
        return "gift", links.devices(token.decode("ascii"), gift)

    async def _serves(self, visit: Visit, now: float, budget: Budget) -> bool:
        if not budget.most:
            return False
        try:
            if await self._store.revoked(budget.key, now):
                return False
        except Exception:
            self._broken()
        return await self._joined(budget, visit.anonymous, now)

    async def _joined(self, budget: Budget, member: str, now: float) -> bool:
        try:
            return await self._store.join(budget.key, member, min(budget.most, MOST_MEMBERS), budget.until, now)
        except Exception:
            # A budget that cannot be counted is none: who follows the link reads on as any other reader does.
            self._broken()
            return False

    def _broken(self) -> None:
        self._note("links-failed", "the store failed; links open nothing")

    def subscriber(self, token: bytes, line: str, now: float) -> Subscription | None:
        """Who has the feed that was asked for by ``line`` with this token; None where nobody has, or not any more."""
        found = links.read_subscription(self._keys, token, _bare(line))
        if found is None or not links.is_subscription_open(found, now, self._feeds.days):
            return None
        return found

    async def fetches(self, token: bytes, member: str, now: float) -> bool:
        """Whether ``member`` (a program at an address) may fetch the feed of a genuine token today."""
        budget = links.fetchers(token.decode("ascii"), now, self._feeds.addresses)
        try:
            if await self._store.revoked(_feed_key(token.decode("ascii")), now):
                self.counts["feed.revoked"] += 1
                return False
        except Exception:
            self._broken()
        opened = await self._joined(budget, member, now)
        self.counts[f"feed.{'opened' if opened else 'used-up'}"] += 1
        return opened

    # -- taken back ----------------------------------------------------------------------------------------------

    async def revoke(self, link: str) -> bool:
        """Take a link back, given as its URL or its token; whether it can be one. Its budget is then as if used up."""
        text = token_of(link)
        if len(text) < SEAL:
            return False
        now = self._clock()
        until = now + max(self._shared.days + 1, self._feeds.days + 1, 256) * _DAY
        for key in (f"shared:{text[:SEAL]}", f"gift:{text[:SEAL]}", _feed_key(text)):
            await self._store.revoke(key, until, now)
        return True


def _feed_key(token: str) -> str:
    return f"feed:{token[:SEAL]}"


def token_of(link: str) -> str:
    """The token in an URL's query; what is no URL is taken for one."""
    query = link.partition("#")[0].partition("?")[2]
    found = [field.removeprefix(f"{QUERY}=") for field in query.split("&") if field.startswith(f"{QUERY}=")]
    return found[0] if found else link if "/" not in link and "?" not in link else ""


def _bare(line: str) -> str:
    """Path and query without our tokens and without what networks add."""
    if len(line) > _LONGEST:
        return line
    path, _, query = line.partition("?")
    kept = [field for field in query.split("&") if field and not _is_added(field.partition("=")[0])]
    return path + ("?" + "&".join(kept) if kept else "")


def tells_apart(query: str) -> bool:
    """Whether a query may say which page is meant: it holds more than our tokens and what networks add."""
    return any(field and not _is_added(field.partition("=")[0]) for field in query.split("&"))


def _is_added(name: str) -> bool:
    return name == QUERY or name in _ADDED or name.startswith("utm_")
