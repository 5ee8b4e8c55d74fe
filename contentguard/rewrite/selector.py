"""Simple CSS selectors, matched while scanning.

Strategy: of CSS this speaks type, universal, class, id and attribute selectors, compounds of them, and the descendant
and child combinators: enough for nearly every site, and decidable at a start tag from the tag and its ancestors
alone. Anything else is not simple: ``parse`` answers None and the caller asks a real CSS engine.
Source: Selectors Level 4, sections 5, 6 and 14.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from contentguard.rewrite.tokenizer import attributes

_IDENT = r"-?+[A-Za-z_\u0080-\U0010ffff][\w\u0080-\U0010ffff-]*+"
_PART = re.compile(
    rf"(?P<type>\*|{_IDENT})|\.(?P<cls>{_IDENT})|\#(?P<id>{_IDENT})"
    rf"|\[\s*+(?P<attr>{_IDENT})\s*+(?:(?P<op>[~|^$*]?=)\s*+(?:\"(?P<dq>[^\"]*+)\"|'(?P<sq>[^']*+)'|(?P<bare>{_IDENT}))"
    r"\s*+(?P<flag>[iI]\s*+)?+)?+\]"
)
_COMBINATOR = re.compile(r"\s*+(>)\s*+|\s++")
Attributes = dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Compound:
    """``article.story[lang]``: conditions on one element."""

    type: bytes = b""
    tests: tuple[Callable[[Attributes], bool], ...] = ()
    words: tuple[bytes, ...] = ()
    """Bytes that a matching start tag must hold, for a quick look before its attributes are read."""
    hints: tuple[bytes, ...] = ()
    """Bytes of which a matching start tag holds at least one; an attribute's name in the usual spellings."""

    def matches(self, name: bytes, tag: bytes) -> bool:
        """Whether the start tag ``tag`` with the lower-case ``name`` fits."""
        if self.type and self.type != name:
            return False
        if not self.tests:
            return True
        if not all(word in tag for word in self.words):
            return False
        values = attributes(tag)
        return all(test(values) for test in self.tests)


@dataclass(frozen=True, slots=True)
class Selector:
    """Compounds from left to right, and for each but the last whether ``>`` follows it."""

    text: str
    compounds: tuple[Compound, ...]
    child: tuple[bool, ...]

    def matches(self, name: bytes, tag: bytes, ancestors: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether an element with these ancestors (name and start tag, outermost first) is selected."""
        if not self.compounds[-1].matches(name, tag):
            return False
        return self._above(len(self.compounds) - 2, len(ancestors) - 1, ancestors)

    def _above(self, compound: int, level: int, ancestors: Sequence[tuple[bytes, bytes]]) -> bool:
        if compound < 0:
            return True
        while level >= 0:
            if self.compounds[compound].matches(*ancestors[level]) and self._above(compound - 1, level - 1, ancestors):
                return True
            if self.child[compound]:
                return False
            level -= 1
        return False


@lru_cache(maxsize=256)
def parse(text: str) -> Selector | None:
    """``text`` as a simple selector, or None where it is more than that (or no selector at all)."""
    compounds: list[Compound] = []
    child: list[bool] = []
    position, text = 0, text.strip()
    while position < len(text):
        if compounds:
            gap = _COMBINATOR.match(text, position)
            if gap is None:
                return None
            child.append(gap[1] == ">")
            position = gap.end()
        compound, end = _compound(text, position)
        if compound is None:
            return None
        compounds.append(compound)
        position = end
    return Selector(text, tuple(compounds), tuple(child)) if compounds else None


def _compound(text: str, position: int) -> tuple[Compound | None, int]:
    kind, start = b"", position
    tests: list[Callable[[Attributes], bool]] = []
    words: list[bytes] = []
    hints: tuple[bytes, ...] = ()
    while (match := _PART.match(text, position)) is not None:
        if match["type"]:
            if position != start:
                return None, position
            kind = b"" if match["type"] == "*" else match["type"].lower().encode()
        else:
            tests.append(_test(match))
            words += _words(match)
            hints = hints or _spellings(match["attr"] or "")
        position = match.end()
    made = Compound(kind, tuple(tests), tuple(words), tuple(words[:1]) or hints)
    return (made if position > start else None), position


def _spellings(name: str) -> tuple[bytes, ...]:
    """An attribute's name as pages write it; React's server keeps the capital of ``contentEditable``."""
    lower = name.lower()
    ways = {name, lower, lower.upper(), lower.capitalize(), lower.replace("contenteditable", "contentEditable")}
    return tuple(sorted(way.encode() for way in ways if way))


def _words(match: re.Match[str]) -> Iterable[bytes]:
    """The literal that the tag must hold; attribute names are left out, their letter case is free."""
    literal = match["cls"] or match["id"] or match["dq"] or match["sq"] or match["bare"]
    # A character reference or a flag "i" may spell the value otherwise: only what surely stands there counts.
    return [literal.encode()] if literal and not match["flag"] else []


def _test(match: re.Match[str]) -> Callable[[Attributes], bool]:
    if match["cls"]:
        return _includes(b"class", match["cls"].encode())
    if match["id"]:
        return _equals(b"id", match["id"].encode())
    name = match["attr"].lower().encode()
    if not match["op"]:
        return lambda values: name in values
    value = (match["dq"] or match["sq"] or match["bare"] or "").encode()
    compare = _OPERATORS[match["op"]]
    if match["flag"]:
        return lambda values: name in values and compare(values[name].lower(), value.lower())
    return lambda values: name in values and compare(values[name], value)


def _includes(name: bytes, word: bytes) -> Callable[[Attributes], bool]:
    return lambda values: word in values.get(name, b"").split()


def _equals(name: bytes, value: bytes) -> Callable[[Attributes], bool]:
    return lambda values: values.get(name) == value


_OPERATORS: dict[str, Callable[[bytes, bytes], bool]] = {
    "=": lambda have, want: have == want,
    "~=": lambda have, want: want in have.split(),
    "|=": lambda have, want: have == want or have.startswith(want + b"-"),
    "^=": lambda have, want: bool(want) and have.startswith(want),
    "$=": lambda have, want: bool(want) and have.endswith(want),
    "*=": lambda have, want: bool(want) and want in have,
}
