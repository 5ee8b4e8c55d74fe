"""Which declared robot a User-Agent names.

A header is split into its letter runs once, in C. Most browsers hold nothing but words that tell nothing, and what
tells nothing is learned word by word. Of the other words, each is looked up in one dictionary: a token of the
catalogue hangs on its rarest word, and only a word that hits costs a comparison of the whole token. So a header
never seen costs the same with 100 tokens as with 2,000, and nothing can backtrack. And most headers never seen are
an update's: the letters of one that named nobody are remembered, and its digits are of no account. Of several tokens
the longest wins, but one that says who comes (``AhrefsBot``) wins over one that only says by which tool. What no token
names goes to the general rules in ``unlisted``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import NamedTuple

from contentguard.crawlers.unlisted import is_device_name, ordinary, tells, unlisted, written_plainly
from contentguard.crawlers.words import LETTERS, LIMIT, LOWER, PLAIN, words
from contentguard.data import crawlers
from contentguard.model import Crawler, Purpose

REMEMBERED = 2048
"""User-Agents whose answer is kept: at most this many, of at most LIMIT bytes each (about 1 MB)."""

LEARNED = 8192
LEARNED_LENGTH = 24
"""Words of no token of which is remembered whether they tell anything: so many, of so many letters (about 1 MB)."""


FORMS = 1024
"""Headers' letters that are remembered for naming nobody, of at most LIMIT bytes each."""


class _Token(NamedTuple):
    rank: int
    """A named robot before a tool, then the longer token before the shorter."""
    text: bytes
    at_start: bool
    at_end: bool
    one_word: bool
    """Nothing but its one word, so that a header that holds the word holds the token."""
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


_Meaning = tuple[_Token | None, ...]
"""What an unusual word can mean: the tokens that hang on it, and None where it tells that a program speaks."""


class Catalogue:
    """Crawlers by what their User-Agent holds."""

    def __init__(self, crawlers: Iterable[Crawler]) -> None:
        self.crawlers = tuple(crawlers)
        # A control token is a name for robots.txt: a request that carries it is not what it names.
        tokens = [_token(crawler) for crawler in self.crawlers if not crawler.control]
        self._anchors = {word: (*_telling(word), *on_it) for word, on_it in _by_rarest_word(tokens).items()}
        self._meanings: dict[bytes, _Meaning] = {}
        self._silent: set[bytes] = set()
        self._nobody: set[bytes] = set()
        self._forget()
        self._recall = lru_cache(maxsize=REMEMBERED)(self._find)

    def match(self, user_agent: bytes) -> Crawler | None:
        """The robot or tool that ``user_agent`` declares; None for a browser."""
        return self._recall(user_agent[:LIMIT])

    def _find(self, user_agent: bytes) -> Crawler | None:
        letters = user_agent.translate(LETTERS)
        if letters in self._nobody and written_plainly(user_agent):
            return None
        found = letters.split()  # words(), spelt out
        silent = self._silent
        if silent.issuperset(found) and ordinary(user_agent, found):
            self._remember(letters)
            return None
        unusual = [word for word in dict.fromkeys(found) if word not in silent]  # a word said again says no more
        telling: list[bytes] = []
        named = self._named(user_agent, unusual, telling)
        if named is not None:
            return named.crawler
        return None if not telling and ordinary(user_agent, found) else unlisted(user_agent, found, telling)

    def _remember(self, letters: bytes) -> None:
        """These tell nothing, in any header that is written plainly. All are forgotten when there are too many, which
        costs a reader as much as the words of one header."""
        if len(self._nobody) >= FORMS:
            self._nobody.clear()
        self._nobody.add(letters)

    def _named(self, user_agent: bytes, unusual: list[bytes], telling: list[bytes]) -> _Token | None:
        """The best token that stands in ``user_agent``; words that tell something are added to ``telling``."""
        best: _Token | None = None
        rank, lowered = 0, b""
        recall = self._meanings.get
        for word in unusual:
            for token in recall(word) or self._learn(word):
                if token is None:
                    telling.append(word)
                    continue
                if token.rank <= rank:
                    break  # the others on this word rank lower still
                lowered = lowered or user_agent.translate(LOWER)
                if token.one_word or (token.text in lowered and token.stands_in(lowered)):
                    best, rank = token, token.rank
                    break
        return None if best is None or _is_in_a_hand(best, lowered) else best

    def _learn(self, word: bytes) -> _Meaning:
        """What a word means on which no token hangs; remembered, so that it is asked once."""
        meaning = _telling(word)
        if len(word) <= LEARNED_LENGTH:
            if len(self._meanings) + len(self._silent) >= len(self._anchors) + len(PLAIN) + LEARNED:
                self._forget()
            if meaning:
                self._meanings[word] = meaning
            else:
                self._silent.add(word)
        return meaning

    def _forget(self) -> None:
        self._meanings = dict(self._anchors)
        self._silent = set(PLAIN)
        self._nobody.clear()


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

_NAMED = 1000

_COMMON = Counter(
    dict.fromkeys(b"http https www com org net html bot bots robot crawler search web site go".split(), 9)
)
"""Words that many robots' headers hold: a token hangs on one of them only if it has no other."""


def _token(crawler: Crawler) -> _Token:
    text = crawler.token.encode("utf-8").translate(LOWER)
    at_start, at_end = text.startswith(b"^"), text.endswith(b"$")
    bare = text[at_start : len(text) - at_end]
    one_word = words(bare) == [bare] and not at_start and not at_end
    rank = len(bare) + (0 if crawler.purpose is Purpose.TOOL else _NAMED)
    return _Token(rank, bare, at_start, at_end, one_word, crawler)


def _is_in_a_hand(token: _Token, lowered: bytes) -> bool:
    """Whether a tool's name is only a device's, or an app that shows previews says on whose telephone it runs."""
    if token.crawler.purpose is Purpose.TOOL:
        return is_device_name(token.text, lowered)
    return token.crawler.purpose is Purpose.LINK_PREVIEW and b" device/" in lowered


def _telling(word: bytes) -> tuple[None, ...]:
    return (None,) if tells(word) else ()


def _by_rarest_word(tokens: Iterable[_Token]) -> dict[bytes, tuple[_Token, ...]]:
    held = [(token, set(words(token.text)) - PLAIN) for token in tokens]
    counts = Counter(word for _, own in held for word in own) + _COMMON
    index: dict[bytes, tuple[_Token, ...]] = {}
    for token, own in held:
        if not own:
            raise ValueError(f"token {token.text!r} holds no word that sets it apart from a browser")
        rarest = min(own, key=lambda word: (counts[word], -len(word), word))
        index[rarest] = tuple(sorted((*index.get(rarest, ()), token), key=_rank, reverse=True))
    return index


def _rank(token: _Token) -> int:
    return token.rank


def _letter(byte: int) -> bool:
    return 97 <= byte <= 122
