"""What is to be traced: files, folders, standard input and addresses, each with its text or why there is none."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from contentguard.backends.fetching import FetchError
from contentguard.backends.pages import TYPES, Page, PageFetcher
from contentguard.cli.texts import MOST, TextError, document, kind_of
from contentguard.watermark.html import Start

_SUFFIXES = frozenset((".txt", ".text", ".md", ".markdown", ".html", ".htm", ".xhtml", ".docx", ""))
_NAME = 200
Fetch = Callable[[str], Page]


class Suspect(NamedTuple):
    """One text that may be a copy."""

    name: str
    text: str
    fault: str = ""
    """Why there is no text."""
    starts: tuple[Start, ...] = ()
    """See ``texts.Document``."""


def fetch(url: str, *, private: bool, also: tuple[str, ...] = ()) -> Page:
    """A page of the web. Raises ``FetchError``. ``also``: media types that are wanted besides texts."""
    return asyncio.run(PageFetcher(private=private, types=(*TYPES, *also)).get(url))


def named(sources: Iterable[str]) -> tuple[list[str], int]:
    """All documents that these name, folders with everything in them, and how many files of other kinds were passed
    over."""
    found: list[str] = []
    others = 0
    for source in sources:
        if source == "-" or _is_url(source) or not Path(source).is_dir():
            found.append(source)
            continue
        for file in _files(Path(source)):
            if file.suffix.lower() in _SUFFIXES:
                found.append(str(file))
            else:
                others += 1
    return found, others


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))


def read(source: str, get: Fetch) -> Suspect:
    """The text of one document."""
    name = shown(source)
    try:
        if _is_url(source):
            page = get(source)
            found = document(page.body, kind_of(page.url, page.body, page.kind), page.charset)
        else:
            data = _bytes(source)
            found = document(data, kind_of(source, data))
    except (OSError, TextError) as error:
        return Suspect(name, "", getattr(error, "strerror", None) or str(error))
    return Suspect(name, found.text, starts=found.starts)


def _bytes(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read(MOST + 1)
    with Path(source).open("rb") as file:
        return file.read(MOST + 1)


def _is_url(source: str) -> bool:
    return source.lower().startswith(("http://", "https://"))


def shown(text: str) -> str:
    """A text from elsewhere as it can be printed: on one line, and with nothing that moves a terminal's cursor."""
    flat = " ".join(text[:_NAME].split())
    return "".join(one if one.isprintable() else "�" for one in flat)


__all__ = ["FetchError", "Suspect", "fetch", "named", "read", "shown"]
