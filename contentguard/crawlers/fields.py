"""Structured header fields (RFC 9651): dictionaries, items and inner lists, read strictly and written canonically.

What signatures stand on has to be read exactly as its signer wrote it, so nothing is guessed: whatever departs from
the grammar is refused whole. Every step consumes at least one character of a field of bounded length, and no
expression can backtrack.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

MAX_LENGTH = 8192
"""Bytes of one field, all its lines joined."""
MAX_MEMBERS = 64
"""Members of a dictionary, items of an inner list, parameters of an item."""
MAX_PARTS = 256
"""Items and parameters of one field, however they are nested: bounds the time that reading it takes."""
_REMEMBERED = 16
"""Dictionaries that are kept: the members of one are asked for again and again while a request is looked at."""

_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*+")
_NUMBER = re.compile(r"-?([0-9]++)(?:\.([0-9]++))?+")
_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*+)"')
_TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*+")
_BYTES = re.compile(r":([A-Za-z0-9+/=]*+):")
_SPACES = re.compile(r"[ ]*+")
_PARAMETER = re.compile(r";[ ]*+([a-z*][a-z0-9_.*-]*+)(=)?+")
_BLANKS = re.compile(r"[ \t]*+")
_ESCAPED = re.compile(r'\\(["\\])')


class FieldError(ValueError):
    """A field that is not a structured field of the type it has to be."""


class Token(str):
    """A token, which is not the string of the same letters."""

    __slots__ = ()


class Date(int):
    """Seconds since the epoch, written ``@…``."""

    __slots__ = ()


class Decimal(str):
    """A decimal number as it was written; nothing here calculates with one."""

    __slots__ = ()


Bare = str | int | bool | bytes
"""A bare item; Token, Date and Decimal are told from str and int by their class."""
Parameters = Mapping[str, Bare]
_NONE: Parameters = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Item:
    """A bare item with its parameters."""

    value: Bare
    parameters: Parameters = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InnerList:
    """Items in parentheses, with the parameters of the whole."""

    items: tuple[Item, ...]
    parameters: Parameters = field(default_factory=dict)


Member = Item | InnerList


@lru_cache(maxsize=_REMEMBERED)
def parse_dictionary(text: str) -> Mapping[str, Member]:
    """The members of a dictionary (RFC 9651 §4.2.2), in order. FieldError when ``text`` is none."""
    reader = _Reader(text)
    members: dict[str, Member] = {}
    while not reader.at_end():
        key = reader.take(_KEY)[0]
        members[key] = _member(reader) if reader.skip("=") else _flag(reader)
        if len(members) > MAX_MEMBERS:
            raise FieldError("too many members")
        reader.take(_BLANKS)
        if reader.at_end():
            break
        reader.expect(",")
        reader.take(_BLANKS)
        if reader.at_end():
            raise FieldError("a comma at the end")
    return MappingProxyType(members)


def parse_item(text: str) -> Item:
    """The item that ``text`` is (RFC 9651 §4.2.3). FieldError when it is none."""
    reader = _Reader(text)
    item = _item(reader)
    if not reader.at_end():
        raise FieldError("more than one item")
    return item


def write_member(member: Member) -> str:
    """``member`` in its one canonical form (RFC 9651 §4.1)."""
    if isinstance(member, InnerList):
        return f"({' '.join(map(write_item, member.items))}){write_parameters(member.parameters)}"
    return write_item(member)


def write_item(item: Item) -> str:
    """``item`` in its one canonical form (RFC 9651 §4.1.3)."""
    return write_bare(item.value) + write_parameters(item.parameters)


def write_parameters(parameters: Parameters) -> str:
    """Parameters as they follow an item (RFC 9651 §4.1.1.2)."""
    return "".join(f";{key}" if value is True else f";{key}={write_bare(value)}" for key, value in parameters.items())


def write_bare(value: Bare) -> str:
    """A bare item in its one canonical form (RFC 9651 §4.1.3.1)."""
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, int):
        return f"@{int(value)}" if isinstance(value, Date) else str(value)
    if isinstance(value, bytes):
        return f":{b64encode(value).decode('ascii')}:"
    if isinstance(value, Token | Decimal):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Reader:
    """A place in a text."""

    __slots__ = ("at", "left", "text")

    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise FieldError(f"{len(text)} letters are more than {MAX_LENGTH}")
        self.text = text.strip(" ")
        self.at = 0
        self.left = MAX_PARTS

    def at_end(self) -> bool:
        return self.at >= len(self.text)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise FieldError(f"unexpected {self.peek() or 'end'!r} at {self.at}")
        self.at = match.end()
        return match

    def skip(self, letter: str) -> bool:
        if self.peek() != letter:
            return False
        self.at += 1
        return True

    def expect(self, letter: str) -> None:
        if not self.skip(letter):
            raise FieldError(f"no {letter!r} at {self.at}")

    def count(self) -> None:
        """One part more."""
        self.left -= 1
        if self.left < 0:
            raise FieldError(f"more than {MAX_PARTS} parts")


def _member(reader: _Reader) -> Member:
    return _inner_list(reader) if reader.peek() == "(" else _item(reader)


def _flag(reader: _Reader) -> Item:
    """A key that stands alone, which means true."""
    reader.count()
    return Item(True, _parameters(reader))


def _inner_list(reader: _Reader) -> InnerList:
    reader.expect("(")
    items: list[Item] = []
    reader.take(_SPACES)
    while not reader.skip(")"):
        items.append(_item(reader))
        if len(items) > MAX_MEMBERS:
            raise FieldError("too many items")
        if reader.peek() not in (" ", ")"):
            raise FieldError(f"neither space nor parenthesis at {reader.at}")
        reader.take(_SPACES)
    return InnerList(tuple(items), _parameters(reader))


def _item(reader: _Reader) -> Item:
    reader.count()
    return Item(_bare(reader), _parameters(reader))


def _parameters(reader: _Reader) -> Parameters:
    if reader.peek() != ";":
        return _NONE
    parameters: dict[str, Bare] = {}
    while reader.peek() == ";":
        reader.count()
        key, has_value = reader.take(_PARAMETER).groups()
        # Of two parameters of one name the last value counts, in the first's place (RFC 9651 §4.2.3.2).
        parameters[key] = _bare(reader) if has_value else True
        if len(parameters) > MAX_MEMBERS:
            raise FieldError("too many parameters")
    return parameters


def _bare(reader: _Reader) -> Bare:
    first = reader.peek()
    if first == '"':
        text: str = reader.take(_STRING)[1]
        return _ESCAPED.sub(r"\1", text) if "\\" in text else text
    if first == ":":
        return _decoded(reader.take(_BYTES)[1])
    if first == "?":
        return _boolean(reader)
    if first == "@":
        reader.expect("@")
        return Date(_integer(reader))
    if first.isdigit() or first == "-":
        return _number(reader)
    return Token(reader.take(_TOKEN)[0])


def _boolean(reader: _Reader) -> bool:
    reader.expect("?")
    if reader.peek() not in ("0", "1"):
        raise FieldError(f"no boolean at {reader.at}")
    return not reader.skip("0") and reader.skip("1")


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except Base64Error as error:
        raise FieldError(f"no base64: {error}") from None


def _number(reader: _Reader) -> Bare:
    match = reader.take(_NUMBER)
    whole, fraction = match[1], match[2]
    if fraction is None:
        if len(whole) > 15:
            raise FieldError("an integer of more than 15 digits")
        return int(match[0])
    if len(whole) > 12 or len(fraction) > 3:
        raise FieldError("a decimal of too many digits")
    return Decimal(match[0])


def _integer(reader: _Reader) -> int:
    number = _number(reader)
    if not isinstance(number, int):
        raise FieldError("a date with a fraction")
    return number
