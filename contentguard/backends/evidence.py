"""The evidence log and the index of articles in a database: SQLite in a file, or PostgreSQL. Only here: SQLAlchemy.

    issued         one row for each copy that left, forgotten after some months
    articles       what the site publishes, by name
    revisions      each of their texts, enough to read marks against
    fingerprints   of which articles a text may be a copy

Strategy: one connection, used by one thread at a time, opened when it is first needed and again after any failure, so
a database that went away is simply there again when it comes back. Every method is one transaction. Nothing in it names
a person, and what is erased is overwritten. It is one file because only here SQLAlchemy may be known.
"""

from __future__ import annotations

import json
import os
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Double,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    delete,
    distinct,
    event,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from contentguard.backends import EvidenceError, Issued, Revision
from contentguard.watermark.compiled import Channels, Compiled
from contentguard.watermark.html import Tag
from contentguard.watermark.winnow import RARE, fingerprints

T = TypeVar("T")
_AGENT = 200
_NAME = 1000
_MANY = 10_000
_TOGETHER = 400
"""Values in one question."""
MOST_REVISIONS = 64
"""Texts of one article that are kept; the oldest go first."""
_SERIAL = BigInteger().with_variant(Integer, "sqlite")

_DATA = MetaData()
ISSUED = Table(
    "issued",
    _DATA,
    Column("id", _SERIAL, primary_key=True),
    Column("serial", BigInteger, nullable=False, index=True),
    Column("epoch", Integer, nullable=False),
    Column("article", String, nullable=False),
    Column("revision", String(16), nullable=False),
    Column("at", Double, nullable=False, index=True),
    Column("policy", String, nullable=False),
    Column("address", String, nullable=False, index=True),
    Column("prefix", String, nullable=False),
    Column("agent", String, nullable=False),
    Column("action", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("score", Double, nullable=False),
    Column("visit", String, nullable=False, index=True),
    Index("issued_copies", "article", "revision", "epoch"),
)
ARTICLES = Table(
    "articles",
    _DATA,
    Column("id", _SERIAL, primary_key=True),
    Column("name", String, nullable=False, unique=True),
)
REVISIONS = Table(
    "revisions",
    _DATA,
    Column("id", _SERIAL, primary_key=True),
    Column("article", ForeignKey("articles.id"), nullable=False),
    Column("revision", String(16), nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("at", Double, nullable=False),
    UniqueConstraint("article", "revision"),
)
FINGERPRINTS = Table(
    "fingerprints",
    _DATA,
    Column("hash", BigInteger, primary_key=True, autoincrement=False),
    Column("article", ForeignKey("articles.id"), primary_key=True),
    sqlite_with_rowid=False,
)


class Copies(NamedTuple):
    """How many copies of one state of an article left under one set of keys."""

    revision: bytes
    epoch: int
    readers: int


class EvidenceLog:
    """The log at ``url``: ``sqlite:///FILE``, a file's path, or ``postgresql://…``.

    ``key``: 16 to 64 secret bytes for fingerprints. ValueError where the URL is none, or its driver is not installed.
    Methods raise ``EvidenceError`` where the database gives no answer.
    """

    def __init__(self, url: str, key: bytes, *, create: bool = True) -> None:
        """``create``: whether a database that is not there is made."""
        self._key, self._create = key, create
        self._engine, self._file = _engine(url)
        self._there: tuple[int, int] | None = None

    # -- what leaves is written --------------------------------------------------------------------------------

    def write(self, rows: Sequence[Issued]) -> None:
        """Keep these rows: all of them, or none."""
        values = [_values(row) for row in rows]
        if values:
            self._in(lambda connection: connection.execute(ISSUED.insert(), values))

    def prune(self, before: float) -> int:
        """Forget copies that left before ``before``, and texts of articles older than that but for the last of each."""
        return self._in(lambda connection: _pruned(connection, before))

    def erase(self, *, serial: int | None = None, visit: str | None = None, address: str | None = None) -> int:
        """Forget all copies of one serial, pass or address (its hash); how many rows that were. ValueError for none."""
        asked = _where(serial=serial, visit=visit, address=address)
        if not asked:
            raise ValueError("a serial, a pass or an address whose rows are to be erased")
        return self._in(lambda connection: connection.execute(delete(ISSUED).where(*asked)).rowcount)

    # -- articles ----------------------------------------------------------------------------------------------

    def learn(self, revision: Revision) -> None:
        """Remember an article's text and what its copies are found by. One that is known already costs a look-up."""
        self._in(lambda connection: _learn(connection, revision, self._key))

    def owners(self, hashes: Sequence[int]) -> dict[int, set[str]]:
        """The articles that have each of these fingerprints; one that too many have is left out, or has too many."""
        return self._in(lambda connection: _owners(connection, hashes))

    def known(self, names: Sequence[str]) -> set[str]:
        """Which of these articles are in the index."""
        wanted = select(ARTICLES.c.name).where(ARTICLES.c.name.in_(names[:_TOGETHER]))
        return self._in(lambda connection: set(connection.scalars(wanted)))

    def revisions(self, article: str) -> list[Revision]:
        """All texts of an article that are known, the newest first."""
        asked = (
            select(REVISIONS.c.text, REVISIONS.c.at)
            .join(ARTICLES)
            .where(ARTICLES.c.name == article)
            .order_by(REVISIONS.c.at.desc(), REVISIONS.c.id.desc())
        )
        return [
            _unpacked(article, text, at) for text, at in self._in(lambda connection: connection.execute(asked).all())
        ]

    # -- who was given what ------------------------------------------------------------------------------------

    def rows(
        self,
        *,
        serial: int | None = None,
        visit: str | None = None,
        address: str | None = None,
        article: str | None = None,
    ) -> Iterator[Issued]:
        """The rows of one serial, pass, address (its hash) or article, or all, the oldest first."""
        asked = _where(serial=serial, visit=visit, address=address, article=article)
        last = 0
        while True:
            wanted = select(ISSUED).where(ISSUED.c.id > last, *asked).order_by(ISSUED.c.id).limit(1000)
            found = self._in(lambda connection, wanted=wanted: connection.execute(wanted).all())  # type: ignore[misc]
            yield from (Issued._make((*row[1:4], bytes.fromhex(row[4]), *row[5:])) for row in found)
            if not found:
                return
            last = found[-1][0]

    def copies(self, article: str) -> list[Copies]:
        """What copies of an article left."""
        asked = (
            select(ISSUED.c.revision, ISSUED.c.epoch, func.count(distinct(ISSUED.c.serial)))
            .where(ISSUED.c.article == article)
            .group_by(ISSUED.c.revision, ISSUED.c.epoch)
        )
        found = self._in(lambda connection: connection.execute(asked).all())
        return [Copies(bytes.fromhex(revision), epoch, readers) for revision, epoch, readers in found]

    def serials(self, article: str, revision: bytes, epoch: int) -> list[int]:
        """Who was given these copies."""
        asked = (
            select(ISSUED.c.serial)
            .distinct()
            .where(ISSUED.c.article == article, ISSUED.c.revision == revision.hex(), ISSUED.c.epoch == epoch)
            .order_by(ISSUED.c.serial)
        )
        return self._in(lambda connection: list(connection.scalars(asked)))

    def readers(self, articles: Sequence[str]) -> int:
        """How many serials were given one of these articles."""
        asked = select(func.count(distinct(ISSUED.c.serial))).where(ISSUED.c.article.in_(articles[:_TOGETHER]))
        return self._in(lambda connection: connection.scalar(asked) or 0)

    def articles_of(self, serials: Sequence[int]) -> set[str]:
        """The articles that these serials were given."""
        asked = select(ISSUED.c.article).distinct().where(ISSUED.c.serial.in_(serials[:_TOGETHER]))
        return self._in(lambda connection: set(connection.scalars(asked)))

    # -- the connection ----------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the connection."""
        with suppress(SQLAlchemyError):
            self._engine.dispose()
        self._there = None

    def _in(self, work: Callable[[Connection], T]) -> T:
        """Do something in one transaction."""
        try:
            self._opened()
            with self._engine.begin() as connection:
                return work(connection)
        except (DataError, IntegrityError, OverflowError, ValueError, TypeError) as error:
            raise EvidenceError(_short(error), refused=True) from None
        except (SQLAlchemyError, OSError) as error:
            self.close()
            raise EvidenceError(_short(error)) from None

    def _opened(self) -> None:
        """Make the tables where they are not; find out that a file is another one than it was."""
        if self._file is not None:
            if self._there is not None and _identity(self._file) != self._there:
                self.close()
            if self._there is None:
                self._made(self._file)
        elif self._there is None:
            _DATA.create_all(self._engine)
            self._there = (0, 0)

    def _made(self, file: Path) -> None:
        if not self._create and not file.exists():
            raise EvidenceError(f"{file} is not there")
        # It tells who read what, if only by hashes: nobody else on this machine is to read it.
        os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        _DATA.create_all(self._engine)
        self._there = _identity(file)


def _engine(url: str) -> tuple[Engine, Path | None]:
    """What talks to the database, and its file if it is one."""
    try:
        parsed = make_url(url if "://" in url else f"sqlite:///{url}")
        if parsed.get_backend_name() == "postgresql":
            options = {"connect_timeout": 5, "options": "-c statement_timeout=60000 -c lock_timeout=5000"}
            parsed = parsed.set(drivername="postgresql+psycopg")
            return create_engine(parsed, poolclass=StaticPool, connect_args=options), None
        if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
            raise ArgumentError("neither a file of SQLite nor PostgreSQL")
        assert parsed.database is not None
        engine = create_engine(
            parsed.set(drivername="sqlite"),
            poolclass=StaticPool,
            connect_args={"timeout": 5.0, "check_same_thread": False},
        )
    except (ArgumentError, ImportError, SQLAlchemyError) as error:
        raise ValueError(
            f"expected sqlite:///FILE, a path or postgresql://…, found {_hidden(url)} ({_short(error)})"
        ) from None
    event.listen(engine, "connect", _careful)
    return engine, Path(parsed.database)


def _careful(connection: Any, record: object) -> None:
    """Readers and the writer do not wait for each other; a killed process loses nothing; what is erased is gone."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _identity(file: Path) -> tuple[int, int] | None:
    with suppress(OSError):
        told = file.stat()
        return told.st_dev, told.st_ino
    return None


def _hidden(url: str) -> str:
    with suppress(SQLAlchemyError):
        return repr(make_url(url).render_as_string(hide_password=True))
    return repr(url.partition("://")[0])


def _short(error: BaseException) -> str:
    said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return said[:200] or type(error).__name__


# -- rows ------------------------------------------------------------------------------------------------------


def _clean(text: str, most: int) -> str:
    """A text that every database takes: PostgreSQL knows no NUL, neither knows half a character."""
    return text[:most].replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _values(row: Issued) -> dict[str, object]:
    values = row._asdict() | {"revision": row.revision.hex()}
    limits = {"agent": _AGENT}
    return {
        name: _clean(value, limits.get(name, _NAME)) if isinstance(value, str) else value
        for name, value in values.items()
    }


def _where(**asked: str | int | None) -> list[ColumnElement[bool]]:
    return [ISSUED.c[name] == value for name, value in asked.items() if value is not None]


def _pruned(connection: Connection, before: float) -> int:
    gone = 0
    while True:
        old = select(ISSUED.c.id).where(ISSUED.c.at < before).limit(_MANY)
        done = connection.execute(delete(ISSUED).where(ISSUED.c.id.in_(old))).rowcount
        gone += done
        if done < _MANY:
            break
    last = select(func.max(REVISIONS.c.id)).group_by(REVISIONS.c.article)
    connection.execute(delete(REVISIONS).where(REVISIONS.c.at < before, REVISIONS.c.id.not_in(last)))
    return gone


# -- articles --------------------------------------------------------------------------------------------------


def _insert(connection: Connection, table: Table) -> Any:
    """An INSERT that leaves what is there already as it is: several processes learn the same article at once."""
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    return kind.insert(table).on_conflict_do_nothing()


def _learn(connection: Connection, revision: Revision, key: bytes) -> None:
    name = _clean(revision.article, _NAME)
    connection.execute(_insert(connection, ARTICLES).values(name=name))
    article = connection.scalar(select(ARTICLES.c.id).where(ARTICLES.c.name == name))
    made = _insert(connection, REVISIONS).values(
        article=article, revision=revision.revision.hex(), text=_packed(revision), at=revision.at
    )
    if not connection.execute(made).rowcount:
        return
    kept = select(REVISIONS.c.id).where(REVISIONS.c.article == article).order_by(REVISIONS.c.id.desc())
    connection.execute(
        delete(REVISIONS).where(REVISIONS.c.article == article, REVISIONS.c.id.not_in(kept.limit(MOST_REVISIONS)))
    )
    compiled = Compiled(revision.paragraphs, revision.channels)
    hashes = sorted(fingerprints([word.plain for word in compiled.words], key))
    common = {found for found, owners in _owners(connection, hashes).items() if len(owners) > RARE}
    rows = [{"hash": one, "article": article} for one in hashes if one not in common]
    if rows:
        connection.execute(_insert(connection, FINGERPRINTS), rows)


def _owners(connection: Connection, hashes: Sequence[int]) -> dict[int, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for start in range(0, len(hashes), _TOGETHER):
        asked = (
            select(FINGERPRINTS.c.hash, ARTICLES.c.name)
            .join(ARTICLES)
            .where(FINGERPRINTS.c.hash.in_(hashes[start : start + _TOGETHER]))
        )
        for one, name in connection.execute(asked):
            found[one].add(name)
    return dict(found)


def _packed(revision: Revision) -> bytes:
    told = {"paragraphs": revision.paragraphs, "channels": asdict(revision.channels), "tags": revision.tags}
    return zlib.compress(json.dumps(told, separators=(",", ":")).encode("ascii"))


def _unpacked(article: str, text: bytes, at: float) -> Revision:
    told: Mapping[str, Any] = json.loads(zlib.decompress(text))
    paragraphs = tuple(tuple(paragraph) for paragraph in told["paragraphs"])
    channels = Channels(**told["channels"])
    tags = tuple(Tag(element, tuple(names), said) for element, names, said in told.get("tags", ()))
    return Revision(article, Compiled(paragraphs, channels).revision, paragraphs, channels, at, tags)
