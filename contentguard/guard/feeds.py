"""What becomes of feeds: who gets how much of one, and with whose marks.

Strategy: a feed is read once and its excerpt made once for all who ask for it; only a subscriber's copy is made anew.
Which of the two a client gets follows from its verdict, so a robot gets no more of an article by a feed than by a page.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from gzip import compress
from hashlib import blake2b

from anyio import to_thread

from contentguard.guard.copies import Copies, Subscriber
from contentguard.model import Facts, Purpose, Rendition, Standing, Verdict
from contentguard.rewrite.excerpts import Feeds
from contentguard.rewrite.feeds import Edit, Feed, Spot, read_feed
from contentguard.rewrite.pages import Recent
from contentguard.settings import Settings
from contentguard.watermark.compiled import Compiled

_MOST, _MOST_BYTES = 32, 32 * 2**20
"""Feeds that are kept, and bytes of all of them together."""
_CALM = 16_384
"""Bytes of a feed up to which it is read and packed without leaving the event loop."""


class Share(StrEnum):
    """How much of a feed's texts a client gets."""

    WHOLE = "whole"
    EXCERPT = "excerpt"
    HEAD = "head"
    """None of them, as of a page its head alone."""


@dataclass(slots=True)
class Marked:
    """A text's marks."""

    made: Compiled
    article: str
    spots: Sequence[Spot | None]

    def edits(self, marks: Sequence[bytes]) -> list[Edit]:
        """What puts these marks into the feed."""
        return [spot.holds(mark) for spot, mark in zip(self.spots, marks, strict=True) if spot is not None]


@dataclass(slots=True)
class Read:
    """A feed that was read."""

    feed: Feed
    marked: list[Marked]
    made: dict[Share, bytes] = field(default_factory=dict)
    """What is the same for all who get so much."""


class Newsstand:
    """The feeds of one site."""

    def __init__(self, settings: Settings, copies: Copies | None, edition: str) -> None:
        """``edition`` names what shapes a page besides its bytes."""
        self.options: Feeds = settings.feeds
        self.active, self.signed = settings.feeds.mode != "full", settings.feeds.mode == "signed"
        self._copies, self._origin, self._link = copies, settings.origin, settings.lead.link
        self._edition = f"{edition} {settings.feeds} {settings.lead.link} {settings.watermark}"
        self._read: OrderedDict[bytes, Read | None] = OrderedDict()
        self._size = 0
        self._packed: Recent[bytes] = Recent(_MOST, _MOST_BYTES)

    def share(self, facts: Facts, verdict: Verdict, *, robot: bool) -> Share:
        """How much a client gets who comes without a subscriber's address. ``robot``: it says that it is one."""
        if not robot:
            # A reader's program, with a pass or without: a feed has no meter.
            return Share.EXCERPT if verdict.rendition is not Rendition.NONE else Share.HEAD
        if verdict.rendition is Rendition.FULL:
            proved = verdict.rule.startswith("crawlers.") or facts.identity is Standing.VERIFIED
            return Share.WHOLE if proved else Share.EXCERPT
        return Share.EXCERPT if self.is_reader_s(facts, robot=robot) else Share.HEAD

    def is_reader_s(self, facts: Facts, *, robot: bool) -> bool:
        """Whether somebody may read feeds with this client. Many such programs are in no catalogue, and so tools."""
        return not robot or (facts.crawler is not None and facts.crawler.purpose in (Purpose.FEED, Purpose.TOOL))

    def edition(self, share: Share, subscriber: Subscriber | None = None) -> str:
        """Names what shapes a feed besides its bytes."""
        whose = "" if subscriber is None else f"{subscriber.serial} {subscriber.epoch}"
        text = f"{self._edition} {share} {whose}"
        return blake2b(text.encode(), digest_size=6).hexdigest()

    async def read(self, body: bytes, content_type: str) -> Read | None:
        """The feed in a body; None for what is none. Raises ``FeedError``."""
        key = blake2b(content_type.encode("utf-8", "surrogatepass") + b"\0" + body, digest_size=16).digest()
        if key in self._read:
            self._read.move_to_end(key)
            return self._read[key]
        if len(body) > _CALM:
            made = await to_thread.run_sync(self._made, body, content_type)
        else:
            made = self._made(body, content_type)
        return self._kept(key, made)

    def _made(self, body: bytes, content_type: str) -> Read | None:
        feed = read_feed(body, content_type, self.options.summary)
        return None if feed is None else Read(feed, self._marked(feed))

    def _kept(self, key: bytes, made: Read | None) -> Read | None:
        if key not in self._read:
            self._read[key] = made
            self._size += 0 if made is None else made.feed.size
        while len(self._read) > _MOST or (self._size > _MOST_BYTES and len(self._read) > 1):
            _, old = self._read.popitem(last=False)
            self._size -= 0 if old is None else old.feed.size
        return made

    def copy(self, read: Read, share: Share) -> bytes:
        """What all get who get so much. May take a while, the first time."""
        made = read.made.get(share)
        if made is None:
            made = read.made[share] = self._settled(read, share)
        return made

    def subscribed(self, read: Read, subscriber: Subscriber) -> bytes:
        """A subscriber's copy, marked where copies are."""
        edits: list[Edit] = []
        for one in read.marked:
            assert self._copies is not None
            edits += one.edits(self._copies.of_text(one.made, one.article, subscriber))
        return read.feed.whole(edits)

    async def packed(self, body: bytes) -> bytes:
        """A feed, compressed."""
        known = self._packed.get(body)
        if known is None:
            small = len(body) <= _CALM
            known = (
                compress(body, 6, mtime=0) if small else await to_thread.run_sync(lambda: compress(body, 6, mtime=0))
            )
            self._packed.put(body, known, len(body) + len(known))
        return known

    def _settled(self, read: Read, share: Share) -> bytes:
        settled = [edit for one in read.marked for edit in one.edits(one.made.plain)]
        settled = [edit for edit in settled if edit.text or edit.end > edit.start]
        if share is Share.WHOLE:
            return read.feed.whole(settled)
        return read.feed.excerpt(self.options if share is Share.EXCERPT else None, self._link, settled)

    def _marked(self, feed: Feed) -> list[Marked]:
        if self._copies is None:
            return []
        found = []
        for text in feed.texts:
            made, spots = feed.marked(text, self._copies.compile)
            assert isinstance(made, Compiled)
            link = text.entry.link
            found.append(Marked(made, self._origin + link if link.startswith("/") else link, spots))
        return found
