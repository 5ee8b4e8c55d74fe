"""What readers and editors write, in one SQLite file: comments, decisions, rules, and the keys of the site's cookies.

Each statement is its own transaction, and on disk before the reader is thanked: a crash loses nothing that was
answered. Without a path all of it is in memory and ends with the process.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from .sqlite import Sqlite
from .threads import Comment

_GUIDS: Final = tuple(
    f"json_extract(CASE WHEN json_valid({kept}) THEN {kept} ELSE '{{}}' END, '$.guid')"
    for kept in ("decision", "submission")
)
"""A service's names for a comment: the latest, and the one that it was given at first."""
_SCHEMA: Final = (
    """CREATE TABLE IF NOT EXISTS comments (
        id INTEGER PRIMARY KEY AUTOINCREMENT, slug TEXT NOT NULL, parent INTEGER NOT NULL DEFAULT 0,
        author TEXT NOT NULL, email TEXT NOT NULL, url TEXT NOT NULL, text TEXT NOT NULL, role TEXT NOT NULL,
        created REAL NOT NULL, status TEXT NOT NULL CHECK (status IN ('approved', 'pending', 'spam', 'trash')),
        before TEXT NOT NULL DEFAULT '', decision TEXT NOT NULL, submission TEXT NOT NULL, reasons TEXT NOT NULL,
        score REAL NOT NULL, recheck_at REAL, learned TEXT NOT NULL DEFAULT '', moderator TEXT NOT NULL DEFAULT '',
        moderated REAL)""",
    "CREATE INDEX IF NOT EXISTS comments_of_article ON comments (slug, status, created)",
    "CREATE INDEX IF NOT EXISTS comments_by_status ON comments (status, created)",
    "CREATE INDEX IF NOT EXISTS comments_by_author ON comments (email, author, status)",
    "CREATE INDEX IF NOT EXISTS comments_to_recheck ON comments (recheck_at) WHERE recheck_at IS NOT NULL",
    f"CREATE INDEX IF NOT EXISTS comments_by_guid ON comments ({_GUIDS[0]})",
    f"CREATE INDEX IF NOT EXISTS comments_by_first_guid ON comments ({_GUIDS[1]})",
    "CREATE TABLE IF NOT EXISTS closed (slug TEXT PRIMARY KEY, moderator TEXT NOT NULL, at REAL NOT NULL)",
    "CREATE TABLE IF NOT EXISTS editors (name TEXT PRIMARY KEY, password TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
)
_INSERT: Final = """
    INSERT INTO comments (slug, parent, author, email, url, text, role, created, status, decision, submission, reasons,
        score, recheck_at)
    VALUES (:slug, :parent, :author, :email, :url, :text, :role, :created, :status, :decision, :submission, :reasons,
        :score, :recheck_at)"""
_SHOWN: Final = "id, parent, author, url, text, created, role, status"


class Status(StrEnum):
    """Where a comment is. Only approved ones are public."""

    PENDING = "pending"
    APPROVED = "approved"
    SPAM = "spam"
    TRASH = "trash"


@dataclass(frozen=True, slots=True)
class Filed:
    """One comment as an editor sees it: with its author's address, what decided, and who has decided since."""

    id: int
    slug: str
    parent: int
    author: str
    email: str
    url: str
    text: str
    role: str
    created: float
    status: Status
    decision: str
    submission: dict[str, Any]
    reasons: tuple[tuple[str, float, str], ...]
    score: float
    recheck_at: float | None
    learned: str
    moderator: str
    moderated: float | None
    before: str = ""


@dataclass(frozen=True, slots=True)
class New:
    """A comment that was just written, and what the filters said of it."""

    slug: str
    parent: int
    author: str
    email: str
    url: str
    text: str
    created: float
    status: Status
    decision: str
    submission: Mapping[str, Any]
    reasons: Sequence[Sequence[Any]]
    score: float
    recheck_at: float | None = None
    role: str = ""


class Database:
    """The queries over one file, or over memory. Raises `OSError` when the file cannot be opened."""

    def __init__(self, path: Path | None = None) -> None:
        self._sqlite = Sqlite(_complete, path)

    async def open(self) -> None:
        """Open the file, and make what is missing in it."""
        await self._sqlite.open()

    async def close(self) -> None:
        """Give the file back. The next query would open it again."""
        await self._sqlite.close()

    # -- comments ------------------------------------------------------------------------------------------------

    async def add(self, new: New) -> int:
        """Keep a comment; its number. Once this returns it is on disk."""
        values = {name: getattr(new, name) for name in New.__dataclass_fields__}
        values |= {
            "status": new.status.value,
            "submission": json.dumps(new.submission),
            "reasons": json.dumps(new.reasons),
        }
        return await self._sqlite.run(_INSERT, **values)

    async def of_article(self, slug: str, own: Sequence[int] = ()) -> tuple[Comment, ...]:
        """Return an article's approved comments, and those of `own` that wait (for their author's eyes only)."""
        rows = await self._sqlite.rows(
            f"SELECT {_SHOWN} FROM comments WHERE slug = :slug AND (status = 'approved'"
            f" OR (status IN ('pending', 'spam') AND id IN ({_numbers(own)}))) ORDER BY created, id",
            slug=slug,
        )
        return tuple(map(_comment, rows))

    async def parents(self, slug: str) -> dict[int, int]:
        """Return the parent of each approved comment of an article."""
        rows = await self._sqlite.rows(
            "SELECT id, parent FROM comments WHERE slug = :slug AND status = 'approved'", slug=slug
        )
        return {row["id"]: row["parent"] for row in rows}

    async def get(self, id_: int) -> Filed | None:
        """Return one comment as an editor sees it."""
        rows = await self._sqlite.rows("SELECT * FROM comments WHERE id = :id", id=id_)
        return _filed(rows[0]) if rows else None

    async def filed(self, ids: Sequence[int]) -> tuple[Filed, ...]:
        """Return several, in the order of their numbers."""
        return tuple(
            map(_filed, await self._sqlite.rows(f"SELECT * FROM comments WHERE id IN ({_numbers(ids)}) ORDER BY id"))
        )

    async def queue(self, status: Status, number: int, size: int) -> tuple[Filed, ...]:
        """Return one page of a queue, newest first."""
        rows = await self._sqlite.rows(
            "SELECT * FROM comments WHERE status = :status ORDER BY created DESC, id DESC LIMIT :size OFFSET :skipped",
            status=status.value,
            size=size,
            skipped=(number - 1) * size,
        )
        return tuple(map(_filed, rows))

    async def counts(self) -> dict[Status, int]:
        """Return how many comments each queue holds."""
        rows = await self._sqlite.rows("SELECT status, count(*) AS held FROM comments GROUP BY status")
        held = {Status(row["status"]): int(row["held"]) for row in rows}
        return {status: held.get(status, 0) for status in Status}

    async def approved_before(self, author: str, email: str) -> bool:
        """Whether an editor's yes stands for an earlier comment of the same name and address."""
        rows = await self._sqlite.rows(
            "SELECT 1 FROM comments WHERE email = :email AND author = :author AND status = 'approved' LIMIT 1",
            author=author,
            email=email,
        )
        return bool(rows) and bool(email)

    async def by_author(self, slug: str, author: str, email: str) -> tuple[int, ...]:
        """Return the waiting comments of an article that one name and address wrote."""
        rows = await self._sqlite.rows(
            "SELECT id FROM comments WHERE slug = :slug AND author = :author AND email = :email AND status = 'pending'",
            slug=slug,
            author=author,
            email=email,
        )
        return tuple(row["id"] for row in rows)

    async def move(self, id_: int, status: Status, moderator: str, now: float) -> None:
        """Put a comment into another queue, in an editor's name. What is decided waits for no second opinion."""
        await self._sqlite.run(
            "UPDATE comments SET before = CASE WHEN status = :status THEN before ELSE status END, status = :status,"
            " moderator = :moderator, moderated = :now, recheck_at = NULL WHERE id = :id",
            id=id_,
            status=status.value,
            moderator=moderator,
            now=now,
        )

    async def delete(self, id_: int) -> None:
        """Remove a comment from the trash or from the spam for good; another stays."""
        await self._sqlite.run("DELETE FROM comments WHERE id = :id AND status IN ('trash', 'spam')", id=id_)

    async def learned(self, id_: int, what: str) -> None:
        """Note what the filters were last taught about a comment: `spam`, `ham`, or nothing."""
        await self._sqlite.run("UPDATE comments SET learned = :what WHERE id = :id", id=id_, what=what)

    async def due(self, now: float, most: int = 100) -> tuple[Filed, ...]:
        """Return the comments that a service has still to be asked about, the longest due first."""
        rows = await self._sqlite.rows(
            "SELECT * FROM comments WHERE recheck_at <= :now AND moderator = '' AND status != 'trash'"
            " ORDER BY recheck_at LIMIT :most",
            now=now,
            most=most,
        )
        return tuple(map(_filed, rows))

    async def called(self, guids: Sequence[str], now: float) -> None:
        """Let the comments that a service names be asked about next; not what an editor wrote or has decided."""
        for guid in guids:
            await self._sqlite.run(
                f"UPDATE comments SET recheck_at = :now WHERE ({_GUIDS[0]} = :guid OR {_GUIDS[1]} = :guid)"
                " AND moderator = '' AND role = ''",
                guid=guid,
                now=now,
            )

    async def decided(self, id_: int, status: Status, new: Mapping[str, Any]) -> None:
        """Note what became of asking again; nothing where an editor was faster."""
        await self._sqlite.run(
            "UPDATE comments SET status = :status, decision = :decision, reasons = :reasons, score = :score,"
            " recheck_at = :recheck_at, submission = :submission WHERE id = :id AND moderator = ''",
            id=id_,
            status=status.value,
            **{**new, "reasons": json.dumps(new["reasons"]), "submission": json.dumps(new["submission"])},
        )

    async def forget_spam(self, before: float) -> None:
        """Remove spam and trash that is older than `before`, in seconds since the epoch."""
        await self._sqlite.run(
            "DELETE FROM comments WHERE status IN ('spam', 'trash') AND created < :before", before=before
        )

    # -- articles, editors, and what else is kept ------------------------------------------------------------------

    async def closed(self) -> frozenset[str]:
        """Return the articles that take no more comments."""
        return frozenset(row["slug"] for row in await self._sqlite.rows("SELECT slug FROM closed"))

    async def close_comments(self, slug: str, moderator: str, now: float) -> None:
        """Let an article take no more comments."""
        await self._sqlite.run(
            "INSERT OR REPLACE INTO closed VALUES (:slug, :moderator, :now)", slug=slug, moderator=moderator, now=now
        )

    async def open_comments(self, slug: str) -> None:
        """Let it take comments again."""
        await self._sqlite.run("DELETE FROM closed WHERE slug = :slug", slug=slug)

    async def password(self, name: str) -> str | None:
        """Return the hash of an editor's password."""
        rows = await self._sqlite.rows("SELECT password FROM editors WHERE name = :name", name=name)
        return str(rows[0]["password"]) if rows else None

    async def set_password(self, name: str, hashed: str) -> None:
        """Give an editor a password, and make one of who is none yet."""
        await self._sqlite.run("INSERT OR REPLACE INTO editors VALUES (:name, :hashed)", name=name, hashed=hashed)

    async def kept(self, name: str) -> str | None:
        """Return a value that was kept under a name."""
        rows = await self._sqlite.rows("SELECT value FROM kept WHERE name = :name", name=name)
        return str(rows[0]["value"]) if rows else None

    async def keep(self, name: str, value: str) -> None:
        """Keep a value."""
        await self._sqlite.run("INSERT OR REPLACE INTO kept VALUES (:name, :value)", name=name, value=value)

    async def secret(self, name: str) -> str:
        """Return a random value that is made once and then stays the same."""
        await self._sqlite.run(
            "INSERT OR IGNORE INTO kept VALUES (:name, :value)", name=name, value=secrets.token_urlsafe(32)
        )
        return cast(str, await self.kept(name))


async def _complete(connection: AsyncConnection) -> None:
    for statement in _SCHEMA:
        await connection.execute(text(statement))


def _numbers(ids: Sequence[int]) -> str:
    # Numbers of our own making, so there is nothing to quote.
    return ", ".join(str(int(one)) for one in ids[:1000])


def _comment(row: RowMapping) -> Comment:
    values = {name: row[name] for name in ("id", "parent", "author", "url", "text", "created")}
    return Comment(**values, staff=bool(row["role"]), pending=row["status"] != "approved")


def _filed(row: RowMapping) -> Filed:
    values = {name: row[name] for name in Filed.__dataclass_fields__}
    reasons = tuple((str(name), float(points), str(why)) for name, points, why in json.loads(row["reasons"]))
    return Filed(
        **{**values, "status": Status(row["status"]), "submission": json.loads(row["submission"]), "reasons": reasons}
    )
