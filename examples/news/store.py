"""The articles in SQLite: what a page needs to know is one query here.

The database lives in memory and is filled from the content folder
when the first query comes, so nothing on disk can be stale and an application whose lifespan never runs works
as well. Lists are read without the article bodies: a front page cannot leak what it never held. Feeds hold them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from html import escape
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .content import Article, section_slug
from .sqlite import Sqlite

_SCHEMA: Final = (
    """CREATE TABLE articles (
        id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, title TEXT NOT NULL, date TEXT NOT NULL,
        stamp REAL NOT NULL, section TEXT NOT NULL, section_slug TEXT NOT NULL, summary TEXT NOT NULL,
        author TEXT, image TEXT, image_alt TEXT NOT NULL, image_width INTEGER NOT NULL,
        image_height INTEGER NOT NULL, image_bytes INTEGER NOT NULL, words INTEGER NOT NULL,
        html TEXT NOT NULL, text TEXT NOT NULL)""",
    "CREATE INDEX articles_by_date ON articles (stamp DESC, slug)",
    "CREATE INDEX articles_by_section ON articles (section_slug, stamp DESC, slug)",
    """CREATE VIRTUAL TABLE search USING fts5 (
        title, summary, text, content='articles', content_rowid='id', tokenize='porter unicode61')""",
)
_COLUMNS: Final = (
    "slug, title, date, stamp, section, section_slug, summary, author, image, image_alt, "
    "image_width, image_height, image_bytes, words, html, text"
)
_INSERT: Final = f"INSERT INTO articles ({_COLUMNS}) VALUES (:{_COLUMNS.replace(', ', ', :')})"
_CARD: Final = f"SELECT {_COLUMNS.removesuffix(', html, text')}, '' AS html, '' AS text FROM articles"
_NEWEST: Final = "ORDER BY stamp DESC, slug"
# A hit in the headline outweighs one in the summary, and that one in the body. The snippet marks its hits
# with two characters that no keyboard types; they become <mark> only after everything else is escaped.
_SEARCH: Final = """
    SELECT a.*,
        highlight(search, 1, char(0xE000), char(0xE001)) AS marked_summary
    FROM search JOIN articles a ON a.id = search.rowid
    WHERE search MATCH :terms ORDER BY bm25(search, 10.0, 4.0, 1.0), a.stamp DESC LIMIT :limit"""
_MOST_TERMS: Final = 12


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list of articles; `number` counts from 1, and an empty list still has one page."""

    articles: tuple[Article, ...]
    number: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the paper as it is named and addressed."""

    name: str
    slug: str
    count: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search; `snippet` is safe HTML whose only markup is <mark>."""

    article: Article
    snippet: str


class Store:
    """The queries of the site over one set of articles. Opens itself on first use; `close` lets go of it."""

    def __init__(self, articles: Sequence[Article], *, page_size: int = 8) -> None:
        self._articles = tuple(articles)
        self._page_size = page_size
        # The connection must not keep the store alive, so it is told what it needs and not whose it is.
        self._sqlite = Sqlite(partial(_fill, self._articles))

    async def open(self) -> AsyncEngine:
        """Create and fill the database unless that is done; safe to call from many requests at once."""
        return await self._sqlite.open()

    async def close(self) -> None:
        """Give the database back. The next query would open a fresh one."""
        await self._sqlite.close()

    async def latest(self, page: int = 1) -> Page | None:
        """Return one page of all the articles, newest first; None beyond the end."""
        return await self._page("", page)

    async def by_section(self, slug: str, page: int = 1) -> Page | None:
        """Return one page of a section, newest first; None beyond the end or without such a section."""
        found = await self._page("WHERE section_slug = :slug", page, slug=slug)
        return found if found and found.total else None

    async def by_slug(self, slug: str) -> Article | None:
        """Return one whole article."""
        rows = await self._sqlite.rows(f"SELECT {_COLUMNS} FROM articles WHERE slug = :slug", slug=slug)
        return _article(rows[0]) if rows else None

    async def cards(self, limit: int = -1) -> tuple[Article, ...]:
        """Return the newest articles (all by default), without their bodies."""
        rows = await self._sqlite.rows(f"{_CARD} {_NEWEST} LIMIT :limit", limit=limit)
        return tuple(map(_article, rows))

    async def stories(self, limit: int = -1, section: str = "") -> tuple[Article, ...]:
        """Return the newest articles, of one section where it is given by its slug, whole: for feeds alone."""
        where = "WHERE section_slug = :section" if section else ""
        rows = await self._sqlite.rows(
            f"SELECT {_COLUMNS} FROM articles {where} {_NEWEST} LIMIT :limit", limit=limit, section=section
        )
        return tuple(map(_article, rows))

    async def sections(self) -> tuple[Section, ...]:
        """Return the sections in alphabetical order."""
        rows = await self._sqlite.rows(
            "SELECT min(section) AS name, section_slug AS slug, count(*) AS count"
            " FROM articles GROUP BY section_slug ORDER BY section_slug"
        )
        return tuple(Section(**row) for row in rows)

    async def related(self, article: Article, limit: int = 3) -> tuple[Article, ...]:
        """Return other articles to read next: the same section first, then the newest of the rest."""
        rows = await self._sqlite.rows(
            f"{_CARD} WHERE slug <> :slug ORDER BY section_slug = :section DESC, stamp DESC, slug LIMIT :limit",
            slug=article.slug,
            section=section_slug(article.section),
            limit=limit,
        )
        return tuple(map(_article, rows))

    async def search(self, query: str, limit: int = 20) -> tuple[Hit, ...]:
        """Return the best articles for a reader's words. Any input is harmless; no words find nothing."""
        terms = match_terms(query)
        rows = await self._sqlite.rows(_SEARCH, terms=terms, limit=limit) if terms else []
        return tuple(Hit(_article(row), _snippet(row["marked_summary"])) for row in rows)

    async def _page(self, where: str, page: int, **values: str) -> Page | None:
        counted = await self._sqlite.rows(f"SELECT count(*) AS total FROM articles {where}", **values)
        total: int = counted[0]["total"]
        pages = max(1, -(-total // self._page_size))
        if not 1 <= page <= pages:
            return None
        rows = await self._sqlite.rows(
            f"{_CARD} {where} {_NEWEST} LIMIT :limit OFFSET :offset",
            **values,
            limit=self._page_size,
            offset=(page - 1) * self._page_size,
        )
        return Page(tuple(map(_article, rows)), page, pages, total)


def match_terms(query: str) -> str:
    """Return an FTS5 expression for a reader's words, all of which must occur.

    Only letters and digits survive, each word in quotation marks, so no operator, column name or quote of the
    query ever reaches the FTS5 parser.
    """
    words = re.findall(r"[^\W_]+", query[:400])[:_MOST_TERMS]
    return " ".join(f'"{word}"' for word in words)


async def _fill(articles: Iterable[Article], connection: AsyncConnection) -> None:
    for statement in _SCHEMA:
        await connection.execute(text(statement))
    await _insert(connection, articles)


async def _insert(connection: AsyncConnection, articles: Iterable[Article]) -> None:
    rows = [_row(article) for article in articles]
    if rows:
        await connection.execute(text(_INSERT), rows)
    await connection.execute(text("INSERT INTO search (search) VALUES ('rebuild')"))


def _row(article: Article) -> dict[str, Any]:
    return {
        **asdict(article),
        "date": article.date.isoformat(),
        "stamp": article.date.timestamp(),
        "section_slug": section_slug(article.section),
    }


def _article(row: RowMapping) -> Article:
    values = {name: row[name] for name in Article.__dataclass_fields__}
    return Article(**{**values, "date": datetime.fromisoformat(row["date"])})


def _snippet(summary: str) -> str:
    """Show where the words are in the summary, which is public anyway. A few words of the text would be a few for
    every query: whoever asks often enough has the article."""
    return escape(summary).replace("\ue000", "<mark>").replace("\ue001", "</mark>")
