"""A folder of Markdown files, read once into frozen articles.

An editor wants to hear about every mistake at once, not one per start: the readers of the single fields note
their faults in one list, and `load` raises them together. Nothing half right is ever served.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from . import frontmatter, markdown, pictures

_SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Article:
    """One story, ready to be stored and shown. `date` is aware; `image` names a file in the images folder."""

    title: str
    slug: str
    date: datetime
    section: str
    summary: str
    author: str | None
    image: str | None
    image_alt: str
    html: str
    text: str
    words: int
    image_width: int = 0
    image_height: int = 0
    image_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one file."""

    file: str
    field: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: expected {self.expected}, found {self.found}"


class ContentError(ValueError):
    """Everything that is wrong with a content folder; `str()` is the complete report."""

    def __init__(self, folder: Path, faults: list[Fault]) -> None:
        self.faults = tuple(faults)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__("\n  ".join([f"The content folder {folder} has {count}:", *map(str, faults)]))


def load(folder: Path) -> tuple[Article, ...]:
    """Read every article of a folder, newest first, or raise one ContentError with all the faults."""
    faults: list[Fault] = []
    articles: dict[str, tuple[Article, str]] = {}
    for path in sorted(folder.glob("*.md")):
        article = _article(path, faults)
        if article is None:
            continue
        if article.slug in articles:
            other = articles[article.slug][1]
            faults.append(Fault(path.name, "slug", "one of its own", f"{article.slug!r}, as in {other}"))
        articles.setdefault(article.slug, (article, path.name))
    if not articles and not faults:
        found = "none" if folder.is_dir() else "no such folder"
        faults.append(Fault(str(folder), "folder", "Markdown files with front matter", found))
    if faults:
        raise ContentError(folder, faults)
    return tuple(sorted((kept for kept, _ in articles.values()), key=lambda one: one.date, reverse=True))


def section_slug(section: str) -> str:
    """Return the name of a section as it stands in its address: "Arts & Books" becomes "arts-books"."""
    plain = unicodedata.normalize("NFKC", section).casefold()
    return re.sub(r"[\W_]+", "-", plain).strip("-")


def _article(path: Path, faults: list[Fault]) -> Article | None:
    """Read one file; None when it is no article or has noted a fault."""
    before = len(faults)
    try:
        parts = frontmatter.split(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as fault:
        faults.append(Fault(path.name, "file", "UTF-8 text", str(fault)))
        return None
    except frontmatter.HeaderError as fault:
        faults.append(Fault(path.name, "front matter", *_expected_found(fault)))
        return None
    if parts is None:
        return None
    article = _Reader(path, parts[0], faults).article(parts[1])
    return article if len(faults) == before else None


def _expected_found(fault: frontmatter.HeaderError) -> tuple[str, str]:
    """Take "expected A, found B" apart again, so that every fault is reported in the same form."""
    expected, _, found = str(fault).removeprefix("expected ").partition(", found")
    return expected, found.strip(" :")


@dataclass(frozen=True, slots=True)
class _Reader:
    """The fields of one header, each checked by its own method; faults go to the shared list."""

    path: Path
    header: dict[str, Any]
    faults: list[Fault] = field(repr=False)

    def article(self, body: str) -> Article:
        self._shown(body)
        html, text = markdown.render(body, self._size)
        if not text:
            self._fault("body", "some text after the front matter", "nothing")
        image = self._image()
        width, height, weight = self._measure(image)
        return Article(
            title=self._text("title"),
            slug=self._slug(),
            date=self._date(),
            section=self._section(),
            summary=self._text("summary"),
            author=self._text("author", required=False) or None,
            image=image,
            image_alt=self._text("image_alt", required=False),
            html=html,
            text=text,
            words=len(text.split()),
            image_width=width,
            image_height=height,
            image_bytes=weight,
        )

    def _fault(self, name: str, expected: str, found: object) -> None:
        shown = "nothing" if found == "nothing" else repr(found)
        self.faults.append(Fault(self.path.name, name, expected, shown))

    def _text(self, name: str, *, required: bool = True) -> str:
        """One line of text; the white space of a folded YAML value is evened out."""
        value = self.header.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not value.strip():
            self._fault(name, "a line of text", "nothing" if value is None else value)
            return ""
        return " ".join(value.split())

    def _slug(self) -> str:
        slug = self._text("slug")
        if slug and not _SLUG.fullmatch(slug):
            self._fault("slug", "lower-case letters and digits joined by single hyphens", slug)
        return slug

    def _section(self) -> str:
        section = self._text("section")
        if section and not section_slug(section):
            self._fault("section", "a name with letters or digits", section)
        return section

    def _date(self) -> datetime:
        value = self.header.get("date")
        if isinstance(value, str):
            value = _iso(value)
        elif isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        raw = self.header.get("date")
        self._fault("date", "a date as 2026-03-14 or 2026-03-14T09:30:00Z", "nothing" if raw is None else raw)
        return datetime.min.replace(tzinfo=UTC)

    def _image(self) -> str | None:
        """A file beside the text, named with or without its folder."""
        name = self._text("image", required=False).removeprefix("images/")
        if not name:
            return None
        if "/" in name or "\\" in name or name.startswith(".") or not pictures.media_type(name):
            self._fault("image", f"a file name that ends in {', '.join(pictures.TYPES)}", name)
        elif not self._file(name).is_file():
            self._fault("image", "a file in the images folder", name)
        else:
            return name
        return None

    def _shown(self, body: str) -> None:
        """The pictures in the text: each has to be there."""
        for name in markdown.pictures(body):
            if self._size(name) is None:
                self._fault("body", "a PNG, JPEG or WebP picture in the images folder", name)

    def _size(self, name: str) -> tuple[int, int] | None:
        folder = self.path.parent / "images"
        file = (folder / name).resolve()
        return pictures.size(file) if file.is_relative_to(folder.resolve()) and file.is_file() else None

    def _measure(self, image: str | None) -> tuple[int, int, int]:
        if image is None:
            return 0, 0, 0
        found = pictures.size(self._file(image))
        if found is None:
            self._fault("image", "a PNG, JPEG or WebP picture", image)
        return *(found or (0, 0)), self._file(image).stat().st_size

    def _file(self, name: str) -> Path:
        return self.path.parent / "images" / name


def _iso(value: str) -> datetime | None:
    """Read an ISO 8601 date or time; None when it is neither."""
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        return None
