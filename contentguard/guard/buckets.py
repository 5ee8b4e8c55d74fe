"""Copies that shared caches may keep: which bucket's copy a reader gets, and which articles have such copies.

    no bucket asked for ─▶ the reader's own copy, private; its article is known from now on
    GET /.contentguard/bucket/news/tide ─▶ which bucket the reader is in, where he may have the article now
    GET /news/tide with that number in X-ContentGuard-Bucket ─▶ the bucket's copy, the same to the byte for everybody

Strategy: the cache in front asks before each page; that costs no more than judging the request, and a pass is judged
and its articles are counted as if there were no cache. Nothing a client sends is believed: a number that is not the
pass's own gets the reader's own copy.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from contentguard.guard.visits import Visit
from contentguard.model import Facts
from contentguard.watermark.buckets import bucket
from contentguard.watermark.keys import epoch_at, keys_of

HEADER = b"x-contentguard-bucket"
_MOST, _LONGEST = 10_000, 1024
"""Articles that are known, and characters of the path and the name of one: an app may answer at any path."""


class Kept(NamedTuple):
    """An article of which buckets' copies can be made."""

    name: str
    revision: bytes
    counted: str
    """What meters know it as (``Plan.name``)."""


_SEVERAL = Kept("", b"", "")


class Buckets:
    """The buckets of one site's articles. ``number``: of each article; ``secrets``: of the marks."""

    def __init__(self, number: int, secrets: tuple[bytes, ...]) -> None:
        self.number, self._secret = number, secrets[0]
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def keep(self, path: str, article: Kept) -> None:
        """An article was found at a path. Each reader's own are one at a longer path than most, and several that only a
        query tells apart: a cache's question is about a path."""
        if len(path) > _LONGEST or len(article.name) > _LONGEST:
            return
        known = self._kept.get(path, article)
        self._kept[path] = article if known.name == article.name else _SEVERAL
        self._kept.move_to_end(path)
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)

    def at(self, path: str) -> Kept | None:
        """The article at a path, if this process has seen it lately."""
        found = self._kept.get(path)
        return None if found is _SEVERAL else found

    def of(self, serial: int, article: str, now: float) -> int:
        """The bucket of a reader."""
        keys = keys_of(self._secret, epoch_at(now))
        return bucket(keys, article.encode("utf-8", "surrogatepass"), serial, self.number)

    def asked(self, visit: Visit, facts: Facts, serial: int, article: str) -> int:
        """The bucket whose copy a cache asks for, where that is this reader's own; else -1."""
        wanted = facts.header(HEADER)
        if wanted is None or visit.given is None or visit.new is not None:
            return -1
        own = self.of(serial, article, facts.now)
        return own if wanted == b"%d" % own else -1
