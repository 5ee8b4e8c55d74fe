"""What a dialect may have, and what all of them need for writing lines that no setting can begin."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from contentguard.terms import Site, Terms, Uses

Headers = list[tuple[bytes, bytes]]


class Publication(NamedTuple):
    """One dialect; what it does not have is left out."""

    path: str = ""
    """Where its document stands."""
    media_type: str = ""
    document: Callable[[Terms, Site], str] | None = None
    headers: Callable[[Terms, Uses, Site], Headers] | None = None
    """The headers of one answer, by the uses that are granted at its path."""
    meta: Callable[[Terms, Uses, Site], list[tuple[str, str]]] | None = None
    """Name and content of the elements that say the same in a page's head."""


def one_line(setting: str) -> str:
    """``setting`` as text of one line: no control character, no line end of any kind."""
    return " ".join("".join(char if char.isprintable() else " " for char in setting).split())[:300]


def absolute(url: str) -> str:
    """``url`` if it is a plain absolute http(s) URL in ASCII, otherwise an empty text: a wrong one is left out."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    plain = url.isascii() and url.isprintable() and not {*' "<>'}.intersection(url)
    return url if plain and parts.scheme in ("http", "https") and parts.netloc else ""
