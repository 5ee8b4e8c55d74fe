"""One SQLite database behind one connection, opened by the first who needs it.

The connection is shared (StaticPool), in autocommit and never reset: requests use it side by side, and the rollback
that ends one request's use of it must not fall between another one's statement and its rows. A file is written with WAL
and `synchronous = FULL`: what a statement has written is on disk before its caller goes on.
"""

from __future__ import annotations

import asyncio
import sqlite3
import weakref
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from aiosqlite import Connection
from sqlalchemy import RowMapping, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

Prepare = Callable[[AsyncConnection], Awaitable[None]]


class Sqlite:
    """A database in a file, or in memory, which `prepare` fills or completes when it is opened.

    Raises `OSError` for a file that is no database, or cannot be one. `close` gives it back; the next query would open
    it again.
    """

    def __init__(self, prepare: Prepare, path: Path | None = None) -> None:
        self._prepare, self._path = prepare, path
        self._engine: AsyncEngine | None = None
        self._opening = asyncio.Lock()
        self._release: weakref.finalize[[Connection], Sqlite] | None = None

    async def open(self) -> AsyncEngine:
        """Open the database unless that is done; safe to call from many requests at once."""
        if self._engine is None:
            async with self._opening:
                if self._engine is None:
                    self._engine = await self._opened()
        return self._engine

    async def close(self) -> None:
        """Give the database back."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()
        if self._release is not None:
            self._release.detach()

    async def rows(self, statement: str, **values: object) -> Sequence[RowMapping]:
        """Return what a query finds."""
        engine = await self.open()
        async with engine.connect() as connection:
            return (await connection.execute(text(statement), values)).mappings().all()

    async def run(self, statement: str, **values: object) -> int:
        """Run a statement that changes something; the number of the row that it has put in, if it has."""
        engine = await self.open()
        async with engine.connect() as connection:
            return int((await connection.execute(text(statement), values)).lastrowid or 0)

    async def _opened(self) -> AsyncEngine:
        if self._path is not None:
            await asyncio.to_thread(_check, self._path)
        engine = create_async_engine(
            f"sqlite+aiosqlite://{'' if self._path is None else f'/{self._path}'}",
            poolclass=StaticPool,
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,
        )
        if self._path is not None:
            event.listen(engine.sync_engine, "connect", _durable)
        async with engine.connect() as connection:
            # An application whose lifespan never runs is never closed: the connection's thread ends with this object,
            # without a complaint about an open database.
            raw = await connection.get_raw_connection()
            self._release = weakref.finalize(self, _stop, cast(Connection, raw.driver_connection))
            await self._prepare(connection)
        return engine


def _check(path: Path) -> None:
    """Raise OSError for a file that is no database, or cannot be one: the engine would leave a thread behind."""
    try:
        with closing(sqlite3.connect(path, timeout=5.0)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as fault:
        raise OSError(f"expected a SQLite file that can be written, found: {fault}") from fault


def _durable(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA busy_timeout = 5000")
    cursor.close()


def _stop(connection: Connection) -> None:
    # Handed to the connection's own thread: called here, `stop` would promise its result to whatever event
    # loop happens to run, and that loop may be gone when the answer comes.
    connection._tx.put_nowait((None, connection.stop))
