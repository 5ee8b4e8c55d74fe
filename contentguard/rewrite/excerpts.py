"""How much of a text is an excerpt: its first words, and what its markup needs to end there.

Strategy: words are counted between tags, by white space; scripts that write none count two characters as a word, and
what looks like one very long word counts by its length, so that no spelling makes a text shorter. An excerpt ends with
a paragraph where one ends soon enough, else behind a word. All of it is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from contentguard.rewrite.withheld import UNSPACED

_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s<>/"']*+)(?:(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>|[^<>]*+>)""")
_WORD = re.compile(rf"[{UNSPACED}]{{1,2}}|[^\s{UNSPACED}]++")
_LONG, _LETTERS = 120, 6
"""A word of more characters counts as one for each so many: it may be a text that has no spaces."""
_LONG_TAG, _TAG_WORDS = 400, 40
"""A tag of more characters and more words than these is text by another name."""
_DEEPEST = 64
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
)
_BLOCKS = frozenset(
    (
        "p",
        "li",
        "blockquote",
        "ul",
        "ol",
        "div",
        "section",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "pre",
        "table",
        "figure",
    )
)


@dataclass(frozen=True, slots=True)
class Feeds:
    """Options of feeds. ValueError for what leaves no excerpt."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    mode: Literal["full", "excerpt", "signed"] = "excerpt"
    """``full``: as the app wrote them; ``excerpt``: no more than the beginning of each article; ``signed``: that, and
    all of it at a subscriber's own address."""
    words: int = 120
    """So many words of an article at most,"""
    share: float = 0.25
    """and of a short article no more than this part."""
    summary: int = 80
    """A text of so many words or fewer is a summary, and stays as it is."""
    days: int = 365
    """For how long a subscriber's own address is good."""
    addresses: int = 10
    """From how many devices, by address and program, it may be read in a day."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.words < 1 or self.summary < 1 or not 0 < self.share < 1:
            raise ValueError("want words >= 1, summary >= 1 and 0 < share < 1")
        if not 1 <= self.days <= 3650 or not 1 <= self.addresses <= 64:
            raise ValueError(f"{self.days} days and {self.addresses} addresses a day: 1 to 3650, and 1 to 64")

    def allowed(self, total: int) -> int:
        """How many words of a text of ``total`` may be told."""
        return min(self.words, int(self.share * total))


class Cut(NamedTuple):
    """Where a text ends that is cut."""

    offset: int
    """Characters that stay."""
    open: tuple[str, ...]
    """The elements that are open there, the innermost last, as they are written."""
    torn: bool
    """Whether that is within a paragraph."""


class _Step(NamedTuple):
    """A word, or a tag."""

    start: int
    end: int
    words: int
    tag: str = ""
    """Its name."""
    closes: bool = False


def _steps(text: str) -> Iterator[_Step]:
    done = 0
    for found in _TAG.finditer(text):
        if found.end() - found.start() > _LONG_TAG and len(found[0].split()) > _TAG_WORDS:
            continue
        yield from _words(text, done, found.start())
        empty = found[0].endswith("/>")
        yield _Step(*found.span(), 0, "" if empty else found[2], found[1] == "/")
        done = found.end()
    yield from _words(text, done, len(text))


def _words(text: str, start: int, end: int) -> Iterator[_Step]:
    for found in _WORD.finditer(text, start, end):
        length = found.end() - found.start()
        yield _Step(*found.span(), 1 if length <= _LONG else length // _LETTERS)


def count(text: str) -> int:
    """The words of a text with markup."""
    return sum(step.words for step in _steps(text))


def cut(text: str, most: int) -> Cut:
    """A text cut behind about ``most`` words, never more; of one that has fewer, all stays."""
    told, opened, best = 0, list[str](), Cut(0, (), torn=True)
    paragraph: Cut | None = None
    for step in _steps(text):
        if step.words:
            if told + step.words > most:
                break
            told += step.words
            best = Cut(step.end, tuple(opened), torn=True)
        elif step.tag:
            _turn(opened, step)
            if step.closes and told > most // 2 and step.tag.lower() in _BLOCKS:
                paragraph = Cut(step.end, tuple(opened), torn=False)
    else:
        return Cut(len(text), (), torn=False)
    return paragraph or best


def _turn(opened: list[str], step: _Step) -> None:
    """The open elements behind a tag."""
    name = step.tag.lower()
    if not step.closes:
        if name not in _VOID and len(opened) < _DEEPEST:
            opened.append(step.tag)
        return
    for place in range(len(opened) - 1, -1, -1):
        if opened[place].lower() == name:
            del opened[place:]
            return
