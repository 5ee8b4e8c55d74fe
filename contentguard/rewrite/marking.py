"""Where a reader's marks go in a page: the texts of its article's paragraphs, handed to whoever knows marks.

Strategy: the scanner has noted the text nodes of the article's paragraphs. Those in links, quotations and code are left
alone; what remains is read paragraph by paragraph and given to a marker, which answers with places and with what stands
there for nobody in particular. Every place becomes an edit whose only part is a number: the nth mark of a copy.
Editors' wording comes as ``[[a|b]]`` in a text, or as ``<span data-cg-variant="b">a</span>``; the tags go either way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from contentguard.rewrite.choice import Candidate, Run
from contentguard.rewrite.edits import Edit, patched
from contentguard.rewrite.plan import Point, Template, Values, template

_LEFT_ALONE = re.compile(
    rb"(?i)<(/?)(?:a|q|blockquote|code|kbd|samp|pre|cite|h[1-6]|figcaption|button|label)(?=[\t\n\f\r />])"
)
_PARAGRAPH = re.compile(rb"(?i)</?p(?=[\t\n\f\r />])")
_VARIANT = re.compile(
    rb'(?i)<span\s{1,16}data-cg-variant="([^"<>\[\]|]{0,200})"\s{0,16}>([^<>\[\]|]{1,200})</span\s{0,16}>'
)


class Place(Protocol):
    """Where a mark stands: in which text, and which of its characters it replaces."""

    @property
    def run(self) -> int:
        """The text's number."""

    @property
    def start(self) -> int:
        """The first character replaced,"""

    @property
    def end(self) -> int:
        """and the one after the last; the same where a mark is put in."""


class Marked(Protocol):
    """An article as its marks see it."""

    @property
    def slots(self) -> Sequence[Place]:
        """The places, in the order of the text."""

    @property
    def plain(self) -> Sequence[bytes]:
        """What stands there where nobody is named."""


Marker = Callable[[Sequence[Sequence[str]], bool], Marked]
"""Paragraphs, each as the texts between its tags as they stand in HTML, and whether any character may be put in (else
ASCII) → what their marks need."""


@dataclass(frozen=True, slots=True)
class Marking:
    """A page's marks."""

    article: Marked
    edits: tuple[Edit, ...]
    """One for each mark, by its number."""
    plain: Values
    full: Template
    """The page with all insertions and marks."""

    @property
    def size(self) -> int:
        """Bytes held besides the page."""
        return self.full.own + 400 * len(self.edits)


def marking(body: bytes, article: Candidate, encoding: str, marker: Marker, points: Sequence[Point]) -> Marking | None:
    """The marks of a page; None where its text cannot be read."""
    own = {found.start(2): found.span() for found in _VARIANT.finditer(body, article.inner_start, article.end)}
    paragraphs = _texts(body, article)
    runs = [own.get(start, (start, end)) for paragraph in paragraphs for start, end in paragraph]
    elements = [start in own for paragraph in paragraphs for start, _ in paragraph]
    try:
        texts = [_decoded(body, run, encoding, element=one) for run, one in zip(runs, elements, strict=True)]
    except (UnicodeDecodeError, LookupError):
        return None
    rest = iter(texts)
    made = marker([[next(rest) for _ in paragraph] for paragraph in paragraphs], encoding == "utf-8")
    edits = tuple(_edits(made, runs, texts, encoding, elements))
    inserts = [Edit(at, at, parts) for at, parts in points]
    page = template(patched(memoryview(body), [*inserts, *edits], 0, len(body)))
    return Marking(made, edits, dict(enumerate(made.plain)), page)


def _edits(
    made: Marked, runs: Sequence[Run], texts: Sequence[str], encoding: str, elements: Sequence[bool]
) -> Iterator[Edit]:
    run, done, offset = -1, 0, 0
    for number, slot in enumerate(made.slots):
        if slot.run != run:
            run, done, offset = slot.run, 0, runs[slot.run][0]
        if elements[run]:
            yield Edit(*runs[run], (number,))
            continue
        text = texts[run]
        start = offset + len(text[done : slot.start].encode(encoding))
        end = start + len(text[slot.start : slot.end].encode(encoding))
        done, offset = slot.end, end
        yield Edit(start, end, (number,))


def _decoded(body: bytes, run: Run, encoding: str, *, element: bool) -> str:
    text = body[slice(*run)]
    if not element:
        return text.decode(encoding)
    found = _VARIANT.fullmatch(text)
    assert found is not None
    return f"[[{found[2].decode(encoding)}|{found[1].decode(encoding)}]]"


def _texts(body: bytes, article: Candidate) -> list[list[Run]]:
    """The texts that may be marked, by paragraph."""
    paragraphs: list[list[Run]] = [[]]
    done, shut = article.inner_start, 0
    for start, end in article.runs:
        between = body[done:start]
        for tag in _LEFT_ALONE.finditer(between):
            shut = max(0, shut - 1) if tag[1] else shut + 1
        if _PARAGRAPH.search(between):
            paragraphs.append([])
        if not shut:
            paragraphs[-1].append((start, end))
        done = end
    return [paragraph for paragraph in paragraphs if paragraph]
