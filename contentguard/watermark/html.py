"""HTML: marks that a mirror keeps which takes a page as it stands, and that no reader of the text ever meets.

Strategy: two carriers. A class on an element that the guard itself puts in holds what a frame holds, so it says the
same thing once more and is never counted beside it. Attributes of the article's own start tags stand in one of all
their orders, drawn by the reader's code; what a browser makes of a tag does not depend on that. A tag is known by what
it says, not by where it stands, so a part of a page can be read, too; one that says the same as another is left alone.
"""

from __future__ import annotations

import re
from base64 import b32hexdecode, b32hexencode
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import blake2b, shake_256
from itertools import permutations
from math import factorial
from struct import Struct
from typing import NamedTuple, Protocol

from contentguard.turns import Turns
from contentguard.watermark.frames import VERSION, frame
from contentguard.watermark.keys import EPOCHS

MOST_ATTRIBUTES = 4
"""Of one tag that change places."""
MOST_TAGS = 32
"""Of one article whose attributes do."""
_PLACES = 128
"""Tags that a reader's code tells apart; where two would share a place the later one is left alone."""
_CODE = Struct(f"<{_PLACES}I")
_SUFFIX = re.compile(r"cg-([0-9a-v]{16})")
_TURN = 128
"""Tags that are read in one turn."""
_SAME = 3
"""As many tags as this, all in the order of the alphabet, say only that somebody has sorted them."""


class Opening(Protocol):
    """A start tag whose attributes may change places."""

    @property
    def element(self) -> str:
        """Its name,"""

    @property
    def attributes(self) -> Sequence[tuple[str, str]]:
        """its attributes' names and values, as the author ordered them,"""

    @property
    def texts(self) -> Sequence[bytes]:
        """and the same as they stand in the page."""

    @property
    def between(self) -> Sequence[bytes]:
        """What stands between them."""


class Tag(NamedTuple):
    """A tag as it is found again in a copy."""

    element: str
    names: tuple[str, ...]
    """Of the attributes that change places, by the alphabet."""
    told: int
    """What it says, in 64 bits."""

    @property
    def place(self) -> int:
        """Where in a reader's code its order is drawn."""
        return self.told % _PLACES

    @property
    def orders(self) -> int:
        """How many there are."""
        return factorial(len(self.names))


class Order(NamedTuple):
    """Which order a copy has a tag's attributes in."""

    place: int
    orders: int
    which: int


Start = tuple[str, Sequence[tuple[str, str]]]
"""A start tag of a suspect page: its element, and its attributes in their order."""


class Orders:
    """The tags of one article whose attributes change places."""

    def __init__(self, openings: Sequence[Opening], told: Sequence[tuple[int, Tag]], tags: Sequence[Tag]) -> None:
        """``told``: see ``tags_of``; ``tags``: where that is all that is known of them."""
        chosen = _distinct(told)
        self.tags = tuple(tag for _, tag in chosen) or tuple(tags)
        self.numbers = tuple(number for number, _ in chosen)
        """Which of the openings they are."""
        self._forms = [_forms(openings[number]) for number, _ in chosen]
        self.plain = [_laid(openings[number], range(len(openings[number].texts))) for number, _ in chosen]
        """What stands in each where nobody is named."""
        self._places = [tag.place for tag in self.tags]

    def marks(self, start: bytes, serial: int) -> list[bytes]:
        """What one copy has in each. ``start``: see ``code.seed``."""
        if not self._forms:
            return []
        drawn = code(start, serial)
        return [forms[drawn[place] % len(forms)] for forms, place in zip(self._forms, self._places, strict=True)]


def code(start: bytes, serial: int) -> Sequence[int]:
    """A reader's code for the tags of an article: 32 bits for each place, so that no order is likelier than another by
    more than one in a hundred million."""
    return _CODE.unpack(shake_256(b"".join((start, b"html", serial.to_bytes(5, "big")))).digest(_CODE.size))


def tags_of(openings: Sequence[Opening]) -> Turns[list[tuple[int, Tag]]]:
    """What start tags say, each with its number."""
    told: list[tuple[int, Tag]] = []
    for number, one in enumerate(openings):
        if not number % _TURN:
            yield
        told.append((number, tag_of(one.element, one.attributes)))
    return told


def tag_of(element: str, attributes: Iterable[tuple[str, str]]) -> Tag:
    """A tag by what it says, whatever the order. A link's address counts from its last slash on: whoever saves a page
    makes addresses absolute, or puts a folder of his own before them."""
    ordered = sorted((name, value.rpartition("/")[2] if name == "href" else value) for name, value in attributes)
    said = "\0".join((element, *(part for pair in ordered for part in pair)))
    told = blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return Tag(element, tuple(name for name, _ in ordered), int.from_bytes(told, "big"))


def seen(starts: Iterable[Start], tags: Sequence[Tag]) -> tuple[Order, ...]:
    """The orders that a suspect page has some tags' attributes in. What it has in two of them says nothing, and neither
    do all where somebody has sorted them; both are seen without looking at any reader's code."""
    wanted: defaultdict[str, list[Tag]] = defaultdict(list)
    for tag in tags:
        wanted[tag.element].append(tag)
    found: defaultdict[Tag, set[int]] = defaultdict(set)
    for element, attributes in starts:
        values = dict(attributes)
        for tag in wanted.get(element, ()):
            if values.keys() >= set(tag.names) and len(values) == len(attributes):
                told = tag_of(element, [(name, values[name]) for name in tag.names])
                if told == tag:
                    found[tag].add(_which([name for name, _ in attributes if name in tag.names]))
    orders = [Order(tag.place, tag.orders, *which) for tag, which in found.items() if len(which) == 1]
    return () if len(orders) >= _SAME and not any(one.which for one in orders) else tuple(orders)


def suffix(epoch: int, token: bytes) -> bytes:
    """The class that says what a frame says, with a space before it."""
    return b" cg-" + b32hexencode(bytes((VERSION << 5 | epoch % EPOCHS,)) + token).lower()


def run(classes: str) -> str:
    """The frame that a class attribute stands for; empty where it has none of ours."""
    for one in classes.split():
        if found := _SUFFIX.fullmatch(one):
            data = b32hexdecode(found[1].upper())
            if data[0] >> 5 == VERSION:
                return frame(data[0], data[1:])
    return ""


def _distinct(every: Sequence[tuple[int, Tag]]) -> list[tuple[int, Tag]]:
    """The tags that can be told from all others, with a place of their own."""
    times: defaultdict[int, int] = defaultdict(int)
    for _, tag in every:
        times[tag.told] += 1
    taken: set[int] = set()
    chosen: list[tuple[int, Tag]] = []
    for number, tag in every:
        if times[tag.told] == 1 and tag.place not in taken and len(chosen) < MOST_TAGS:
            taken.add(tag.place)
            chosen.append((number, tag))
    return chosen


@cache
def _all_orders(number: int) -> tuple[tuple[int, ...], ...]:
    return tuple(permutations(range(number)))


def _which(names: Sequence[str]) -> int:
    """The number of the order that these names are in."""
    by_alphabet = sorted(names)
    return _all_orders(len(names)).index(tuple(by_alphabet.index(name) for name in names))


def _forms(opening: Opening) -> list[bytes]:
    names = [name for name, _ in opening.attributes]
    at = [names.index(name) for name in sorted(names)]
    return [_laid(opening, [at[one] for one in order]) for order in _all_orders(len(names))]


def _laid(opening: Opening, order: Sequence[int]) -> bytes:
    """A tag's attributes in this order."""
    parts = [opening.texts[order[0]]]
    for between, number in zip(opening.between, order[1:], strict=True):
        parts += (between, opening.texts[number])
    return b"".join(parts)
