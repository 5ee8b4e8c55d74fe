"""robots.txt (RFC 9309), from the same policy that the server enforces.

A robot is disallowed here exactly where it is refused. A smaller rendition of an article disallows nothing: which path
holds an article shows only when the server answers. A group of its own makes a robot ignore ``*``, so each group says
everything; and nothing that comes from a setting can begin a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from contentguard.model import Crawler, Purpose, Right
from contentguard.publish.content_signal import comment, line
from contentguard.publish.dialect import Publication, absolute, one_line
from contentguard.terms import Line, Site, Terms, Use

POLICY_NAME = "Unauthorized Content Copy"

_NOTHING = (Line("/", allowed=False),)
# Wider than RFC 9309's letters, "-" and "_": operators write MJ12bot, archive.org_bot and Y!J-BRW.
_TOKEN = re.compile(r"[A-Za-z0-9_.!-]+")


def document(terms: Terms, site: Site) -> str:
    """robots.txt for these terms."""
    robots = {token: lines for token, lines in terms.robots.items() if _TOKEN.fullmatch(token)}
    signal = line(terms)
    blocks = [
        list(_head(site)),
        *(_group(tokens, lines, signal) for tokens, lines in _groups(robots, terms.robots.get("*", ()))),
        _group(["*"], terms.robots.get("*", ()), signal),
        [f"Sitemap: {url}" for url in filter(None, map(absolute, site.sitemaps))],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _groups(
    robots: Mapping[str, tuple[Line, ...]], everybody: tuple[Line, ...]
) -> Iterator[tuple[list[str], tuple[Line, ...]]]:
    """The tokens that need a group of their own, with its lines.

    Some parsers take a group for theirs as soon as its name is part of their own (``Googlebot`` of ``Googlebot-News``),
    and then the first: so a token that holds one of another group goes first and by itself, the longest before all.
    """
    given: dict[str, tuple[Line, ...]] = {}  # lower-case token → lines, of those that have a group
    holding: list[str] = []
    grouped: dict[tuple[Line, ...], list[str]] = {}
    for token, parts in _with_parts(tuple(robots)):
        lines = robots[token]
        if any(given[part] != lines for part in parts if part in given):
            holding.append(token)
        elif lines != everybody:
            grouped.setdefault(lines, []).append(token)
        else:
            continue
        given[token.lower()] = lines
    yield from (([token], robots[token]) for token in reversed(holding))
    yield from ((sorted(tokens, key=str.lower), lines) for lines, tokens in grouped.items())


@lru_cache(maxsize=16)
def _with_parts(tokens: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The tokens, the shortest first, each with those in lower case that are part of it.

    Kept, because the names of one catalogue are compared with each other for every policy that is published.
    """
    ordered = sorted(tokens, key=len)
    names = [token.lower() for token in ordered]
    return tuple(
        (token, tuple(part for part in names[:place] if part in name and part != name))
        for place, (token, name) in enumerate(zip(ordered, names, strict=True))
    )


def _group(tokens: Sequence[str], lines: Sequence[Line], signal: Sequence[str]) -> list[str]:
    if not lines:
        return []
    said = [f"{'Allow' if allowed else 'Disallow'}: {pattern}" for pattern, allowed in lines]
    # Who may fetch nothing has nothing to use.
    return [*(f"User-agent: {token}" for token in tokens), *(signal if tuple(lines) != _NOTHING else ()), *said]


def _head(site: Site) -> Iterator[str]:
    title = f"{POLICY_NAME} policy"
    yield f"# {title} of {one_line(site.name)}" if one_line(site.name) else f"# {title}"
    yield "# The server enforces what this file says: what is allowed here may still be limited in rate, and"
    yield "# some robots receive an article's metadata only."
    if one_line(site.licence):
        yield f"# Ask for a licence: {one_line(site.licence)}"
    if one_line(site.contact):
        yield f"# Contact: {one_line(site.contact)}"
    yield "#"
    yield from comment()


def render_robots(
    rights: Mapping[Purpose, Right],
    overrides: Mapping[str, Right],
    crawlers: Iterable[Crawler],
    *,
    sitemaps: Sequence[str] = (),
    site: str = "",
    contact: str = "",
    licence: str = "",
) -> str:
    """robots.txt of rights alone, for a policy without rules (``policy.Published`` makes the terms of any)."""
    exceptions = {name.lower(): right for name, right in overrides.items()}
    robots: dict[str, tuple[Line, ...]] = {}
    for crawler in crawlers:
        token = crawler.robots_token
        if token is not None and (token not in robots or token == crawler.name):
            right = exceptions.get(crawler.name.lower(), rights.get(crawler.purpose, Right.ALLOW))
            robots[token] = _all_or_nothing(right)
    robots["*"] = _all_or_nothing(rights.get(Purpose.TOOL, Right.ALLOW))
    uses = {
        use: rights[purpose] is Right.ALLOW or (use is Use.SEARCH and rights[purpose] in (Right.EXCERPT, Right.HEAD))
        for use, purpose in (
            (Use.SEARCH, Purpose.SEARCH),
            (Use.AI_INPUT, Purpose.AI_SEARCH),
            (Use.AI_TRAIN, Purpose.AI_TRAINING),
        )
        if purpose in rights
    }
    return document(Terms(robots, uses), Site(site, contact, licence, tuple(sitemaps)))


def _all_or_nothing(right: Right) -> tuple[Line, ...]:
    if right in (Right.CHARGE, Right.DENY):
        return _NOTHING
    return Line("/.contentguard/", allowed=False), Line("/", allowed=True)


PUBLICATION = Publication("/robots.txt", "text/plain; charset=utf-8", document)
