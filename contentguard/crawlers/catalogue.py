"""Which declared robot a User-Agent names.

Each token hangs on its rarest word; the words of a header are looked up in one dictionary and only a word
that hits costs a comparison of the whole token. So a header never seen costs the same with 100 tokens as
with 2,000, and nothing can backtrack. Of several tokens the longest wins, but one that says who comes
(``AhrefsBot``) wins over one that only says by which tool. What no token names goes to the general rules
in ``unlisted``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import NamedTuple

from contentguard.crawlers.unlisted import unlisted
from contentguard.crawlers.words import LIMIT, LOWER, PLAIN, words
from contentguard.data import crawlers
from contentguard.model import Crawler, Purpose

REMEMBERED = 2048
"""User-Agents whose answer is kept: at most this many, of at most LIMIT bytes each (about 1 MB)."""


class _Token(NamedTuple):
    rank: tuple[bool, int]
    """A named robot before a tool, then the longer token before the shorter."""
    text: bytes
    at_start: bool
    at_end: bool
    crawler: Crawler

    def stands_in(self, lowered: bytes) -> bool:
        if self.at_start:
            return lowered.startswith(self.text) and self._is_word(lowered, 0)
        start = lowered.find(self.text)
        while start >= 0:
            if self._is_word(lowered, start):
                return True
            start = lowered.find(self.text, start + 1)
        return False

    def _is_word(self, lowered: bytes, start: int) -> bool:
        end = start + len(self.text)
        if self.at_end and end != len(lowered):
            return False
        glued_left = start and _letter(self.text[0]) and _letter(lowered[start - 1])
        glued_right = end < len(lowered) and _letter(self.text[-1]) and _letter(lowered[end])
        return not (glued_left or glued_right)


class Catalogue:
    """Crawlers by what their User-Agent holds."""

    def __init__(self, crawlers: Iterable[Crawler]) -> None:
        self.crawlers = tuple(crawlers)
        # A control token is a name for robots.txt: a request that carries it is not what it names.
        tokens = [_token(crawler) for crawler in self.crawlers if not crawler.control]
        self._tokens = _by_rarest_word(tokens)
        self._recall = lru_cache(maxsize=REMEMBERED)(self._find)

    def match(self, user_agent: bytes) -> Crawler | None:
        """The robot or tool that ``user_agent`` declares; None for a browser."""
        return self._recall(user_agent[:LIMIT])

    def _find(self, user_agent: bytes) -> Crawler | None:
        found = words(user_agent)
        if found and PLAIN.issuperset(found) and user_agent[:8] in _BROWSER_STARTS:
            return None
        lowered = user_agent.translate(LOWER)
        named = self._named(lowered, found)
        return unlisted(user_agent, lowered, found) if named is None else named

    def _named(self, lowered: bytes, found: list[bytes]) -> Crawler | None:
        if self._tokens.keys().isdisjoint(found):
            return None
        candidates = (token for word in {*found} & self._tokens.keys() for token in self._tokens[word])
        best = max((t for t in candidates if t.stands_in(lowered)), key=_rank, default=None)
        return None if best is None else best.crawler


class _Packaged:
    """The catalogue of ``data/``, built when it is first asked."""

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(crawlers())

    @property
    def crawlers(self) -> tuple[Crawler, ...]:
        return self._catalogue.crawlers

    def match(self, user_agent: bytes) -> Crawler | None:
        return self._catalogue.match(user_agent)


CATALOGUE = _Packaged()

_BROWSER_STARTS = frozenset({b"Mozilla/", b"mozilla/"})


def _token(crawler: Crawler) -> _Token:
    text = crawler.token.encode("utf-8").translate(LOWER)
    at_start, at_end = text.startswith(b"^"), text.endswith(b"$")
    bare = text[at_start : len(text) - at_end]
    return _Token((crawler.purpose is not Purpose.TOOL, len(bare)), bare, at_start, at_end, crawler)


def _by_rarest_word(tokens: list[_Token]) -> dict[bytes, list[_Token]]:
    held = [(token, set(words(token.text)) - PLAIN) for token in tokens]
    counts: dict[bytes, int] = {}
    for _, own in held:
        for word in own:
            counts[word] = counts.get(word, 0) + 1
    index: dict[bytes, list[_Token]] = {}
    for token, own in held:
        if not own:
            raise ValueError(f"token {token.text!r} holds no word that sets it apart from a browser")
        index.setdefault(min(own, key=lambda word: (counts[word], -len(word), word)), []).append(token)
    return index


def _rank(token: _Token) -> tuple[bool, int]:
    return token.rank


def _letter(byte: int) -> bool:
    return 97 <= byte <= 122
