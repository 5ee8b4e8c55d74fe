"""Structured header fields (RFC 9651): dictionaries, items and inner lists, read strictly and written canonically.

What signatures stand on has to be read exactly as its signer wrote it, so nothing is guessed: whatever departs from
the grammar is refused whole. Every step consumes at least one character of a field of bounded length, and no
expression can backtrack. One expression reads an item or a parameter as a whole, and says by its group which kind
it is: signed requests are read before anybody knows whether they are worth it.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

MAX_LENGTH = 8192
"""Bytes of one field, all its lines joined."""
MAX_MEMBERS = 64
"""Members of a dictionary, items of an inner list, parameters of an item."""
MAX_PARTS = 256
"""Items and parameters of one field, however they are nested: bounds the time that reading it takes."""
_REMEMBERED = 16
"""Dictionaries that are kept: the members of one are asked for again and again while a request is looked at."""

_KEY = re.compile(r"([a-z*][a-z0-9_.*-]*+)(=)?+")
_VALUE = (
    r'"([ !#-\[\]-~]*+(?:\\["\\][ !#-\[\]-~]*+)*+)"|([A-Za-z*][!#$%&\'*+.^_`|~0-9A-Za-z:/-]*+)|:([A-Za-z0-9+/=]*+):'
    r"|\?([01])|(-?[0-9]{1,12}+\.[0-9]{1,3}+)|@(-?[0-9]{1,15}+)|(-?[0-9]{1,15}+)"
)
"""A bare item (RFC 9651 §3.3). What it leaves of a number that is too long is a separator nowhere, and so an error."""
_STRING, _TOKEN, _BYTES, _BOOLEAN, _DECIMAL, _DATE, _INTEGER = range(1, 8)
_END = 8
_BARE = re.compile(_VALUE)
_FIRST = re.compile(rf"[ ]*+(?:{_VALUE}|(\)))")
_NEXT = re.compile(rf"[ ]++(?:{_VALUE}|(\)))|(\))")
"""What may stand behind the parenthesis that opens a list, and behind one of its items: an item, or the end."""
_PARAMETER = re.compile(rf";[ ]*+([a-z*][a-z0-9_.*-]*+)(?:=(?:{_VALUE}))?+")
"""A name, and behind it the groups of its value, one later than in ``_BARE``."""
_next_parameter = _PARAMETER.match
_BLANKS = re.compile(r"[ \t]*+")
_COMMA = re.compile(r",[ \t]*+")
_SPECIAL = re.compile(r'["\\]')
_ESCAPED = re.compile(r'\\(["\\])')

_made = tuple.__new__
"""Half the time of ``Item(...)``."""


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


class Item(NamedTuple):
    """A bare item with its parameters."""

    value: Bare
    parameters: Parameters = _NONE


class InnerList(NamedTuple):
    """Items in parentheses, with the parameters of the whole."""

    items: tuple[Item, ...]
    parameters: Parameters = _NONE


Member = Item | InnerList


@lru_cache(maxsize=_REMEMBERED)
def parse_dictionary(text: str) -> Mapping[str, Member]:
    """The members of a dictionary (RFC 9651 §4.2.2), in order. FieldError when ``text`` is none."""
    reader = _Reader(text)
    members: dict[str, Member] = {}
    while not reader.at_end():
        key, has_value = reader.take(_KEY).groups()
        members[key] = _member(reader) if has_value else _flag(reader)
        if len(members) > MAX_MEMBERS:
            raise FieldError("too many members")
        reader.take(_BLANKS)
        if reader.at_end():
            break
        reader.take(_COMMA)
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
    return write_bare(item.value) + (write_parameters(item.parameters) if item.parameters else "")


def write_parameters(parameters: Parameters) -> str:
    """Parameters as they follow an item (RFC 9651 §4.1.1.2)."""
    return "".join(f";{key}" if value is True else f";{key}={write_bare(value)}" for key, value in parameters.items())


def write_bare(value: Bare) -> str:
    """A bare item in its one canonical form (RFC 9651 §4.1.3.1)."""
    if type(value) is str:
        return '"' + (_SPECIAL.sub(r"\\\g<0>", value) if "\\" in value or '"' in value else value) + '"'
    if type(value) is bool:
        return "?1" if value else "?0"
    if type(value) is bytes:
        return f":{b64encode(value).decode('ascii')}:"
    return f"@{int(value)}" if type(value) is Date else str(value)


class _Reader:
    """A place in a text."""

    __slots__ = ("at", "end", "left", "text")

    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise FieldError(f"{len(text)} letters are more than {MAX_LENGTH}")
        text = text.strip(" ")
        self.text = text + "\0"
        """With a letter behind it that stands in no field, so that there is always a next one to look at."""
        self.at, self.end = 0, len(text)
        self.left = MAX_PARTS

    def at_end(self) -> bool:
        return self.at >= self.end

    def take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise self.unexpected()
        self.at = match.end()
        return match

    def unexpected(self) -> FieldError:
        found = "end" if self.at_end() else self.text[self.at]
        return FieldError(f"unexpected {found!r} at {self.at}")

    def count(self) -> None:
        """One part more."""
        self.left -= 1
        if self.left < 0:
            raise FieldError(f"more than {MAX_PARTS} parts")


def _member(reader: _Reader) -> Member:
    return _inner_list(reader) if reader.text[reader.at] == "(" else _item(reader)


def _flag(reader: _Reader) -> Item:
    """A key that stands alone, which means true."""
    reader.count()
    return Item(True, _parameters(reader))


def _inner_list(reader: _Reader) -> InnerList:
    text = reader.text
    items: list[Item] = []
    match = _FIRST.match(text, reader.at + 1)
    while match is not None and (group := match.lastindex or 0) < _END:
        reader.count()
        reader.at = at = match.end()
        value = _read(group, match[group])
        items.append(_made(Item, (value, _parameters(reader) if text[at] == ";" else _NONE)))
        match = _NEXT.match(text, reader.at)
    if match is None:
        raise reader.unexpected()
    reader.at = match.end()
    if len(items) > MAX_MEMBERS:
        raise FieldError("too many items")
    return InnerList(tuple(items), _parameters(reader))


def _item(reader: _Reader) -> Item:
    reader.count()
    match = reader.take(_BARE)
    group = match.lastindex or 0
    return _made(Item, (_read(group, match[group]), _parameters(reader)))


def _parameters(reader: _Reader) -> Parameters:
    text, at = reader.text, reader.at
    if text[at] != ";":
        return _NONE
    parameters: dict[str, Bare] = {}
    left = reader.left
    while text[at] == ";":
        match = _next_parameter(text, at)
        left -= 1
        if match is None or left < 0:
            raise FieldError(f"no parameter at {at}" if match is None else f"more than {MAX_PARTS} parts")
        group, at = match.lastindex or 1, match.end()
        key, value = match.group(1, group)
        # Of two parameters of one name the last value counts, in the first's place (RFC 9651 §4.2.3.2).
        if group == 1 + _STRING and "\\" not in value:
            parameters[key] = value
        else:
            parameters[key] = _read(group - 1, value) if group > 1 else True
    if len(parameters) > MAX_MEMBERS:
        raise FieldError("too many parameters")
    reader.at, reader.left = at, left
    return parameters


def _read(group: int, text: str) -> Bare:
    """The bare item of the kind that ``group`` stands for."""
    if group == _STRING:  # most are
        return _ESCAPED.sub(r"\1", text) if "\\" in text else text
    if group == _INTEGER:
        return int(text)
    if group == _TOKEN:
        return Token(text)
    if group == _BYTES:
        return _decoded(text)
    if group == _BOOLEAN:
        return text == "1"
    return Date(text) if group == _DATE else Decimal(text)


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except Base64Error as error:
        raise FieldError(f"no base64: {error}") from None
