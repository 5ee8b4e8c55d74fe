"""Where an article may be cut in two: its first paragraphs, and what is withheld from a client without a pass.

Strategy: ``blocks.py`` knows the places. Boxes inside an article hold little of its text, so a place is looked for in
the container that holds most of it, then in others that hold a good part. Of those with enough paragraphs before them
the one nearest to the wanted number of words is taken.

What is withheld is everything from there to the article's end but the end tags of the containers that are open at the
cut, so it may come in several pieces. Both ways through the page must lead to the same open elements behind it; a page
whose tags are tangled over the cut is not divided.

Source for what closes what: ``tree.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from itertools import groupby
from typing import NamedTuple

from contentguard.rewrite.blocks import FEW, Place, Tag, Text, Walked, walk_article
from contentguard.rewrite.choice import Candidate
from contentguard.rewrite.plan import Undivided
from contentguard.rewrite.tree import OpenElements
from contentguard.rewrite.walk import walk
from contentguard.turns import Turns

_BLANK = re.compile(rb"(?:[\t\n\f\r ]++|<!--(?:[^<>-]|-(?!->))*+-->)*+")
_BEYOND = 1.5
"""A lead may be longer than wanted by so much, where no shorter one has enough paragraphs."""
_TURN = 1024
"""Texts that are read in one turn."""
_SHARES = (0.5, 0.15)
"""How much of the text a container must hold to be cut, first and then."""


class Piece(NamedTuple):
    """Something that is withheld: the bytes ``[start, end)``."""

    start: int
    end: int
    unclosed: int
    """How many ``div`` that were opened in it are open at its end."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How an article is divided."""

    at: int
    rest: tuple[Piece, ...]
    """What is withheld, in order. Between two pieces stands an end tag that stays (and, maybe, white space)."""
    words: int
    """Words of the lead."""
    told: str
    """The lead's text: what its paragraphs and headings say."""
    withheld: str
    """The text of the rest."""
    links: tuple[str, ...]
    """The texts of links in it, which may be other pages' titles."""


def find_cut(
    data: bytes, article: Candidate, encoding: str, *, words: int, share: float, paragraphs: int
) -> Turns[Cut | Undivided]:
    """The cut behind about ``words`` words, or ``share`` of all, and ``paragraphs``; or why there is none.

    Raises ``TooDeepError``.
    """
    if article.place < 0:
        return Undivided.NO_PLACE
    walked = yield from walk_article(data, article, _BEYOND * words, paragraphs)
    if walked is None:
        return Undivided.TANGLED
    yield
    place = _chosen(walked, words, share)
    if place is None or walked.words - place.words < FEW:
        return Undivided.SHORT if walked.words <= words else Undivided.NO_CUT
    return (yield from _divided(data, article, walked, place, encoding)) or Undivided.TANGLED


def _chosen(walked: Walked, wanted: int, share: float) -> Place | None:
    """The place nearest to ``wanted`` words, or to ``share`` of all if that is less."""
    goal = min(wanted, share * walked.words)
    best = None
    for least in _SHARES:
        fit = [place for place in walked.places if _held(walked, place) >= least * walked.words]
        best = min(fit, key=lambda place: (place.words > _BEYOND * goal, abs(place.words - goal)), default=best)
        if best is not None and best.words <= _BEYOND * goal:
            break
    return best


def _held(walked: Walked, place: Place) -> int:
    return walked.held[place.containers[-1][0]] if place.containers else walked.words


def _divided(data: bytes, article: Candidate, walked: Walked, place: Place, encoding: str) -> Turns[Cut | None]:
    """The article divided at ``place``; None where what follows it would be read otherwise then."""
    # A container within one that ends without an end tag of its own ends with that one.
    ended = {walked.ended[start]: start for start, _ in place.containers if start in walked.ended}
    tags = sorted(tag for tag in ended if tag is not None)
    if None in ended or any(at > place.at for at in walked.strays) or not _sound(data, article, walked, place, tags):
        return None
    last = next((start for start, _ in reversed(place.containers) if start not in walked.ended), -1)
    starts, ends = [place.at, *(tag.end for tag in tags)], [*(tag.begin for tag in tags), article.end]
    inner = [*(ended[tag] for tag in tags), last]
    pieces = map(Piece, starts, ends, (walked.unclosed[start] for start in inner))
    rest = tuple([piece for piece in pieces if not _BLANK.fullmatch(data, piece.start, piece.end)])
    yield
    before = [text for text in walked.texts if text is None or (text.begin < place.at and text.counted)]
    behind = [text for text in walked.texts if text is None or text.begin >= place.at]
    yield
    links = []
    for linked, each in groupby(behind, _linked):
        if linked:
            links.append((yield from _said(data, each, encoding)))
    told, withheld = (yield from _said(data, before, encoding)), (yield from _said(data, behind, encoding))
    return Cut(place.at, rest, place.words, told, withheld, tuple(links))


def _linked(text: Text | None) -> bool:
    return text is not None and text.linked


def _sound(data: bytes, article: Candidate, walked: Walked, place: Place, kept: list[Tag]) -> bool:
    """Whether the same elements are open behind the article with its rest and without."""
    if walked.after is None:
        return True
    opened = OpenElements()
    opened.names[:] = [*walked.base, *(name for _, name in place.containers)]
    opened.form, opened.quirks = place.form, walked.after.quirks
    for tag in kept:
        opened.end(tag.name)
    next(walk(data, opened, article.end), None)
    full = walked.after
    return (opened.names, opened.pending, opened.form) == (full.names, full.pending, full.form)


def _said(data: bytes, texts: Iterable[Text | None], encoding: str) -> Turns[str]:
    said: list[str] = []
    parts: list[str] = []
    for text in texts:
        if text is not None:
            parts.append(data[text.begin : text.end].decode(encoding, "replace"))
            continue
        parts.append(" ")
        # What is kept apart here is one reference to a character nowhere.
        if len(parts) > _TURN:
            said.append(unescape("".join(parts)))
            parts.clear()
            yield
    return "".join([*said, unescape("".join(parts))])
