"""What a page says of itself in JSON: what may be read there, and that it is not all.

Strategy: the page's own characters stay, but for the values that change. So the JSON is read twice: by the ``json``
module, which says whether it is any, and by a small reader that says where each member stands. Whatever comes of that
is read once more by the ``json`` module before it is used.

Source: schema.org; Google's "Structured data for subscription and paywalled content": the selector must be a class.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from contentguard.rewrite.page import Page

CLASS = "cg-rest"
"""The class of what is withheld from those who have no pass."""
_FREE, _HAS_PART = "isAccessibleForFree", "hasPart"
_PART = {"@type": "WebPageElement", _FREE: False, "cssSelector": "." + CLASS}
_TEXTS = frozenset(("articleBody", "reviewBody", "transcript"))
"""Members that hold a whole text by their name."""
_ARTICLES = frozenset(("BlogPosting", "LiveBlogPosting", "Report", "Review"))
"""Kinds of articles, besides those whose name ends so."""
_WAYS = frozenset(("@graph", "mainEntity"))
"""Members in which the page itself and its article may stand; in others stand other pages'."""
_JSON = re.compile(
    r'[\t\n\r ,]*+(?:("(?:[^"\\]|\\[\s\S])*+")([\t\n\r ]*+:[\t\n\r ]*+)?+|([{\[])|([}\]])|([^\s,:{}\[\]"]++))'
)
_STRING = re.compile(r'("(?:[^"\\]|\\[\s\S])*+")([\t\n\r ]*+:)?+')


class _Change(NamedTuple):
    """The characters ``[start, end)`` become ``text``."""

    start: int
    end: int
    text: str


class _Member(NamedTuple):
    name: str
    start: int
    """Where its name begins."""
    value: int
    end: int


@dataclass(slots=True)
class _Object:
    start: int
    way: tuple[str, ...]
    """The members in which it stands, from the outermost."""
    members: list[_Member] = field(default_factory=list)


def dumped(value: object) -> str:
    """JSON that may stand in a script element: ASCII, and nothing in it that ends one."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def paywall(page: Page) -> bytes:
    """A script element that says of a page that is silent about itself what part of it is not for everybody."""
    said = {"@context": "https://schema.org", "@type": "Article", "headline": page.title, "url": page.url}
    told = {key: value for key, value in said.items() if value}
    text = dumped({**told, _FREE: False, _HAS_PART: _PART})
    return b'<script type="application/ld+json">%s</script>' % text.encode()


def read(content: bytes, encoding: str) -> str | None:
    """A script's content as text, if that is JSON and can be written again as it came."""
    try:
        text = content.decode(encoding)
        json.loads(text)
    except (ValueError, RecursionError):
        return None
    return text if text.encode(encoding) == content else None


def marked(text: str) -> str | None:
    """``text`` (some JSON) with its article saying that not all of it is free; None where there is no article."""
    objects = _objects(text)
    found = next((each for each in objects if _is_article(each, text)), None)
    if found is None:
        return None
    members = {member.name: member for member in found.members}
    new = [] if _FREE in members else [f'"{_FREE}":false']
    part = members.get(_HAS_PART)
    if part is None:
        new.append(f'"{_HAS_PART}":{dumped(_PART)}')
    changes = [*_freed(objects), *([_Change(*_wrapped(text, part))] if part else [])]
    if new:
        comma = "," if found.members else ""
        changes.append(_Change(found.start + 1, found.start + 1, ",".join(new) + comma))
    return _changed(text, changes)


def unfree(text: str) -> str | None:
    """``text`` (some JSON) that does not say any more that the page is free; None where that fails."""
    return _changed(text, _freed(_objects(text)))


def censored(text: str, cut: Callable[[str], str]) -> str | None:
    """``text`` (some JSON) with ``cut`` done to every string value; None where that cannot be done."""
    changes = []
    for match in _STRING.finditer(text):
        said = "" if match[2] else json.loads(match[1])
        kept = cut(said)
        if kept != said:
            changes.append(_Change(*match.span(1), dumped(kept)))
    return _changed(text, changes)


def bodiless(text: str) -> str | None:
    """``text`` (some JSON) without the members that hold a whole text by their name; None where that fails."""
    return _changed(text, (_Change(*span, "") for each in _objects(text) for span in _removals(each.members)))


def _changed(text: str, changes: Iterable[_Change]) -> str | None:
    parts, done = [], 0
    for start, end, new in sorted(changes):
        if start >= done:
            parts += [text[done:start], new]
            done = end
    made = "".join([*parts, text[done:]])
    try:
        json.loads(made)
    except ValueError:
        return None
    return made


def _freed(objects: Iterable[_Object]) -> Iterator[_Change]:
    """What the page itself and its article say of being free becomes true."""
    for each in objects:
        for member in each.members:
            if member.name == _FREE and _WAYS.issuperset(each.way):
                yield _Change(member.value, member.end, "false")


def _wrapped(text: str, part: _Member) -> tuple[int, int, str]:
    """Our part before those that the article names."""
    value = text[part.value : part.end]
    inner = value[1:-1].strip() if value[0] == "[" else value
    return part.value, part.end, f"[{dumped(_PART)}{',' if inner else ''}{inner}]"


def _is_article(found: _Object, text: str) -> bool:
    named = next((member for member in found.members if member.name == "@type"), None)
    if named is None or not _WAYS.issuperset(found.way):
        return False
    kinds = json.loads(text[named.value : named.end])
    names = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(name, str) and (name.endswith("Article") or name in _ARTICLES) for name in names)


def _removals(members: list[_Member]) -> Iterator[tuple[int, int]]:
    """The characters of the members that hold a whole text, with the commas that go with them."""
    last = max((number for number, member in enumerate(members) if member.name not in _TEXTS), default=-1)
    for number, member in enumerate(members[: max(last, 0)]):
        if member.name in _TEXTS:
            yield member.start, members[number + 1].start
    if last + 1 < len(members):
        yield members[last].end if last >= 0 else members[0].start, members[-1].end


def _objects(text: str) -> list[_Object]:
    """The objects of some JSON, in the order in which they begin."""
    found: list[_Object] = []
    # Of what is open: the object (None for an array), and the member of the one around that it is the value of.
    opened: list[tuple[_Object | None, tuple[str, int, int] | None]] = []
    member: tuple[str, int, int] | None = None
    for match in _JSON.finditer(text):
        kind = match.lastindex
        if kind == 2:
            member = (json.loads(match[1]), match.start(1), match.end())
        elif kind == 3:
            way = tuple(around[0] for _, around in [*opened, (None, member)] if around is not None)
            made = _Object(match.start(3), way) if match[3] == "{" else None
            found += [made] if made is not None else []
            opened.append((made, member))
            member = None
        else:
            if kind == 4:
                _, member = opened.pop()
            around = opened[-1][0] if opened else None
            if around is not None and member is not None:
                around.members.append(_Member(*member, match.end()))
            member = None
    return found
