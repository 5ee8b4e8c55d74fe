"""What the scanners of feeds find: texts, by where they stand, and the articles that they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import NamedTuple

from contentguard.rewrite.excerpts import count
from contentguard.rewrite.written import Written

DEEPEST = 64
"""The most elements, or values, within each other."""


class Trouble(StrEnum):
    """Why a feed cannot be read."""

    TOO_LARGE = "too-large"
    ENCODED = "encoded"
    CHARSET = "charset"
    MALFORMED = "malformed"
    TOO_DEEP = "too-deep"
    ENTITIES = "entities"
    """It declares entities, behind which any text may stand."""


class FeedError(ValueError):
    """A feed cannot be read, for the reason given as ``trouble``."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class Form(Enum):
    """What a text is, and so what may follow it."""

    HTML = "html"
    TEXT = "text"
    XHTML = "xhtml"
    """Its markup is the document's own."""
    OTHER = "other"
    """Nobody knows: nothing but an ellipsis."""


@dataclass(slots=True)
class Entry:
    """An article in a feed."""

    link: str = ""
    """Where it can be read, an absolute URL or a path; empty where the feed does not say."""

    def led(self, link: str) -> None:
        """Note a link that the feed gives for it; the first one counts."""
        link = link.strip()
        if not self.link and len(link) <= 2048 and link.startswith(("https://", "http://", "/")):
            self.link = link


class Tag(NamedTuple):
    """A tag of the document's own in a text."""

    start: int
    name: str
    closes: bool


@dataclass(slots=True)
class Text:
    """One text of a feed."""

    written: Written
    end: int
    """Where in the document it ends."""
    form: Form
    entry: Entry
    tags: Sequence[Tag] = ()
    """Those that open or close an element, if its form is XHTML."""
    words: int = field(init=False)

    def __post_init__(self) -> None:
        self.words = count(self.written.said)


class Scanned(NamedTuple):
    """A document that was read."""

    texts: list[Text]
    """What is longer than a summary."""
    dropped: list[tuple[int, int]]
    """What is no text by its place and one by its length: comments, attributes."""


def is_address(text: str) -> bool:
    """Whether a text is an URL and nothing else, however long."""
    return text.startswith(("https://", "http://")) and len(text) <= 2048 and not any(map(str.isspace, text))
