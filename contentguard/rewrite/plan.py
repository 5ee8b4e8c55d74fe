"""A page's plan: what stands where in each rendition, worked out once and filled in for each reader.

Strategy: a ``Template`` is the page cut at the places that differ from reader to reader; everything else, the inserted
markup included, is joined beforehand. Rendering never looks at the page again. The page's own bytes are never
re-serialised: they are sliced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from contentguard.rewrite.page import Field, Fragment, Page, Part, Slot, ascii_html
from contentguard.rewrite.scan import Scan


class Untouched(StrEnum):
    """Why a page leaves as it came. Counted, and logged once each."""

    NO_ARTICLE = "no-article"
    ENCODED = "encoded"
    CHARSET = "charset"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    NO_PLACE = "no-place"
    LATE_CHARSET = "late-charset"
    ERROR = "error"
    XHTML = "xhtml"


@dataclass(frozen=True, slots=True)
class Template:
    """Bytes with holes: ``pieces[0] field[0] pieces[1] … field[n-1] pieces[n]``."""

    pieces: tuple[bytes, ...]
    fields: tuple[Field, ...]

    def fill(self, values: Mapping[Field, bytes]) -> bytes:
        """The bytes for one reader. KeyError when a field has no value."""
        if not self.fields:
            return self.pieces[0]
        out = [b""] * (2 * len(self.fields) + 1)
        out[::2] = self.pieces
        out[1::2] = [values[field] for field in self.fields]
        return b"".join(out)

    @property
    def size(self) -> int:
        """Bytes that the pieces hold."""
        return sum(map(len, self.pieces))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of one page body. ``untouched`` is set where the full rendition is the body itself."""

    is_article: bool
    untouched: Untouched | None = None
    full: Template | None = None
    head: Template | None = None
    """The metadata alone, as a small document of its own."""
    url: str = ""
    """The page's absolute URL where it is known without the reader's Host header."""

    @property
    def size(self) -> int:
        """Bytes held, for the cache's account."""
        return sum(template.size for template in (self.full, self.head) if template is not None)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A page ready to leave, and whether it is meant for this client alone (so that no shared cache may keep it)."""

    body: bytes
    personal: bool


def template(parts: Iterable[Part]) -> Template:
    """Join neighbouring bytes; every field becomes a hole."""
    pieces: list[list[bytes]] = [[]]
    fields: list[Field] = []
    for part in parts:
        if isinstance(part, Field):
            fields.append(part)
            pieces.append([])
        else:
            pieces[-1].append(part)
    return Template(tuple(b"".join(piece) for piece in pieces), tuple(fields))


def full(body: bytes, places: Mapping[Slot, int], fragments: Iterable[Fragment]) -> Template:
    """``body`` with every fragment at its place; of two at one place the earlier comes first."""
    ordered = sorted(fragments, key=lambda fragment: places[fragment.slot])
    return template(_spliced(body, places, ordered))


def _spliced(body: bytes, places: Mapping[Slot, int], ordered: Iterable[Fragment]) -> Iterator[Part]:
    done = 0
    for fragment in ordered:
        at = places[fragment.slot]
        yield body[done:at]
        yield from fragment.parts
        done = at
    yield body[done:]


def head_only(body: bytes, scan: Scan, page: Page, fragments: Iterable[Fragment]) -> Template:
    """The page's metadata as a document: its own title, meta and link tags as they stand, and no text at all.

    No script comes along, so no JSON-LD ``articleBody`` can.
    """
    html = body[slice(*scan.html_tag)] if scan.html_tag else b"<html>"
    own = [body[start:end] for start, end in scan.metadata]
    title = body[slice(*scan.title)] if scan.title else ascii_html(page.title)
    parts: list[Part] = [b"<!doctype html>\n", html, b"\n<head>\n", *(tag + b"\n" for tag in own)]
    parts += [b"<title>", title, b"</title>\n"]
    for fragment in fragments:
        parts += fragment.parts
    return template([*parts, b"\n</head>\n<body></body>\n</html>\n"])
