"""Visible marks: a line on every printed copy and, if wanted, a label on the screen, naming page, day and
copy.

No text is put into the page: the words stand in an attribute and the style sheet shows them, so no text
extractor, reader mode, search snippet or screen reader takes them for the article's; extractors that keep
attributes drop what calls itself a footer, which is what the class name does. ``hidden`` keeps the
empty elements away until the style sheet is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType
from typing import Any, ClassVar

from contentguard.rewrite.page import Field, Fragment, Page, Part, Slot, ascii_html
from contentguard.rewrite.share import joined

_FIELDS = MappingProxyType({"url": Field.URL, "date": Field.DATE, "copy": Field.COPY_NUMBER})


@dataclass(frozen=True, slots=True)
class Visible:
    """Options of the visible marks. The texts may hold ``{url}``, ``{date}`` and ``{copy}``."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    print: bool = True
    """A line at the article's end that is seen on paper only."""
    copy_number: bool = True
    """Whether the printed line names the copy."""
    overlay: str = ""
    """The text of a small label at the edge of the screen; empty for none."""
    print_text: str = "Printed from {url} on {date}."
    number_text: str = "Copy no. {copy}."
    """Follows ``print_text`` where ``copy_number`` is on."""

    def __post_init__(self) -> None:
        """Refuse a text with a placeholder that nothing can fill."""
        for name in ("overlay", "print_text", "number_text"):
            _check(name, getattr(self, name))

    @property
    def marks(self) -> bool:
        """Whether these options leave anything in a page."""
        return self.print or bool(self.overlay)


def visible(page: Page, *, options: Visible) -> Iterator[Fragment]:
    """The marks at the article's end."""
    parts: list[Part] = []
    if options.print:
        numbered = f"{options.print_text} {options.number_text}" if options.copy_number else options.print_text
        parts += [
            b'<div class="cg-mark cg-footer" hidden data-cg-print="',
            *_filled(numbered.strip(), page),
            b'"></div>',
        ]
    if options.overlay:
        parts += [b'<div class="cg-mark cg-footer" hidden aria-hidden="true" data-cg-overlay="']
        parts += [*_filled(options.overlay, page), b'"></div>']
    if parts:
        yield Fragment(Slot.ARTICLE_END, joined(parts))


def _check(name: str, text: str) -> None:
    try:
        pieces = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"{name}: {error} (write {{{{ and }}}} for braces)") from None
    for _, placeholder, spec, conversion in pieces:
        if placeholder is not None and (placeholder not in _FIELDS or spec or conversion):
            allowed = ", ".join(f"{{{key}}}" for key in _FIELDS)
            raise ValueError(f"{name}: unknown placeholder {{{placeholder}}}; allowed are {allowed}")


def _filled(text: str, page: Page) -> Iterator[Part]:
    for literal, placeholder, _, _ in Formatter().parse(text):
        yield ascii_html(literal)
        if placeholder == "url" and page.url:
            yield ascii_html(page.url)
        elif placeholder is not None:
            yield _FIELDS[placeholder]
