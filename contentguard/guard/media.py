"""The site's pictures: who may show them, and addresses of them that expire.

Strategy: what a request says of itself decides (``policy.media``), so nothing is asked of a store. An address carries
when it ends and a MAC of that and of its path; both change once an hour, and all pages are planned anew then, so that
a page is the same for all readers within that hour. Card pictures (``og:image``) are fetched and shown by who knows
whom: those that articles name are remembered and open to everybody.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from hmac import compare_digest
from urllib.parse import quote, unquote, urljoin, urlsplit

from contentguard.data import embedders
from contentguard.model import Facts
from contentguard.policy.media import Paths, is_embedded, is_guest
from contentguard.rewrite.page import Page
from contentguard.settings import Settings
from contentguard.tokens import Signer

QUERY = "cgm"
"""The query's field that holds a picture's token."""
SLOT = 3600.0
"""Seconds for which all addresses of a picture are the same."""
_HOURS = 24
_TOKEN = re.compile(r"([0-9a-f]{1,8})-([A-Za-z0-9_-]{16})")
_CARDS = 20_000
"""Card pictures that are remembered; the oldest are forgotten."""
_LONGEST = 512
"""Characters of a path that is remembered."""
_NAMED = ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src")


class Media:
    """Those of one site."""

    def __init__(self, settings: Settings, signer: Signer) -> None:
        chosen = settings.media
        self._keys = signer.derived("media")
        self._signed, self._open, self._days = Paths(chosen.signed), Paths(chosen.open), chosen.days
        self._origin, self._host = settings.origin, urlsplit(settings.origin).hostname or ""
        self._embedders = embedders() | frozenset(chosen.embedders)
        self._cards: dict[str, None] = {}
        self._shows_cards = chosen.cards == "show"
        self.signs = bool(chosen.signed)
        """Whether some pictures' addresses expire."""
        self.hotlinks = chosen.hotlinks != "allow"
        self.resource_policy = chosen.resource_policy.encode("ascii")
        self.active = self.signs or self.hotlinks or bool(self.resource_policy)
        """Whether there is anything to see to."""
        self.slot = 0
        """The hour for which addresses are made."""
        self.counts: Counter[str] = Counter()
        """How often a placeholder stood for a picture, by why."""

    # -- asked for ---------------------------------------------------------------------------------------------

    def withholds(self, facts: Facts, path: str, token: str) -> str:
        """Why a picture is not shown to who asks for it; empty where it is.

        ``path``: as a browser has it, decoded. ``token``: what came in the query.
        """
        embedded = self.hotlinks and is_embedded(facts, self._host, self._embedders)
        unsigned = self.signs and self._signed.may_mean(path) and not self._is_valid(token, path, facts.now)
        if not (embedded or unsigned) or self._open.surely_mean(path) or is_guest(facts):
            return ""
        if path in self._cards and (self._shows_cards or not embedded):
            return ""
        return "unsigned" if unsigned else "embedded"

    def is_open(self, path: str) -> bool:
        """Whether pages of other sites may show the picture: the site says so, or lets them show articles' cards."""
        return (self._shows_cards and path in self._cards) or self._open.surely_mean(path)

    # -- named by pages ----------------------------------------------------------------------------------------

    def learn(self, page: Page | None) -> None:
        """Take note of the pictures on a page's card."""
        for path in self._card(page) if page is not None and self.active else ():
            self._cards.pop(path, None)
            self._cards[path] = None
            if len(self._cards) > _CARDS:
                del self._cards[next(iter(self._cards))]

    def _card(self, page: Page) -> Iterator[str]:
        base = page.url or page.path
        for url in dict.fromkeys([page.image, *map(page.metas.get, _NAMED)]):
            try:
                parts = urlsplit(urljoin(base, url)) if url else None
            except ValueError:
                continue
            # On another host it may be this site's all the same, by another name; the path is the guard's.
            if parts is not None and parts.path.startswith("/") and len(parts.path) <= _LONGEST:
                yield unquote(parts.path)

    # -- signed ------------------------------------------------------------------------------------------------

    def query(self, path: str) -> str:
        """The field by which a picture's address can be fetched; empty where it needs none."""
        if not self._signed.may_mean(path):
            return ""
        until = self.slot + _HOURS * self._days
        return f"{QUERY}={until:x}-{_mac(self._keys[0], until, path)}"

    def signed(self, path: str) -> str:
        """The address of a picture of this site, for pages that the guard does not rewrite. ``path``: not encoded."""
        field = self.query(path)
        return quote(path, safe="/:@!$&'()*+,;=~-._") + (f"?{field}" if field else "")

    def _is_valid(self, token: str, path: str, now: float) -> bool:
        found = _TOKEN.fullmatch(token)
        if found is None:
            return False
        until, said = int(found[1], 16), found[2].encode("ascii")
        genuine = any(compare_digest(_mac(key, until, path).encode("ascii"), said) for key in self._keys)
        return genuine and now < until * SLOT


def _mac(key: bytes, until: int, path: str) -> str:
    what = until.to_bytes(4, "big") + path.encode("utf-8", "surrogatepass")
    return urlsafe_b64encode(blake2b(what, digest_size=12, key=key).digest()).decode("ascii")
