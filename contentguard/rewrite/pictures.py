"""Where the addresses of pictures stand in a page, and what is put behind each so that it can be fetched.

Strategy: one search for the few tags that name pictures, and a jump over scripts, style sheets and comments, so a page
is read once at the speed of ``re``; nothing is changed but that something is put in behind an address, so every other
byte stays, and ``srcset`` and lazy loading with them.

Signed are the pictures that a page shows and leads to: ``src``, ``srcset``, and ``data-src`` and ``data-srcset`` as
lazy loaders use them, of ``img`` and ``source``; the ``href`` of links to a large picture and of image preloads. Never
what a page says of itself: meta elements and JSON-LD hold addresses that others keep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from contentguard.rewrite.plan import Point
from contentguard.rewrite.tokenizer import TOKEN, RawText, attribute_values, attributes, other_end

Query = Callable[[str], str]
"""The path of a picture, decoded → the field of its query; empty where it needs none."""

_TAGS = re.compile(
    rb"(?i)<(?:(img|source|a|link|base)|(script|style|title|textarea|xmp|iframe|noembed|noframes)|!--)"
    rb"(?:(?<=-)|(?=[\t\n\f\r />]))"
)
_ADDRESSES = frozenset((b"src", b"data-src"))
_LISTS = frozenset((b"srcset", b"data-srcset", b"imagesrcset"))
_CANDIDATE = re.compile(rb"[\t\n\f\r ,]*+([^\t\n\f\r ]++)")
_FRAGMENT = re.compile(rb"(?<!&)#")
_PICTURE = re.compile(r"(?i)\.(?:avif|bmp|gif|jfif|jpe?g|png|svg|webp)\Z")
_STRIPPED = re.compile(r"[\t\n\r]++")
_NOWHERE = "https://nowhere.invalid"
_LONGEST = 4096
"""Bytes of an address."""


class Where(NamedTuple):
    """What addresses in a page are relative to."""

    origin: str
    """The site's; empty where it is not known."""
    path: str
    """Of the page, as in a URL."""


def signed(body: bytes, encoding: str, where: Where, query: Query) -> list[Point]:
    """What is put in behind the addresses of pictures, in the order of the page."""
    origin = where.origin or _NOWHERE
    base, based, points = origin + where.path, False, list[Point]()
    at = 0
    while (found := _TAGS.search(body, at)) is not None:
        begin = found.start()
        if found[1] is None and found[2] is None:
            end, _ = other_end(body, begin, 0, foreign=False)
            at = len(body) if end < 0 else end
            continue
        tag = TOKEN.match(body, begin)
        if tag is None or tag.lastindex is None:
            break  # the page ends within it
        at = tag.end() if tag.lastindex == 1 else tag.start(2)
        if found[1] is None:
            at, _ = RawText(found[2].lower()).end(body, at)
            continue
        text = body[begin:at]
        if found[1].lower() == b"base":
            base, based = (base, based) if based else _based(text, encoding, base)
            continue
        for start, end in sorted(set(_addresses(found[1].lower(), text))):
            path = _own(text[start:end].decode(encoding, "replace"), base, origin)
            # A link's address is signed where it is a picture's by its name.
            field = query(path) if path and (found[1].lower() != b"a" or _PICTURE.search(path)) else ""
            if field:
                offset, separator = _place(text, start, end)
                points.append((begin + offset, (separator + field.encode("ascii"),)))
    return points


def _based(tag: bytes, encoding: str, base: str) -> tuple[str, bool]:
    """The page's own word on what addresses are relative to; the first counts."""
    href = attributes(tag).get(b"href")
    if href is None:
        return base, False
    try:
        return urljoin(base, unescape(href.decode(encoding, "replace")).strip()), True
    except ValueError:
        return base, True


def _addresses(name: bytes, tag: bytes) -> Iterator[tuple[int, int]]:
    """Where in a tag addresses stand."""
    if name == b"link" and not _preloads(tag):
        return
    shows = name in (b"img", b"source")
    for attribute, start, end, _ in attribute_values(tag):
        if end - start > _LONGEST * 16:
            continue
        if (attribute in _ADDRESSES and shows) or (attribute == b"href" and not shows):
            yield _trimmed(tag, start, end)
        elif attribute in _LISTS and name != b"a":
            yield from _candidates(tag, start, end)


def _preloads(tag: bytes) -> bool:
    said = attributes(tag)
    return b"preload" in said.get(b"rel", b"").lower().split() and said.get(b"as", b"").lower() == b"image"


def _trimmed(tag: bytes, start: int, end: int) -> tuple[int, int]:
    value = tag[start:end]
    return start + len(value) - len(value.lstrip(b"\t\n\f\r ")), end - len(value) + len(value.rstrip(b"\t\n\f\r "))


def _candidates(tag: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The addresses of a srcset (HTML §4.8.4.2.2): each ends at white space, and a comma ends its descriptors."""
    while (found := _CANDIDATE.match(tag, start, end)) is not None:
        first, last = found.span(1)
        bare = len(found[1].rstrip(b","))
        yield first, first + bare
        start = last
        if bare == len(found[1]):
            start = _descriptors_end(tag, last, end)


def _descriptors_end(tag: bytes, start: int, end: int) -> int:
    """Where what an address is for ends: at a comma outside brackets."""
    depth = 0
    for at in range(start, end):
        byte = tag[at]
        if byte == 0x28:
            depth += 1
        elif byte == 0x29:
            depth = max(0, depth - 1)
        elif byte == 0x2C and not depth:
            return at + 1
    return end


def _own(written: str, base: str, origin: str) -> str:
    """The path of an address as it is written, decoded; empty for what is none of the site's."""
    address = _STRIPPED.sub("", unescape(written))
    if not address or len(address) > _LONGEST or address.startswith("#"):
        return ""
    head, mark, rest = address.partition("?")
    try:
        parts = urlsplit(urljoin(base, head.replace("\\", "/") + mark + rest))
    except ValueError:
        return ""
    own = f"{parts.scheme}://{parts.netloc}".lower() == origin.lower()
    return unquote(parts.path) if own and parts.path.startswith("/") else ""


def _place(tag: bytes, start: int, end: int) -> tuple[int, bytes]:
    """Where the field goes in an address, ahead of a fragment, and what parts it from what stands there."""
    fragment = _FRAGMENT.search(tag, start, end)
    place = fragment.start() if fragment else end
    return place, b"&amp;" if b"?" in tag[start:place] else b"?"
