"""What a trace comes to: articles, passages, readers, and how much speaks for each."""

from __future__ import annotations

from typing import NamedTuple

from contentguard.backends import Issued
from contentguard.cli.suspects import Suspect
from contentguard.watermark.score import Bits, Sums
from contentguard.watermark.winnow import Overlap


class Article(NamedTuple):
    """An article that a text has parts of."""

    name: str
    suspect: str
    """The text's name."""
    overlap: Overlap | None
    """None where only frames tell: its text is not in the index."""
    quotes: tuple[tuple[str, str], ...]
    """Passages: as they stand in the text, and as in the article."""
    genuine: int
    """Frames that name one of its copies."""
    foreign: int
    """Frames that belong to no article found: moved, made up, or of other keys."""
    spans: tuple[tuple[int, int], ...]
    """Where the passages stand in the text, in characters."""
    published: int = 0
    """Words of the text with marks that an article found has as it was published: they count for nothing."""


class Part(NamedTuple):
    """What one article says of a reader."""

    article: str
    bits: Bits
    epoch: int
    framed: bool
    """Whether a frame names him."""
    sums: Sums
    """The same for each of the score's components, to be added to other articles'."""


class Reader(NamedTuple):
    """Somebody whose copy it may be."""

    serial: int
    bits: float
    parts: tuple[Part, ...]
    rows: tuple[Issued, ...]
    """When and to whom it was given; empty where the log does not know it, or no more."""


class Bucket(NamedTuple):
    """Of which copy for shared caches something is."""

    article: str
    epoch: int
    which: int
    number: int
    """Of how many."""
    bits: float


class Trace(NamedTuple):
    """What came of it."""

    suspects: tuple[Suspect, ...]
    articles: tuple[Article, ...]
    named: tuple[Reader, ...]
    """Those with enough bits, the surest first."""
    others: tuple[Reader, ...]
    """The likeliest of those without: none of them is accused of anything."""
    readers: int
    epsilon: float
    needed: float
    scored: int
    """Readers that were compared."""
    buckets: tuple[Bucket, ...] = ()
    """Copies for shared caches: each is that of many readers."""
